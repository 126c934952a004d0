"""Known answers for keys of cards and PINs: published values, before the first use of each.

Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790; NIST SP 800-140
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from tallystick.infrastructure.card import dukpt_aes, dukpt_tdea
from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.card.values import CardValue, card_value, dynamic_cvc3
from tallystick.infrastructure.crypto.blocks import Aes, BlockCipher, Tdea
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.ff1 import DIGITS_AND_LETTERS, Ff1
from tallystick.infrastructure.crypto.iso9797 import RetailMac, cbc_mac, counted_cmac, kbkdf_cmac
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.infrastructure.modules import interface
from tallystick.infrastructure.modules.answering import expect, refuses
from tallystick.infrastructure.pin import verification
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import (
    PinFormat,
    decipher_4,
    decode,
    encipher_4,
    encode,
)

_hex = bytes.fromhex
_SAMPLE = _hex("0123456789abcdeffedcba9876543210")
_PAN = "4012345678909"


def _both_ways(cipher: BlockCipher, clear: str, enciphered: str) -> None:
    """`clear` becomes `enciphered` and back.

    Source: FIPS 197; NIST SP 800-67
    """
    expect(cipher.encrypt(_hex(clear)), _hex(enciphered))
    expect(cipher.decrypt(_hex(enciphered)), _hex(clear))


def aes_answer(length: int, enciphered: str) -> None:
    """AES of the example vectors, both ways.

    Source: FIPS 197, C
    """
    _both_ways(Aes(bytes(range(length))), "00112233445566778899aabbccddeeff", enciphered)


def tdea_answer(length: int) -> None:
    """TDEA of the example with three keys; a published check value with two.

    Source: NIST SP 800-67, B; TR-31
    """
    if length == 24:
        cipher = Tdea(_hex("0123456789abcdef23456789abcdef01456789abcdef0123"))
        _both_ways(cipher, "5468652071756663", "a826fd8ce53b855f")
    else:
        cipher = Tdea(_hex("5db50b454f8389adce573be50861f2bf"))
        expect(cipher.check_value(), _hex("5c9405"))
        expect(cipher.decrypt(cipher.encrypt(bytes(8))), bytes(8))


def cmac_answer() -> None:
    """AES-CMAC of the second example.

    Source: NIST SP 800-38B, D.1
    """
    cipher = Aes(_hex("2b7e151628aed2a6abf7158809cf4f3c"))
    tag = cipher.cmac(_hex("6bc1bee22e409f96e93d7e117393172a"))
    expect(equal(tag, _hex("070a16b46b4d4144f79bdd9dd04a287c")), wanted=True)


def retail_answer() -> None:
    """Algorithm 3 over a short text, padding method 1.

    Source: ISO/IEC 9797-1, algorithm 3
    """
    mac = RetailMac(b"\xaa" * 8 + b"\xbb" * 8).mac(b"hello world", padding=1)
    expect(mac, _hex("78da3d3deb48fd4d"))


def cbc_mac_answer() -> None:
    """Algorithm 1 over one block, padding method 2.

    Source: ISO/IEC 9797-1, algorithm 1
    """
    mac = cbc_mac(Tdea(_SAMPLE), _hex("1234567890abcdef"), padding=2)
    expect(mac, _hex("925b1737ef681ad3"))


def kbkdf_answer() -> None:
    """Counter mode with CMAC, a counter of 4 bytes: as NIST has it, and with our fixed input.

    The former is CAVP, CMAC_AES128, BEFORE_FIXED, 32_BITS, count 10; the latter another
    implementation's.
    Source: NIST SP 800-108, 4.1
    """
    published = counted_cmac(Aes(_hex(_CAVP_KEY)), _hex(_CAVP_FIXED), 32)
    expect(published, _hex("d34b601ec18c34dfa0f9e0b7523e218bdddb9befe8d08b6c0202d75ace0dba89"))
    found = kbkdf_cmac(Aes(bytes(range(16))), label=b"label", context=b"context", length=32)
    expect(found, _hex(_KBKDF))


_CAVP_KEY = "695f1b1a16c949cea51cdf2554ec9d42"
_CAVP_FIXED = (
    "4fce5942832a390aa1cbe8a0bf9d202cb799e986c9d6b51f45e4d597a6b57f06"
    "a4ebfec6467335d116b7f5f9c5b954062f661820f5db2a5bbb3e0625"
)
_KBKDF = "4a63599f94bd3bf38b763386bb5397c690a3a40600f96a691059cc001c163c49"


def dukpt_aes_answer() -> None:
    """The initial key and the PIN key of the first transaction of the supplement's AES-128 sample.

    Source: ANSI X9.24-3
    """
    initial_id = _hex("1234567890123456")
    initial = dukpt_aes.initial_key(_hex("fedcba9876543210f1f1f1f1f1f1f1f1"), initial_id)
    expect(initial, _hex("1273671ea26ac29afa4d1084127652a1"))
    terminal = dukpt_aes.InitialKey(initial, initial_id)
    found = terminal.working_key(1, dukpt_aes.WorkingUsage.PIN, dukpt_aes.KeyType.AES_128)
    expect(found, _hex("af8cb133a78f8dc2d1359f18527593fb"))


def dukpt_tdea_answer() -> None:
    """The PIN key of the first transaction of the annex.

    Source: ANSI X9.24-1, A.4
    """
    ksn = _hex("ffff9876543210e00001")
    initial = dukpt_tdea.initial_key(_SAMPLE, ksn)
    found = dukpt_tdea.working_key(initial, ksn, dukpt_tdea.Variant.PIN)
    expect(found, _hex("042666b49184cf5c68de9628d0397b36"))


_BLOCKS = {
    "a": (
        "efe0853b256b583d868f251ce99ea1d9",
        "A0072K0TN00N0000F40D5672C6D0EC86F860BA88D44D00F0CA9A8CE8CD2F640287A9A9EB",
        "5db50b454f8389adce573be50861f2bf",
    ),
    "b": (
        "dd7515f2bfc17f85ce48f3ca25cb21f6",
        "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
        "3f419e1cb7079442aa37474c2efbf8b8",
    ),
    "c": (
        "b8ed59e0a279a295e9f5ed7944fd06b9",
        (
            "C0096B0TX12S0100KS1800604B120F9292800000BFB9B689CB567E66FC3FEE5AD5F52161FC6545B9"
            "D60989015D02155C"
        ),
        "edb380dd340bc2620247d445f5b8d678",
    ),
    "d": (
        "88e1ab2a2e3dd38c1fa039a536500cc8a87ab9d62dc92c01058fa79f44657de6",
        (
            "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A2"
            "7E8E31DA05F7425509593D03A457DC34"
        ),
        "3f419e1cb7079442aa37474c2efbf8b8",
    ),
    "e": (
        "3235362d62697420414553207772617070696e67202849534f20323030333829",
        "E0084B0TV16N0000B2AE5E26BBA7F246E84D5EA24167E208A6B66EF2E27E55A52DB52F0AEACB94C57547",
        "777261707065642033444553206b6579",
    ),
}


def key_block_answer(version: str) -> None:
    """A published block opens to its key, and with one changed digit it does not open.

    Source: X9.143, 8; TR-31; ISO 20038, B
    """
    wrapping_key, block, inner = _BLOCKS[version]
    wrapping = Wrapping(_hex(wrapping_key), is_aes=version in {"d", "e"})
    fields, material = wrapping.open(block, LEGACY)
    expect(material, _hex(inner))
    changed = block[:-1] + ("0" if block[-1] != "0" else "1")
    refuses(lambda: wrapping.open(changed, LEGACY))
    if version == "d":
        sealed = wrapping.seal(fields, material, bytes(46))
        expect(wrapping.open(sealed)[1], material)


def pin_block_4_answer() -> None:
    """A published block of format 4, both ways, and its refusal for another account.

    Source: ISO 9564-1, 9.4
    """
    aes, pan = Aes(_hex("00112233445566778899aabbccddeeff")), "1234567890123456789"
    block = encipher_4(aes, ClearPin("1234"), pan, b"\xff" * 16)
    expect(block, _hex("28b41fddd29b743e93124bd8e32d921e"))
    expect(decipher_4(aes, block, pan).same(ClearPin("1234")), wanted=True)
    refuses(lambda: decipher_4(aes, block[:-1] + b"\x00", pan))


_CLEAR_BLOCKS = {
    PinFormat.ISO_0: "041274edcba9876f",
    PinFormat.ISO_1: "141234aaaaaaaaaa",
    PinFormat.ISO_2: "241234ffffffffff",
    PinFormat.ISO_3: "341274b89fedb44d",
}


def pin_block_answer(form: PinFormat) -> None:
    """A block of 8 bytes both ways, and the refusal of one with another control field.

    Source: ISO 9564-1, 9.3
    """
    pin = ClearPin("1234")
    fill = bytes.fromhex("aa" * 16) if form is PinFormat.ISO_1 else bytes(range(0, 256, 16))
    block = encode(form, pin, _PAN, fill)
    expect(block, _hex(_CLEAR_BLOCKS[form]))
    expect(decode(form, block, _PAN).same(pin), wanted=True)
    refuses(lambda: decode(form, bytes((block[0] ^ 0x80,)) + block[1:], _PAN))


def pvv_answer() -> None:
    """A verification value that another implementation gives, and the refusal of another.

    Source: ISO 9564-1, 7
    """
    cipher, pin, pan = Tdea(_SAMPLE), ClearPin("1234"), "4012345678909012"
    verification.verify_pvv(cipher, pin, pan, 1, "3072")
    refuses(lambda: verification.verify_pvv(cipher, pin, pan, 2, "3072"))


def ibm_answer() -> None:
    """The natural PIN of a published sample has the offset 0000, another PIN has not.

    Source: ISO 9564-1, 7
    """
    cipher, data = Tdea(_SAMPLE), "1122334455667788"
    check = partial(verification.verify_offset, cipher, data=data, table="1234567890123456")
    check(ClearPin("4524"), offset="0000")
    refuses(lambda: check(ClearPin("4525"), offset="0000"))


def reference_answer() -> None:
    """A reference verifies its PIN and no other.

    Source: ISO 9564-1, 7; 9.4
    """
    aes, pin = Aes(_SAMPLE), ClearPin("73901")
    kept = verification.reference(aes, pin, _PAN, bytes(8))
    verification.verify_reference(aes, pin, _PAN, kept)
    refuses(lambda: verification.verify_reference(aes, ClearPin("73902"), _PAN, kept))


def card_value_answer() -> None:
    """A CVV that another implementation gives.

    Source: ISO/IEC 18033-3
    """
    found = card_value(_SAMPLE, CardValue.CVV, pan="4123456789012345", expiry="8701", service="101")
    expect(found, "561")


def chip_tdea_answer() -> None:
    """Master key, session key, ARQC and ARPC of a published sample.

    Source: EMV Book 2, A1; 8
    """
    master = ChipKey(_SAMPLE, is_aes=False)
    found = master.master_octets("9901234567890123", "45")
    expect(found, _hex("f84315c7b95bd3b0c74694922c3808b0"))
    card = ChipKey(found, is_aes=False)
    expect(card.session_octets(_hex("1234567890123456")), _hex("3e736bf8d37664348a04e3abe00defc1"))
    session = card.session_of(_hex("1234567890123456"))
    expect(session.mac(_hex("0123456789abcdef") * 2), _hex("4b46013359b7a58b"))
    expect(card.response_1(_hex("4b46013359b7a58b"), bytes(2)), _hex("f8c9cecaabd55ad1"))


def chip_aes_answer() -> None:
    """Master key, session key and MAC, computed step by step with another implementation of AES.

    Source: EMV Book 2, A1
    """
    issuer = ChipKey(bytes(range(16)), is_aes=True)
    found = issuer.master_octets("9901234567890123", "45")
    expect(found, _hex("e88ab393dd81238ce16c0207ece946a8"))
    card = ChipKey(found, is_aes=True)
    expect(card.session_octets(b"\x00\x01"), _hex("456ec44ab9d2732aebd41ab9f6db6e7f"))
    expect(card.session_of(b"\x00\x01").mac(b"data"), _hex("4dfc1a60abff7492"))


def cvc3_answer() -> None:
    """A dynamic CVC3 of a published sample.

    Source: EMV Contactless Book C-2
    """
    found = dynamic_cvc3(
        _hex("6d6425fb9401c21aa1f80451ab85da3b"),
        template=_hex("5123456789012345d35121010000000000000f"),
        counter=0x5E,
        number=_hex("00000899"),
    )
    expect(found, 29488)


def ff1_answer() -> None:
    """The first sample of FF1 and the third, which has letters; both ways.

    Source: NIST SP 800-38G
    """
    cipher = Ff1(Aes(_hex("2b7e151628aed2a6abf7158809cf4f3c")))
    expect(cipher.encrypt("0123456789", b""), "2433477484")
    expect(cipher.decrypt("2433477484", b""), "0123456789")
    letters = Ff1(Aes(_hex("2b7e151628aed2a6abf7158809cf4f3c")), DIGITS_AND_LETTERS)
    tweak = _hex("3737373770717273373737")
    expect(letters.encrypt("0123456789abcdefghi", tweak), "a9tv40mll9kdu509eum")
    expect(letters.decrypt("a9tv40mll9kdu509eum", tweak), "0123456789abcdefghi")


CARD_ANSWERS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        interface.AES_128: partial(aes_answer, 16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        interface.AES_192: partial(aes_answer, 24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        interface.AES_256: partial(aes_answer, 32, "8ea2b7ca516745bfeafc49904b496089"),
        interface.TDEA_2KEY: partial(tdea_answer, 16),
        interface.TDEA_3KEY: partial(tdea_answer, 24),
        "cmac-aes-128": cmac_answer,
        "retail-mac": retail_answer,
        "cbc-mac-tdea": cbc_mac_answer,
        "kbkdf-cmac-aes": kbkdf_answer,
        "dukpt-aes": dukpt_aes_answer,
        "dukpt-tdea": dukpt_tdea_answer,
        **{f"keyblock-{one}": partial(key_block_answer, one) for one in _BLOCKS},
        **{f"pinblock-{one.value}": partial(pin_block_answer, one) for one in _CLEAR_BLOCKS},
        "pinblock-4": pin_block_4_answer,
        "pin-pvv": pvv_answer,
        "pin-ibm3624": ibm_answer,
        "pin-reference": reference_answer,
        "card-value": card_value_answer,
        "chip-aes": chip_aes_answer,
        "chip-tdea": chip_tdea_answer,
        "chip-cvc3": cvc3_answer,
        "ff1-aes-256": ff1_answer,
    }
)
"""The test of every mechanism of cards, by the registry's name."""
