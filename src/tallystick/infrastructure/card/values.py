"""Values on a card that show that its data are the issuer's: CVV and its kin, dynamic CVC3.

Source: ISO/TS 12812-2:2017, 7.4.2; PCI PIN; EMV Contactless Book C-2
"""

from enum import StrEnum

from tallystick.infrastructure.crypto.blocks import Des, exclusive_or
from tallystick.infrastructure.crypto.iso9797 import RetailMac
from tallystick.infrastructure.pin.formats import check_pan
from tallystick.infrastructure.pin.verification import decimalise
from tallystick.kernel.errors import Malformed

_LENGTH = 3


class CardValue(StrEnum):
    """Which value: on the stripe, printed, in the chip's copy of the stripe, or per transaction.

    Source: EMV Book 2
    """

    CVV = "cvv"
    CVV2 = "cvv2"
    ICVV = "icvv"
    DCVV = "dcvv"


_SERVICE = {CardValue.CVV2: "000", CardValue.ICVV: "999"}


def card_value(
    octets: bytes,
    value: CardValue,
    *,
    pan: str,
    expiry: str,
    service: str = "",
    counter: int = 0,
    length: int = _LENGTH,
) -> str:
    """`length` digits (3 to 5) for a card; `expiry` has four in the order that the scheme uses.

    `service` is the code on the stripe for CVV and dCVV; CVV2 and iCVV have their own. `counter` is
    the card's transaction counter for dCVV, which stands in place of the first four digits.
    Raises Malformed for digits of another form.
    Source: EMV Book 2; ISO 9564-1
    """
    check_pan(pan)
    code = _SERVICE.get(value, service)
    _digits(expiry, 4)
    _digits(code, 3)
    if value is CardValue.DCVV:
        if not 0 <= counter <= 9999:
            raise Malformed("the counter of a dCVV has four digits")
        pan = f"{counter:04d}{pan[4:]}"
    data = bytes.fromhex(f"{pan}{expiry}{code}".ljust(32, "0"))
    if len(octets) != 16:
        raise Malformed("a card verification key has 16 bytes")
    left, right = Des(octets[:8]), Des(octets[8:])
    mixed = left.encrypt(exclusive_or(left.encrypt(data[:8]), data[8:16]))
    return decimalise(left.encrypt(right.decrypt(mixed)).hex(), length)


def dynamic_cvc3(octets: bytes, *, template: bytes, counter: int, number: bytes) -> int:
    """The CVC3 of a track: 0 to 65535, of which the track shows the last digits.

    `octets` is the card's own key (16 bytes), `counter` its transaction counter, `number` the
    terminal's unpredictable number of 4 bytes.
    Source: EMV Contactless Book C-2
    """
    if len(number) != 4 or not 0 <= counter <= 0xFFFF:
        raise Malformed("a CVC3 takes a counter of 2 bytes and a number of 4")
    mac = RetailMac(octets)
    initial = mac.mac(template, padding=2)[-2:]
    left, right = Des(octets[:8]), Des(octets[8:])
    data = initial + number + counter.to_bytes(2, "big")
    enciphered = left.encrypt(right.decrypt(left.encrypt(data)))
    return int.from_bytes(enciphered[-2:], "big")


def _digits(text: str, length: int) -> None:
    if len(text) != length or not text.isascii() or not text.isdigit():
        raise Malformed(f"the card's data have {length} digits here")
