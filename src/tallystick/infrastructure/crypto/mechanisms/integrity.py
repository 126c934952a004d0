"""Rows of hash functions and message authentication codes.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 10118-3; ISO/IEC 9797-1; ISO/IEC 9797-2; ISO/IEC 9797-3
"""

from tallystick.infrastructure.crypto.mechanisms.model import (
    BROKEN,
    BY_COUNTRY,
    NO,
    NO_CALLER,
    NO_LIBRARY,
    OK,
    OLD,
    SHA1_LIFE,
    SHA2_LIFE,
    TDEA_LIFE,
    TIED,
    Family,
    Life,
    Sort,
    library,
    nobody,
    own,
    python,
)

_HASHES, _BLOCK, _KEYED, _UNIVERSAL = (
    "ISO/IEC 10118-3", "ISO/IEC 9797-1", "ISO/IEC 9797-2", "ISO/IEC 9797-3",
)  # fmt: skip
_SHA = "2.16.840.1.101.3.4.2"
_MAC = "1.2.840.113549.2"


def _hashes(family: Family) -> None:
    row, sort = family.row, Sort.HASH
    fips = "FIPS 180-4, sample `abc`"
    short = nobody(NO_CALLER)
    row(sort, "sha-256", _HASHES, OK, (128, 2), python(fips), life=SHA2_LIFE, oid=f"{_SHA}.1")
    row(sort, "sha-384", _HASHES, OK, (192, 4), python(fips), life=SHA2_LIFE, oid=f"{_SHA}.2")
    row(sort, "sha-512", _HASHES, OK, (256, 5), python(fips), life=SHA2_LIFE, oid=f"{_SHA}.3")
    row(sort, "sha-224", _HASHES, OLD, (112, 0), short, life=SHA2_LIFE, oid=f"{_SHA}.4")
    row(sort, "sha-512/256", _HASHES, OK, (128, 2), short, oid=f"{_SHA}.6")
    third = Life(approved_from="2015-08-05", says="FIPS 202")
    hybrid = python("draft-ietf-hpke-pq: a seed's public key")
    row(sort, "sha3-256", _HASHES, OK, (128, 2), short, life=third, oid=f"{_SHA}.8")
    row(sort, "sha3-384", _HASHES, OK, (192, 4), short, life=third, oid=f"{_SHA}.9")
    row(sort, "sha3-512", _HASHES, OK, (256, 5), short, life=third, oid=f"{_SHA}.10")
    row(sort, "shake256", _HASHES, OK, (256, 5), hybrid, life=third, oid=f"{_SHA}.12")
    row(sort, "sm3", _HASHES, TIED, (128, 2), nobody(BY_COUNTRY))
    row(sort, "streebog-256", _HASHES, TIED, (128, 2), nobody(BY_COUNTRY))
    row(sort, "streebog-512", _HASHES, TIED, (256, 5), nobody(BY_COUNTRY))
    row(sort, "whirlpool", _HASHES, TIED, (256, 5), nobody(NO_CALLER))
    row(sort, "ripemd-160", _HASHES, NO, (80, 0), nobody(BROKEN), note="too short")
    row(sort, "ripemd-128", _HASHES, NO, (64, 0), nobody(BROKEN), note="too short")
    note = "collisions are practical"
    row(sort, "sha-1", _HASHES, NO, (61, 0), nobody(BROKEN), life=SHA1_LIFE, note=note)
    row(sort, "md5", "RFC 1321", NO, (18, 0), nobody(BROKEN), note=note)
    row(sort, "hash-of-blocks", "ISO/IEC 10118-2", TIED, (64, 0), nobody(NO_CALLER))
    row(sort, "mash-1", "ISO/IEC 10118-4", TIED, (0, 0), nobody(NO_LIBRARY))


def _from_blocks(family: Family) -> None:
    row, sort = family.row, Sort.MAC
    row(
        sort, "cmac-aes-128", _BLOCK, OK, (128, 1), library("NIST SP 800-38B, D.1"),
        parameters="algorithm 5", note="and longer keys",
    )  # fmt: skip
    row(
        sort, "retail-mac", _BLOCK, TIED, (56, 0), own("another implementation's"),
        parameters="algorithm 3", life=TDEA_LIFE, note="card profiles only; ISO 16609",
    )  # fmt: skip
    row(
        sort, "cbc-mac-tdea", _BLOCK, TIED, (56, 0), own("another implementation's"),
        parameters="algorithm 1", life=TDEA_LIFE, note="messages of one length",
    )  # fmt: skip
    gone = nobody(NO_CALLER)
    row(sort, "emac", _BLOCK, TIED, (128, 1), gone, parameters="algorithm 2")
    row(sort, "mac-des", _BLOCK, NO, (56, 0), nobody(BROKEN), parameters="algorithm 4")
    row(sort, "lmac", _BLOCK, TIED, (128, 1), gone, parameters="algorithm 6")


def _from_hashes(family: Family) -> None:
    row, sort = family.row, Sort.MAC
    rfc = "RFC 4231, 4.3"
    life = Life(approved_from="2002-03-06", says="FIPS 198")
    row(
        sort, "hmac-sha256", _KEYED, OK, (256, 5), python(rfc),
        parameters="tag of 32 bytes", life=life, oid=f"{_MAC}.9",
    )  # fmt: skip
    row(
        sort, "hmac-sha512", _KEYED, OK, (256, 5), library(rfc),
        parameters="tag of 64 bytes", life=life, oid=f"{_MAC}.11",
    )  # fmt: skip
    row(
        sort, "hmac-sha384", _KEYED, OK, (256, 5), nobody(NO_CALLER),
        parameters="tag of 48 bytes", life=life, oid=f"{_MAC}.10",
    )  # fmt: skip
    row(
        sort, "hmac-sha1", _KEYED, OLD, (160, 1), library("RFC 2202, 3"),
        parameters="tag of 20 bytes", life=SHA1_LIFE, note="codes of old devices",
        oid=f"{_MAC}.7",
    )  # fmt: skip
    row(sort, "kmac256", _KEYED, OK, (256, 5), nobody(NO_LIBRARY), parameters="MAC algorithm 4")
    row(sort, "mdx-mac", _KEYED, NO, (64, 0), nobody(BROKEN), parameters="MAC algorithm 1")


def _universal(family: Family) -> None:
    row, sort = family.row, Sort.MAC
    inside = nobody("only as the tag of AES-256-GCM")
    row(
        sort, "gmac-aes-256", _UNIVERSAL, OK, (128, 1), inside, parameters="nonce of 12 bytes"
    )  # fmt: skip
    row(sort, "poly1305-aes", _UNIVERSAL, OK, (128, 1), nobody(NO_CALLER))
    row(sort, "umac", _UNIVERSAL, TIED, (128, 1), nobody(NO_LIBRARY))
    row(sort, "badger", _UNIVERSAL, TIED, (128, 1), nobody(NO_LIBRARY))


def integrity_rows() -> Family:
    """The rows of this family.

    Source: ISO/TS 12812-2:2017, C
    """
    family = Family()
    for add in (_hashes, _from_blocks, _from_hashes, _universal):
        add(family)
    return family
