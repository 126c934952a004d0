"""PINs at the software module: translated, verified and changed without ever leaving it in clear.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; ISO 9564-1
"""

from typing import NoReturn

from tallystick.infrastructure.card import dukpt_tdea
from tallystick.infrastructure.card.dukpt_aes import WorkingUsage
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CardOperation
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import (
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.transaction_keys import transaction_key
from tallystick.infrastructure.pin import verification
from tallystick.infrastructure.pin.clear import ClearPin, check_strength
from tallystick.infrastructure.pin.formats import (
    FILL_LENGTH,
    PinFormat,
    check_pan,
    open_block,
    seal_block,
    translate_4,
)
from tallystick.infrastructure.pin.translation import check_pair
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record

_ISO_4, _STATIC = PinFormat.ISO_4, Purpose.PIN_ENCRYPTION
_PINS = WorkingUsage.PIN, dukpt_tdea.Variant.PIN
_OPEN, _SEAL = CardOperation.OPEN_PIN, CardOperation.SEAL_PIN
_FORMAT_NAMES = {form: f"pinblock-{form.value}" for form in PinFormat}


class PinBlock(Record, frozen=True, kw_only=True):
    """An enciphered PIN block, the handle of its key, and for DUKPT the serial number.

    `kind` is the mechanism of the key of the transaction, empty for that of the base key. It is not
    printed, pickled or copied, and encoded only on its way to the module's own process.
    Source: ISO 9564-1, 9; ANSI X9.24-3, 6.2
    """

    handle: KeyHandle
    form: PinFormat
    block: bytes
    ksn: bytes = b""
    kind: str = ""

    def __repr__(self) -> str:
        return f"PinBlock({self.form.value})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("form", self.form.value)]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN block is not pickled or copied")

    __copy__ = __reduce__
    __getstate__ = __reduce__


class Target(Record, frozen=True, kw_only=True):
    """The key that a PIN block is sealed under; of DUKPT with the serial number of its terminal.

    Source: ISO 9564-1, 9; ANSI X9.24-3, 6.2
    """

    handle: KeyHandle
    ksn: bytes = b""
    kind: str = ""


