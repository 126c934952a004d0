"""What a provider keeps to verify a PIN: a PVV, an offset to a natural PIN, or the PIN enciphered.

How many attempts are left is counted by the writer; here an answer is yes or no.

Source: ISO 9564-1, 7; ISO/TS 12812-2:2017, 7.3.2
"""

from typing import Final

from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.pin.clear import SHORTEST, ClearPin
from tallystick.infrastructure.pin.formats import check_pan, decipher_4, encipher_4
from tallystick.kernel.errors import Malformed, NotAuthentic

DECIMALISATION: Final = "0123456789012345"
"""The table that turns hexadecimal digits into decimal ones, where none other was agreed."""

_PVV_LENGTH = 4


def pvv(cipher: Tdea, pin: ClearPin, pan: str, index: int) -> str:
    """The verification value of the first four digits of `pin`: four digits.

    `index` (0 to 9) names the pair of keys. Raises Malformed for another index or account number.
    Source: ISO 9564-1, 7; ANSI X9.8
    """
    check_pan(pan)
    if not 0 <= index <= 9:
        raise Malformed("the index of a verification key is a digit")
    entry = f"{pan[-12:-1]}{index}{pin.reveal_inside()[:_PVV_LENGTH]}"
    return decimalise(cipher.encrypt(bytes.fromhex(entry)).hex(), _PVV_LENGTH)


def verify_pvv(cipher: Tdea, pin: ClearPin, pan: str, index: int, value: str) -> None:
    """Return only if `value` is the PVV of `pin`; raises NotAuthentic otherwise.

    Source: ISO 9564-1, 7
    """
    _match(pvv(cipher, pin, pan, index), value)


def ibm_offset(cipher: Tdea, pin: ClearPin, data: str, table: str = DECIMALISATION) -> str:
    """The digits that lead from the natural PIN of `data` to `pin`: as many as the PIN has.

    `data` has 16 hexadecimal digits, `table` 16 decimal ones.
    Source: ISO 9564-1, 7
    """
    digits = pin.reveal_inside()
    natural = _natural(cipher, data, table)
    return "".join(
        str((int(one) - int(other)) % 10) for one, other in zip(digits, natural, strict=False)
    )


def natural_pin(
    cipher: Tdea, data: str, length: int, table: str = DECIMALISATION, offset: str = ""
) -> ClearPin:
    """The natural PIN of `data`, moved by `offset` where there is one: `length` digits.

    Raises Malformed for an offset of another length.
    Source: ISO 9564-1, 7
    """
    if offset and (len(offset) != length or not offset.isascii() or not offset.isdigit()):
        raise Malformed("an offset has as many digits as its PIN")
    natural = _natural(cipher, data, table)[:length]
    moved = offset or "0" * length
    return ClearPin(
        "".join(
            str((int(one) + int(other)) % 10) for one, other in zip(natural, moved, strict=True)
        )
    )


def verify_offset(
    cipher: Tdea, pin: ClearPin, data: str, offset: str, table: str = DECIMALISATION
) -> None:
    """Return only if `offset` leads from the natural PIN of `data` to `pin`.

    Raises NotAuthentic otherwise, also where the offset is shorter than the PIN.
    Source: ISO 9564-1, 7
    """
    _match(ibm_offset(cipher, pin, data, table), offset)


def reference(aes: Aes, pin: ClearPin, pan: str, fill: bytes) -> bytes:
    """`pin` enciphered for keeping, bound to `pan`: 16 bytes.

    Source: ISO 9564-1, 7; 9.4
    """
    return encipher_4(aes, pin, pan, fill)


def verify_reference(aes: Aes, pin: ClearPin, pan: str, kept: bytes) -> None:
    """Return only if `kept` is a reference of `pin` for `pan`; raises NotAuthentic otherwise.

    Source: ISO 9564-1, 7
    """
    if not decipher_4(aes, kept, pan).same(pin):
        raise NotAuthentic("the PIN does not verify")


def decimalise(text: str, length: int) -> str:
    """`length` digits of hexadecimal `text`: its decimal digits first, then the letters less ten.

    Source: ISO 9564-1, 7
    """
    digits = [one for one in text if one.isdigit()]
    digits += [str(int(one, 16) - 10) for one in text if not one.isdigit()]
    return "".join(digits[:length])


def check_table(table: str) -> None:
    """Return only if `table` may turn hexadecimal digits into decimal ones.

    It has 16 digits, eight different ones or more, none of them more than four times: another table
    lets a caller ask for a PIN digit by digit. Raises Malformed otherwise.
    Source: PCI PIN; ISO 9564-1, 7
    """
    counts = [table.count(one) for one in set(table)]
    good = len(table) == 16 and table.isascii() and table.isdigit()
    if not good or len(counts) < 8 or max(counts) > 4:
        raise Malformed("the decimalisation table is not a fair one")


def _natural(cipher: Tdea, data: str, table: str) -> str:
    check_table(table)
    if len(data) != 16 or not frozenset("0123456789ABCDEFabcdef").issuperset(data):
        raise Malformed("validation data has 16 hexadecimal digits")
    return "".join(table[int(one, 16)] for one in cipher.encrypt(bytes.fromhex(data)).hex())


def _match(wanted: str, given: str) -> None:
    good = len(given) >= SHORTEST and given.isascii()
    if not good or not equal(wanted.encode("ascii"), given.encode("ascii")):
        raise NotAuthentic("the PIN does not verify")
