"""Messages of recovery and of events in the life of an account.

A device signs a `RecoveryAct` with its consent key (compact JWS, ES256): its owner for the account
itself, an agent for a customer who stands before them. No message carries a recovery code.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import CustomerIdText
from tallystick.kernel.model import Natural, ShortText, Wire, pattern
from tallystick.protocol.payments import Alias, CompactText

RecoveryIdText = Annotated[str, pattern("^rcv_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
OptionalDevice = Annotated[str, pattern("^(?:|dev_[0-7][0-9a-hjkmnp-tv-z]{25})$")]
OptionalNumber = Annotated[str, pattern(r"^(?:|\+[1-9][0-9]{6,14})$")]
Digest = Annotated[str, pattern("^[A-Za-z0-9_-]{43}$")]
"""SHA-256 of the evidence that is kept elsewhere, in base64url."""

OptionalDigest = Annotated[str, pattern("^(?:|[A-Za-z0-9_-]{43})$")]
Zone = Annotated[str, pattern("^[a-z0-9][a-z0-9.-]{0,39}$")]
"""A cell or zone as the provider names it."""

OptionalZone = Annotated[str, pattern("^(?:|[a-z0-9][a-z0-9.-]{0,39})$")]


class RecoveryKind(StrEnum):
    """What happened to the account.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    LOST_PHONE = "lost-phone"
    NEW_PHONE = "new-phone"
    NUMBER_CHANGE = "number-change"
    DORMANT = "dormant"
    DEATH = "death"
    LEGAL_ORDER = "legal-order"
    SUSPENSION = "suspension"


class RecoveryState(StrEnum):
    """Where a recovery stands.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    COOLING = "cooling"
    CODE_SENT = "code-sent"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FROZEN = "frozen"
    RELEASED = "released"


class RecoveryAct(Wire, frozen=True, kw_only=True):
    """What a device signs; `does` is open or finish, and `at` (ms) when it was signed.

    Without `number` it is about the signer's own account. `evidence` is the digest of what the
    agent saw, `zone` where the agent is.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    v: Annotated[int, PUBLIC] = 1
    does: Annotated[Annotated[str, pattern("^(?:open|finish)$")], INTERNAL]
    kind: Annotated[RecoveryKind, INTERNAL]
    number: Annotated[OptionalNumber, PERSONAL] = ""
    lost: Annotated[OptionalDevice, INTERNAL] = ""
    new_number: Annotated[OptionalNumber, PERSONAL] = ""
    evidence: Annotated[OptionalDigest, INTERNAL] = ""
    zone: Annotated[OptionalZone, PERSONAL] = ""
    at: Annotated[Natural, PUBLIC]


class SignedRecovery(Wire, frozen=True, kw_only=True):
    """A `RecoveryAct` as the device signed it.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    act: Annotated[CompactText, PERSONAL]


class RecoveryView(Wire, frozen=True, kw_only=True):
    """A recovery as its owner, or the agent who assists, may see it; all instants in ms.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    recovery: Annotated[RecoveryIdText, INTERNAL]
    kind: Annotated[RecoveryKind, INTERNAL]
    state: Annotated[RecoveryState, INTERNAL]
    opener: Annotated[ShortText, INTERNAL]
    opened_at: Annotated[Natural, PUBLIC]
    ready_at: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]


class Recoveries(Wire, frozen=True, kw_only=True):
    """The recoveries of one's account that run or ended lately, newest first.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    recoveries: Annotated[tuple[RecoveryView, ...], INTERNAL]


class CancelOwnRecovery(Wire, frozen=True, kw_only=True):
    """Ends a recovery of one's own account from a device that is enrolled.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    recovery: Annotated[RecoveryIdText, INTERNAL]


class OpenRecovery(Wire, frozen=True, kw_only=True):
    """Two operators open a recovery on proof as good as that of an enrolment.

    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    kind: Annotated[
        Annotated[str, pattern("^(?:lost-phone|new-phone|number-change|dormant)$")], INTERNAL
    ]
    evidence: Annotated[Digest, INTERNAL]
    because: Annotated[ShortText, INTERNAL]
    new_number: Annotated[OptionalNumber, PERSONAL] = ""


class FinishRecovery(Wire, frozen=True, kw_only=True):
    """Finishes a recovery that cooled off.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    recovery: Annotated[RecoveryIdText, INTERNAL]


class CancelRecovery(Wire, frozen=True, kw_only=True):
    """Ends a recovery, because its customer or an officer says so.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    recovery: Annotated[RecoveryIdText, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class RestAccount(Wire, frozen=True, kw_only=True):
    """Lets an account rest that nobody used; a recovery wakes it.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    because: Annotated[ShortText, INTERNAL]


class FreezeAccount(Wire, frozen=True, kw_only=True):
    """Stops an account at once on a death or an order; `operators` alone may look at it.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    kind: Annotated[Annotated[str, pattern("^(?:death|legal-order)$")], INTERNAL]
    evidence: Annotated[Digest, INTERNAL]
    because: Annotated[ShortText, INTERNAL]
    operators: Annotated[tuple[str, ...], INTERNAL] = ()


class ViewFrozen(Wire, frozen=True, kw_only=True):
    """Asks what a frozen account holds; answered to the operators that the freeze names.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.5
    """

    customer: Annotated[CustomerIdText, INTERNAL]


class ReleaseAccount(Wire, frozen=True, kw_only=True):
    """Two operators end a freeze on evidence.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    customer: Annotated[CustomerIdText, INTERNAL]
    evidence: Annotated[Digest, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class SuspendCustomer(Wire, frozen=True, kw_only=True):
    """Suspends a customer as a whole at once, with the reason that the customer will read.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    because: Annotated[ShortText, INTERNAL]


class ResumeCustomer(Wire, frozen=True, kw_only=True):
    """Two operators end the suspension of a customer.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    because: Annotated[ShortText, INTERNAL]


class ChangeTier(Wire, frozen=True, kw_only=True):
    """Two operators put a customer on another identification tier, on what was seen.

    Source: ISO/TS 12812-2:2017, 7.4.1; 13.2
    """

    number: Annotated[Alias, PERSONAL]
    tier: Annotated[Natural, INTERNAL]
    evidence: Annotated[Digest, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class PlaceAgent(Wire, frozen=True, kw_only=True):
    """Says in which zones an agent assists, and until which day the agent's training holds.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1
    """

    number: Annotated[Alias, PERSONAL]
    zones: Annotated[tuple[str, ...], INTERNAL]
    trained_until: Annotated[
        Annotated[str, pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")],
        INTERNAL,
    ]


def recovery_header(device: str) -> bytes:
    """The one JWS header under which `device` signs what it does about recoveries.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    return encode_canonical({"alg": "ES256", "kid": device, "typ": "tallystick-recovery"})


MESSAGES = (
    SignedRecovery,
    RecoveryView,
    Recoveries,
    CancelOwnRecovery,
    OpenRecovery,
    FinishRecovery,
    CancelRecovery,
    RestAccount,
    FreezeAccount,
    ViewFrozen,
    ReleaseAccount,
    SuspendCustomer,
    ResumeCustomer,
    ChangeTier,
    PlaceAgent,
)
"""What is sent about recovery, but for what is signed inside."""
