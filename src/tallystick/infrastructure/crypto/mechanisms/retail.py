"""Rows of retail banking: key management, key blocks, PINs, cards; and of devices and transport.

Source: ISO/TS 12812-2:2017, C; ISO 11568; ISO 9564-1; ISO 20038; ISO/IEC 9798-3; ISO 13491-1
"""

from tallystick.infrastructure.crypto.mechanisms.model import (
    BLOCK_LIFE,
    BROKEN,
    BY_COUNTRY,
    CURVE_LIFE,
    NO,
    NO_CALLER,
    NO_LIBRARY,
    OK,
    TDEA_LIFE,
    TIED,
    Family,
    Runs,
    Sort,
    library,
    nobody,
    own,
)

_CARDS = "card profiles only"
_PINS, _SAMPLES = "ISO 9564-1", "published samples"


def _keys(family: Family) -> None:
    row, sort = family.row, Sort.MANAGEMENT
    row(
        sort, "shamir-gf256", "ISO 11568", OK, (256, 5), own("SLIP-0039, test vectors"),
        parameters="k of n, polynomial 0x11b",
    )  # fmt: skip
    row(
        sort, "dukpt-aes", "ANSI X9.24-3; ISO 11568", OK, (128, 1),
        own("ANSI X9.24-3, supplement"),
    )  # fmt: skip
    row(
        sort, "dukpt-tdea", "ANSI X9.24-1", TIED, (80, 0), own("ANSI X9.24-1, A.4"),
        life=TDEA_LIFE, note=_CARDS,
    )  # fmt: skip
    sort = Sort.WRAPPING
    row(sort, "keyblock-d", "ANSI X9.143", OK, (128, 1), own("X9.143, 8"))
    row(
        sort, "keyblock-e", "ISO 20038", OK, (128, 1), own("ISO 20038, B"), parameters="read only"
    )  # fmt: skip
    for letter, standard in (("a", "TR-31"), ("b", "ANSI X9.143"), ("c", "ANSI X9.143")):
        row(
            sort, f"keyblock-{letter}", standard, TIED, (80, 0), own("TR-31, A"),
            parameters="read only", life=BLOCK_LIFE, note="while keys move to version D",
        )  # fmt: skip
    row(
        sort, "module-block", "ISO 20038", OK, (256, 5), own("NIST SP 800-38D, test case 16"),
        parameters="AES-256-GCM, header bound", note="keys at rest, one block each",
    )  # fmt: skip


def _pins(family: Family) -> None:
    row, sort = family.row, Sort.PIN
    row(sort, "pinblock-4", _PINS, OK, (128, 1), own("ISO 9564-1, 9.4"), parameters="format 4")
    for number, note in (
        (0, _CARDS), (1, "binds no account number"), (2, "to a chip only"), (3, _CARDS),
    ):  # fmt: skip
        row(
            sort, f"pinblock-{number}", _PINS, TIED, (80, 0), own(_SAMPLES),
            parameters=f"format {number}", life=TDEA_LIFE, note=note,
        )  # fmt: skip
    row(
        sort, "pin-pvv", _PINS, TIED, (80, 0), own("another implementation's"),
        parameters="four digits", note=_CARDS,
    )  # fmt: skip
    row(sort, "pin-ibm3624", _PINS, TIED, (80, 0), own(_SAMPLES), parameters="offset", note=_CARDS)
    row(sort, "pin-reference", _PINS, OK, (128, 1), own("a PIN and no other"),
        parameters="format 4")  # fmt: skip
    row(
        sort, "card-value", "ISO/IEC 18033-3", TIED, (80, 0), own("another implementation's"),
        parameters="three digits", note=_CARDS,
    )  # fmt: skip
    row(
        sort, "chip-aes", "EMV Book 2", OK, (128, 1), own("step by step with another AES"),
        parameters="CMAC, option C",
    )  # fmt: skip
    row(
        sort, "chip-tdea", "EMV Book 2", TIED, (80, 0), own(_SAMPLES),
        parameters="algorithm 3, options A and B", life=TDEA_LIFE, note="card profiles",
    )  # fmt: skip
    row(sort, "chip-cvc3", "EMV Contactless Book C-2", TIED, (80, 0), own(_SAMPLES), note=_CARDS)
    row(
        sort, "pin-verifier", "RFC 9106; ISO/IEC 9797-2", OK, (0, 0),
        own("P-H-C/phc-winner-argon2, test.c; RFC 4231, 4.3"),
        parameters="Argon2id, then HMAC-SHA-256 under a pepper",
        note="what is kept of a customer's PIN",
    )  # fmt: skip
    initiative = own("RFC 4226, D")
    row(sort, "one-time-code", "RFC 6238; RFC 6287", OK, (0, 0), initiative,
        parameters="HOTP, TOTP, OCRA", purposes=("check a code",))  # fmt: skip


