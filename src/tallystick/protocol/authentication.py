"""Factors given inside a session, one's own sessions and keys, and what operators do about them.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from typing import Annotated

from tallystick.kernel.classification import AUTHENTICATION, CREDENTIAL, INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.ids import CustomerIdText, DeviceIdText, OrderIdText
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern
from tallystick.protocol.payments import Alias

Code = Annotated[str, pattern("^[0-9]{6,10}$")]
Pin = Annotated[str, pattern("^[0-9]{4,12}$")]


class GiveCode(Wire, frozen=True, kw_only=True):
    """A one-time code as a factor; with the code after it the authenticator is synchronised anew.

    Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.4
    """

    code: Annotated[Code, AUTHENTICATION]
    following: Annotated[Annotated[str, pattern("^(?:|[0-9]{6,10})$")], AUTHENTICATION] = ""


class GivePin(Wire, frozen=True, kw_only=True):
    """The PIN as a factor.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    pin: Annotated[Pin, AUTHENTICATION]


class ChangePin(Wire, frozen=True, kw_only=True):
    """A new PIN, in a session in which a factor was just given.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    pin: Annotated[Pin, AUTHENTICATION]


class FactorsGiven(Wire, frozen=True, kw_only=True):
    """The categories that stand behind the session now, and when the last one was given (ms).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    factors: Annotated[tuple[ShortText, ...], INTERNAL]
    at: Annotated[Natural, INTERNAL]


class Challenge(Wire, frozen=True, kw_only=True):
    """A question for an authenticator that answers; the answer is given as a code.

    Source: RFC 6287, 7.1
    """

    question: Annotated[Annotated[str, pattern("^[0-9]{8}$")], INTERNAL]


class LiveSession(Wire, frozen=True, kw_only=True):
    """One live session of a customer: on which channel and device, since when, when last used (ms).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    session: Annotated[str, CREDENTIAL]
    channel: Annotated[ShortText, INTERNAL]
    device: Annotated[str, INTERNAL]
    established_at: Annotated[Natural, INTERNAL]
    last_seen: Annotated[Natural, INTERNAL]
    own: Annotated[bool, INTERNAL]


class LiveSessions(Wire, frozen=True, kw_only=True):
    """All live sessions of a customer, over all channels, oldest first.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    sessions: Annotated[tuple[LiveSession, ...], CREDENTIAL]


class EndOthers(Wire, frozen=True, kw_only=True):
    """Ends one other session of the customer, or with an empty id all but this one.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    session: Annotated[Annotated[str, pattern("^[A-Za-z0-9_:-]{0,120}$")], CREDENTIAL] = ""


class AddPayee(Wire, frozen=True, kw_only=True):
    """Confirms somebody as a payee before the first payment.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    payee: Annotated[Alias, PERSONAL]


class RemoveDevice(Wire, frozen=True, kw_only=True):
    """Removes a device of the customer for good.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: Annotated[DeviceIdText, INTERNAL]


class ReportKey(Wire, frozen=True, kw_only=True):
    """The phone says that its consent key is void, since what unlocks it was changed.

    Source: ISO 19092; ISO/TS 12812-2:2017, 7.3.2
    """

    because: Annotated[Annotated[str, pattern("^(?:biometrics-changed|lock-removed)$")], INTERNAL]


class ReportTries(Wire, frozen=True, kw_only=True):
    """The phone says how many user verifications failed: all since it was enrolled, and in a row.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
    """

    failed: Annotated[Natural, INTERNAL]
    in_row: Annotated[Natural, INTERNAL]


class EnrolAuthenticator(Wire, frozen=True, kw_only=True):
    """Enters a customer's authenticator; its seed is sealed to the transport key `sealed_to`.

    Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226; RFC 6238; RFC 6287
    """

    number: Annotated[Alias, PERSONAL]
    kind: Annotated[Annotated[str, pattern("^(?:hotp|totp|ocra)$")], INTERNAL]
    mechanism: Annotated[Annotated[str, pattern("^hmac-sha(?:1|256|512)$")], INTERNAL]
    sealed_to: Annotated[ShortText, PUBLIC]
    sealed: Annotated[Base64Url, CREDENTIAL]
    digits: Annotated[Natural, INTERNAL] = 6
    step_s: Annotated[Natural, INTERNAL] = 30
    counter: Annotated[Natural, INTERNAL] = 0
    suite: Annotated[Annotated[str, pattern("^[A-Za-z0-9:-]{0,80}$")], INTERNAL] = ""


class UnlockCustomer(Wire, frozen=True, kw_only=True):
    """Begins every count of failed tries of a customer anew, by two operators.

    Source: ISO/TS 12812-2:2017, 7.3.2; 6.2.1
    """

    number: Annotated[Alias, PERSONAL]
    because: Annotated[ShortText, INTERNAL]


class ViewSessions(Wire, frozen=True, kw_only=True):
    """Lists a customer's live sessions.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    customer: Annotated[CustomerIdText, INTERNAL]


class EndSessions(Wire, frozen=True, kw_only=True):
    """Ends all live sessions of a customer, with the reason.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """

    customer: Annotated[CustomerIdText, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class ReportFraud(Wire, frozen=True, kw_only=True):
    """Marks a settled order as unauthorised, for the provider's fraud rate.

    Source: Delegated Regulation (EU) 2018/389, 19
    """

    order: Annotated[OrderIdText, INTERNAL]
    because: Annotated[ShortText, INTERNAL]
