"""The description of a key as a keystore signs it; hardware and software lists apart.

Source: X.690, 10; ISO/TS 12812-2:2017, 8.1.1
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from tallystick.infrastructure.attestation import der
from tallystick.infrastructure.attestation.der import Element
from tallystick.kernel.errors import Malformed

OBJECT: Final = "1.3.6.1.4.1.11129.2.1.17"
"""The object identifier of the extension."""

ORIGINS: Final = ("GENERATED", "DERIVED", "IMPORTED", "RESERVED", "SECURELY_IMPORTED")
BOOT_STATES: Final = ("VERIFIED", "SELF_SIGNED", "UNVERIFIED", "FAILED")
_MAX_MEMBERS: Final = 64

Value = int | bool | bytes | tuple[int, ...]


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

    values: dict[str, Value]
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


def _integers(item: Element) -> tuple[int, ...]:
    members = item.of(der.SET).children()
    if len(members) > _MAX_MEMBERS:
        raise Malformed("a set has more members than anybody needs")
    return tuple(one.integer() for one in members)


def _present(item: Element) -> bool:
    if item.of(der.NULL).content:
        raise Malformed("a null of DER is empty")
    return True


def _octets(item: Element) -> bytes:
    return item.octets()


def _integer(item: Element) -> int:
    return item.integer()


_KNOWN: Final[dict[int, tuple[str, Callable[[Element], Value]]]] = {
    1: ("purposes", _integers),
    2: ("algorithms", _integer),
    3: ("keySize", _integer),
    4: ("blockModes", _integers),
    5: ("digests", _integers),
    6: ("paddings", _integers),
    7: ("callerNonce", _present),
    8: ("minMacLength", _integer),
    10: ("ecCurve", _integer),
    11: ("mlDsaVariant", _integer),
    200: ("rsaPublicExponent", _integer),
    203: ("rsaOaepMgfDigests", _integers),
    303: ("rollbackResistance", _present),
    305: ("earlyBootOnly", _present),
    400: ("activeDateTime", _integer),
    401: ("originationExpireDateTime", _integer),
    402: ("usageExpireDateTime", _integer),
    405: ("usageCountLimit", _integer),
    503: ("noAuthRequired", _present),
    504: ("userAuthType", _integer),
    505: ("authTimeout", _integer),
    506: ("allowWhileOnBody", _present),
    507: ("trustedUserPresenceRequired", _present),
    508: ("trustedConfirmationRequired", _present),
    509: ("unlockedDeviceRequired", _present),
    600: ("allApplications", _present),
    601: ("applicationId", _octets),
    701: ("creationDateTime", _integer),
    702: ("origin", _integer),
    703: ("rollbackResistant", _present),
    705: ("osVersion", _integer),
    706: ("osPatchLevel", _integer),
    710: ("attestationIdBrand", _octets),
    711: ("attestationIdDevice", _octets),
    712: ("attestationIdProduct", _octets),
    713: ("attestationIdSerial", _octets),
    714: ("attestationIdImei", _octets),
    715: ("attestationIdMeid", _octets),
    716: ("attestationIdManufacturer", _octets),
    717: ("attestationIdModel", _octets),
    718: ("vendorPatchLevel", _integer),
    719: ("bootPatchLevel", _integer),
    720: ("deviceUniqueAttestation", _present),
    723: ("attestationIdSecondImei", _octets),
    724: ("moduleHash", _octets),
}
_ROOT_OF_TRUST, _APPLICATION = 704, 709


def read_description(octets: bytes) -> KeyDescription:
    """The description in the value of the extension.

    Raises TooLarge or Malformed for anything that is not exactly one.
    Source: X.690, 10
    """
    parts = der.read(octets).of(der.SEQUENCE).children()
    if len(parts) != 8:
        raise Malformed("a key description has eight parts")
    levels = (parts[1].of(der.ENUMERATED).integer(), parts[3].of(der.ENUMERATED).integer())
    if not all(0 <= one <= 2 for one in levels):
        raise Malformed("a key description has another security level")
    return KeyDescription(
        version=parts[0].of(der.INTEGER).integer(),
        level=levels[0],
        keystore_version=parts[2].of(der.INTEGER).integer(),
        keystore_level=levels[1],
        challenge=parts[4].octets(),
        unique=parts[5].octets(),
        software=_authorizations(parts[6]),
        hardware=_authorizations(parts[7]),
    )


def _authorizations(item: Element) -> Authorizations:
    values: dict[str, Value] = {}
    root: RootOfTrust | None = None
    application: Application | None = None
    tags: list[int] = []
    unknown: list[int] = []
    for one in item.of(der.SEQUENCE).children():
        if one.sort != der.CONTEXT or one.number in tags:
            raise Malformed("a list of authorizations has a tag twice, or an item without one")
        tags.append(one.number)
        if one.number == _ROOT_OF_TRUST:
            root = _root_of_trust(one.explicit())
        elif one.number == _APPLICATION:
            application = _application(one.explicit().octets())
        elif one.number in _KNOWN:
            name, reading = _KNOWN[one.number]
            values[name] = reading(one.explicit())
        else:
            unknown.append(one.number)
    return Authorizations(
        values=values,
        root_of_trust=root,
        application=application,
        unknown=tuple(unknown),
        ordered=tags == sorted(tags),
    )


def _root_of_trust(item: Element) -> RootOfTrust:
    parts = item.of(der.SEQUENCE).children()
    if len(parts) not in {3, 4}:
        raise Malformed("a root of trust has three or four parts")
    state = parts[2].of(der.ENUMERATED).integer()
    if not 0 <= state < len(BOOT_STATES):
        raise Malformed("a root of trust has another boot state")
    return RootOfTrust(
        signer=parts[0].octets(),
        locked=parts[1].boolean(),
        state=BOOT_STATES[state],
        digest=parts[3].octets() if len(parts) == 4 else b"",
    )


def _application(octets: bytes) -> Application:
    parts = der.read(octets).of(der.SEQUENCE).children()
    if len(parts) != 2:
        raise Malformed("an application identifier has two parts")
    packages, signers = parts[0].of(der.SET).children(), parts[1].of(der.SET).children()
    if len(packages) > _MAX_MEMBERS or len(signers) > _MAX_MEMBERS:
        raise Malformed("an application identifier has too many packages or signers")
    return Application(
        packages=tuple(_package(one) for one in packages),
        signers=tuple(one.octets() for one in signers),
    )


def _package(item: Element) -> Package:
    parts = item.of(der.SEQUENCE).children()
    if len(parts) != 2:
        raise Malformed("a package has a name and a version")
    try:
        return Package(name=parts[0].octets().decode(), version=parts[1].integer())
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