def _authentication(family: Family) -> None:
    row, sort = family.row, Sort.AUTHENTICATION
    row(
        sort, "entity-auth-signature", "ISO/IEC 9798-3", OK, (128, 0), own("RFC 6979, A.2.5"),
        parameters="unilateral, mutual", life=CURVE_LIFE, note="the session's opening",
    )  # fmt: skip
    row(
        sort, "entity-auth-mac", "ISO/IEC 9798-4", OK, (128, 5), own("RFC 4231, 4.3"),
        parameters="unilateral", note="callbacks to partners",
    )  # fmt: skip
    row(sort, "entity-auth-cipher", "ISO/IEC 9798-2", TIED, (128, 1), nobody(NO_CALLER))
    row(sort, "zero-knowledge", "ISO/IEC 9798-5", TIED, (0, 0), nobody(NO_LIBRARY))
    row(
        sort, "manual-transfer", "ISO/IEC 9798-6", TIED, (0, 0),
        nobody("a code is sent and typed; digits are not compared"),
    )  # fmt: skip
    simulated = nobody("elements are the issuer's; the host of one is not part of this service")
    row(sort, "scp03", "GlobalPlatform Amendment D", OK, (128, 1), simulated, parameters="AES")
    row(
        sort, "scp02", "GlobalPlatform 2.2", NO, (80, 0), nobody(BROKEN), parameters="TDEA",
        note="padding oracles",
    )  # fmt: skip


def _ground(family: Family) -> None:
    row = family.row
    row(
        Sort.RANDOM, "random-bits", "ISO/IEC 18031", OK, (256, 5),
        Runs(by="kernel", answer="NIST SP 800-90B, 4.4: health tests"),
        parameters="getrandom(2)",
    )  # fmt: skip
    row(
        Sort.RANDOM, "dual-ec", "ISO/IEC 18031:2005", NO, (0, 0), nobody(BROKEN),
        note="a back door",
    )  # fmt: skip
    primes = nobody("no key of ours is made of primes")
    row(Sort.RANDOM, "prime-numbers", "ISO/IEC 18032", TIED, (0, 0), primes)
    curves, sort = "ISO/IEC 15946-1", Sort.DOMAIN
    row(
        sort, "curve-p256", curves, OK, (128, 0), library("RFC 6979, A.2.5"),
        life=CURVE_LIFE, oid="1.2.840.10045.3.1.7",
    )  # fmt: skip
    row(
        sort, "curve-p384", curves, OK, (192, 0), library("a signature by openssl 3.0"),
        life=CURVE_LIFE, note="keys of others", oid="1.3.132.0.34",
    )  # fmt: skip
    row(
        sort, "curve-p521", curves, OK, (256, 0), library("a signature by openssl 3.0"),
        life=CURVE_LIFE, note="keys of others", oid="1.3.132.0.35",
    )  # fmt: skip
    row(
        sort, "curve-25519", "RFC 7748", OK, (128, 0), library("RFC 8032, 7.1"), life=CURVE_LIFE,
        note="edwards25519 too",
    )  # fmt: skip
    row(sort, "brainpool", "ISO/IEC 15946-5", TIED, (128, 0), nobody(BY_COUNTRY))


def _devices(family: Family) -> None:
    row, sort = family.row, Sort.BIOMETRICS
    phone = nobody("biometrics stay on the phone; policy asks how good its sensor is")
    row(sort, "biometric-framework", "ISO 19092", TIED, (0, 0), phone)
    row(sort, "biometric-templates", "ISO/IEC 24745", TIED, (0, 0), phone)
    row(sort, "presentation-attacks", "ISO/IEC 30107-3", TIED, (0, 0), phone)
    sort = Sort.DEVICE
    modules = nobody("a demand on a module; `capabilities` says what ours is not")
    row(sort, "secure-device", "ISO 13491-1; ISO 13491-2", TIED, (0, 0), modules)
    row(sort, "module-levels", "ISO/IEC 19790; ISO/IEC 24759", TIED, (0, 0), modules)
    sort = Sort.TRANSPORT
    system = nobody("by the system's TLS library, under a table of our own")
    row(sort, "tls-1.3", "RFC 8446", OK, (128, 0), system, note="preferred")
    row(sort, "tls-1.2", "RFC 5246", OK, (128, 0), system, parameters="AEAD suites alone")
    for name, standard in (
        ("ssl-3", "RFC 7568"), ("tls-1.0", "RFC 8996"), ("tls-1.1", "RFC 8996"),
    ):  # fmt: skip
        row(sort, name, standard, NO, (0, 0), nobody(BROKEN))
    issuing = own("RFC 5280, by openssl verify")
    row(
        Sort.SIGNATURE, "certificate", "ISO 21188; X.509", OK, (128, 0), issuing,
        parameters="ECDSA P-256", life=CURVE_LIFE, purposes=("issue", "validate"),
        note="CRL and OCSP too",
    )  # fmt: skip


def retail_rows() -> Family:
    """The rows of this family.

    Source: ISO/TS 12812-2:2017, C
    """
    family = Family()
    for add in (_keys, _pins, _authentication, _ground, _devices):
        add(family)
    return family
