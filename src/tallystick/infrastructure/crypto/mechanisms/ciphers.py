"""Rows of ciphers: blocks, modes, streams, authenticated encryption, formats, constrained devices.

Source: ISO/TS 12812-2:2017, C; ISO/IEC 18033-3; ISO/IEC 10116; ISO/IEC 19772; ISO/IEC 29192-2
"""

from tallystick.infrastructure.crypto.mechanisms.model import (
    AES_LIFE,
    BROKEN,
    BY_COUNTRY,
    NO,
    NO_CALLER,
    NO_LIBRARY,
    OK,
    OLD,
    TDEA_LIFE,
    TIED,
    Family,
    Life,
    Sort,
    library,
    nobody,
    own,
)

_BLOCKS, _MODES = "ISO/IEC 18033-3", "ISO/IEC 10116"
_SEALS, _STREAMS, _SMALL = "ISO/IEC 19772", "ISO/IEC 18033-4", "ISO/IEC 29192-2"
_INSIDE = "only inside the modes below"
_CARDS = "card profiles only"
_OFF = "constrained elements; off"
_AES = "2.16.840.1.101.3.4.1"


def _block_ciphers(family: Family) -> None:
    row, sort = family.row, Sort.CIPHER
    fips = library("FIPS 197, C")
    row(sort, "aes-256", _BLOCKS, OK, (256, 5), fips, life=AES_LIFE, note=_INSIDE)
    row(sort, "aes-192", _BLOCKS, OK, (192, 3), fips, life=AES_LIFE, note=_INSIDE)
    row(sort, "aes-128", _BLOCKS, OK, (128, 1), fips, life=AES_LIFE, note=_INSIDE)
    tdea, cards = library("NIST SP 800-67, B"), library("a published check value")
    late = "no new protection after 2023"
    row(sort, "tdea-3key", _BLOCKS, OLD, (112, 0), tdea, life=TDEA_LIFE, note=late)
    row(sort, "tdea-2key", _BLOCKS, TIED, (80, 0), cards, life=TDEA_LIFE, note=_CARDS)
    row(sort, "camellia-256", _BLOCKS, TIED, (256, 5), nobody(BY_COUNTRY))
    row(sort, "camellia-128", _BLOCKS, TIED, (128, 1), nobody(BY_COUNTRY))
    row(sort, "seed", _BLOCKS, TIED, (128, 1), nobody(BY_COUNTRY))
    row(sort, "sm4", _BLOCKS, TIED, (128, 1), nobody(BY_COUNTRY))
    row(sort, "misty1", _BLOCKS, NO, (70, 0), nobody(BROKEN), note="integral attacks on all rounds")
    row(sort, "cast-128", _BLOCKS, TIED, (128, 1), nobody(NO_CALLER), note="blocks of 64 bits")
    row(sort, "hight", _BLOCKS, TIED, (126, 0), nobody(NO_LIBRARY), note="blocks of 64 bits")
    row(sort, "des", "FIPS 46-3", NO, (56, 0), nobody(BROKEN), note="exhaustible")


def _modes(family: Family) -> None:
    row, sort = family.row, Sort.MODE
    sample = library("NIST SP 800-38A, F")
    row(sort, "ecb", _MODES, TIED, (0, 0), sample, note="single blocks of key and PIN formats")
    row(sort, "cbc", _MODES, TIED, (0, 0), sample, note="inside key blocks only")
    row(sort, "ctr", _MODES, TIED, (0, 0), sample, note="inside key blocks only")
    row(sort, "cfb", _MODES, TIED, (0, 0), nobody(NO_CALLER), note="protects no integrity")
    row(sort, "ofb", _MODES, TIED, (0, 0), nobody(NO_CALLER), note="protects no integrity")


def _streams(family: Family) -> None:
    row, sort = family.row, Sort.STREAM
    tls = nobody("TLS offers it through the system's library; messages take AES-256-GCM")
    row(sort, "chacha20-poly1305", f"{_STREAMS}; RFC 8439", OK, (256, 5), tls)
    row(sort, "snow-2.0", _STREAMS, TIED, (128, 1), nobody(NO_LIBRARY))
    row(sort, "rabbit", _STREAMS, TIED, (128, 1), nobody(NO_LIBRARY))
    row(sort, "kcipher-2", _STREAMS, TIED, (128, 1), nobody(NO_LIBRARY))
    row(sort, "mugi", _STREAMS, TIED, (128, 1), nobody(NO_LIBRARY))
    row(sort, "decim-v2", _STREAMS, NO, (80, 0), nobody(BROKEN), note="keys of 80 bits")
    row(sort, "rc4", "RFC 7465", NO, (0, 0), nobody(BROKEN), note="biased")


