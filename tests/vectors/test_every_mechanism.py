"""Every mechanism that the registry says is run proves itself by the answer that its row names."""

import re
from pathlib import Path

import pytest
from tests.vectors.mechanism_answers import ANSWERS, stamp

from tallystick.infrastructure.crypto.registry import Mechanism, mechanisms
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS

JUDGED_BY_OPENSSL = {"timestamp", "certificate"}
RUN = [one for one in mechanisms() if one.implemented_by]


@pytest.mark.requirement("MFS-C-01")
@pytest.mark.parametrize("entry", RUN, ids=lambda entry: entry.name)
def test_what_is_run_gives_its_known_answer(entry: Mechanism, tmp_path: Path) -> None:
    assert entry.known_answer, entry.name
    if entry.name in JUDGED_BY_OPENSSL:
        stamp(tmp_path)
        return
    answer = KNOWN_ANSWERS.get(entry.name) or ANSWERS[entry.name]
    answer()


def test_no_answer_is_left_over_and_every_row_says_why_it_is_not_run() -> None:
    names = {one.name for one in RUN}
    assert names == set(KNOWN_ANSWERS) | set(ANSWERS) | JUDGED_BY_OPENSSL
    for one in mechanisms():
        assert bool(one.implemented_by) != bool(one.not_run), one.name
        assert one.purposes, one.name


# The rows of the table that the registry is held against, each by its standard and some names.
ANNEX = {
    "ISO/IEC 18033-3": ("aes-256", "camellia-128", "seed", "sm4", "tdea-3key", "misty1",
                        "cast-128", "hight"),
    "ISO/IEC 10116": ("cbc", "ctr", "cfb", "ofb", "ecb"),
    "ISO/IEC 19772": ("aes-256-gcm", "aes-256-ccm", "aes-256-eax", "aes-256-kw",
                      "encrypt-then-mac"),
    "ISO/IEC 18033-4": ("chacha20-poly1305", "snow-2.0", "rabbit", "kcipher-2"),
    "ISO/IEC 9797-1": ("cbc-mac-tdea", "emac", "retail-mac", "mac-des", "cmac-aes-128", "lmac"),
    "ISO/IEC 9797-2": ("hmac-sha256", "kmac256", "mdx-mac"),
    "ISO/IEC 9797-3": ("gmac-aes-256", "poly1305-aes", "umac", "badger"),
    "ISO/IEC 10118-3": ("sha-256", "sha3-256", "sm3", "whirlpool", "streebog-256", "ripemd-160",
                        "sha-1"),
    "ISO/IEC 18033-2": ("rsa-oaep-3072", "rsa-kem", "ecies-kem", "hime-r"),
    "ISO/IEC 11770-2": ("point-to-point", "key-distribution-centre", "key-translation-centre"),
    "ISO/IEC 11770-3": ("ecdh-p256", "x25519", "ffdhe-3072", "static-static"),
    "ISO/IEC 11770-4": ("spake2+", "opaque"),
    "ISO/IEC 11770-6": ("hkdf-sha256", "kbkdf-cmac-aes"),
    "ISO 20038": ("keyblock-e", "module-block"),
    "ISO 11568": ("shamir-gf256", "dukpt-aes"),
    "ISO 9564-1": ("pinblock-0", "pinblock-1", "pinblock-2", "pinblock-3", "pinblock-4"),
    "ISO/IEC 14888-2": ("rsa-pss-3072", "rsa-pss-2048"),
    "ISO/IEC 14888-3": ("dsa", "ecdsa-p256-sha256", "ec-sdsa", "sm2"),
    "ISO/IEC 14888-4": ("lms", "xmss"),
    "ISO/IEC 9796-2": ("rsa-emv-recovery",),
    "ISO/IEC 9796-3": ("ecnr",),
    "ISO/IEC 9798-2": ("entity-auth-cipher",),
    "ISO/IEC 9798-3": ("entity-auth-signature",),
    "ISO/IEC 9798-4": ("entity-auth-mac",),
    "ISO/IEC 9798-5": ("zero-knowledge",),
    "ISO/IEC 9798-6": ("manual-transfer",),
    "ISO/IEC 13888-3": ("non-repudiation-signature",),
    "ISO/IEC 18014-2": ("timestamp",),
    "ISO/IEC 18014-3": ("timestamp-linked",),
    "ISO 21188": ("certificate",),
    "ISO/IEC 18031": ("random-bits", "dual-ec"),
    "ISO/IEC 18032": ("prime-numbers",),
    "ISO/IEC 15946-1": ("curve-p256", "curve-p384"),
    "ISO/IEC 15946-5": ("brainpool",),
    "ISO/IEC 20008-2": ("group-signature",),
    "ISO/IEC 20009-2": ("group-authentication",),
    "ISO/IEC 18370-2": ("blind-signature",),
    "ISO/IEC 29191": ("partially-unlinkable",),
    "ISO/IEC 29192-2": ("present-128", "clefia-128", "lea-128"),
    "ISO/IEC 29192-3": ("enocoro-128", "trivium"),
    "ISO/IEC 29192-5": ("photon-256", "spongent-256", "lesamnta-lw"),
    "ISO/IEC 29192-6": ("lightmac", "chaskey-12", "tsudik-keymode"),
    "ISO/IEC 29192-8": ("grain-128a",),
    "ISO 19092": ("biometric-framework",),
    "ISO/IEC 24745": ("biometric-templates",),
    "ISO/IEC 30107-3": ("presentation-attacks",),
    "ISO 13491-1": ("secure-device",),
    "ISO/IEC 19790": ("module-levels",),
    "RFC 8446": ("tls-1.3",),
}  # fmt: skip


@pytest.mark.requirement("MFS-C-01")
@pytest.mark.parametrize(("standard", "names"), ANNEX.items(), ids=list(ANNEX))
def test_every_row_of_the_annex_is_named_by_its_standard(
    standard: str, names: tuple[str, ...]
) -> None:
    table = {one.name: one for one in mechanisms()}
    for name in names:
        cited = re.split(r"[;:,] ?", table[name].standard)
        assert standard in cited, (name, table[name].standard)


@pytest.mark.requirement("MFS-C-03")
def test_mechanisms_for_constrained_devices_are_known_and_off() -> None:
    small = [one for one in mechanisms() if one.standard.startswith("ISO/IEC 29192")]
    assert len(small) > 12
    for one in small:
        assert not one.implemented_by, one.name
        assert one.status.value in {"restricted", "prohibited"}, one.name
        if 0 < one.strength_bits <= 80 and one.sort.value.endswith("cipher"):
            assert one.status.value == "prohibited", one.name
