"""Words of the ledger: accounts, legs, limits, postings and what becomes of them.

A leg debits one account and credits another by the same amount, so nothing is made or lost. An
account has a normal side: money owed to somebody (customers, agents, merchants) grows on the
credit side, money owned (the safeguarding account at the bank) on the debit side.

    balance    what is posted on the normal side minus the other
    held       what open holds will still take (out) or bring (in)
    available  balance minus held out minus floor: what may still leave

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""

from dataclasses import dataclass
from enum import StrEnum

from tallystick.kernel.errors import (
    Conflict,
    Expired,
    InsufficientFunds,
    LimitExceeded,
    Malformed,
    MfsError,
    NotFound,
)
from tallystick.kernel.model import Record
from tallystick.kernel.money import MAX_MINOR

NO_FLOOR = -MAX_MINOR
NO_CEILING = MAX_MINOR
MAX_AMOUNT = 2**53 - 1
MAX_LEGS = 16


class Side(StrEnum):
    """The side on which an account grows.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    DEBIT = "debit"
    CREDIT = "credit"


class AccountKind(StrEnum):
    """Whose money an account holds.

    Source: ISO/TS 12812-2:2017, 13.1
    """

    CUSTOMER = "customer"
    AGENT_FLOAT = "agent-float"
    MERCHANT = "merchant"
    ISSUANCE = "issuance"
    SUSPENSE = "suspense"
    FEE = "fee"
    SAFEGUARDING = "safeguarding"
    BANK_SETTLEMENT = "bank-settlement"
    INTEROPERABLE = "interoperable"
    COMMISSION = "commission"


class AccountStatus(StrEnum):
    """Whether money moves: suspended can be opened again, closed cannot.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(slots=True, kw_only=True)
class Account:
    """One account; the writer changes it in place. Amounts in minor units of `currency`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    kind: AccountKind
    currency: str
    side: Side
    floor: int = 0
    ceiling: int = NO_CEILING
    posted_debit: int = 0
    posted_credit: int = 0
    held_debit: int = 0
    held_credit: int = 0
    status: AccountStatus = AccountStatus.OPEN
    opened_at: int = 0
    closed_at: int = 0

    def balance(self) -> int:
        """What is posted, on the normal side.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        net = self.posted_credit - self.posted_debit
        return net if self.side is Side.CREDIT else -net

    def available(self) -> int:
        """What may still leave: balance minus what holds will take, down to the floor.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if self.side is Side.CREDIT:
            return self.posted_credit - self.posted_debit - self.held_debit - self.floor
        return self.posted_debit - self.posted_credit - self.held_credit - self.floor

    def room(self) -> int:
        """What may still come: up to the ceiling, minus what holds will bring.

        Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
        """
        if self.side is Side.CREDIT:
            return self.ceiling - self.posted_credit + self.posted_debit - self.held_credit
        return self.ceiling - self.posted_debit + self.posted_credit - self.held_debit


class Leg(Record, frozen=True, kw_only=True):
    """`amount` minor units from the account `debit` to the account `credit`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    debit: str
    credit: str
    amount: int


class Limit(Record, frozen=True, kw_only=True):
    """At most `max_amount` and `max_count` within any `window_ms`; `because` says what for.

    Source: ISO/TS 12812-2:2017, 7.3.3; A
    """

    id: str
    window_ms: int
    max_amount: int
    max_count: int
    because: str


class PostingKind(StrEnum):
    """What a posting does.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    POST = "post"
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"
    EXPIRE = "expire"
    REVERSE = "reverse"


