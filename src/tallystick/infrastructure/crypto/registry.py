"""The registry of mechanisms: what may be used, under which ISO name and with which parameters.

A mechanism is asked for by its name here and in no other way; what is not approved is refused by
`require`, and what is not in the table does not exist. `legacy` means verify and open only,
`restricted` only where a profile says so, `prohibited` never.

Source: ISO/TS 12812-2:2017, C; 7.4.2
"""

from enum import StrEnum

from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.model import Record


class Status(StrEnum):
    """What the registry says about a mechanism.

    Source: ISO/TS 12812-2:2017, C
    """

    APPROVED = "approved"
    LEGACY = "legacy"
    RESTRICTED = "restricted"
    PROHIBITED = "prohibited"


class Mechanism(Record, frozen=True, kw_only=True):
    """One mechanism: its name, its standard, fixed parameters, status and strength.

    `strength_bits` counts against a classical attacker; 0 where strength is not a property of the
    mechanism alone. `implemented_by` is empty for what this version does not run.
    Source: ISO/TS 12812-2:2017, C
    """

    name: str
    standard: str
    parameters: str
    status: Status
    strength_bits: int
    implemented_by: str
    note: str


_OK, _OLD, _TIED, _NO = Status.APPROVED, Status.LEGACY, Status.RESTRICTED, Status.PROHIBITED
_LIBRARY = "cryptography"
_PYTHON = "hashlib"
_OWN = "tallystick"

_Row = tuple[str, str, str, Status, int, str, str]

