"""Values, cryptograms, MACs and tokens of cards at the software module.

Source: ISO/TS 12812-2:2017, 7.4.2; EMV Book 2; NIST SP 800-38G
"""

from tallystick.infrastructure.card import dukpt_tdea
from tallystick.infrastructure.card.dukpt_aes import WorkingUsage
from tallystick.infrastructure.card.emv import ChipKey, verify_cryptogram
from tallystick.infrastructure.card.values import CardValue, card_value, dynamic_cvc3
from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.ff1 import DIGITS, DIGITS_AND_LETTERS
from tallystick.infrastructure.crypto.iso9797 import RetailMac, cbc_mac
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CardOperation
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import AES_128, KeyHandle, Purpose
from tallystick.infrastructure.modules.soft_pins import PinBlock, open_pin
from tallystick.infrastructure.modules.transaction_keys import transaction_key
from tallystick.infrastructure.pin.formats import PinFormat, encode
from tallystick.infrastructure.pin.translation import check_pair
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record

SHORTEST_MAC = 4
_COUNTER = 2
_REQUEST = WorkingUsage.MAC_GENERATION, dukpt_tdea.Variant.MAC_REQUEST
_RESPONSE = WorkingUsage.MAC_VERIFICATION, dukpt_tdea.Variant.MAC_RESPONSE


class Card(Record, frozen=True, kw_only=True):
    """A card: its account number, its sequence number (two digits), and its issuer's option.

    Source: EMV Book 2, A1.4
    """

    pan: str
    sequence: str
    option: str = "B"


