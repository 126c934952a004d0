"""Signed acts of operators: what is asked, by whom, and the second signature where two are needed.

An operator signs an `Act` (JWS, ES256): it names the operation and the SHA-256 of its canonical
body. An act that needs two people waits until another operator signs an act that approves it, with
the same body hash. The act's id is its idempotency key.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from typing import Annotated

from tallystick.kernel.classification import (
    AUTHENTICATION,
    CREDENTIAL,
    INTERNAL,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
)
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import (
    ActIdText,
    CustomerIdText,
    DeviceIdText,
    OperatorIdText,
    OrderIdText,
)
from tallystick.kernel.model import (
    ABSENT,
    Absent,
    Amount,
    Base64Url,
    CurrencyCode,
    Natural,
    ShortText,
    Wire,
    pattern,
)
from tallystick.protocol.payments import Alias

ENROLMENT_LABEL = b"tallystick operator enrolment v1\x00"
"""What a new operator's key signs begins with this; the code's SHA-256 and the key follow."""

CompactJws = Annotated[str, pattern(r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
Msisdn = Annotated[str, pattern(r"^\+[1-9][0-9]{6,14}$")]
"""A telephone number (E.164)."""

Till = Annotated[str, pattern("^(?:|[0-9]{4,8})$")]
"""The till number of a merchant or agent, or empty."""


_UTC_OR_EMPTY = r"^(?:|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$"


class Act(Wire, frozen=True, kw_only=True):
    """What an operator signs; `approves` names the act that this one seconds, or is empty.

    `shown` is the digest of what its rehearsal told whoever seconds it: the act is done only if it
    still comes to that. It is absent where nothing was shown.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[ActIdText, INTERNAL]
    name: Annotated[ShortText, INTERNAL]
    operator: Annotated[OperatorIdText, INTERNAL]
    body_hash: Annotated[Base64Url, INTERNAL]
    approves: Annotated[str, INTERNAL] = ""
    shown: Annotated[Base64Url | Absent, INTERNAL] = ABSENT
    issued_at: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]


class EnrolOperator(Wire, frozen=True, kw_only=True):
    """A one-time code, the new operator's public key and a signature with it over the code's hash.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    code: Annotated[Annotated[str, pattern("^[0-9A-Z-]{8,40}$")], AUTHENTICATION]
    name: Annotated[ShortText, PERSONAL]
    public: Annotated[Base64Url, PUBLIC]
    proof: Annotated[Base64Url, INTERNAL]


class InviteOperator(Wire, frozen=True, kw_only=True):
    """Invites an operator of a role; the provider learns the SHA-256 of the code, not the code.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    role: Annotated[ShortText, INTERNAL]
    code_hash: Annotated[Base64Url, INTERNAL]


class OperatorEnrolled(Wire, frozen=True, kw_only=True):
    """The new operator's id and role.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    operator: Annotated[OperatorIdText, INTERNAL]
    role: Annotated[ShortText, INTERNAL]


class OpenCustomer(Wire, frozen=True, kw_only=True):
    """Opens a customer of a kind and tier; the activation code goes to the number, not to staff.

    `zone` is where the agent is who opens it.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    name: Annotated[ShortText, PERSONAL]
    msisdn: Annotated[Msisdn, PERSONAL]
    kind: Annotated[Annotated[str, pattern("^(?:person|agent|merchant)$")], INTERNAL]
    tier: Annotated[Natural, INTERNAL]
    till: Annotated[Till, INTERNAL] = ""
    zone: Annotated[Annotated[str, pattern("^(?:|[a-z0-9][a-z0-9.-]{0,39})$")], PERSONAL] = ""


class CustomerOpened(Wire, frozen=True, kw_only=True):
    """The new customer's id and the activation that was sent to the number.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    customer: Annotated[CustomerIdText, INTERNAL]
    activation: Annotated[str, INTERNAL]
    event: Annotated[Natural, PUBLIC]


class IssueActivation(Wire, frozen=True, kw_only=True):
    """Sends a new activation code to the number of a customer.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    number: Annotated[Alias, PERSONAL]


