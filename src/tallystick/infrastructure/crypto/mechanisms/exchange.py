"""Rows of how keys come about: asymmetric encryption, agreement, establishment, derivation.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 18033-2; ISO/IEC 11770-2; ISO/IEC 11770-3; ISO/IEC 11770-6
"""

from tallystick.infrastructure.crypto.mechanisms.model import (
    BROKEN,
    CURVE_LIFE,
    LATTICE_LIFE,
    NO,
    NO_CALLER,
    NO_LIBRARY,
    OK,
    OLD,
    SHORT_LIFE,
    TIED,
    Family,
    Life,
    Sort,
    library,
    nobody,
    own,
    python,
)

_ENCRYPTION, _SYMMETRIC, _AGREEMENT = "ISO/IEC 18033-2", "ISO/IEC 11770-2", "ISO/IEC 11770-3"
_HPKE = "HKDF-SHA256, AES-256-GCM"
_PAKE = "ISO/IEC 11770-4"
_CFRG = "cfrg/draft-irtf-cfrg-hpke, test vectors"


def _encryption(family: Family) -> None:
    row, sort = family.row, Sort.ENCRYPTION
    row(
        sort, "rsa-oaep-3072", _ENCRYPTION, TIED, (128, 0), library("openssl enciphers"),
        parameters="and 4096", life=CURVE_LIFE, note="keys come in and leave; data",
        oid="1.2.840.113549.1.1.7",
    )  # fmt: skip
    row(
        sort, "rsa-oaep-2048", _ENCRYPTION, OLD, (112, 0), library("openssl enciphers"),
        life=SHORT_LIFE, note="partners that have nothing longer",
    )  # fmt: skip
    note = "padding oracles"
    row(sort, "rsa-encryption-v1.5", "RFC 8017", NO, (0, 0), nobody(BROKEN), note=note)
    row(sort, "rsa-kem", _ENCRYPTION, TIED, (128, 0), nobody(NO_LIBRARY), life=CURVE_LIFE)
    successor = nobody("HPKE is its successor")
    row(sort, "ecies-kem", _ENCRYPTION, TIED, (128, 0), successor, life=CURVE_LIFE)
    row(sort, "ace-kem", _ENCRYPTION, TIED, (128, 0), nobody(NO_LIBRARY), life=CURVE_LIFE)
    row(sort, "psec-kem", _ENCRYPTION, TIED, (128, 0), nobody(NO_LIBRARY), life=CURVE_LIFE)
    row(sort, "hime-r", _ENCRYPTION, TIED, (0, 0), nobody(NO_LIBRARY))
    row(sort, "identity-based-encryption", "ISO/IEC 18033-5", TIED, (0, 0), nobody(NO_LIBRARY))
    row(sort, "homomorphic-encryption", "ISO/IEC 18033-6", TIED, (0, 0), nobody(NO_LIBRARY))
    row(sort, "tweakable-cipher", "ISO/IEC 18033-7", TIED, (128, 1), nobody(NO_CALLER))
    row(
        sort, "hpke-p256", "RFC 9180", OK, (128, 0), library(_CFRG), parameters=_HPKE,
        life=CURVE_LIFE, note="mode base",
    )  # fmt: skip
    row(
        sort, "hpke-x25519", "RFC 9180", OK, (128, 0), library(_CFRG), parameters=_HPKE,
        life=CURVE_LIFE, note="mode base",
    )  # fmt: skip
    row(
        sort, "hpke-mlkem768-x25519", "RFC 9180; FIPS 203", OK, (128, 3),
        library("draft-ietf-hpke-pq: a seed's public key"), parameters=_HPKE, life=LATTICE_LIFE,
        note="mode base; secret while either half is; preferred",
    )  # fmt: skip


