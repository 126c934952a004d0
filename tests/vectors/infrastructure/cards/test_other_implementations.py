"""Both ways with psec and pyemv: each reads what the other wrote. Skipped, loudly, where absent."""

import importlib
import random

import pytest

from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.card.values import CardValue, card_value, dynamic_cvc3
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.crypto.iso9797 import RetailMac, cbc_mac
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import (
    PinFormat,
    decipher_4,
    decode,
    encipher_4,
    encode,
)
from tallystick.infrastructure.pin.verification import ibm_offset, pvv

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ROUNDS = 60
FORMATS = {"0": PinFormat.ISO_0, "2": PinFormat.ISO_2, "3": PinFormat.ISO_3}


@pytest.fixture
def psec():
    return pytest.importorskip("psec", reason="psec is absent: install the extra for development")


@pytest.fixture
def pyemv():
    pytest.importorskip("pyemv", reason="pyemv is absent: install the extra for development")
    return {name: importlib.import_module(f"pyemv.{name}") for name in ("ac", "cvv", "kd", "sm")}


@pytest.fixture
def draw() -> random.Random:
    return random.Random(9564)


def digits(draw: random.Random, least: int, most: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(draw.randint(least, most)))


def test_key_blocks_both_ways(psec, draw: random.Random) -> None:
    for turn in range(ROUNDS):
        length = draw.choice((16, 24, 32))
        outer, inner = draw.randbytes(32), draw.randbytes(length)
        optional = (OptionalBlock(name="LB", text="L" * (turn % 30 + 1)),) if turn % 2 else ()
        fields = BlockFields(
            version="D", usage="P0", algorithm="A", mode="E", exportability="E", optional=optional
        )
        ours = Wrapping(outer, is_aes=True).seal(fields, inner, draw.randbytes(46))
        header, found = psec.tr31.unwrap(outer, ours)
        assert found == inner
        assert (header.key_usage, header.mode_of_use, header.exportability) == ("P0", "E", "E")
        theirs = psec.tr31.Header("D", "P0", "A", "B", "00", "N")
        theirs.blocks["KS"] = "00604B120F9292800000"
        told, material = Wrapping(outer, is_aes=True).open(psec.tr31.wrap(outer, theirs, inner))
        assert material == inner
        assert (told.mode, told.text_of("KS")) == ("B", "00604B120F9292800000")


def test_old_key_blocks_of_the_other_are_read(psec, draw: random.Random) -> None:
    for version in "ABC":
        for length in (16, 24):
            outer, inner = draw.randbytes(24), draw.randbytes(length)
            header = psec.tr31.Header(version, "P0", "T", "B", "00", "E")
            block = psec.tr31.wrap(outer, header, inner)
            fields, material = Wrapping(outer, is_aes=False).open(block, LEGACY)
            assert (fields.version, material) == (version, inner)


def test_pin_blocks_both_ways(psec, draw: random.Random) -> None:
    other = psec.pinblock
    for _ in range(ROUNDS):
        secret, pin, pan = draw.randbytes(16), digits(draw, 4, 12), digits(draw, 13, 19)
        ours = encipher_4(Aes(secret), ClearPin(pin), pan, draw.randbytes(8))
        assert other.decipher_pinblock_iso_4(secret, ours, pan) == pin
        theirs = other.encipher_pinblock_iso_4(secret, pin, pan)
        assert decipher_4(Aes(secret), theirs, pan).same(ClearPin(pin))
        for name, form in FORMATS.items():
            given = (pin,) if name == "2" else (pin, pan)
            block = encode(form, ClearPin(pin), pan, draw.randbytes(16))
            read = getattr(other, f"decode_pinblock_iso_{name}")
            assert read(block, *given[1:]) == pin
            written = getattr(other, f"encode_pinblock_iso_{name}")(*given)
            assert decode(form, written, pan).same(ClearPin(pin))


def test_pin_values_are_the_same(psec, draw: random.Random) -> None:
    for _ in range(ROUNDS):
        secret, pin, pan = draw.randbytes(16), digits(draw, 4, 4), digits(draw, 16, 19)
        index = draw.randrange(10)
        assert pvv(Tdea(secret), ClearPin(pin), pan, index) == psec.pin.generate_visa_pvv(
            secret, str(index), pin, pan
        )
        wanted = psec.pin.generate_ibm3624_offset(secret, "0123456789012345", pin, pan, 0, 16, "F")
        assert ibm_offset(Tdea(secret), ClearPin(pin), pan[:16]) == wanted


def test_card_values_and_macs_are_the_same(psec, draw: random.Random) -> None:
    for _ in range(ROUNDS):
        secret, pan, expiry = draw.randbytes(16), digits(draw, 13, 19), digits(draw, 4, 4)
        for value, code in (("cvv", "101"), ("cvv2", "000"), ("icvv", "999")):
            found = card_value(secret, CardValue(value), pan=pan, expiry=expiry, service=code)
            assert found == psec.cvv.generate_cvv(secret, pan, expiry, code)
        message = draw.randbytes(draw.randrange(1, 90))
        for padding in (1, 2, 3):
            retail = psec.mac.generate_retail_mac(secret[:8], secret[8:], message, padding)
            assert RetailMac(secret).mac(message, padding=padding) == retail
            chained = psec.mac.generate_cbc_mac(secret, message, padding)
            assert cbc_mac(Tdea(secret), message, padding=padding) == chained
            wide = psec.mac.generate_cbc_mac(
                secret, message, padding, algorithm=psec.mac.Algorithm.AES
            )
            assert cbc_mac(Aes(secret), message, padding=padding) == wide


def test_cryptograms_are_the_same(pyemv, draw: random.Random) -> None:
    for _ in range(ROUNDS):
        secret, pan, sequence = draw.randbytes(16), digits(draw, 13, 19), digits(draw, 2, 2)
        issuer, kd, ac = ChipKey(secret, is_aes=False), pyemv["kd"], pyemv["ac"]
        first = kd.derive_icc_mk_a(secret, pan, sequence)
        assert issuer.master_octets(pan, sequence, "A") == first
        assert issuer.master_octets(pan, sequence, "B") == kd.derive_icc_mk_b(secret, pan, sequence)
        counter, data = draw.randbytes(2), draw.randbytes(draw.randrange(1, 60))
        octets = kd.derive_common_sk(first, counter + bytes(6))
        session = issuer.master_of(pan, sequence, "A").session_of(counter)
        cryptogram = session.mac(data)
        assert cryptogram == ac.generate_ac(octets, data, ac.PaddingType.EMV)
        code, status = draw.randbytes(2), draw.randbytes(4)
        assert session.response_1(cryptogram, code) == ac.generate_arpc_1(octets, cryptogram, code)
        assert session.response_2(cryptogram, status) == ac.generate_arpc_2(
            octets, cryptogram, status
        )
        sm = pyemv["sm"]
        assert session.mac(data) == sm.generate_command_mac(octets, data)
        assert session.encipher_script(data) == sm.encrypt_command_data(
            octets, data, sm.EncryptionType.EMV
        )
        number = draw.randbytes(4)
        found = dynamic_cvc3(
            first, template=data, counter=int.from_bytes(counter, "big"), number=number
        )
        assert found == int(pyemv["cvv"].generate_cvc3(first, data, counter, number))
