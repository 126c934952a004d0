"""What an issuer makes for its cards at the software module: PINs, offsets, cryptograms, codes.

A PIN that is made here leaves in an enciphered block only.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; ISO 9564-1; EMV Book 2
"""

from typing import Literal

from tallystick.infrastructure.card.emv import ChipKey, verify_cryptogram
from tallystick.infrastructure.card.values import CardValue, card_value
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CardOperation
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.chip_sessions import Opening, Session, session_key
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_data import Mode
from tallystick.infrastructure.modules.soft_pins import PinBlock, Target, open_pin, seal_pin
from tallystick.infrastructure.pin import verification
from tallystick.infrastructure.pin.clear import check_strength, drawn_pin
from tallystick.infrastructure.pin.formats import PinFormat, check_pan
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record

Printed = Literal["cvv", "cvv2"]
"""A value on the stripe or the back of a card."""

_WIDTH = 16
_LEAST_VALIDATION = 4


class Validation(Record, frozen=True, kw_only=True):
    """What a natural PIN is made of: digits of the account number, what fills them up, a table.

    Source: ISO 9564-1, 7
    """

    digits: str
    filler: str
    table: str


class Sealing(Record, frozen=True, kw_only=True):
    """Where a PIN goes that is made here: the key of its block and the format.

    Source: ISO 9564-1, 9
    """

    target: Target
    form: PinFormat


