"""Rows of signatures: with appendix, with recovery, against quantum computers, without a name.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 14888-2; ISO/IEC 14888-3; ISO/IEC 14888-4; ISO/IEC 9796-2
"""

from tallystick.infrastructure.crypto.mechanisms.model import (
    BROKEN,
    BY_COUNTRY,
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
    Sort,
    library,
    nobody,
    own,
)

_FACTORS, _LOGARITHMS, _HASHED = "ISO/IEC 14888-2", "ISO/IEC 14888-3", "ISO/IEC 14888-4"
_DSA, _CHECK = "2.16.840.1.101.3.4.3", ("verify",)
_BESIDE = "beside a classical signature"


def _curves(family: Family) -> None:
    row, sort = family.row, Sort.SIGNATURE
    row(
        sort, "ecdsa-p256-sha256", _LOGARITHMS, OK, (128, 0), library("RFC 6979, A.2.5"),
        parameters="r and s, 64 bytes", life=CURVE_LIFE, note="ES256", oid="1.2.840.10045.4.3.2",
    )  # fmt: skip
    row(
        sort, "ecdsa-p384-sha384", _LOGARITHMS, OK, (192, 0), library("RFC 6979, A.2.6"),
        parameters="two numbers in DER", life=CURVE_LIFE,
        note="certificates at the door, and of others; attestations", oid="1.2.840.10045.4.3.3",
    )  # fmt: skip
    row(
        sort, "ecdsa-p521-sha512", _LOGARITHMS, OK, (256, 0), library("a signature by openssl 3.0"),
        parameters="two numbers in DER", purposes=_CHECK, life=CURVE_LIFE,
        note="attestations of others", oid="1.2.840.10045.4.3.4",
    )  # fmt: skip
    row(
        sort, "ed25519", "RFC 8032", OK, (128, 0), library("RFC 8032, 7.1"),
        parameters="pure", life=CURVE_LIFE, note="EdDSA", oid="1.3.101.112",
    )  # fmt: skip
    row(
        sort, "ed448", "RFC 8032", OK, (224, 0), library("a signature by openssl 3.0"),
        parameters="pure", purposes=_CHECK, life=CURVE_LIFE, note="attestations of others",
        oid="1.3.101.113",
    )  # fmt: skip
    country = nobody(BY_COUNTRY)
    for name in ("ec-kcdsa", "ec-gdsa", "ec-rdsa", "sm2"):
        row(sort, name, _LOGARITHMS, TIED, (128, 0), country, life=CURVE_LIFE)
    row(sort, "ec-sdsa", _LOGARITHMS, TIED, (128, 0), nobody(NO_LIBRARY), life=CURVE_LIFE)
    row(sort, "dsa", _LOGARITHMS, NO, (112, 0), nobody(BROKEN), note="withdrawn in FIPS 186-5")
    row(sort, "kcdsa", _LOGARITHMS, NO, (112, 0), nobody(BROKEN), note="as DSA")
    row(sort, "identity-based", _LOGARITHMS, TIED, (128, 0), nobody(NO_LIBRARY))


def _rsa(family: Family) -> None:
    row, sort = family.row, Sort.SIGNATURE
    pss = library("a signature by openssl 3.0")
    oid = "1.2.840.113549.1.1.10"
    row(
        sort, "rsa-pss-3072", _FACTORS, OK, (128, 0), pss, parameters="SHA-256, salt 32",
        purposes=_CHECK, life=CURVE_LIFE, note="PS256; attestations of others", oid=oid,
    )  # fmt: skip
    row(
        sort, "rsa-pss-2048", _FACTORS, OLD, (112, 0), pss, parameters="SHA-256, salt 32",
        purposes=_CHECK, life=SHORT_LIFE, note="until 2030", oid=oid,
    )  # fmt: skip
    http = library("a signature by openssl 3.0")
    row(
        sort, "rsa-pss-sha512-3072", _FACTORS, OK, (128, 0), http,
        parameters="SHA-512, salt 64", purposes=_CHECK, life=CURVE_LIFE,
        note="HTTP signatures of others", oid=oid,
    )  # fmt: skip
    row(
        sort, "rsa-pss-sha512-2048", _FACTORS, OLD, (112, 0), http,
        parameters="SHA-512, salt 64", purposes=_CHECK, life=SHORT_LIFE, note="until 2030", oid=oid,
    )  # fmt: skip
    row(
        sort, "rsa-pkcs1-v1.5", "RFC 8017", OLD, (112, 0), library("a signature by openssl 3.0"),
        life=SHORT_LIFE, note="certificates of others; keys that leave under TR-34",
        oid="1.2.840.113549.1.1.11",
    )  # fmt: skip
    row(sort, "rsa-1024", _FACTORS, NO, (80, 0), nobody(BROKEN), note="too short")
    for name in ("gq1", "gq2", "gps1", "esign"):
        row(sort, name, _FACTORS, TIED, (112, 0), nobody(NO_LIBRARY))