class Posting(Record, frozen=True, kw_only=True):
    """An instruction to the ledger; all of it happens or nothing.

    `limits` pairs a limit with the account whose use it counts; the first leg's amount is counted.
    `ref` names the hold (capture, void, expire) or the original (reverse). Without legs those act
    on all that is left; a capture or reverse with legs acts on the amounts of those, at the same
    positions; the legs of a reverse are turned round. A `final` capture gives back what it leaves.
    `body_hash` tells a repetition from another body under the same id; `event_index` is the tally
    event that will tell of it (-1 for none).
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    kind: PostingKind
    legs: tuple[Leg, ...] = ()
    limits: tuple[tuple[Limit, str], ...] = ()
    expires_at: int = 0
    ref: str = ""
    body_hash: bytes = b""
    final: bool = True
    event_index: int = -1


class Transfer(Record, frozen=True, kw_only=True):
    """One line of the journal: a leg that happened; lines are never changed or removed.

    Lines of kind post, capture and reverse move posted money. Hold lines hold it; capture, void and
    expire lines let go of it.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    seq: int
    posting_id: str
    leg: int
    debit: str
    credit: str
    amount: int
    kind: PostingKind
    at: int
    event_index: int


class Posted(Record, frozen=True, kw_only=True):
    """It happened: its first journal line and when.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    kind: PostingKind
    seq: int
    at: int


class Reason(StrEnum):
    """Why a posting was refused.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    FUNDS = "funds"
    CEILING = "ceiling"
    LIMIT_AMOUNT = "limit-amount"
    LIMIT_COUNT = "limit-count"
    OTHER_BODY = "other-body"
    NO_ACCOUNT = "no-account"
    NO_HOLD = "no-hold"
    NO_ORIGINAL = "no-original"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    HOLD_DONE = "hold-done"
    HOLD_EXPIRED = "hold-expired"
    MORE_THAN_LEFT = "more-than-left"
    CURRENCY = "currency"
    MALFORMED = "malformed"


_ERRORS: dict[Reason, tuple[type[MfsError], str, str]] = {
    Reason.FUNDS: (InsufficientFunds, "the balance does not cover this", "pay less, or pay in"),
    Reason.CEILING: (LimitExceeded, "the receiving account may not hold as much", "send less"),
    Reason.LIMIT_AMOUNT: (LimitExceeded, "the amount allowed for a period would be passed", ""),
    Reason.LIMIT_COUNT: (LimitExceeded, "the number allowed for a period would be passed", ""),
    Reason.OTHER_BODY: (Conflict, "this id was used with another body", "use a new id"),
    Reason.NO_ACCOUNT: (NotFound, "there is no such account", ""),
    Reason.NO_HOLD: (NotFound, "there is no such hold", ""),
    Reason.NO_ORIGINAL: (NotFound, "there is no such posting to give back", ""),
    Reason.SUSPENDED: (Conflict, "the account is suspended", "ask the provider"),
    Reason.CLOSED: (Conflict, "the account is closed", "use another account"),
    Reason.HOLD_DONE: (Conflict, "the hold was captured or given back before", ""),
    Reason.HOLD_EXPIRED: (Expired, "the hold is past its time", "place a new one"),
    Reason.MORE_THAN_LEFT: (Conflict, "this is more than what is left", "ask for what is left"),
    Reason.CURRENCY: (Malformed, "the accounts have different currencies", "convert first"),
    Reason.MALFORMED: (Malformed, "the posting does not have the form of its kind", ""),
}


class Rejected(Record, frozen=True, kw_only=True):
    """It did not happen; nothing changed. `limit` and `because` name the limit that refused.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    reason: Reason
    limit: str = ""
    because: str = ""

    def error(self) -> MfsError:
        """The refusal for whoever asked.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        class_, detail, remedy = _ERRORS[self.reason]
        because = f"{self.limit}: {self.because}" if self.limit else ""
        return class_(detail, remedy=remedy, because=because)


Result = Posted | Rejected


@dataclass(slots=True, kw_only=True)
class Hold:
    """Money set aside: what remains of each leg, until when, and the limit uses to give back.

    `uses` are (account, limit id, window) of every limit that counted the first leg at `placed_at`.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    legs: tuple[Leg, ...]
    remaining: list[int]
    placed_at: int
    expires_at: int
    uses: tuple[tuple[str, str, int], ...] = ()

    def is_open(self) -> bool:
        """Whether anything of it is still set aside.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return any(self.remaining)


@dataclass(slots=True, kw_only=True)
class Original:
    """A posting that money can be given back from: its legs and what was given back of each.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    legs: tuple[Leg, ...]
    returned: list[int]
