"""The dialects of the networks that reach a phone without our software: USSD gateway and SMSC.

    POST /v1/ussd                     SignedUssd -> UssdReply   the gateway signs (JWS, ES256)
    POST /v1/aggregators/{aggregator} form -> CON or END        the aggregator's callback, with MAC
    POST /v1/messages                 SmsMessage -> SmsAccepted ours to the SMSC
    POST /v1/sms/receipts             SmsReceipt -> SmsAccepted the SMSC's callback, with MAC
    POST /v1/sim/changes              SimChange -> Empty        the network's callback, with MAC

The gateway's key is registered at the provider. The signature says which gateway spoke and that
nobody changed the message behind it; what happens between phone and gateway nobody can sign.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3; 12.2
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import AUTHENTICATION, INTERNAL, PERSONAL, PUBLIC, SENSITIVE
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import Natural, ShortText, Wire, pattern

_END = r"$(?!\n)"

ForeignId = Annotated[str, pattern("^[A-Za-z0-9_.-]{1,64}" + _END)]
"""An id that another party's system gave."""

E164 = Annotated[str, pattern(r"^\+[1-9][0-9]{6,14}" + _END)]
"""A telephone number."""

TypedText = Annotated[str, pattern("^[ -~]{0,160}" + _END)]
"""What a person typed on the keypad; empty when the menu is dialled."""

CompactJws = Annotated[
    str, pattern(r"^[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{86}" + _END)
]


class Language(StrEnum):
    """In which language menus and messages speak: a code of ISO 639-1.

    Source: ISO 639-1
    """

    ENGLISH = "en"
    FRENCH = "fr"
    SWAHILI = "sw"


class SmsState(StrEnum):
    """How far a message has come, in the words of delivery receipts.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    DELIVERED = "delivered"
    EXPIRED = "expired"
    REJECTED = "rejected"


ServiceCode = Annotated[str, pattern(r"^\*[0-9*]{1,20}#" + _END)]
"""What was dialled."""

TypedHistory = Annotated[str, pattern("^[ -~]{0,400}" + _END)]
"""Everything that was typed so far, the inputs joined by `*`."""

SenderName = Annotated[str, pattern("^[A-Za-z0-9 ]{0,11}" + _END)]
"""The name that a phone shows as the sender; at most 11 letters and digits."""


class AggregatorCallback(Wire, frozen=True, kw_only=True):
    """One callback of a menu session, as form fields: `text` holds all inputs so far.

    The last input may be a PIN: `text` is never stored, logged or echoed.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.4
    """

    sessionId: Annotated[ForeignId, INTERNAL]  # noqa: N815 - the dialect's own spelling
    serviceCode: Annotated[ServiceCode, PUBLIC]  # noqa: N815 - the dialect's own spelling
    phoneNumber: Annotated[E164, PERSONAL]  # noqa: N815 - the dialect's own spelling
    networkCode: Annotated[ForeignId, INTERNAL]  # noqa: N815 - the dialect's own spelling
    text: Annotated[TypedHistory, AUTHENTICATION]


class UssdMessage(Wire, frozen=True, kw_only=True):
    """One input of one menu session; `id` is unique per gateway, `at` (ms) is the gateway's clock.

    `input` may be a PIN: it is never stored, logged or echoed.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[ForeignId, INTERNAL]
    session: Annotated[ForeignId, INTERNAL]
    msisdn: Annotated[E164, PERSONAL]
    input: Annotated[TypedText, AUTHENTICATION]
    at: Annotated[Natural, PUBLIC]
    gateway: Annotated[ForeignId, INTERNAL]


class SignedUssd(Wire, frozen=True, kw_only=True):
    """A `UssdMessage` in canonical form, signed by its gateway (compact JWS, `ussd_header`).

    Source: ISO/TS 12812-2:2017, 7.3.3; RFC 7515, 7.1
    """

    message: Annotated[CompactJws, AUTHENTICATION]


class UssdReply(Wire, frozen=True, kw_only=True):
    """The page that the phone shows next; `ends` closes the session.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    session: Annotated[ForeignId, INTERNAL]
    text: Annotated[str, SENSITIVE]
    ends: Annotated[bool, PUBLIC]


class SmsMessage(Wire, frozen=True, kw_only=True):
    """A text message to a number, shown as from `sender`; `id` lets the SMSC drop a second copy.

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[ForeignId, INTERNAL]
    to: Annotated[E164, PERSONAL]
    text: Annotated[str, SENSITIVE]
    at: Annotated[Natural, PUBLIC]
    provider: Annotated[ShortText, PUBLIC]
    sender: Annotated[SenderName, PUBLIC] = ""


class SmsReceipt(Wire, frozen=True, kw_only=True):
    """What became of the message `id`, by the SMSC's word and clock (`at`, ms).

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[ForeignId, INTERNAL]
    state: Annotated[SmsState, PUBLIC]
    at: Annotated[Natural, PUBLIC]


class SimChange(Wire, frozen=True, kw_only=True):
    """The network replaced the SIM of `msisdn`, or gave the number to somebody else, at `at` (ms).

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    v: Annotated[int, PUBLIC] = 1
    msisdn: Annotated[E164, PERSONAL]
    at: Annotated[Natural, PUBLIC]


class SmsAccepted(Wire, frozen=True, kw_only=True):
    """The SMSC took the message over; it may still never arrive.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    id: Annotated[ForeignId, INTERNAL]


def ussd_header(gateway: str) -> bytes:
    """The one JWS header that `gateway` signs under, as canonical JSON.

    Source: RFC 7515, 4.1; RFC 8785
    """
    return encode_canonical({"alg": "ES256", "kid": gateway, "typ": "ussd+jws"})
