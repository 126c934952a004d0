"""Which cryptographic module a provider runs on: FOLDER/module.json.

    soft          in the process of the service
    soft-process  the same module in a process of its own
    pkcs11        named purposes in a hardware security module, the others in the soft one

Without the file it is `soft-process` in the profile production, and `soft` in all others; beside a
device the other keys are kept the same way.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO/IEC 19790
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import (
    MECHANISMS,
    OPERATIONS,
    CryptoModule,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.pkcs11.beside import DeviceBeside
from tallystick.infrastructure.modules.pkcs11.device import DeviceModule
from tallystick.infrastructure.modules.pkcs11.sessions import TokenPlace
from tallystick.infrastructure.modules.pkcs11.vendors import vendor
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.remote.starting import (
    FRONTS,
    WATCH,
    OwnedModule,
    own_module,
)
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, NotFound, Unavailable
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock

_FILE = "module.json"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_ISOLATED = "production"
_MOST_PATH = 90
MOST_PIN = 256


class ModuleKind(StrEnum):
    """The modules that can be named.

    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 8.2.3
    """

    SOFT = "soft"
    SOFT_PROCESS = "soft-process"
    PKCS11 = "pkcs11"


class Pkcs11Settings(Record, frozen=True, kw_only=True):
    """Where the device is, how it is opened, and which purposes have their keys in it.

    `library` is the path of the vendor's module; `label`, `serial` or `slot` choose among its
    tokens. `pin` is `fd:N`, `file:PATH` or `credential:NAME`, never the PIN itself. `vendor` is a
    row of the table of mechanisms. `wait_ms` bounds the wait for one answer.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.2
    """

    library: str
    pin: str
    purposes: tuple[Purpose, ...]
    label: str = ""
    serial: str = ""
    slot: int | None = None
    vendor: str = "generic"
    sessions: int = 4
    wait_ms: int = 2_000

    def place(self) -> TokenPlace:
        """The token, with its PIN read from where it is.

        Raises what `read_pin` raises.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return TokenPlace(
            self.library,
            read_pin(self.pin),
            label=self.label,
            serial=self.serial,
            slot=self.slot,
            sessions=self.sessions,
            wait_ms=self.wait_ms,
        )


class ModuleSettings(Record, frozen=True, kw_only=True):
    """The module of one provider.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    v: int = 1
    module: ModuleKind = ModuleKind.SOFT
    pkcs11: Pkcs11Settings | None = None


class Opening(Protocol):
    """Opens a module of one kind.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    def __call__(
        self,
        settings: ModuleSettings,
        roots: BlockRoots,
        clock: Clock,
        *,
        profile: str,
        entropy: Entropy | None,
        place: Path | None,
    ) -> CryptoModule:
        """The module, ready, with doors in the folder `place` if it serves others.

        Raises Unavailable where it cannot be reached.
        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        ...


_settings = Decoder(ModuleSettings, limit=16 * 1024, file=_FILE)


def module_settings(root: Path, profile: str = "") -> ModuleSettings:
    """The module of the provider in folder `root`, which runs under `profile`.

    Raises Malformed for settings that contradict themselves.
    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    try:
        octets = (root / _FILE).read_bytes()
    except FileNotFoundError:
        return ModuleSettings(module=_soft_of(profile))
    found = _settings.decode(octets)
    _check(found)
    return found


def save_module(root: Path, settings: ModuleSettings) -> None:
    """Keep `settings`, which take force at the next start.

    Raises Malformed for settings that contradict themselves.
    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    _check(settings)
    replace_file(root / _FILE, encode_canonical(settings))


def open_module(
    root: Path,
    roots: BlockRoots,
    clock: Clock,
    *,
    profile: str,
    entropy: Entropy | None = None,
    serves: bool = False,
) -> CryptoModule:
    """The module that the settings in folder `root` name, for the purposes of `roots`.

    One that `serves` has doors for fronts and commands, where it has a process of its own.
    Raises Unavailable where it cannot be reached, NotPermitted for one that is not installed.
    Source: ISO/TS 12812-2:2017, 8.2.1; 7.4.2
    """
    settings = module_settings(root, profile)
    place = doors_of(root) if serves else None
    opening = _OPENINGS[settings.module]
    return opening(settings, roots, clock, profile=profile, entropy=entropy, place=place)


def doors_of(root: Path) -> Path:
    """The folder of the doors of the module that serves the provider in folder `root`.

    Its name is as short as a socket file's has to be, where that of `root` leaves room.
    Source: unix(7)
    """
    place = root.absolute() / "module.run"
    if len(str(place)) <= _MOST_PATH:
        return place
    digest = sha256(str(place).encode()).hex()[:16]
    return Path(tempfile.gettempdir()) / f"tallystick-{os.geteuid()}-{digest}"


def remote_in(module: CryptoModule) -> RemoteModule | None:
    """The module in a process of its own that `module` is, or has beside a device; None for none.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    found = module.soft if isinstance(module, DeviceBeside) else module
    return found if isinstance(found, RemoteModule) else None


