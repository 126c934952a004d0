"""What a SIM and the provider tell each other inside secured packets, octet by octet.

    SIM to provider   1 | B | ICCID (10) | activation code          this SIM is mine
                      1 | Q | ICCID (10) | kind (1) | amount (8) | payee    what would it cost
                      1 | S | ICCID (10) | digest (32) | tag (16)   I agreed to this
                      1 | N | ICCID (10) | digest (32)              I did not
    provider to SIM   1 | O | digest (32) | text                    show this, and ask for the PIN
                      1 | R | text                                  show this

The PIN is asked for and checked by the SIM and never leaves it. The tag is AES-CMAC under the SIM's
order key over `tallystick sim order v1`, a nought, the ICCID, the digest and the text: the SIM
makes it over what it showed, the provider over what follows from the terms.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 11.2.2; ETSI TS 102 225; 3GPP TS 31.115
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

from tallystick.kernel.classification import INTERNAL
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Natural, Record, Wire
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import gsm7_octets, gsm7_text, plain_name, to_gsm7
from tallystick.protocol.payments import PaymentKind, Quote

TO_PROVIDER = bytes.fromhex("b17a01")
"""The application that packets of SIMs are for (TAR)."""

TO_SIM = bytes.fromhex("b17a02")
"""The application on the SIM (TAR)."""

SPI = bytes.fromhex("1200")
"""The one protection of both ways: checked, the counter higher than before; no answer asked."""

KIC, KID = 0x00, 0x12
"""No ciphering; AES-CMAC."""

TEXT_PLACES = 79
"""How much text fits a message beside header, digest and check value."""

_LABEL = b"tallystick sim order v1\x00"
_VERSION = 1
_ICCID = 10
_DIGEST, _TAG = 32, 16
_ICCID_TEXT = re.compile(r"[0-9]{18,20}")
_PAYEE = re.compile(r"\+?[0-9]{4,15}")
_CODE = re.compile(r"[0-9A-Za-z -]{6,24}")
_KINDS = {1: PaymentKind.P2P, 2: PaymentKind.CASH_OUT, 3: PaymentKind.MERCHANT}
ORDERS: Mapping[Language, Mapping[PaymentKind, str]] = {
    Language.ENGLISH: {
        PaymentKind.P2P: "Send {amount} to {name}. Fee {fee}.",
        PaymentKind.CASH_OUT: "Withdraw {amount} to {name}. Fee {fee}.",
        PaymentKind.MERCHANT: "Pay {amount} to {name}. Fee {fee}.",
    },
    Language.FRENCH: {
        PaymentKind.P2P: "Envoyer {amount} à {name}. Frais {fee}.",
        PaymentKind.CASH_OUT: "Retirer {amount} chez {name}. Frais {fee}.",
        PaymentKind.MERCHANT: "Payer {amount} à {name}. Frais {fee}.",
    },
    Language.SWAHILI: {
        PaymentKind.P2P: "Tuma {amount} kwa {name}. Ada {fee}.",
        PaymentKind.CASH_OUT: "Toa {amount} kwa {name}. Ada {fee}.",
        PaymentKind.MERCHANT: "Lipa {amount} kwa {name}. Ada {fee}.",
    },
}
"""What a SIM shows of an order, by language and kind; each field is filled from the terms."""

_NAME = 20


class SimHeard(Wire, frozen=True, kw_only=True):
    """A packet was taken over; `answer` is the counter of the packet that may answer it.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    answer: Annotated[Natural, INTERNAL]


class BindAsked(Record, frozen=True, kw_only=True):
    """The SIM is to belong to whoever has this activation code.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    iccid: str
    code: Secret[str]


class QuoteAsked(Record, frozen=True, kw_only=True):
    """What would this payment cost, and whom does it go to?

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    iccid: str
    kind: PaymentKind
    amount_minor: int
    payee: str


