"""Finds what a deployment offers: from its folder, its record, and the tables of the kernel.

Source: ISO/TS 12812-2:2017, 6.2; 7.1
"""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from tallystick.application.operators.store import active_roles
from tallystick.entry.http.operations import OPERATIONS
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.surface.model import Discovered, Listener
from tallystick.entry.witnessing import WITNESSED_NOTE
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound
from tallystick.process.policy.language.removed import read_kept
from tallystick.protocol.policy_file import policy_text, read_policy_file

_LISTENS = "0A"
_PROCESSES = Path("/proc")


def discover(folder: ProviderFolder, process: int | None = None) -> Discovered:
    """What the provider in `folder` has; with `process`, on what it and its children listen.

    Raises NotFound where nothing was set up, or no process has that id.
    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """
    settings = folder.settings()
    policy = read_kept(policy_text(read_policy_file(folder.policy_file.read_bytes())))
    return Discovered(
        listeners=None if process is None else listeners_of(process),
        gateways=tuple(sorted(settings.gateways)),
        sms=bool(settings.sms_url),
        core=bool(settings.core_url),
        witnessed=(folder.root / WITNESSED_NOTE).exists(),
        store_on_server=not isinstance(folder.place(), Path),
        operations=OPERATIONS,
        purposes=tuple(sorted({peek(block).purpose for block in folder.blocks()})),
        accounts=_accounts(folder),
        allowed=policy.operators.roles,
        currency=settings.currency,
        callbacks=(
            *(("ussd.callback",) if settings.aggregators else ()),
            *(("sms.receipt",) if settings.sms_receipts is not None else ()),
            *(("sim.change",) if settings.sim_changes is not None else ()),
        ),
    )


def listeners_of(process: int, processes: Path = _PROCESSES) -> tuple[Listener, ...]:
    """Where `process` and the processes that it started take TCP connections.

    Raises NotFound if there is no such process, or this account may not look at it.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    found: set[tuple[str, int]] = set()
    try:
        for one in _family(process, processes):
            sockets = set(_sockets(processes / str(one) / "fd"))
            for table in ("tcp", "tcp6"):
                text = (processes / str(one) / "net" / table).read_text(encoding="ascii")
                found |= {
                    _address(row[1])
                    for row in (line.split() for line in text.splitlines()[1:])
                    if row[3] == _LISTENS and row[9] in sockets
                }
    except OSError as error:
        raise NotFound(
            f"process {process} cannot be looked at",
            remedy="give the id of the running service, as its own account",
        ) from error
    return tuple(Listener(host=host, port=port) for host, port in sorted(found))


def _family(process: int, processes: Path) -> Iterator[int]:
    """The process, and every one that it or its children started."""
    yield process
    for task in sorted((processes / str(process) / "task").iterdir()):
        children = task / "children"
        for child in children.read_text(encoding="ascii").split() if children.exists() else ():
            yield from _family(int(child), processes)


def _sockets(descriptors: Path) -> Iterator[str]:
    for path in descriptors.iterdir():
        try:
            target = str(path.readlink())
        except OSError:  # closed since it was listed
            continue
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def _address(text: str) -> tuple[str, int]:
    """Host and port out of the kernel's words of 32 bits, each in the order of this machine."""
    host, _, port = text.partition(":")
    words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
    address = ip_address(b"".join(words))
    return ("" if address.is_unspecified else str(address)), int(port, 16)


def _accounts(folder: ProviderFolder) -> dict[str, int] | None:
    place = folder.place()
    if isinstance(place, Path) and not place.exists():
        return None
    with open_reader(place) as reader:
        if not reader.shapes():
            return None
        return dict(Counter(active_roles(reader).values()))
