"""What opens the master key, and where keys are: is the key service there, is the device.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1
"""

from collections.abc import Iterator
from dataclasses import replace

from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.module_settings import doors_of, module_settings
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.unsealing import service_at
from tallystick.infrastructure.modules.master import keeper_of
from tallystick.infrastructure.modules.opening import Keeper
from tallystick.infrastructure.modules.pkcs11.sessions import Sessions, TokenPlace
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import WATCH
from tallystick.infrastructure.modules.standing import State as Standing
from tallystick.kernel.errors import MfsError

_MASTER = "master key"
_DEVICE = "device"
_MODULE = "module"
_PATIENCE_S = 3.0


def look_at_unsealing(folder: ProviderFolder, address: str) -> Iterator[Finding]:
    """Open the master key through the key service at `address`, and ask the device for a number.

    The module of a service that runs is asked for its state, where it has a process of its own.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    yield from _master(folder, address)
    yield from _module(folder)
    try:
        settings = module_settings(folder.root)
        if settings.pkcs11 is None:
            return
        found = _mechanisms(settings.pkcs11.place())
    except MfsError as error:
        yield wrong(_DEVICE, error.detail, error.remedy or "docs/how-to/connect-an-hsm.md")
    else:
        names = ", ".join(settings.pkcs11.purposes)
        yield fine(_DEVICE, f"answers, with {found} mechanisms; keys in it for {names}")


def _module(folder: ProviderFolder) -> Iterator[Finding]:
    door = doors_of(folder.root) / WATCH.name
    if not door.is_socket():
        return
    module = RemoteModule(str(door), patience_s=_PATIENCE_S)
    try:
        told = module.status()
    except MfsError:
        yield wrong(_MODULE, "nobody answers for the keys of the service", "restart the service")
        return
    finally:
        module.close()
    says = f"process {told.process} is {told.state.value}"
    if told.state is not Standing.SERVING:
        yield wrong(_MODULE, f"{says}: {told.refusal}", "look why, then restart the service")
    elif told.starts > 1:
        says += f"; {told.starts - 1} were lost before it, the last by {told.last_end}"
        yield soon(_MODULE, says, "docs/how-to/alerts.md#tallystickmodulestartedagain")
    else:
        yield fine(_MODULE, says)


def _mechanisms(place: TokenPlace) -> int:
    """How many mechanisms the token lists, once it gave a random number."""
    sessions = Sessions(replace(place, sessions=1))
    try:
        sessions.ask(lambda at: bytes(at.open.generate_random(128)))
        return len(sessions.mechanisms())
    finally:
        sessions.close()


def _master(folder: ProviderFolder, address: str) -> Iterator[Finding]:
    try:
        keeper = keeper_of(folder.master_file.read_bytes())
    except (MfsError, OSError):
        yield wrong(_MASTER, "its file cannot be read", "restore master.sealed from a backup")
        return
    if not keeper:
        return
    if not address:
        says = f"opened by {keeper}, which was not asked"
        yield soon(_MASTER, says, f"tallystick doctor {folder.root} --unseal ADDRESS")
        return
    try:
        folder.master(Keeper(service_at(address)))
    except MfsError as error:
        yield wrong(_MASTER, f"{keeper}: {error.detail}", error.remedy or "check the address")
    else:
        yield fine(_MASTER, f"{keeper} answers and opens it")
