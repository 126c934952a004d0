"""A policy as data: what the text of a policy says, typed and without choices left open.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import FOREVER, Outcome, Signal, Word
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

    `FOREVER` in `max_amount` or `max_count` caps nothing.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: str
    window_ms: int
    max_amount: int
    max_count: int
    because: str


class SessionRule(Record, frozen=True, kw_only=True):
    """How long a session of one channel lives without a request, and at all.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    idle_ms: int
    absolute_ms: int


class AttemptRule(Record, frozen=True, kw_only=True):
    """Failed authentications: `limit` in a row block for `block_ms`; activation codes as well.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
    """

    limit: int
    block_ms: int
    activation_life_ms: int
    activation_tries: int


class FactorRule(Record, frozen=True, kw_only=True):
    """How many categories of factors an operation takes.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    categories: int
    because: str


class HandshakeRule(Record, frozen=True, kw_only=True):
    """The key establishment suites that devices may use, and the one to prefer.

    Source: ISO/TS 12812-2:2017, 3.22; 7.3.2; C
    """

    suites: tuple[str, ...]
    preferred: str


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
    tightening: tuple[Tightening, ...] = ()
    tightening_caps: Caps | None = None
    regimes: tuple[str, ...] = ()
    regimes_at: Position = Position(line=1, column=1)
