"""PIN blocks of ISO 9564-1: formats 0, 1, 2 and 3 of 8 bytes, format 4 of 16 under AES.

Blocks of 8 bytes are clear here and are enciphered by TDEA in the module; format 4 is enciphered in
two passes that bind the account number. A block that is wrong in any way is refused with one face.

Source: ISO 9564-1, 9; ISO/TS 12812-2:2017, 7.3.4
"""

from enum import StrEnum

from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.pin.clear import LONGEST, SHORTEST, ClearPin
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

FILL_LENGTH = 16
"""Random bytes that a block may need; each format takes what it needs of them."""

_WIDEST_PAN = 19
_LENGTHS = range(SHORTEST, LONGEST + 1)
_HEADS_4 = {f"4{one:x}": one for one in _LENGTHS}
_FILLERS_4 = {one: "a" * (14 - one) for one in _LENGTHS}


class PinFormat(StrEnum):
    """The formats, by their control digit.

    Source: ISO 9564-1, 9
    """

    __hash__ = str.__hash__

    ISO_0 = "0"
    ISO_1 = "1"
    ISO_2 = "2"
    ISO_3 = "3"
    ISO_4 = "4"


def check_pan(pan: str) -> None:
    """Return only if `pan` is an account number of 12 to 19 digits; raises Malformed otherwise.

    Source: ISO 9564-1, 9.3.2
    """
    if not (12 <= len(pan) <= _WIDEST_PAN and pan.isascii() and pan.isdigit()):
        raise Malformed("an account number has 12 to 19 digits")


def pan_field_4(pan: str) -> int:
    """The account number as format 4 binds it: 16 bytes as a number.

    Up to 12 digits stand right-aligned behind a length of 0.
    Raises Malformed for no digits or more than 19.
    Source: ISO 9564-1, 9.4.2
    """
    n = len(pan)
    if not (0 < n <= _WIDEST_PAN and pan.isascii() and pan.isdigit()):
        raise Malformed("an account number has 1 to 19 digits")
    if n <= 12:
        return int(f"0{pan:0>12}", 16) << 76
    return int(f"{n - 12}{pan}", 16) << 124 - 4 * n


def encipher_4(aes: Aes, pin: ClearPin, pan: str, fill: bytes) -> bytes:
    """Format 4 of `pin` for `pan`: 16 bytes; `fill` gives 8 random bytes.

    Source: ISO 9564-1, 9.4
    """
    digits = pin.reveal_inside()
    field = bytes.fromhex(f"4{len(digits):x}{digits:a<14}") + fill[:8]
    inner = int.from_bytes(aes.encrypt(field), "big") ^ pan_field_4(pan)
    return aes.encrypt(inner.to_bytes(16, "big"))


def decipher_4(aes: Aes, block: bytes, pan: str) -> ClearPin:
    """The PIN in a block of format 4 that was made for `pan`.

    Raises NotAuthentic for a block that is none, whatever the cause.
    Source: ISO 9564-1, 9.4
    """
    bound = pan_field_4(pan)
    if len(block) != 16:
        raise NotAuthentic("the PIN block does not verify")
    inner = int.from_bytes(aes.decrypt(block), "big") ^ bound
    return read_field_4(aes.decrypt(inner.to_bytes(16, "big")))


def translate_4(opening: Aes, sealing: Aes, block: bytes, pan: str, fill: bytes) -> bytes:
    """The PIN of a block of format 4 under `opening` in one under `sealing`, for the same account.

    What the two passes undo is checked in full; the random half is replaced by 8 bytes of `fill`.
    Raises NotAuthentic for a block that is none.
    Source: ISO 9564-1, 9.4
    """
    bound = pan_field_4(pan)
    if len(block) != 16:
        raise NotAuthentic("the PIN block does not verify")
    inner = int.from_bytes(opening.decrypt(block), "big") ^ bound
    half = opening.decrypt(inner.to_bytes(16, "big"))[:8]
    text = half.hex()
    length = _HEADS_4.get(text[:2], 0)
    if not length or text[2 + length :] != _FILLERS_4[length] or not text[2 : 2 + length].isdigit():
        raise NotAuthentic("the PIN block does not verify")
    outer = int.from_bytes(sealing.encrypt(half + fill[:8]), "big") ^ bound
    return sealing.encrypt(outer.to_bytes(16, "big"))