class SoftIssuing:
    """Makes PINs and what verifies them, checks and makes cryptograms.

    Source: ISO 9564-1, 7; EMV Book 2
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def new_pin(
        self, keeper: KeyHandle, to: Sealing, *, pan: str, length: int, index: int = 0
    ) -> tuple[bytes, str]:
        """A random PIN in a block, and its PVV.

        Source: ISO 9564-1, 7; 9
        """
        found = self._keeper(keeper, CardOperation.MAKE_PIN_VALUE, Purpose.PIN_PVV)
        pin = drawn_pin(self._gate.draw, length)
        block = seal_pin(self._gate, pin, to.target, to.form, pan)
        return block, verification.pvv(found.tdea(), pin, pan, index)

    def new_offset_pin(
        self, keeper: KeyHandle, to: Sealing, validation: Validation, *, pan: str, length: int
    ) -> tuple[bytes, str]:
        """A random PIN in a block, and its offset to the natural PIN.

        Source: ISO 9564-1, 7; 9
        """
        found = self._keeper(keeper, CardOperation.MAKE_PIN_VALUE, Purpose.PIN_IBM3624)
        data = self._checked(validation, pan)
        pin = drawn_pin(self._gate.draw, length)
        block = seal_pin(self._gate, pin, to.target, to.form, pan)
        return block, verification.ibm_offset(found.tdea(), pin, data, validation.table)

    def natural_pin(
        self,
        keeper: KeyHandle,
        to: Sealing,
        validation: Validation,
        *,
        pan: str,
        length: int,
        offset: str = "",
    ) -> bytes:
        """The natural PIN of the card, moved by `offset` where there is one, in a block.

        Source: ISO 9564-1, 7; 9
        """
        found = self._keeper(keeper, CardOperation.MAKE_PIN_VALUE, Purpose.PIN_IBM3624)
        data = self._checked(validation, pan)
        pin = verification.natural_pin(found.tdea(), data, length, validation.table, offset)
        return seal_pin(self._gate, pin, to.target, to.form, pan)

    def offset_of(
        self, keeper: KeyHandle, source: PinBlock, validation: Validation, *, pan: str
    ) -> str:
        """The offset of the PIN of `source`; a weak PIN is refused.

        Source: ISO 9564-1, 7
        """
        found = self._keeper(keeper, CardOperation.MAKE_PIN_VALUE, Purpose.PIN_IBM3624)
        data = self._checked(validation, pan)
        pin = open_pin(self._gate, source, pan)
        check_strength(pin, least=self._gate.rules.least_pin)
        return verification.ibm_offset(found.tdea(), pin, data, validation.table)

    def verify_offset(
        self, keeper: KeyHandle, source: PinBlock, validation: Validation, offset: str, *, pan: str
    ) -> None:
        """Return only if `offset` leads to the PIN of `source`; raises NotAuthentic otherwise.

        Source: ISO 9564-1, 7
        """
        found = self._keeper(keeper, CardOperation.VERIFY_PIN_VALUE, Purpose.PIN_IBM3624)
        data = self._checked(validation, pan)
        pin = open_pin(self._gate, source, pan)
        verification.verify_offset(found.tdea(), pin, data, offset, validation.table)

    def cryptogram(
        self,
        handle: KeyHandle,
        card: Card,
        counter: bytes | Session,
        data: bytes,
        *,
        padding: int = 1,
    ) -> bytes:
        """The cryptogram that the card would make over `data`: 8 bytes, to test a host with.

        Source: EMV Book 2, 8.1
        """
        return self._session(handle, CardOperation.CRYPTOGRAM, card, counter).mac(
            data, padding=padding
        )

    def answer(
        self,
        handle: KeyHandle,
        card: Card,
        counter: bytes | Session,
        data: bytes,
        cryptogram: bytes,
        *,
        code: bytes = b"",
        status: bytes = b"",
        proprietary: bytes = b"",
        padding: int = 1,
    ) -> bytes:
        """The ARPC to an ARQC that is the card's: method 1 for `code`, 2 for `status`, or nothing.

        Raises NotAuthentic for a cryptogram that does not verify.
        Source: EMV Book 2, 8.1; 8.2
        """
        session = self._session(handle, CardOperation.CRYPTOGRAM, card, counter)
        verify_cryptogram(session, data, cryptogram, padding=padding)
        if isinstance(counter, Session) and counter.answers_alone:
            alone = Session(opening=Opening.NONE)
            session = self._session(handle, CardOperation.CRYPTOGRAM, card, alone)
        return _answered(session, cryptogram, code, status, proprietary)

    def answered(
        self,
        handle: KeyHandle,
        card: Card,
        counter: bytes | Session,
        cryptogram: bytes,
        *,
        code: bytes = b"",
        status: bytes = b"",
        proprietary: bytes = b"",
    ) -> bytes:
        """The ARPC to a cryptogram that was made here.

        Source: EMV Book 2, 8.2
        """
        session = self._session(handle, CardOperation.CRYPTOGRAM, card, counter)
        return _answered(session, cryptogram, code, status, proprietary)

    def script_mac(
        self, handle: KeyHandle, card: Card, value: bytes | Session, message: bytes
    ) -> bytes:
        """The MAC over a command that is padded already; `value` opens the session.

        Source: EMV Book 2, 9.2
        """
        return self._session(handle, CardOperation.SCRIPT_MAC, card, value).mac(message, padding=1)

    def encipher_script(
        self,
        handle: KeyHandle,
        card: Card,
        value: bytes,
        data: bytes,
        *,
        mode: Mode,
        initial: bytes = b"",
    ) -> bytes:
        """Data of a command, padded already, enciphered for the session that `value` opens.

        Source: EMV Book 2, 9.3
        """
        cipher = self._session(handle, CardOperation.ENCIPHER_SCRIPT, card, value).cipher
        if mode is Mode.ECB:
            return cipher.encrypt(data)
        return cipher.encrypt_chain(initial or bytes(cipher.width), data)

    def dynamic_value(
        self, handle: KeyHandle, card: Card, *, expiry: str, service: str, counter: int, length: int
    ) -> str:
        """The dCVV under the card's own key: `length` digits.

        Source: EMV Book 2, A1.4
        """
        found = self._gate.find(handle, CardOperation.DYNAMIC_CODE)
        self._gate.admit("card-value")
        octets = found.chip().master_octets(card.pan, card.sequence, card.option)
        return card_value(
            octets,
            CardValue.DCVV,
            pan=card.pan,
            expiry=expiry,
            service=service,
            counter=counter,
            length=length,
        )

    def card_value(
        self,
        handle: KeyHandle,
        value: Printed,
        *,
        pan: str,
        expiry: str,
        service: str = "",
        length: int = 3,
    ) -> str:
        """`length` digits of a value under a card verification key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._gate.find(handle, CardOperation.MAKE_CARD_VALUE)
        return self._digits(found, value, pan, expiry, service, length)

    def verify_card_value(
        self,
        handle: KeyHandle,
        value: Printed,
        digits: str,
        *,
        pan: str,
        expiry: str,
        service: str = "",
    ) -> None:
        """Return only if `digits` (3 to 5) are the card's; raises NotAuthentic otherwise.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._gate.find(handle, CardOperation.VERIFY_CARD_VALUE)
        wanted = self._digits(found, value, pan, expiry, service, len(digits))
        if not equal(wanted.encode(), digits.encode()):
            raise NotAuthentic("the value of the card does not verify")

    def _digits(
        self, found: CardKey, value: Printed, pan: str, expiry: str, service: str, length: int
    ) -> str:
        self._gate.admit("card-value")
        octets = found.reveal_to_wrapping()
        return card_value(
            octets, CardValue(value), pan=pan, expiry=expiry, service=service, length=length
        )

    def _keeper(self, keeper: KeyHandle, operation: CardOperation, purpose: Purpose) -> CardKey:
        found = self._gate.find(keeper, operation)
        if found.handle.purpose is not purpose:
            raise NotPermitted(f"a {found.handle.purpose.value} key does not make this value")
        self._gate.admit(purpose.value)
        return found

    def _checked(self, validation: Validation, pan: str) -> str:
        """The 16 digits that are enciphered; a caller cannot choose data to ask for a PIN by."""
        check_pan(pan)
        if validation.table != self._gate.rules.decimalisation:
            raise NotPermitted(
                "the decimalisation table is not the module's",
                remedy="let the rules of the module name the table that was agreed",
                because="pin-decimalisation",
            )
        good = len(validation.digits) >= _LEAST_VALIDATION and validation.digits in pan
        if not good:
            raise NotPermitted(
                "validation data are digits of the account number as they stand there",
                because="pin-validation-data",
            )
        return validation.digits.ljust(_WIDTH, validation.filler)[:_WIDTH]

    def _session(
        self, handle: KeyHandle, operation: CardOperation, card: Card, value: bytes | Session
    ) -> ChipKey:
        found = self._gate.find(handle, operation)
        self._gate.admit("chip-aes" if found.is_aes else "chip-tdea")
        master = found.chip().master_of(card.pan, card.sequence, card.option)
        return session_key(master, value)


def _answered(
    session: ChipKey, cryptogram: bytes, code: bytes, status: bytes, proprietary: bytes
) -> bytes:
    if code and status:
        raise Malformed("an answer is made by method 1 or 2, not both")
    if code:
        return session.response_1(cryptogram, code)
    return session.response_2(cryptogram, status, proprietary) if status else b""