_ROWS: tuple[_Row, ...] = (
    # Hash functions
    ("sha-256", "ISO/IEC 10118-3", "", _OK, 128, _PYTHON, ""),
    ("sha-384", "ISO/IEC 10118-3", "", _OK, 192, "", ""),
    ("sha-512", "ISO/IEC 10118-3", "", _OK, 256, _PYTHON, ""),
    ("sha3-256", "ISO/IEC 10118-3", "", _OK, 128, "", ""),
    ("sha-1", "ISO/IEC 10118-3", "", _NO, 61, "", "collisions are practical"),
    ("md5", "RFC 1321", "", _NO, 18, "", "collisions are practical"),
    # Message authentication
    ("hmac-sha256", "ISO/IEC 9797-2", "tag of 32 bytes", _OK, 256, _PYTHON, ""),
    ("hmac-sha1", "ISO/IEC 9797-2", "tag of 20 bytes", _OLD, 160, _LIBRARY, "codes of old devices"),
    ("hmac-sha512", "ISO/IEC 9797-2", "tag of 64 bytes", _OK, 256, _LIBRARY, ""),
    ("hmac-sha384", "ISO/IEC 9797-2", "tag of 48 bytes", _OK, 256, "", ""),
    ("cmac-aes-128", "ISO/IEC 9797-1", "algorithm 5", _OK, 128, _LIBRARY, "and longer keys"),
    ("gmac-aes-256", "ISO/IEC 9797-3", "nonce of 12 bytes", _OK, 128, "", ""),
    (
        "retail-mac", "ISO/IEC 9797-1", "algorithm 3",
        _TIED, 56, _OWN, "card profiles only; ISO 16609",
    ),
    ("cbc-mac-tdea", "ISO/IEC 9797-1", "algorithm 1", _TIED, 56, _OWN, "messages of one length"),
    # Block ciphers and modes
    ("aes-256", "ISO/IEC 18033-3", "", _OK, 256, _LIBRARY, "only inside the modes below"),
    ("aes-192", "ISO/IEC 18033-3", "", _OK, 192, _LIBRARY, "only inside the modes below"),
    ("aes-128", "ISO/IEC 18033-3", "", _OK, 128, _LIBRARY, "only inside the modes below"),
    ("tdea-3key", "ISO/IEC 18033-3", "", _OLD, 112, _LIBRARY, "no new protection after 2023"),
    ("tdea-2key", "ISO/IEC 18033-3", "", _TIED, 80, _LIBRARY, "card profiles only"),
    ("des", "FIPS 46-3", "", _NO, 56, "", "exhaustible"),
    ("rc4", "RFC 7465", "", _NO, 0, "", "biased"),
    ("ecb", "ISO/IEC 10116", "", _TIED, 0, "", "single blocks of key and PIN formats"),
    ("cbc", "ISO/IEC 10116", "", _TIED, 0, "", "inside key blocks only"),
    ("ctr", "ISO/IEC 10116", "", _TIED, 0, "", "inside key blocks only"),
    # Authenticated encryption
    ("aes-256-gcm", "ISO/IEC 19772", "nonce 12, tag 16", _OK, 256, _LIBRARY, "2^32 random nonces"),
    ("aes-128-gcm", "ISO/IEC 19772", "nonce 12, tag 16", _OK, 128, "", ""),
    ("aes-256-kw", "ISO/IEC 19772", "mechanism 2", _OK, 256, "", ""),
    ("aes-256-gcm-siv", "RFC 8452", "nonce 12, tag 16", _OK, 256, "", ""),
    ("ocb2", "ISO/IEC 19772:2009", "", _NO, 0, "", "broken; withdrawn from the standard"),
    # Signatures
    ("ecdsa-p256-sha256", "ISO/IEC 14888-3", "r and s, 64 bytes", _OK, 128, _LIBRARY, "ES256"),
    ("ecdsa-p384-sha384", "ISO/IEC 14888-3", "r and s, 96 bytes", _OK, 192, "", "ES384"),
    ("ed25519", "RFC 8032", "pure", _OK, 128, _LIBRARY, "EdDSA"),
    ("rsa-pss-3072", "ISO/IEC 14888-2", "SHA-256, salt 32", _OK, 128, "", "PS256"),
    ("rsa-pss-2048", "ISO/IEC 14888-2", "SHA-256, salt 32", _OLD, 112, "", "until 2030"),
    (
        "rsa-pss-sha512-3072", "ISO/IEC 14888-2", "SHA-512, salt 64",
        _OK, 128, _LIBRARY, "HTTP signatures of others",
    ),
    (
        "rsa-pss-sha512-2048", "ISO/IEC 14888-2", "SHA-512, salt 64",
        _OLD, 112, _LIBRARY, "until 2030",
    ),
    ("rsa-pkcs1-v1.5", "RFC 8017", "", _OLD, 112, _LIBRARY, "certificates of others"),
    ("rsa-1024", "ISO/IEC 14888-2", "", _NO, 80, "", "too short"),
    ("rsa-emv-recovery", "ISO/IEC 9796-2", "", _TIED, 80, "", "card profiles only"),
    ("ml-dsa-44", "FIPS 204", "", _OK, 128, "", "beside a classical signature"),
    ("ml-dsa-65", "FIPS 204", "", _OK, 192, "", "beside a classical signature"),
    ("slh-dsa-128s", "FIPS 205", "", _TIED, 128, "", "no implementation is chosen"),
    # Key agreement and encapsulation
    ("ecdh-p256", "ISO/IEC 11770-3", "", _OK, 128, _LIBRARY, "inside HPKE"),
    ("x25519", "RFC 7748", "", _OK, 128, _LIBRARY, "inside HPKE"),
    ("ml-kem-768", "FIPS 203", "", _TIED, 192, _LIBRARY, "only beside X25519"),
    ("hpke-p256", "RFC 9180", "HKDF-SHA256, AES-256-GCM", _OK, 128, _LIBRARY, "mode base"),
    ("hpke-x25519", "RFC 9180", "HKDF-SHA256, AES-256-GCM", _OK, 128, _LIBRARY, "mode base"),
    (
        "hpke-mlkem768-x25519", "RFC 9180; FIPS 203", "HKDF-SHA256, AES-256-GCM",
        _OK, 128, _LIBRARY, "mode base; secret while either half is; preferred",
    ),
    ("rsa-oaep-3072", "ISO/IEC 18033-2", "and 4096", _TIED, 128, _LIBRARY, "a first key comes in"),
    # Key derivation and passphrases
    ("hkdf-sha256", "ISO/IEC 11770-6", "RFC 5869", _OK, 256, _PYTHON, ""),
    ("kbkdf-cmac-aes", "ISO/IEC 11770-6", "SP 800-108, counter", _OK, 128, _OWN, ""),
    ("argon2id", "RFC 9106", "64 MiB, 3 passes or more", _OK, 0, _LIBRARY, "as strong as input"),
    ("pbkdf2-sha256", "RFC 8018", "600000 rounds or more", _OLD, 0, "", "not memory-hard"),
    ("scrypt", "RFC 7914", "", _OLD, 0, "", ""),
    # Key and PIN management
    ("shamir-gf256", "ISO 11568", "k of n, polynomial 0x11b", _OK, 256, _OWN, ""),
    ("dukpt-aes", "ANSI X9.24-3; ISO 11568", "", _OK, 128, _OWN, ""),
    ("dukpt-tdea", "ANSI X9.24-1", "", _TIED, 80, _OWN, "card profiles only"),
    ("keyblock-d", "ANSI X9.143", "", _OK, 128, _OWN, ""),
    ("keyblock-e", "ISO 20038", "read only", _OK, 128, _OWN, ""),
    ("keyblock-a", "TR-31", "read only", _TIED, 80, _OWN, "while keys move to version D"),
    ("keyblock-b", "ANSI X9.143", "read only", _TIED, 80, _OWN, "while keys move to version D"),
    ("keyblock-c", "ANSI X9.143", "read only", _TIED, 80, _OWN, "while keys move to version D"),
    ("pinblock-4", "ISO 9564-1", "format 4", _OK, 128, _OWN, ""),
    ("pinblock-0", "ISO 9564-1", "format 0", _TIED, 80, _OWN, "card profiles only"),
    ("pinblock-1", "ISO 9564-1", "format 1", _TIED, 80, _OWN, "binds no account number"),
    ("pinblock-2", "ISO 9564-1", "format 2", _TIED, 80, _OWN, "to a chip only"),
    ("pinblock-3", "ISO 9564-1", "format 3", _TIED, 80, _OWN, "card profiles only"),
    ("pin-pvv", "ISO 9564-1", "four digits", _TIED, 80, _OWN, "card profiles only"),
    ("pin-ibm3624", "ISO 9564-1", "offset", _TIED, 80, _OWN, "card profiles only"),
    ("pin-reference", "ISO 9564-1", "format 4", _OK, 128, _OWN, ""),
    ("card-value", "ISO/IEC 18033-3", "three digits", _TIED, 80, _OWN, "card profiles only"),
    ("chip-aes", "EMV Book 2", "CMAC, option C", _OK, 128, _OWN, ""),
    ("chip-tdea", "EMV Book 2", "algorithm 3, options A and B", _TIED, 80, _OWN, "card profiles"),
    ("chip-cvc3", "EMV Contactless Book C-2", "", _TIED, 80, _OWN, "card profiles only"),
    ("ff1-aes-256", "SP 800-38G", "domain of 10^6 or more", _OK, 128, _OWN, "and shorter keys"),
    ("ff3-aes", "SP 800-38G", "", _NO, 0, "", "attacked; dropped from the draft revision"),
    # Entity authentication, secure elements, time
    ("entity-auth-signature", "ISO/IEC 9798-3", "unilateral, mutual", _OK, 128, "", ""),
    ("entity-auth-mac", "ISO/IEC 9798-4", "unilateral, mutual", _OK, 128, "", ""),
    ("scp03", "GlobalPlatform Amendment D", "AES", _OK, 128, "", ""),
    ("scp02", "GlobalPlatform 2.2", "TDEA", _NO, 80, "", "padding oracles"),
    ("timestamp", "ISO/IEC 18014-2", "RFC 3161", _OK, 128, _OWN, "SHA-256"),
    ("merkle-sha256", "RFC 9162", "2.1", _OK, 128, _OWN, ""),
    ("random-bits", "ISO/IEC 18031", "getrandom(2)", _OK, 256, "kernel", ""),
    # Lightweight, for constrained secure elements only
    ("lightmac", "ISO/IEC 29192-6", "", _TIED, 64, "", "constrained elements; off"),
    ("clefia-128", "ISO/IEC 29192-2", "", _TIED, 128, "", "constrained elements; off"),
    ("ascon-aead128", "SP 800-232", "", _TIED, 128, "", "constrained elements; off"),
    ("present-80", "ISO/IEC 29192-2", "", _NO, 80, "", "too short"),
    # What a signed object may never ask for
    ("none", "RFC 7518", "alg none", _NO, 0, "", "no protection"),
)  # fmt: skip