def read_field_4(field: bytes) -> ClearPin:
    """The PIN in a clear PIN field of format 4; raises NotAuthentic for another form.

    Source: ISO 9564-1, 9.4.1
    """
    return _read(field.hex()[:16], "4", "a")


def encode(form: PinFormat, pin: ClearPin, pan: str, fill: bytes) -> bytes:
    """The clear block of 8 bytes of `pin` in format 0, 1, 2 or 3, before it is enciphered.

    `fill` gives the random digits of formats 1 and 3; formats 1 and 2 do not bind `pan`.
    Raises NotPermitted for format 4, which never stands in clear.
    Source: ISO 9564-1, 9.3
    """
    digits = pin.reveal_inside()
    head = f"{form.value}{len(digits):x}{digits}"
    if form is PinFormat.ISO_1:
        return bytes.fromhex((head + fill.hex())[:16])
    if form is PinFormat.ISO_2:
        return bytes.fromhex(f"{head:f<16}")
    if form is PinFormat.ISO_0:
        field = f"{head:f<16}"
    elif form is PinFormat.ISO_3:
        field = (head + "".join("abcdef"[one * 6 >> 8] for one in fill))[:16]
    else:
        raise NotPermitted("a block of format 4 has no clear form")
    return (int(field, 16) ^ _pan_field_8(pan)).to_bytes(8, "big")


def decode(form: PinFormat, block: bytes, pan: str) -> ClearPin:
    """The PIN in a clear block of 8 bytes; raises NotAuthentic for a block that is none.

    Source: ISO 9564-1, 9.3
    """
    if len(block) != 8:
        raise NotAuthentic("the PIN block does not verify")
    if form is PinFormat.ISO_1:
        return _read(block.hex(), "1", "0123456789abcdef")
    if form is PinFormat.ISO_2:
        return _read(block.hex(), "2", "f")
    if form not in {PinFormat.ISO_0, PinFormat.ISO_3}:
        raise NotPermitted("a block of format 4 has no clear form")
    field = (int.from_bytes(block, "big") ^ _pan_field_8(pan)).to_bytes(8, "big").hex()
    return _read(field, form.value, "f" if form is PinFormat.ISO_0 else "abcdef")


def seal_block(cipher: Aes | Tdea, form: PinFormat, pin: ClearPin, pan: str, fill: bytes) -> bytes:
    """`pin` in a block of `form` under `cipher`.

    Raises NotPermitted where the format does not go with the cipher: format 4 is AES and nothing
    else is.
    Source: ISO 9564-1, 9
    """
    if form is PinFormat.ISO_4:
        return encipher_4(_aes(cipher), pin, pan, fill)
    return _tdea(cipher).encrypt(encode(form, pin, pan, fill))


def open_block(cipher: Aes | Tdea, form: PinFormat, block: bytes, pan: str) -> ClearPin:
    """The PIN in `block` of `form` under `cipher`; the inverse of `seal_block`.

    Source: ISO 9564-1, 9
    """
    if form is PinFormat.ISO_4:
        return decipher_4(_aes(cipher), block, pan)
    if len(block) != 8:
        raise NotAuthentic("the PIN block does not verify")
    return decode(form, _tdea(cipher).decrypt(block), pan)


def _aes(cipher: Aes | Tdea) -> Aes:
    if not isinstance(cipher, Aes):
        raise NotPermitted("format 4 is enciphered under AES")
    return cipher


def _tdea(cipher: Aes | Tdea) -> Tdea:
    if not isinstance(cipher, Tdea):
        raise NotPermitted("a block of 8 bytes is enciphered under TDEA", remedy="take format 4")
    return cipher


def _pan_field_8(pan: str) -> int:
    check_pan(pan)
    return int(f"{pan[-13:-1]:0>12}", 16)


def _read(field: str, control: str, filler: str) -> ClearPin:
    length = int(field[1], 16)
    if field[0] != control or not SHORTEST <= length <= LONGEST:
        raise NotAuthentic("the PIN block does not verify")
    if field[2 + length : 16].strip(filler):
        raise NotAuthentic("the PIN block does not verify")
    return ClearPin(field[2 : 2 + length])