class Agreed(Record, frozen=True, kw_only=True):
    """The holder agreed to the terms with this digest, as `tag` proves; refused with an empty tag.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    iccid: str
    digest: bytes
    tag: bytes


FromSim = BindAsked | QuoteAsked | Agreed
"""What a SIM says."""


def iccid_octets(iccid: str) -> bytes:
    """The serial number of a SIM as ten octets of two digits, filled up with F.

    Raises Malformed for what is none.
    Source: ETSI TS 102 221, 13.2
    """
    if not _ICCID_TEXT.fullmatch(iccid):
        raise Malformed("this is no serial number of a SIM", remedy="18 to 20 digits")
    return bytes.fromhex(iccid.ljust(2 * _ICCID, "f"))


def read_from_sim(data: bytes) -> FromSim:
    """What a SIM says in the data of a verified packet.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if len(data) < 2 + _ICCID or data[0] != _VERSION:
        raise Malformed("the SIM says nothing that is known")
    iccid = data[2 : 2 + _ICCID].hex().rstrip("f")
    iccid_octets(iccid)
    rest = data[2 + _ICCID :]
    match data[1:2]:
        case b"B" if _CODE.fullmatch(rest.decode("latin-1")):
            return BindAsked(iccid=iccid, code=Secret(rest.decode("latin-1")))
        case b"Q" if len(rest) > 9 and rest[0] in _KINDS:
            payee, minor = rest[9:].decode("latin-1"), int.from_bytes(rest[1:9], "big")
            if _PAYEE.fullmatch(payee) and 0 < minor < 2**53:
                return QuoteAsked(
                    iccid=iccid, kind=_KINDS[rest[0]], amount_minor=minor, payee=payee
                )
        case b"S" if len(rest) == _DIGEST + _TAG:
            return Agreed(iccid=iccid, digest=rest[:_DIGEST], tag=rest[_DIGEST:])
        case b"N" if len(rest) == _DIGEST:
            return Agreed(iccid=iccid, digest=rest, tag=b"")
        case _:
            pass
    raise Malformed("the SIM says nothing that is known")


def iccid_claimed(data: bytes) -> str:
    """Which SIM a packet says it is from, before anything is verified. Raises Malformed.

    Source: ETSI TS 102 221, 13.2
    """
    if len(data) < 2 + _ICCID:
        raise Malformed("the SIM says nothing that is known")
    iccid = data[2 : 2 + _ICCID].hex().rstrip("f")
    iccid_octets(iccid)
    return iccid


def say_bind(iccid: str, code: Secret[str]) -> bytes:
    """The data with which a SIM asks to be bound.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    return bytes((_VERSION,)) + b"B" + iccid_octets(iccid) + code.reveal().encode("ascii")


def say_quote(iccid: str, kind: PaymentKind, amount_minor: int, payee: str) -> bytes:
    """The data with which a SIM asks for terms.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    number = next(number for number, known in _KINDS.items() if known is kind)
    head = bytes((_VERSION,)) + b"Q" + iccid_octets(iccid) + bytes((number,))
    return head + amount_minor.to_bytes(8, "big") + payee.encode("ascii")


def say_agreed(iccid: str, digest: bytes, tag: bytes) -> bytes:
    """The data with which a SIM says what its holder decided; an empty `tag` refuses.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    said = b"S" if tag else b"N"
    return bytes((_VERSION,)) + said + iccid_octets(iccid) + digest + tag


def show_order(digest: bytes, text: str) -> bytes:
    """The data that makes a SIM show an order and ask for the PIN.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return bytes((_VERSION,)) + b"O" + digest + gsm7_octets(text)


def show_text(text: str) -> bytes:
    """The data that makes a SIM show `text`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return bytes((_VERSION,)) + b"R" + gsm7_octets(text)


def read_to_sim(data: bytes) -> tuple[bytes, str]:
    """The digest of an order, empty for plain words, and the text to show. Raises Malformed.

    Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
    """
    if data[:2] == b"\x01O" and len(data) > 2 + _DIGEST:
        return data[2 : 2 + _DIGEST], gsm7_text(data[2 + _DIGEST :])
    if data[:2] == b"\x01R":
        return b"", gsm7_text(data[2:])
    raise Malformed("the provider says nothing that is known")


def order_text(quote: Quote, language: Language = Language.ENGLISH) -> str:
    """What the SIM shows of the terms, from the terms alone; at most `TEXT_PLACES` places.

    It is English where they do not fit in the `language`. Raises Malformed for a payment that no
    SIM orders, and for terms that do not fit at all.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6; 11.2.2
    """
    if quote.kind not in ORDERS[language]:
        raise Malformed("a SIM does not order such payments")
    for one in (language, Language.ENGLISH):
        text = ORDERS[one][quote.kind].format(
            amount=Money(quote.amount_minor, quote.currency),
            fee=Money(quote.fee_minor, quote.currency),
            name=plain_name(quote.payee_name, _NAME).rstrip("."),
        )
        if len(gsm7_octets(text)) <= TEXT_PLACES:
            return text
    raise Malformed("these terms do not fit the SIM's display")


def order_texts(quote: Quote) -> frozenset[str]:
    """Every text that a SIM may have shown of the terms; none of what no SIM orders.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    found: set[str] = set()
    for language in Language:
        with suppress(Malformed):
            found.add(order_text(quote, language))
    return frozenset(found)


def tagged(iccid: str, digest: bytes, text: str) -> bytes:
    """The octets that the SIM's order key makes its tag over.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 4493
    """
    return _LABEL + iccid_octets(iccid) + digest + gsm7_octets(text)


def fitting(words: str) -> str:
    """`words` as far as a SIM shows them in one message.

    Source: 3GPP TS 23.038, 6.2.1
    """
    return to_gsm7(words)[:TEXT_PLACES]