def _quantum(family: Family) -> None:
    row, sort = family.row, Sort.SIGNATURE
    row(
        sort, "ml-dsa-65", "FIPS 204", OK, (192, 3), library("Wycheproof, mldsa_65_verify"),
        parameters="3,309 bytes", life=LATTICE_LIFE, note=_BESIDE, oid=f"{_DSA}.18",
    )  # fmt: skip
    row(
        sort, "ed25519-ml-dsa-65", "RFC 8032; FIPS 204", OK, (128, 3),
        library("RFC 8032, 7.1; a seed's public key"), parameters="both, 3,373 bytes",
        life=LATTICE_LIFE, note="holds while either half does; the log, the key list",
    )  # fmt: skip
    row(
        sort, "ecdsa-p256-ml-dsa-65", "FIPS 186-5; FIPS 204", OK, (128, 3),
        library("RFC 6979, A.2.5; a seed's public key"), parameters="both, 3,373 bytes",
        life=LATTICE_LIFE, note="holds while either half does; officers",
    )  # fmt: skip
    also = library("known answers of the reference implementation")
    row(
        sort, "ml-dsa-44", "FIPS 204", OK, (128, 2), also, parameters="2,420 bytes",
        purposes=_CHECK, life=LATTICE_LIFE, note="attestations of others", oid=f"{_DSA}.17",
    )  # fmt: skip
    row(
        sort, "ml-dsa-87", "FIPS 204", OK, (256, 5), also, parameters="4,627 bytes",
        purposes=_CHECK, life=LATTICE_LIFE, note="attestations of others", oid=f"{_DSA}.19",
    )  # fmt: skip
    row(
        sort, "slh-dsa-128s", "FIPS 205", TIED, (128, 1), nobody("no implementation is chosen"),
        life=LATTICE_LIFE, oid=f"{_DSA}.20",
    )  # fmt: skip
    stateful = nobody("a state that must never go back is for a module of hardware")
    row(sort, "lms", f"{_HASHED}; RFC 8554", TIED, (128, 2), stateful, note="firmware")
    row(sort, "xmss", f"{_HASHED}; RFC 8391", TIED, (128, 2), stateful, note="firmware")


def _recovery(family: Family) -> None:
    row, sort = family.row, Sort.RECOVERY
    cards = nobody("offline data authentication is the terminal's")
    row(sort, "rsa-emv-recovery", "ISO/IEC 9796-2", TIED, (80, 0), cards, note="card profiles only")
    for name in ("ecnr", "ecmr", "ecao", "ecpv", "eckcnr"):
        row(sort, name, "ISO/IEC 9796-3", TIED, (128, 0), nobody(NO_LIBRARY))


def _nameless(family: Family) -> None:
    row, sort = family.row, Sort.ANONYMITY
    blind = nobody("electronic money takes pseudonyms that change; no blind vouchers are issued")
    group = nobody(NO_LIBRARY)
    row(sort, "group-signature", "ISO/IEC 20008-2", TIED, (128, 0), group)
    row(sort, "group-authentication", "ISO/IEC 20009-2", TIED, (128, 0), group)
    row(sort, "blind-authentication", "ISO/IEC 20009-3", TIED, (128, 0), group)
    row(sort, "weak-secret-authentication", "ISO/IEC 20009-4", TIED, (128, 0), group)
    row(sort, "blind-signature", "ISO/IEC 18370-2", TIED, (128, 0), blind)
    row(sort, "rsabssa", "RFC 9474", TIED, (128, 0), blind)
    row(sort, "partially-unlinkable", "ISO/IEC 29191", TIED, (128, 0), group)


def _evidence(family: Family) -> None:
    row, sort = family.row, Sort.EVIDENCE
    row(
        sort, "timestamp", "ISO/IEC 18014-2", OK, (128, 0), own("RFC 3161, by openssl ts"),
        parameters="RFC 3161", note="SHA-256", oid="1.2.840.113549.1.9.16.1.4",
    )  # fmt: skip
    row(
        sort, "timestamp-linked", "ISO/IEC 18014-3", OK, (128, 2),
        own("RFC 6962 reference tree"), parameters="the log's tree",
        note="a stamp of a checkpoint stamps every entry below it",
    )  # fmt: skip
    row(sort, "timestamp-traceability", "ISO/IEC 18014-4", TIED, (0, 0), nobody(NO_CALLER))
    row(
        sort, "merkle-sha256", "RFC 9162", OK, (128, 2), own("RFC 6962 reference tree"),
        parameters="2.1",
    )  # fmt: skip
    row(
        sort, "non-repudiation-signature", "ISO/IEC 13888-3", OK, (128, 0),
        own("RFC 6979, A.2.5"), note="consent and receipt; strength of the signature under it",
    )  # fmt: skip
    row(
        sort, "non-repudiation-mac", "ISO/IEC 13888-2", TIED, (128, 1),
        nobody("a shared key proves nothing to a third party"),
    )  # fmt: skip
    row(sort, "none", "RFC 7518", NO, (0, 0), nobody(BROKEN), parameters="alg none",
        note="no protection")  # fmt: skip


def signature_rows() -> Family:
    """The rows of this family.

    Source: ISO/TS 12812-2:2017, C
    """
    family = Family()
    for add in (_curves, _rsa, _quantum, _recovery, _nameless, _evidence):
        add(family)
    return family