def _agreement(family: Family) -> None:
    row, sort = family.row, Sort.AGREEMENT
    row(
        sort, "ecdh-p256", _AGREEMENT, OK, (128, 0), library(_CFRG),
        life=CURVE_LIFE, note="inside HPKE; keys of partners", oid="1.3.132.1.12",
    )  # fmt: skip
    row(
        sort, "x25519", f"{_AGREEMENT}; RFC 7748", OK, (128, 0), library(_CFRG),
        life=CURVE_LIFE, note="inside HPKE", oid="1.3.101.110",
    )  # fmt: skip
    for name, bits in (("ecdh-p384", 192), ("ecdh-p521", 256)):
        row(
            sort, name, _AGREEMENT, OK, (bits, 0), library("RFC 5903, 8"), life=CURVE_LIFE,
            note="keys of partners at the door",
        )  # fmt: skip
    row(sort, "ffdhe-3072", _AGREEMENT, OK, (128, 0), nobody(NO_CALLER), life=CURVE_LIFE)
    never = "no forward secrecy, no freshness"
    row(sort, "static-static", _AGREEMENT, NO, (0, 0), nobody(BROKEN), note=never)
    row(sort, "mqv", _AGREEMENT, TIED, (128, 0), nobody(NO_LIBRARY))
    row(
        Sort.ENCAPSULATION, "ml-kem-768", "FIPS 203", TIED, (192, 3),
        library("draft-ietf-hpke-pq: a seed's public key"),
        life=LATTICE_LIFE, note="only beside X25519",
        oid="2.16.840.1.101.3.4.4.2",
    )  # fmt: skip
    row(
        Sort.ENCAPSULATION, "ml-kem-1024", "FIPS 203", TIED, (256, 5),
        nobody("the hybrid suite takes ML-KEM-768"), life=LATTICE_LIFE,
        oid="2.16.840.1.101.3.4.4.3",
    )  # fmt: skip
    sort = Sort.ESTABLISHMENT
    pairs = own("RFC 5869, A.1")
    row(
        sort, "point-to-point", _SYMMETRIC, OK, (128, 1), pairs,
        parameters="mechanism 1: derived on both sides", note="sessions, links to partners",
    )  # fmt: skip
    centre = nobody("there is no key distribution centre: devices and partners have own keys")
    row(sort, "key-distribution-centre", _SYMMETRIC, TIED, (128, 1), centre)
    row(sort, "key-translation-centre", _SYMMETRIC, TIED, (128, 1), centre)
    row(sort, "group-keys", "ISO/IEC 11770-5", TIED, (128, 1), centre)
    row(sort, "cross-domain-keys", "ISO/IEC 11770-7", TIED, (128, 0), centre)


def _passphrases(family: Family) -> None:
    row, sort = family.row, Sort.PASSWORD
    device = nobody("devices are paired by a code that is sent, and by comparing digits")
    row(sort, "spake2+", f"{_PAKE}; RFC 9383", TIED, (128, 0), device)
    row(sort, "opaque", f"{_PAKE}; RFC 9807", TIED, (128, 0), device)
    row(sort, "srp-6", _PAKE, TIED, (112, 0), device)
    row(
        sort, "argon2id", "RFC 9106", OK, (0, 0), library("P-H-C/phc-winner-argon2, test.c"),
        parameters="64 MiB, 3 passes or more", note="as strong as input",
    )  # fmt: skip
    row(
        sort, "pbkdf2-sha256", "RFC 8018", OLD, (0, 0), nobody(NO_CALLER),
        parameters="600000 rounds or more", note="not memory-hard",
    )  # fmt: skip
    row(sort, "scrypt", "RFC 7914", OLD, (0, 0), nobody(NO_CALLER))


def _derivation(family: Family) -> None:
    row, sort = family.row, Sort.DERIVATION
    six = "ISO/IEC 11770-6"
    row(sort, "hkdf-sha256", six, OK, (256, 5), python("RFC 5869, A.1"), parameters="RFC 5869")
    row(
        sort, "hkdf-sha256-aes-256-ccm", six, OK, (256, 5),
        library("RFC 5869, A.1; C2SP/wycheproof, aes_ccm_test, 183"),
        parameters="RFC 5869; what it makes seals by aes-256-ccm",
    )  # fmt: skip
    row(
        sort, "kbkdf-cmac-aes", six, OK, (128, 1), own("NIST CAVP, KBKDF in counter mode"),
        parameters="SP 800-108, counter",
        life=Life(approved_from="2009-10-01", says="NIST SP 800-108"),
    )  # fmt: skip
    row(
        sort, "x963-kdf", six, OK, (128, 2), library("NIST CAVS: ANSI X9.63"),
        parameters="ANSI X9.63", note="after ECDH",
    )  # fmt: skip
    row(
        sort, "concat-kdf", six, OK, (128, 2), library("RFC 7518, C"),
        parameters="SP 800-56C, one step", note="after ECDH",
    )  # fmt: skip


def exchange_rows() -> Family:
    """The rows of this family.

    Source: ISO/TS 12812-2:2017, C
    """
    family = Family()
    for add in (_encryption, _agreement, _passphrases, _derivation):
        add(family)
    return family
