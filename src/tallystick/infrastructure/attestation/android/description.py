"""The description of a key as a keystore signs it; hardware and software lists apart.

Source: X.690, 10; ISO/TS 12812-2:2017, 8.1.1
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from tallystick.infrastructure.crypto import der
from tallystick.infrastructure.crypto.der import Members
from tallystick.kernel.errors import Malformed, TooLarge

OBJECT: Final = "1.3.6.1.4.1.11129.2.1.17"
"""The object identifier of the extension."""

ORIGINS: Final = ("GENERATED", "DERIVED", "IMPORTED", "RESERVED", "SECURELY_IMPORTED")
BOOT_STATES: Final = ("VERIFIED", "SELF_SIGNED", "UNVERIFIED", "FAILED")
MAX_DESCRIPTION: Final = 16 * 1024
_MAX_MEMBERS: Final = 64

Stated = int | bool | bytes | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RootOfTrust:
    """How the system was started; `digest` is empty before version 3.

    Source: RFC 9334, 2.1
    """

    signer: bytes
    locked: bool
    state: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the application that made the key, and its version.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Application:
    """Which application made the key: its packages, the digests of their signers.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    packages: tuple[Package, ...]
    signers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Authorizations:
    """One of the two lists: values by their name, unknown tags by number, whether in order.

    Source: X.690, 10.3
    """

    values: dict[str, Stated]
    root_of_trust: RootOfTrust | None
    application: Application | None
    unknown: tuple[int, ...]
    ordered: bool

    def number(self, name: str) -> int:
        """The integer called `name`; 0 where the list has none.

        Source: X.690, 8.3
        """
        value = self.values.get(name, 0)
        return value if isinstance(value, int) else 0

    def numbers(self, name: str) -> tuple[int, ...]:
        """The integers called `name`; empty where the list has none.

        Source: X.690, 8.11
        """
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """All of it; levels are 0 software, 1 trusted environment, 2 StrongBox.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    version: int
    level: int
    keystore_version: int
    keystore_level: int
    challenge: bytes
    unique: bytes
    software: Authorizations
    hardware: Authorizations


def _members(item: der.Value) -> tuple[der.Value, ...]:
    members = item.inside()
    if item.tag != der.SET or len(members) > _MAX_MEMBERS:
        raise Malformed("what belongs here is a set, and not a large one")
    return members


def _integers(item: der.Value) -> tuple[int, ...]:
    return tuple(der.signed_number(one) for one in _members(item))


def _present(item: der.Value) -> bool:
    if item.tag != der.NULL or item.body:
        raise Malformed("what is only there or not is an empty null")
    return True


_KNOWN: Final[dict[int, tuple[str, Callable[[der.Value], Stated]]]] = {
    1: ("purposes", _integers),
    2: ("algorithms", der.signed_number),
    3: ("keySize", der.signed_number),
    4: ("blockModes", _integers),
    5: ("digests", _integers),
    6: ("paddings", _integers),
    7: ("callerNonce", _present),
    8: ("minMacLength", der.signed_number),
    10: ("ecCurve", der.signed_number),
    11: ("mlDsaVariant", der.signed_number),
    200: ("rsaPublicExponent", der.signed_number),
    203: ("rsaOaepMgfDigests", _integers),
    303: ("rollbackResistance", _present),
    305: ("earlyBootOnly", _present),
    400: ("activeDateTime", der.signed_number),
    401: ("originationExpireDateTime", der.signed_number),
    402: ("usageExpireDateTime", der.signed_number),
    405: ("usageCountLimit", der.signed_number),
    503: ("noAuthRequired", _present),
    504: ("userAuthType", der.signed_number),
    505: ("authTimeout", der.signed_number),
    506: ("allowWhileOnBody", _present),
    507: ("trustedUserPresenceRequired", _present),
    508: ("trustedConfirmationRequired", _present),
    509: ("unlockedDeviceRequired", _present),
    600: ("allApplications", _present),
    601: ("applicationId", der.octets_of),
    701: ("creationDateTime", der.signed_number),
    702: ("origin", der.signed_number),
    703: ("rollbackResistant", _present),
    705: ("osVersion", der.signed_number),
    706: ("osPatchLevel", der.signed_number),
    710: ("attestationIdBrand", der.octets_of),
    711: ("attestationIdDevice", der.octets_of),
    712: ("attestationIdProduct", der.octets_of),
    713: ("attestationIdSerial", der.octets_of),
    714: ("attestationIdImei", der.octets_of),
    715: ("attestationIdMeid", der.octets_of),
    716: ("attestationIdManufacturer", der.octets_of),
    717: ("attestationIdModel", der.octets_of),
    718: ("vendorPatchLevel", der.signed_number),
    719: ("bootPatchLevel", der.signed_number),
    720: ("deviceUniqueAttestation", _present),
    723: ("attestationIdSecondImei", der.octets_of),
    724: ("moduleHash", der.octets_of),
}
_ROOT_OF_TRUST, _APPLICATION = 704, 709


def read_description(octets: bytes) -> KeyDescription:
    """The description in the value of the extension.

    Raises TooLarge past 16 KiB, Malformed for anything that is not exactly one.
    Source: X.690, 10
    """
    if len(octets) > MAX_DESCRIPTION:
        raise TooLarge(f"a key description has at most {MAX_DESCRIPTION} bytes")
    parts = Members(der.single(octets, der.SEQUENCE))
    described = KeyDescription(
        version=der.signed_number(parts.take(der.INTEGER)),
        level=_level(parts),
        keystore_version=der.signed_number(parts.take(der.INTEGER)),
        keystore_level=_level(parts),
        challenge=parts.take(der.OCTETS).body,
        unique=parts.take(der.OCTETS).body,
        software=_authorizations(parts.take(der.SEQUENCE)),
        hardware=_authorizations(parts.take(der.SEQUENCE)),
    )
    parts.end()
    return described


def _level(parts: Members) -> int:
    level = der.signed_number(parts.take(der.ENUMERATED), der.ENUMERATED)
    if not 0 <= level <= 2:
        raise Malformed("a key description has another security level")
    return level


def _authorizations(item: der.Value) -> Authorizations:
    values: dict[str, Stated] = {}
    root: RootOfTrust | None = None
    application: Application | None = None
    tags: list[int] = []
    unknown: list[int] = []
    for one in item.inside():
        if one.context < 0 or one.context in tags:
            raise Malformed("a list of authorizations has a tag twice, or an item without one")
        tags.append(one.context)
        if one.context == _ROOT_OF_TRUST:
            root = _root_of_trust(one.holds(der.SEQUENCE))
        elif one.context == _APPLICATION:
            application = _application(one.holds(der.OCTETS).body)
        elif one.context in _KNOWN:
            name, reading = _KNOWN[one.context]
            values[name] = reading(one.holds())
        else:
            unknown.append(one.context)
    return Authorizations(
        values=values,
        root_of_trust=root,
        application=application,
        unknown=tuple(unknown),
        ordered=tags == sorted(tags),
    )


def _root_of_trust(item: der.Value) -> RootOfTrust:
    parts = Members(item)
    signer, locked = parts.take(der.OCTETS).body, der.truth(parts.take(der.BOOLEAN))
    state = der.signed_number(parts.take(der.ENUMERATED), der.ENUMERATED)
    digest = parts.maybe(der.OCTETS)
    parts.end()
    if not 0 <= state < len(BOOT_STATES):
        raise Malformed("a root of trust has another boot state")
    return RootOfTrust(
        signer=signer,
        locked=locked,
        state=BOOT_STATES[state],
        digest=b"" if digest is None else digest.body,
    )


def _application(octets: bytes) -> Application:
    parts = Members(der.single(octets, der.SEQUENCE))
    packages, signers = _members(parts.take(der.SET)), _members(parts.take(der.SET))
    parts.end()
    return Application(
        packages=tuple(_package(one) for one in packages),
        signers=tuple(der.octets_of(one) for one in signers),
    )


def _package(item: der.Value) -> Package:
    parts = Members(der.must_be(item, der.SEQUENCE))
    name, version = parts.take(der.OCTETS).body, der.signed_number(parts.take(der.INTEGER))
    parts.end()
    try:
        return Package(name=name.decode(), version=version)
    except UnicodeDecodeError as error:
        raise Malformed("the name of a package is not UTF-8") from error


def origin_of(listed: Authorizations) -> str:
    """Where the key of `listed` comes from, in a word; empty where it is not said.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    if "origin" not in listed.values:
        return ""
    number = cast("int", listed.values["origin"])
    return ORIGINS[number] if 0 <= number < len(ORIGINS) else "UNKNOWN"