def owned_in(module: CryptoModule) -> OwnedModule | None:
    """The same, if this process started it.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    found = remote_in(module)
    return found if isinstance(found, OwnedModule) else None


def read_pin(source: str, environ: Mapping[str, str] = os.environ) -> Secret[str]:
    """The PIN that `source` names: `fd:N`, `file:PATH` or `credential:NAME`.

    Raises Malformed for another form, NotFound or Unavailable for what cannot be read.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    way, _, place = source.partition(":")
    reader = _PINS.get(way)
    if reader is None or not place:
        raise Malformed(
            "a PIN comes from a place, and is not written down in settings",
            remedy="say fd:N, file:/PATH or credential:NAME",
        )
    octets = reader(place, environ).removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(octets) <= MOST_PIN:
        raise Malformed("the place of the PIN delivers nothing, or too much")
    try:
        return Secret(octets.decode())
    except UnicodeDecodeError:
        raise Malformed("the PIN is not text in UTF-8") from None


def _from_descriptor(place: str, _: Mapping[str, str]) -> bytes:
    if not place.isascii() or not place.isdigit():
        raise Malformed("a file descriptor is a number", remedy="say fd:3")
    try:
        with os.fdopen(int(place), "rb") as stream:
            return stream.read(MOST_PIN + 3)
    except OSError as error:
        raise Unavailable(
            f"file descriptor {place[:9]} cannot be read", remedy="open it for the process"
        ) from error


def _from_file(place: str, _: Mapping[str, str]) -> bytes:
    path = Path(place.removeprefix("//"))
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_PIN + 3)
    except FileNotFoundError:
        raise NotFound("the file of the PIN is not there", remedy="check the path") from None
    except OSError as error:
        raise Unavailable(
            "the file of the PIN cannot be read", remedy="check who owns it"
        ) from error


def _from_credential(place: str, environ: Mapping[str, str]) -> bytes:
    folder = environ.get(_CREDENTIALS, "")
    if not folder or Path(place).name != place:
        raise NotFound(
            "the service manager delivers no such credential",
            remedy="add LoadCredential= to the unit, and name it without a path",
        )
    return _from_file(str(Path(folder) / place), environ)


_PINS: dict[str, Callable[[str, Mapping[str, str]], bytes]] = {
    "fd": _from_descriptor,
    "file": _from_file,
    "credential": _from_credential,
}


def _check(settings: ModuleSettings) -> None:
    if (settings.module is ModuleKind.PKCS11) != (settings.pkcs11 is not None):
        raise Malformed(
            "module pkcs11 goes with a section pkcs11, and no other module does",
            remedy="see docs/how-to/connect-an-hsm.md",
        )
    device = settings.pkcs11
    if device is None:
        return
    if not device.purposes or len(set(device.purposes)) != len(device.purposes):
        raise Malformed("say once each which purposes have their keys in the device")
    other = [one.value for one in device.purposes if not _signs(one)]
    if other:
        raise Malformed(
            f"keys for {', '.join(other)} are not kept in a device",
            remedy="a provider keeps the keys that sign in it; others are used by many processes",
        )
    vendor(device.vendor)
    if not device.label and not device.serial and device.slot is None:
        raise Malformed("say by label, serial or slot which token is meant")
    if not 1 <= device.sessions <= 64 or not 50 <= device.wait_ms <= 60_000:
        raise Malformed("1 to 64 sessions, and a wait of 50 to 60000 ms")


def _soft_of(profile: str) -> ModuleKind:
    return ModuleKind.SOFT_PROCESS if profile == _ISOLATED else ModuleKind.SOFT


def _signs(purpose: Purpose) -> bool:
    return all(Operation.SIGN in OPERATIONS[name] for name in MECHANISMS[purpose])


def _soft(
    settings: ModuleSettings,
    roots: BlockRoots,
    clock: Clock,
    *,
    profile: str,
    entropy: Entropy | None,
    place: Path | None,
) -> CryptoModule:
    return SoftModule(roots, clock, profile=profile, entropy=entropy)


def _soft_process(
    settings: ModuleSettings,
    roots: BlockRoots,
    clock: Clock,
    *,
    profile: str,
    entropy: Entropy | None,
    place: Path | None,
) -> CryptoModule:
    if entropy is not None or not isinstance(clock, SystemClock):
        # a simulation's own clock and draws are of this process
        return SoftModule(roots, clock, profile=profile, entropy=entropy)
    if place is None:
        return own_module(roots, profile=profile)
    return own_module(roots, profile=profile, more=(FRONTS, WATCH), folder=place)


def _pkcs11(
    settings: ModuleSettings,
    roots: BlockRoots,
    clock: Clock,
    *,
    profile: str,
    entropy: Entropy | None,
    place: Path | None,
) -> CryptoModule:
    beside = _OPENINGS[_soft_of(profile)]
    soft = beside(settings, roots, clock, profile=profile, entropy=entropy, place=place)
    said = settings.pkcs11
    if said is None or not set(said.purposes) & set(roots.purposes()):
        return soft
    device = DeviceModule(said.place(), vendor(said.vendor), roots, clock, profile=profile)
    return DeviceBeside(soft, device, said.purposes)


_OPENINGS: dict[ModuleKind, Opening] = {
    ModuleKind.SOFT: _soft,
    ModuleKind.SOFT_PROCESS: _soft_process,
    ModuleKind.PKCS11: _pkcs11,
}
