"""Commands of an issuer that change the PIN in a card, at the software module.

The PIN comes in a block and leaves enciphered for the card's session; it is clear at no time
outside.

Source: EMV Book 2, 9; ISO 9564-1, 9.3; ISO/TS 12812-2:2017, 7.3.4
"""

from enum import StrEnum

from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.crypto.blocks import exclusive_or
from tallystick.infrastructure.crypto.iso9797 import pad_bit
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CardOperation
from tallystick.infrastructure.modules.chip_sessions import Session, session_key
from tallystick.infrastructure.modules.interface import KeyHandle
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_data import Mode
from tallystick.infrastructure.modules.soft_pins import PinBlock, open_pin
from tallystick.infrastructure.pin.formats import PinFormat, encode
from tallystick.infrastructure.pin.translation import check_pair
from tallystick.kernel.model import Record

_LENGTH_DIGITS = b"\x0f"


class Clear(StrEnum):
    """Which block of the PIN is enciphered: format 2, or that of a scheme under the card's key.

    Source: ISO 9564-1, 9.3; Visa Integrated Circuit Card Specification
    """

    ISO_2 = "iso-2"
    SCHEME = "scheme"


class Enciphering(Record, frozen=True, kw_only=True):
    """How the block is enciphered: in which mode, with its length in front, padded or not.

    Source: EMV Book 2, 9.3
    """

    clear: Clear = Clear.ISO_2
    mode: Mode = Mode.CBC
    length_first: bool = False
    padded: bool = True


class ScriptKeys(Record, frozen=True, kw_only=True):
    """The issuer's keys of a command: for its MAC, for its PIN, and of cryptograms where needed.

    Source: EMV Book 2, 9
    """

    integrity: KeyHandle
    confidentiality: KeyHandle
    cryptograms: KeyHandle | None = None


class SoftScripts:
    """Makes what a command to change a PIN is made of.

    Source: EMV Book 2, 9
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def pin_change(
        self,
        new: PinBlock,
        keys: ScriptKeys,
        card: Card,
        session: Session,
        how: Enciphering,
        head: bytes,
        *,
        current: PinBlock | None = None,
    ) -> tuple[bytes, bytes]:
        """The PIN of `new` enciphered for the card, and the MAC over `head` and it: 8 bytes.

        Raises NotAuthentic for a block that does not open, NotPermitted for keys that are for
        something else and where PINs may not be in software.
        Source: EMV Book 2, 9.2; 9.3
        """
        gate = self._gate
        confidentiality = gate.find(keys.confidentiality, CardOperation.ENCIPHER_SCRIPT)
        integrity = gate.find(keys.integrity, CardOperation.SCRIPT_MAC)
        for one in (confidentiality, integrity):
            gate.admit("chip-aes" if one.is_aes else "chip-tdea")
        check_pair(new.form, PinFormat.ISO_2, gate.rules.translations)
        gate.admit("pinblock-2")
        clear = self._clear(new, keys, card, how, current)
        under = session_key(_master(confidentiality.chip(), card), session)
        sealed = _enciphered(under, how, clear)
        tag = session_key(_master(integrity.chip(), card), session).mac(head + sealed)
        return sealed, tag

    def _clear(
        self,
        new: PinBlock,
        keys: ScriptKeys,
        card: Card,
        how: Enciphering,
        current: PinBlock | None,
    ) -> bytes:
        pin = open_pin(self._gate, new, card.pan)
        block = encode(PinFormat.ISO_2, pin, card.pan, b"")
        if how.clear is Clear.ISO_2 or keys.cryptograms is None:
            return block
        found = self._gate.find(keys.cryptograms, CardOperation.CRYPTOGRAM)
        octets = found.chip().master_octets(card.pan, card.sequence, card.option)
        block = bytes((block[0] & _LENGTH_DIGITS[0],)) + block[1:]
        mixed = exclusive_or(block, bytes(4) + octets[4:8])
        if current is None:
            return mixed
        old = encode(PinFormat.ISO_2, open_pin(self._gate, current, card.pan), card.pan, b"")
        return exclusive_or(mixed, _digits_first(old))


def _master(issuer: ChipKey, card: Card) -> ChipKey:
    return issuer.master_of(card.pan, card.sequence, card.option)


def _enciphered(under: ChipKey, how: Enciphering, clear: bytes) -> bytes:
    width = under.cipher.width
    plain = bytes((len(clear),)) + clear if how.length_first else clear
    if how.padded:
        plain = pad_bit(plain, width)
    if how.mode is Mode.ECB:
        return under.cipher.encrypt(plain)
    return under.cipher.encrypt_chain(bytes(width), plain)


def _digits_first(block: bytes) -> bytes:
    """The digits of a block of format 2 at its front, zeros behind."""
    length = block[0] & 0x0F
    return bytes.fromhex(block.hex()[2 : 2 + length].ljust(16, "0"))