class SoftChips:
    """What an issuer computes for its cards, by handle.

    Source: EMV Book 2; ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def make_value(
        self,
        handle: KeyHandle,
        value: CardValue,
        *,
        pan: str,
        expiry: str,
        service: str = "",
        counter: int = 0,
    ) -> str:
        """The three digits of `value` for a card.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._gate.find(handle, CardOperation.MAKE_CARD_VALUE)
        return self._value(found, value, pan, expiry, service, counter)

    def verify_value(
        self,
        handle: KeyHandle,
        value: CardValue,
        digits: str,
        *,
        pan: str,
        expiry: str,
        service: str = "",
        counter: int = 0,
    ) -> None:
        """Return only if `digits` are the ones of the card; raises NotAuthentic otherwise.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._gate.find(handle, CardOperation.VERIFY_CARD_VALUE)
        wanted = self._value(found, value, pan, expiry, service, counter)
        if not equal(wanted.encode(), digits.encode()):
            raise NotAuthentic("the value of the card does not verify")

    def verify_cryptogram(
        self,
        handle: KeyHandle,
        card: Card,
        counter: bytes,
        data: bytes,
        cryptogram: bytes,
        *,
        code: bytes = b"",
        status: bytes = b"",
        padding: int = 2,
    ) -> bytes:
        """The answer to an ARQC, only if it is the card's: an ARPC of method 1 or 2, or nothing.

        `counter` is the transaction counter, 2 bytes; `code` (2 bytes) asks for method 1, `status`
        (4 bytes) for method 2. Raises NotAuthentic for a cryptogram that does not verify.
        Source: EMV Book 2, 8.1; 8.2
        """
        found = self._gate.find(handle, CardOperation.CRYPTOGRAM)
        session = self._session(found, card, _counter(counter))
        verify_cryptogram(session, data, cryptogram, padding=padding)
        if code:
            return session.response_1(cryptogram, code)
        return session.response_2(cryptogram, status) if status else b""

    def script_mac(
        self, handle: KeyHandle, card: Card, value: bytes, message: bytes, *, length: int = 8
    ) -> bytes:
        """The MAC over a command to the card; `value` is the cryptogram that opens the session.

        Source: EMV Book 2, 9.2
        """
        if not SHORTEST_MAC <= length <= 8:
            raise Malformed("a MAC over a script has 4 to 8 bytes")
        found = self._gate.find(handle, CardOperation.SCRIPT_MAC)
        return self._session(found, card, value).mac(message)[:length]

    def encipher_script(self, handle: KeyHandle, card: Card, value: bytes, data: bytes) -> bytes:
        """Data of a command to the card, enciphered for its session.

        Source: EMV Book 2, 9.3
        """
        found = self._gate.find(handle, CardOperation.ENCIPHER_SCRIPT)
        return self._session(found, card, value).encipher_script(data)

    def encipher_pin(self, handle: KeyHandle, card: Card, value: bytes, source: PinBlock) -> bytes:
        """A PIN in format 2 for the card, enciphered for its session; clear at no time outside.

        Source: EMV Book 2, 9.3; ISO 9564-1, 9.3
        """
        found = self._gate.find(handle, CardOperation.ENCIPHER_SCRIPT)
        check_pair(source.form, PinFormat.ISO_2, self._gate.rules.translations)
        self._gate.admit("pinblock-2")
        pin = open_pin(self._gate, source, card.pan)
        clear = encode(PinFormat.ISO_2, pin, card.pan, b"")
        return self._session(found, card, value).encipher_script(clear)

    def dynamic_code(
        self, handle: KeyHandle, card: Card, *, template: bytes, counter: int, number: bytes
    ) -> int:
        """The CVC3 of a track: 0 to 65535.

        Source: EMV Contactless Book C-2
        """
        found = self._gate.find(handle, CardOperation.DYNAMIC_CODE)
        self._gate.admit("chip-cvc3")
        octets = found.chip().master_octets(card.pan, card.sequence, card.option)
        return dynamic_cvc3(octets, template=template, counter=counter, number=number)

    def make_mac(
        self, handle: KeyHandle, message: bytes, *, length: int = 8, padding: int = 2
    ) -> bytes:
        """The MAC over `message` by the algorithm of the key's purpose, cut to `length` bytes.

        Source: ISO/IEC 9797-1; ISO 16609
        """
        found = self._gate.find(handle, CardOperation.MAKE_MAC)
        return _cut(self._mac(found, message, padding), length)

    def verify_mac(
        self, handle: KeyHandle, message: bytes, tag: bytes, *, padding: int = 2
    ) -> None:
        """Return only if `tag` (4 bytes or more) is the MAC of `message`; else NotAuthentic.

        Source: ISO/IEC 9797-1; ISO 16609
        """
        found = self._gate.find(handle, CardOperation.VERIFY_MAC)
        _match(self._mac(found, message, padding), tag)

    def transaction_mac(self, handle: KeyHandle, ksn: bytes, message: bytes) -> bytes:
        """The MAC over an answer to a terminal, under the key of its transaction.

        16 bytes with AES (CMAC), 8 with TDEA (retail MAC, zeros as padding).
        Source: ANSI X9.24-3, 6.3.2; ANSI X9.24-1, A.4
        """
        return self._terminal_mac(handle, ksn, message, is_request=False)

    def verify_transaction_mac(
        self, handle: KeyHandle, ksn: bytes, message: bytes, tag: bytes
    ) -> None:
        """Return only if a terminal made `tag` over `message`; raises NotAuthentic otherwise.

        Source: ANSI X9.24-3, 6.3.2; ANSI X9.24-1, A.4
        """
        _match(self._terminal_mac(handle, ksn, message, is_request=True), tag)

    def tokenise(self, handle: KeyHandle, text: str, tweak: bytes, *, letters: bool = False) -> str:
        """As many digits in place of `text`, or digits and small letters; the same for one tweak.

        Source: NIST SP 800-38G
        """
        found = self._gate.find(handle, CardOperation.TOKENISE)
        self._gate.admit("ff1-aes-256")
        return found.ff1(DIGITS_AND_LETTERS if letters else DIGITS).encrypt(text, tweak)

    def detokenise(
        self, handle: KeyHandle, text: str, tweak: bytes, *, letters: bool = False
    ) -> str:
        """The text that `tokenise` replaced.

        Source: NIST SP 800-38G
        """
        found = self._gate.find(handle, CardOperation.DETOKENISE)
        self._gate.admit("ff1-aes-256")
        return found.ff1(DIGITS_AND_LETTERS if letters else DIGITS).decrypt(text, tweak)

    def _value(
        self, found: CardKey, value: CardValue, pan: str, expiry: str, service: str, counter: int
    ) -> str:
        self._gate.admit("card-value")
        octets = found.reveal_to_wrapping()
        return card_value(octets, value, pan=pan, expiry=expiry, service=service, counter=counter)

    def _session(self, found: CardKey, card: Card, value: bytes) -> ChipKey:
        self._gate.admit("chip-aes" if found.is_aes else "chip-tdea")
        return found.chip().master_of(card.pan, card.sequence, card.option).session_of(value)

    def _mac(self, found: CardKey, message: bytes, padding: int) -> bytes:
        purpose = found.handle.purpose
        if purpose is Purpose.CARD_MAC:
            self._gate.admit("cmac-aes-128")
            return found.aes().cmac(message)
        if purpose is Purpose.CARD_MAC_RETAIL:
            self._gate.admit("retail-mac")
            return found.retail().mac(message, padding=padding)
        self._gate.admit("cbc-mac-tdea")
        return cbc_mac(found.tdea(), message, padding=padding)

    def _terminal_mac(
        self, handle: KeyHandle, ksn: bytes, message: bytes, *, is_request: bool
    ) -> bytes:
        found = self._gate.find(handle, CardOperation.TRANSACTION_MAC)
        use = _REQUEST if is_request else _RESPONSE
        octets, is_aes = transaction_key(
            self._gate, found, ksn, use, AES_128 if found.is_aes else ""
        )
        return Aes(octets).cmac(message) if is_aes else RetailMac(octets).mac(message, padding=1)


def _counter(counter: bytes) -> bytes:
    if len(counter) != _COUNTER:
        raise Malformed("a transaction counter of a card has 2 bytes")
    return counter


def _cut(tag: bytes, length: int) -> bytes:
    if not SHORTEST_MAC <= length <= len(tag):
        raise Malformed(f"a MAC here has {SHORTEST_MAC} to {len(tag)} bytes")
    return tag[:length]


def _match(wanted: bytes, tag: bytes) -> None:
    if len(tag) < SHORTEST_MAC or not equal(wanted[: len(tag)], tag):
        raise NotAuthentic("the MAC does not verify")
