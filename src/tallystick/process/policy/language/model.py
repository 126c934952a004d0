"""A policy as data: what the text of a policy says, typed and without choices left open.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import (
    FOREVER,
    Merit,
    Outcome,
    Signal,
    SubjectClass,
    Word,
)
from tallystick.process.policy.language.lives import DeviceRule, EducationRule, RecoveryRule
from tallystick.process.policy.language.suites import HandshakeRule, SignatureRule
from tallystick.process.yamltext.position import Position


class Header(Record, frozen=True, kw_only=True):
    """Whose policy this is, since when, and how strictly it must be approved.

    `effective_at` is in ms, `utc_offset_min` the provider's local time in minutes east of UTC.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    provider: str
    version: int
    effective_at: int
    currency: str
    profile: str
    utc_offset_min: int


class Tier(Record, frozen=True, kw_only=True):
    """An identification tier: how much its accounts may keep (`FOREVER` for no ceiling).

    Source: ISO/TS 12812-2:2017, B
    """

    number: int
    label: str
    max_balance_minor: int
    because: str


class Words(Record, frozen=True, kw_only=True):
    """A condition: the field has one of these words.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    field: str
    words: tuple[Word, ...]


class Bounds(Record, frozen=True, kw_only=True):
    """A condition: the field lies between `low` and `high`, both included.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    field: str
    low: int = -FOREVER
    high: int = FOREVER


class Row(Record, frozen=True, kw_only=True):
    """One row of the decision table; it matches when all its conditions do.

    `non_monotone` says why the row may permit less to more security; empty for most rows.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    words: tuple[Words, ...]
    bounds: tuple[Bounds, ...]
    outcome: Outcome
    because: str
    at: Position
    grade: str = ""
    delay_ms: int = 0
    non_monotone: str = ""


class Window(Record, frozen=True, kw_only=True):
    """A rolling window of a limit: amounts and payments that fit into `window_ms`.

    `FOREVER` in `max_amount` or `max_count` caps nothing.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    window_ms: int
    max_amount: int
    max_count: int


class Limit(Record, frozen=True, kw_only=True):
    """Caps on the payments that its conditions name; all limits that match apply together.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    words: tuple[Words, ...]
    per_payment_minor: int
    windows: tuple[Window, ...]
    because: str
    at: Position


class LimitRule(Record, frozen=True, kw_only=True):
    """A rolling limit for the ledger to hold, atomically with the transfer.

    `FOREVER` in `max_amount` or `max_count` caps nothing. It counts by the payer's account, or with
    `on_payee` by the payee's.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    window_ms: int
    max_amount: int
    max_count: int
    because: str
    on_payee: bool = False


class SessionRule(Record, frozen=True, kw_only=True):
    """How long a session of one channel lives without a request, and at all; how many there are.

    At most `at_most` live at once for a customer, over all channels; 0 is without a bound. One more
    ends the oldest (`beyond` is replace) or is refused (refuse).
    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    idle_ms: int
    absolute_ms: int
    at_most: int = 0
    beyond: str = "replace"


class AttemptRule(Record, frozen=True, kw_only=True):
    """Failed authentications: `limit` in a row block for `block_ms`; activation codes as well.

    After the second failure the next try waits `backoff_ms`, and twice as long after each further
    one; 0 is at once. Each block is twice as long as the one before it; after `blocks` of them in a
    row only two operators end it, 0 is never.
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
    """

    limit: int
    block_ms: int
    activation_life_ms: int
    activation_tries: int
    backoff_ms: int = 0
    blocks: int = 0


class AuthenticatorRule(Record, frozen=True, kw_only=True):
    """What a code of one kind counts as, on which element it rests, and where it is accepted.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    category: str
    carried_by: str
    channels: tuple[str, ...]
    because: str
    at: Position


class FactorRule(Record, frozen=True, kw_only=True):
    """How many categories of factors an operation takes, and how fresh (ms; 0: of any age).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    categories: int
    because: str
    fresh_ms: int = 0


class DependencyRule(Record, frozen=True, kw_only=True):
    """What happens when a dependency fails: open, closed, reduced-limit or stale.

    `stale_for_ms` counts for stale only, `reduced_limit_minor` for reduced-limit only. `operations`
    are those that lean on it; `tell` are roles of operators.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    on_failure: str
    operations: tuple[str, ...]
    stale_for_ms: int
    reduced_limit_minor: int
    tell: tuple[str, ...]
    because: str