_TABLE: dict[str, Mechanism] = {
    name: Mechanism(
        name=name,
        standard=standard,
        parameters=parameters,
        status=status,
        strength_bits=bits,
        implemented_by=implemented_by,
        note=note,
    )
    for name, standard, parameters, status, bits, implemented_by, note in _ROWS
}


def mechanism(name: str) -> Mechanism:
    """The entry called `name`, whatever its status.

    Raises NotFound for a name that is not in the registry.
    Source: ISO/TS 12812-2:2017, C
    """
    found = _TABLE.get(name)
    if found is None:
        raise NotFound(f"no mechanism is called {name[:40]!r}", remedy="see the registry's names")
    return found


def require(name: str, admitted: frozenset[str] = frozenset()) -> Mechanism:
    """The entry called `name`, only if new protection may use it.

    `admitted` names what a profile lets in beside: entries that are legacy or restricted. Raises
    NotPermitted for every other status but approved, NotFound for an unknown name.
    Source: ISO/TS 12812-2:2017, C
    """
    found = mechanism(name)
    tied = found.status in {Status.LEGACY, Status.RESTRICTED}
    if found.status is not Status.APPROVED and not (tied and name in admitted):
        raise NotPermitted(
            f"the mechanism {found.name} is {found.status.value}",
            remedy="use an approved mechanism of the registry",
            because=found.note,
        )
    return found


def require_for_checking(name: str) -> Mechanism:
    """The entry called `name`, if what it protected may still be checked: approved or legacy.

    Raises NotPermitted for another status, NotFound for an unknown name.
    Source: ISO/TS 12812-2:2017, C
    """
    found = mechanism(name)
    return found if found.status is Status.LEGACY else require(name)


def mechanisms() -> tuple[Mechanism, ...]:
    """Every entry, in the order of the table.

    Source: ISO/TS 12812-2:2017, C
    """
    return tuple(_TABLE.values())