class SuspendDevice(Wire, frozen=True, kw_only=True):
    """Suspends or resumes a device, with the reason for the record.

    The customer reads these words in the list of devices only; a message says that staff did it.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: Annotated[DeviceIdText, INTERNAL]
    suspend: Annotated[bool, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class FundAccount(Wire, frozen=True, kw_only=True):
    """Issues money to a number against money that arrived at the safeguarding bank.

    Source: ISO/TS 12812-2:2017, 13.3
    """

    number: Annotated[Alias, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    currency: Annotated[CurrencyCode, INTERNAL]
    bank_reference: Annotated[ShortText, INTERNAL]


class ReversePayment(Wire, frozen=True, kw_only=True):
    """Gives a settled order back whole, by two operators, with the reason.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    order: Annotated[OrderIdText, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class ActivatePolicy(Wire, frozen=True, kw_only=True):
    """Puts a signed policy file into force from the next command on.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    envelope: Annotated[str, INTERNAL]


class ShadowPolicy(Wire, frozen=True, kw_only=True):
    """Lets a signed policy file decide beside the one in force; an empty one ends that.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    envelope: Annotated[str, INTERNAL] = ""


class LiftTightening(Wire, frozen=True, kw_only=True):
    """Ends a tightening at once and keeps it from beginning until `until`, a UTC instant.

    An empty `until` is until the next version of the policy.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    entry: Annotated[ShortText, PUBLIC]
    because: Annotated[ShortText, INTERNAL]
    until: Annotated[Annotated[str, pattern(_UTC_OR_EMPTY)], PUBLIC] = ""


class SetIncentive(Wire, frozen=True, kw_only=True):
    """Puts a subject on a step of an incentive; evidence and findings count anew from then on.

    `subject` is the customer id of an agent, a device trust, or a vendor's id.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    ladder: Annotated[ShortText, PUBLIC]
    subject: Annotated[ShortText, INTERNAL]
    step: Annotated[Natural, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class CoverCommission(Wire, frozen=True, kw_only=True):
    """Says that the provider's own money was paid into the safeguarding account.

    Source: ISO/TS 12812-2:2017, 6.1; 13.1
    """

    amount_minor: Annotated[Amount, INTERNAL]
    currency: Annotated[CurrencyCode, INTERNAL]
    bank_reference: Annotated[ShortText, INTERNAL]


class EraseSubject(Wire, frozen=True, kw_only=True):
    """Destroys the subject key of a customer; every proof stays valid.

    Source: ISO/TS 12812-2:2017, 14.2.1
    """

    customer: Annotated[CustomerIdText, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class AddWebhook(Wire, frozen=True, kw_only=True):
    """Delivers events of a kind to a core system, signed, in order, until acknowledged.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    url: Annotated[Annotated[str, pattern("^https?://[^\\s]{3,200}$")], INTERNAL]
    kinds: Annotated[tuple[str, ...], INTERNAL]


class CloseDay(Wire, frozen=True, kw_only=True):
    """Closes the book of a day: trial balance, safeguarding, and an event with the result.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    day: Annotated[Annotated[str, pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")], PUBLIC]


_KINDS = "^(?:all|p2p|merchant|cash-in|cash-out|refund|salary)$"
_CHANNELS = "^(?:all|app|web|ussd)$"


class SuspendService(Wire, frozen=True, kw_only=True):
    """Refuses payments of a kind through a channel to everybody; who asks reads the reason.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    kind: Annotated[Annotated[str, pattern(_KINDS)], PUBLIC]
    channel: Annotated[Annotated[str, pattern(_CHANNELS)], PUBLIC]
    because: Annotated[ShortText, PUBLIC]


class ResumeService(Wire, frozen=True, kw_only=True):
    """Two operators take payments of a suspended kind and channel again.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    kind: Annotated[Annotated[str, pattern(_KINDS)], PUBLIC]
    channel: Annotated[Annotated[str, pattern(_CHANNELS)], PUBLIC]
    because: Annotated[ShortText, INTERNAL]


class ActReply(Wire, frozen=True, kw_only=True):
    """What became of an act: done, or waiting for the second signature.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: Annotated[ActIdText, INTERNAL]
    state: Annotated[Annotated[str, pattern("^(?:done|waiting)$")], INTERNAL]
    event: Annotated[int, PUBLIC]
    says: Annotated[str, INTERNAL]
    reference: Annotated[str, CREDENTIAL] = ""


class SignedRequest(Wire, frozen=True, kw_only=True):
    """A request that an operator signed: the act (compact JWS) and the body that it names.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    jws: Annotated[CompactJws, INTERNAL]
    body: Annotated[dict[str, str | int | bool | tuple[str, ...]], SENSITIVE]


def act_header(operator: str) -> bytes:
    """The JWS header of an operator's acts.

    Source: RFC 7515, 4.1
    """
    return encode_canonical({"alg": "ES256", "kid": operator, "typ": "tallystick-act"})