class OperatorRules(Record, frozen=True, kw_only=True):
    """Acts by role, and the acts that two people must agree on.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    roles: dict[str, tuple[str, ...]]
    two_people: tuple[str, ...]


class Lowered(Record, frozen=True, kw_only=True):
    """What a tightening makes of the limit `limit`; `FOREVER` leaves the cap of one payment alone.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    limit: str
    per_payment_minor: int
    windows: tuple[Window, ...]


class Cohort(Record, frozen=True, kw_only=True):
    """A part of the payments that an entry touches, tightened before all of them are.

    Its words are of `device_trust` and `tier`, of which customers can be counted.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.5
    """

    id: str
    words: tuple[Words, ...]
    at: Position


class Caps(Record, frozen=True, kw_only=True):
    """How much may be touched, in basis points: by one beginning, and by all within 24 hours.

    Of the customers who were counted, and of the value of their payments.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    customers_bp: int
    value_bp: int
    day_customers_bp: int
    day_value_bp: int


class Tightening(Record, frozen=True, kw_only=True):
    """What officers let the service do by itself when the signal `on` of `of` fails.

    A share fails below (of frauds: above) `permille`. It must fail for `dwell_ms`; the measure
    stays until the signal was well for `keep_ms`, and begins at most `at_most_per_day` times within
    24 hours. With `after` it waits until that entry has been in force for `dwell_ms`. Either
    `lowered` or `row` says what is done. It begins with the narrowest of its `cohorts`, and touches
    no more than its `caps`.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    id: str
    on: Signal
    of: str
    permille: int
    after: str
    dwell_ms: int
    keep_ms: int
    at_most_per_day: int
    lowered: Lowered | None
    row: Row | None
    because: str
    at: Position
    cohorts: tuple[Cohort, ...] = ()
    caps: Caps | None = None


class Asked(Record, frozen=True, kw_only=True):
    """A measure of a subject and the values that count: from `low` to `high`, both included.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    merit: Merit
    low: int = 0
    high: int = FOREVER

    def holds(self, value: int | None) -> bool:
        """Whether `value` counts; what was not measured does not.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return value is not None and self.low <= value <= self.high


class Commission(Record, frozen=True, kw_only=True):
    """What an agent is paid for one payment, in minor units: a fixed part, a share, and a ceiling.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    flat_minor: int
    basis_points: int
    cap_minor: int

    def on(self, amount_minor: int) -> int:
        """The commission on `amount_minor`, its share rounded down to a minor unit.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        share = amount_minor * self.basis_points // 10_000
        return min(self.cap_minor, self.flat_minor + share)


class Step(Record, frozen=True, kw_only=True):
    """One step of a ladder: its limits and commission, and what lifts a subject to it.

    It was on the step below for `dwell_ms`, and all of `evidence` holds. Step 0 asks neither.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    per_payment_minor: int
    windows: tuple[Window, ...]
    commission: Commission | None
    evidence: tuple[Asked, ...]
    dwell_ms: int
    because: str
    at: Position


class Finding(Record, frozen=True, kw_only=True):
    """What lets a subject fall by `drops` steps at once.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    on: Asked
    drops: int
    because: str
    at: Position


class Ladder(Record, frozen=True, kw_only=True):
    """Limits and commission that rise with evidence and fall with findings.

    `of` names the one subject of a class that is not agents, empty for agents. It touches the
    payments that `words` describe. Evidence counts payments of at least `least_minor`, of the last
    `within_ms`, with each customer at most `each_at_most` times.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    subject: SubjectClass
    of: str
    words: tuple[Words, ...]
    least_minor: int
    within_ms: int
    each_at_most: int
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    because: str
    at: Position


class Policy(Record, frozen=True, kw_only=True):
    """A whole policy; `compile_policy` checks it and makes it fast.

    `regimes` are the packs that it is held to, named in the text at `regimes_at`. `tightening_caps`
    bind all entries of `tightening` together.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    header: Header
    tiers: dict[int, Tier]
    factors: dict[str, FactorRule]
    sessions: dict[str, SessionRule]
    attempts: AttemptRule
    quote_life_ms: int
    handshake: HandshakeRule
    limits: tuple[Limit, ...]
    decisions: tuple[Row, ...]
    default: Row
    dependencies: dict[str, DependencyRule]
    operators: OperatorRules
    authenticators: dict[str, AuthenticatorRule]
    tightening: tuple[Tightening, ...] = ()
    incentives: tuple[Ladder, ...] = ()
    tightening_caps: Caps | None = None
    regimes: tuple[str, ...] = ()
    regimes_at: Position = Position(line=1, column=1)
    recovery: RecoveryRule = RecoveryRule()
    devices: DeviceRule = DeviceRule()
    education: EducationRule = EducationRule()
    signatures: SignatureRule = SignatureRule()
