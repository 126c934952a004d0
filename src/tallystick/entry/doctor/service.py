"""The running service, as its callers see it.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from collections.abc import Iterator

from tallystick.client.http import HttpTransport
from tallystick.entry.auditing import listed_keys
from tallystick.entry.doctor.leaning import look_at_dependencies
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.key_list import list_address
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError
from tallystick.protocol.tally_api import HealthReply, SignedKeyList

_health = Decoder(HealthReply)
_lists = Decoder(SignedKeyList)
_MOST_WAITING = 4_096


def look_at_service(folder: ProviderFolder, url: str) -> list[Finding]:
    """Does it take orders, does it keep up, does what it leans on answer, has it the newest list?

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    try:
        transport = HttpTransport(url, timeout_s=5.0)
    except MfsError as error:
        return [wrong("service", error.detail, error.remedy or "give the service's address")]
    try:
        return list(_looks(folder, transport))
    except MfsError as error:
        return [wrong("service", f"{url}: {error.detail}", "start it, or give its address")]
    finally:
        transport.close()


def _looks(folder: ProviderFolder, transport: HttpTransport) -> Iterator[Finding]:
    ready = transport.get("/health/ready")
    health = _health.decode(ready.body)
    if ready.status != 200:
        yield wrong("service", health.status, health.remedy or "look at its log")
    else:
        yield fine("service", "takes orders")
    if health.suspended:
        what = ", ".join(health.suspended)
        yield soon("suspended", f"for everybody: {what}", "two operators resume it: resume-service")
    exposition = transport.get("/metrics").body.decode()
    yield _load(exposition)
    yield from look_at_dependencies(folder, exposition)
    root = folder.settings().root.verify_key()
    served = _lists.decode(transport.get(list_address(root)).body).key_list
    if served != folder.key_list_file.read_text(encoding="utf-8"):
        version = listed_keys(folder).version
        yield soon(
            "key list in use",
            f"the service does not use version {version} yet",
            "it takes a new list within seconds: look at its log, or restart it",
        )
    else:
        yield fine("key list in use", "the one in the folder")


def _load(exposition: str) -> Finding:
    values: dict[str, float] = {}
    for line in exposition.splitlines():
        name, _, value = line.rpartition(" ")
        if name and not line.startswith("#") and "{" not in name:
            values[name] = float(value)
    waiting = values.get("tallystick_commands_waiting", 0)
    dropped = values.get("tallystick_log_lines_dropped_total", 0)
    says = f"{waiting:.0f} commands wait, {dropped:.0f} log lines were dropped"
    if waiting > _MOST_WAITING:
        return soon("load", says, "the disk is too slow, or there is more than it can take")
    if dropped:
        return soon("load", says, "the log cannot be written fast enough: give it a faster place")
    return fine("load", says)
