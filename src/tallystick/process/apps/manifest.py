"""What officers sign of an application: that it is released, withdrawn, denied, or rolled out.

The manifest of a release is one form for all: packages for phones and the provider's own servers.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from enum import StrEnum
from typing import Annotated, Final, TypeVar

from tallystick.kernel.codec import Decoder, from_plain, to_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Natural, Record, ShortText, length, pattern

RELEASED: Final = "app-released"
WITHDRAWN: Final = "app-withdrawn"
DENIED: Final = "app-denied"
ROLLED_OUT: Final = "app-rolled-out"

Sha256Hex = Annotated[str, pattern("^[0-9a-f]{64}$")]
PackageName = Annotated[str, pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
SignerName = Annotated[str, pattern("^(?:[0-9a-f]{64}|[A-Z0-9]{10})$")]
"""The SHA-256 of a signer's certificate (hexadecimal), or a team of the maker of iOS."""
Notes = Annotated[str, length(1, 2000)]
Word = Annotated[str, pattern("^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}$")]


class Platform(StrEnum):
    """What a release runs on; `server` is the provider's own machines.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    ANDROID = "android"
    IOS = "ios"
    SERVER = "server"


class AppRelease(Record, frozen=True, kw_only=True):
    """The manifest of a release. `version` orders the releases of a package, `name` is for people.

    `digest` is the SHA-256 of the whole package, `bill` that of its list of parts (CycloneDX),
    both hexadecimal; `signers` who signed the package, empty for a server; `system` the least
    version of the operating system.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    platform: Platform
    package: PackageName
    version: Natural
    name: Word
    digest: Sha256Hex
    signers: tuple[SignerName, ...]
    system: Word
    bill: Sha256Hex
    notes: Notes


class AppWithdrawal(Record, frozen=True, kw_only=True):
    """That a release may run no more, from when (ms), and why.

    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
    """

    platform: Platform
    package: PackageName
    version: Natural
    at: Natural
    because: ShortText


class AppDenial(Record, frozen=True, kw_only=True):
    """That whatever has this signer, or is this package (SHA-256), is never the provider's.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    subject: SignerName
    at: Natural
    because: ShortText


class RollOut(Record, frozen=True, kw_only=True):
    """How a package is rolled out, and which versions end; the highest `number` is in force.

    `version` is offered to `share` hundredths of a percent of the devices (10 000: all). Versions
    below `least` are warned of from `warn_from`, may only look from `limit_from`, and are refused
    from `refuse_from` (ms, 0: not). With `attested` a device must prove what it runs.
    Source: ISO/TS 12812-2:2017, 7.2.8
    """

    number: Natural
    platform: Platform
    package: PackageName
    version: Natural
    share: Natural
    least: Natural
    warn_from: Natural
    limit_from: Natural
    refuse_from: Natural
    attested: bool
    says: ShortText


Stated = AppRelease | AppWithdrawal | AppDenial | RollOut
"""What a statement about applications has as its body."""

T = TypeVar("T", bound=Record)
_FORMS: Final[dict[str, type[Stated]]] = {
    RELEASED: AppRelease,
    WITHDRAWN: AppWithdrawal,
    DENIED: AppDenial,
    ROLLED_OUT: RollOut,
}
_readers: Final = {about: Decoder(form) for about, form in _FORMS.items()}
ALL: Final = 10_000


def read_stated(about: str, octets: bytes) -> Stated:
    """What the body `octets` of a statement about `about` says.

    Raises Malformed, also for a statement about something else.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if about not in _readers:
        raise Malformed("a statement about an application is taken here, no other")
    return checked(_readers[about].decode_canonical(octets))


def checked(stated: T) -> T:
    """`stated`, if its fields have their form and fit together.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    found = from_plain(to_plain(stated), type(stated))
    if isinstance(found, AppRelease):
        _check_release(found)
    if isinstance(found, RollOut):
        _check_roll_out(found)
    return found


def _check_release(found: AppRelease) -> None:
    if (found.platform is Platform.SERVER) is bool(found.signers):
        raise Malformed("a package for phones has signers, a release for servers has none")
    if tuple(sorted(set(found.signers))) != found.signers:
        raise Malformed("the signers of a release stand in order, each once")


def _check_roll_out(found: RollOut) -> None:
    if found.share > ALL:
        raise Malformed("a share is at most 10000 hundredths of a percent")
    if found.platform is Platform.SERVER:
        raise Malformed("servers are not rolled out by share")
    if found.least > found.version:
        raise Malformed("the least version is not above the one that is rolled out")
    steps = [one for one in (found.warn_from, found.limit_from, found.refuse_from) if one]
    if steps != sorted(steps):
        raise Malformed("a warning comes before a limit, and a limit before a refusal")