class SoftPins:
    """Translation, verification and change of PINs; attempts are counted by the caller.

    Source: ISO 9564-1; ISO/TS 12812-2:2017, 7.3.2
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def translate(self, source: PinBlock, target: KeyHandle, form: PinFormat, *, pan: str) -> bytes:
        """The PIN of `source` in a block of `form` under `target`, bound to the same account.

        Raises NotAuthentic for a block that does not verify, NotPermitted for keys of another
        purpose or mode, and for a pair of formats that lowers protection without a policy.
        Source: ISO 9564-1, 9; PCI PIN
        """
        gate = self._gate
        gate.admit_pins()
        check_pair(source.form, form, gate.rules.translations)
        under = gate.find(target, _SEAL)
        name = _FORMAT_NAMES[form]
        if name not in gate.ready:
            gate.admit(name)
        if source.form is _ISO_4 and form is _ISO_4:
            opening = _opening(gate, source)
            if isinstance(opening, Aes):
                fill = gate.draw(FILL_LENGTH)
                return translate_4(opening, under.aes(), source.block, pan, fill)
        pin = open_pin(gate, source, pan)
        return seal_block(under.cipher(), form, pin, pan, gate.draw(FILL_LENGTH))

    def verify(
        self, source: PinBlock, value_key: KeyHandle, value: str, *, pan: str, index: int = 1
    ) -> None:
        """Return only if the PIN of `source` is the one that `value` was made of.

        The purpose of `value_key` says what `value` is: a PVV under the keys called `index`, an
        offset, or a reference in hexadecimal. Raises NotAuthentic otherwise.
        Source: ISO 9564-1, 7
        """
        keeper = self._gate.find(value_key, CardOperation.VERIFY_PIN_VALUE)
        self._admit_value(keeper)
        self._check(keeper, open_pin(self._gate, source, pan), value, pan, index)

    def make_value(
        self, source: PinBlock, value_key: KeyHandle, *, pan: str, index: int = 1
    ) -> str:
        """What to keep so that the PIN of `source` can be verified; a weak PIN is refused.

        Raises NotPermitted for a PIN that is easy to guess.
        Source: ISO 9564-1, 7
        """
        keeper = self._gate.find(value_key, CardOperation.MAKE_PIN_VALUE)
        self._admit_value(keeper)
        pin = open_pin(self._gate, source, pan)
        check_strength(pin, least=self._gate.rules.least_pin)
        return self._made(keeper, pin, pan, index)

    def change(
        self,
        old: PinBlock,
        new: PinBlock,
        value_key: KeyHandle,
        value: str,
        *,
        pan: str,
        index: int = 1,
    ) -> str:
        """The value of the PIN of `new`, only if the PIN of `old` is that of `value`.

        Raises NotAuthentic for a wrong old PIN, NotPermitted for a weak or an unchanged one.
        Source: ISO 9564-1, 7
        """
        keeper = self._gate.find(value_key, CardOperation.MAKE_PIN_VALUE)
        self.verify(old, value_key, value, pan=pan, index=index)
        chosen = open_pin(self._gate, new, pan)
        if chosen.same(open_pin(self._gate, old, pan)):
            raise NotPermitted("the new PIN is the old one", because="weak-pin")
        check_strength(chosen, least=self._gate.rules.least_pin)
        return self._made(keeper, chosen, pan, index)

    def translate_to(self, source: PinBlock, target: Target, form: PinFormat, *, pan: str) -> bytes:
        """As `translate`, to a key of a terminal's transaction too.

        Source: ISO 9564-1, 9; ANSI X9.24-3, 6.3
        """
        if not target.ksn:
            return self.translate(source, target.handle, form, pan=pan)
        gate = self._gate
        check_pair(source.form, form, gate.rules.translations)
        pin = open_pin(gate, source, pan)
        return seal_pin(gate, pin, target, form, pan)

    def _admit_value(self, keeper: CardKey) -> None:
        self._gate.admit(keeper.handle.purpose.value)

    def _made(self, keeper: CardKey, pin: ClearPin, pan: str, index: int) -> str:
        purpose = keeper.handle.purpose
        if purpose is Purpose.PIN_PVV:
            return verification.pvv(keeper.tdea(), pin, pan, index)
        if purpose is Purpose.PIN_IBM3624:
            table = self._gate.rules.decimalisation
            return verification.ibm_offset(keeper.tdea(), pin, _validation_data(pan), table)
        return verification.reference(keeper.aes(), pin, pan, self._gate.draw(FILL_LENGTH)).hex()

    def _check(self, keeper: CardKey, pin: ClearPin, value: str, pan: str, index: int) -> None:
        purpose = keeper.handle.purpose
        if purpose is Purpose.PIN_PVV:
            verification.verify_pvv(keeper.tdea(), pin, pan, index, value)
        elif purpose is Purpose.PIN_IBM3624:
            table = self._gate.rules.decimalisation
            data = _validation_data(pan)
            verification.verify_offset(keeper.tdea(), pin, data, value, table)
        else:
            verification.verify_reference(keeper.aes(), pin, pan, _octets(value))


def open_pin(gate: CardGate, source: PinBlock, pan: str) -> ClearPin:
    """The PIN of `source` in clear, for this package alone: whoever has no gate cannot call it.

    Source: ISO 9564-1, 5; 9
    """
    gate.admit_pins()
    return open_block(_opening(gate, source), source.form, source.block, pan)


def _opening(gate: CardGate, source: PinBlock) -> Aes | Tdea:
    """The cipher of the key of `source`, or of its transaction.

    Source: ISO 9564-1, 9; ANSI X9.24-3, 6.3
    """
    found = gate.find(source.handle, _OPEN)
    name = _FORMAT_NAMES[source.form]
    if name not in gate.ready:
        gate.admit(name)
    if found.handle.purpose is not _STATIC:
        return _working(gate, found, source.ksn, source.kind)
    if source.ksn:
        raise Malformed("a serial number goes with keys of DUKPT only")
    return found.cipher()


def seal_pin(gate: CardGate, pin: ClearPin, target: Target, form: PinFormat, pan: str) -> bytes:
    """`pin` in a block of `form` under `target`, for this package alone.

    Source: ISO 9564-1, 9; ANSI X9.24-3, 6.3
    """
    gate.admit_pins()
    gate.admit(_FORMAT_NAMES[form])
    if target.ksn:
        found = gate.find(target.handle, CardOperation.SEAL_TERMINAL_PIN)
        cipher = _working(gate, found, target.ksn, target.kind)
    else:
        cipher = gate.find(target.handle, _SEAL).cipher()
    return seal_block(cipher, form, pin, pan, gate.draw(FILL_LENGTH))


def _working(gate: CardGate, found: CardKey, ksn: bytes, kind: str) -> Aes | Tdea:
    octets, is_aes = transaction_key(gate, found, ksn, _PINS, kind)
    return Aes(octets) if is_aes else Tdea(octets)


def _validation_data(pan: str) -> str:
    """The first 16 digits of the account number; a caller cannot choose other data.

    Source: ISO 9564-1, 7
    """
    check_pan(pan)
    return pan[:16].ljust(16, "F")


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise NotAuthentic("the PIN does not verify") from error