def _sealing(family: Family) -> None:
    row, sort = family.row, Sort.SEALING
    gcm = Life(approved_from="2007-11-28", says="NIST SP 800-38D")
    row(
        sort, "aes-256-gcm", _SEALS, OK, (256, 5), library("NIST SP 800-38D, test case 16"),
        parameters="nonce 12, tag 16", life=gcm, note="2^32 random nonces", oid=f"{_AES}.46",
    )  # fmt: skip
    row(
        sort, "aes-128-gcm", _SEALS, OK, (128, 1), nobody("new keys have 256 bits"),
        parameters="nonce 12, tag 16", life=gcm, oid=f"{_AES}.6",
    )  # fmt: skip
    row(
        sort, "aes-256-ccm", _SEALS, OK, (256, 5), library("C2SP/wycheproof, aes_ccm_test, 183"),
        parameters="nonce 12, tag 16", note="takes the place of GCM: crypto rewrap",
        oid=f"{_AES}.47",
    )  # fmt: skip
    row(sort, "aes-256-eax", _SEALS, OK, (256, 5), nobody(NO_LIBRARY))
    row(
        Sort.WRAPPING, "aes-256-kw", _SEALS, OK, (256, 5), library("RFC 3394, 4.6"),
        parameters="mechanism 2", note="opens signed statements of others", oid=f"{_AES}.45",
    )  # fmt: skip
    row(
        Sort.WRAPPING, "aes-256-kwp", "RFC 5649", OK, (256, 5), nobody(NO_CALLER),
        oid=f"{_AES}.48",
    )  # fmt: skip
    row(
        sort, "encrypt-then-mac", _SEALS, TIED, (128, 1), nobody("keys are sealed by key blocks"),
        parameters="mechanism 5", note="CBC or CTR, then a MAC of another key",
    )  # fmt: skip
    row(
        sort, "aes-256-gcm-siv", "RFC 8452", OK, (256, 5),
        nobody("nonces here are counted or random and watched"), parameters="nonce 12, tag 16",
    )  # fmt: skip
    row(
        sort, "ocb2", "ISO/IEC 19772:2009", NO, (0, 0), nobody(BROKEN),
        note="broken; withdrawn from the standard",
    )  # fmt: skip


def _formats(family: Family) -> None:
    row, sort = family.row, Sort.FORMAT
    row(
        sort, "ff1-aes-256", "NIST SP 800-38G", OK, (128, 1), own("NIST SP 800-38G, FF1 samples"),
        parameters="domain of 10^6 or more", note="and shorter keys",
        life=Life(approved_from="2016-03-29", says="NIST SP 800-38G"),
    )  # fmt: skip
    row(
        sort, "ff3-aes", "NIST SP 800-38G", NO, (0, 0), nobody(BROKEN),
        note="attacked; dropped from the draft revision",
    )  # fmt: skip


def _lightweight(family: Family) -> None:
    row, sort = family.row, Sort.CIPHER
    gone = nobody(NO_LIBRARY)
    row(sort, "present-128", _SMALL, TIED, (128, 1), gone, note=_OFF)
    row(sort, "present-80", _SMALL, NO, (80, 0), nobody(BROKEN), note="too short")
    row(sort, "clefia-128", _SMALL, TIED, (128, 1), gone, note=_OFF)
    row(sort, "lea-128", _SMALL, TIED, (128, 1), gone, note=_OFF)
    third, stream = "ISO/IEC 29192-3", Sort.STREAM
    row(stream, "enocoro-128", third, TIED, (128, 1), gone, note=_OFF)
    row(stream, "enocoro-80", third, NO, (80, 0), nobody(BROKEN), note="too short")
    row(stream, "trivium", third, NO, (80, 0), nobody(BROKEN), note="too short")
    fourth, eighth = "ISO/IEC 29192-4", "ISO/IEC 29192-8"
    row(Sort.AUTHENTICATION, "cryptogps", fourth, TIED, (112, 0), gone, note=_OFF)
    row(Sort.AUTHENTICATION, "alike", fourth, TIED, (112, 0), gone, note=_OFF)
    row(Sort.SIGNATURE, "ibs-light", fourth, TIED, (128, 0), gone, note=_OFF)
    row(Sort.HASH, "photon-256", "ISO/IEC 29192-5", TIED, (128, 2), gone, note=_OFF)
    row(Sort.HASH, "spongent-256", "ISO/IEC 29192-5", TIED, (128, 2), gone, note=_OFF)
    row(Sort.HASH, "lesamnta-lw", "ISO/IEC 29192-5", TIED, (120, 1), gone, note=_OFF)
    sixth, mac = "ISO/IEC 29192-6", Sort.MAC
    row(mac, "lightmac", sixth, TIED, (64, 0), gone, note=_OFF)
    row(mac, "chaskey-12", sixth, TIED, (128, 1), gone, note=_OFF)
    row(mac, "tsudik-keymode", sixth, TIED, (128, 1), gone, note=_OFF)
    row(Sort.AUTHENTICATION, "broadcast-light", "ISO/IEC 29192-7", TIED, (128, 1), gone, note=_OFF)
    row(Sort.SEALING, "grain-128a", eighth, TIED, (128, 1), gone, note=_OFF)
    ascon = Life(approved_from="2025-08-13", says="NIST SP 800-232")
    absent = nobody("the library does not have it yet")
    row(
        Sort.SEALING, "ascon-aead128", "NIST SP 800-232", TIED, (128, 1), absent, note=_OFF,
        life=ascon,
    )  # fmt: skip
    row(Sort.HASH, "ascon-hash256", "NIST SP 800-232", TIED, (128, 1), absent, life=ascon)


def cipher_rows() -> Family:
    """The rows of this family.

    Source: ISO/TS 12812-2:2017, C
    """
    family = Family()
    for add in (_block_ciphers, _modes, _streams, _sealing, _formats, _lightweight):
        add(family)
    return family
