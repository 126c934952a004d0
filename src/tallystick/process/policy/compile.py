"""From a checked policy to an evaluator that answers in microseconds.

    compile_policy(policy)        refuses what `checks` finds
    CompiledPolicy.decide(facts)  operator acts by role; else, in this order:
        1. a word outside the vocabulary, another currency, no amount      deny
        2. a failed dependency that closes the operation                   deny
        3. the first row that matches                                      its outcome
        4. if that is allow or delay: factors, then the caps per payment

Rows are indexed by their enumerated fields: one look-up finds the few rows that are left to
compare with amounts, ages and counts, and the limits that apply. Cells of the index are made when
first met; their number is bounded by the vocabulary. No text is evaluated as code.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, NamedTuple

from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.policy.facts import (
    ENUMERATED,
    FOREVER,
    VOCABULARY,
    Factor,
    Facts,
    Operation,
    Outcome,
    Word,
)
from tallystick.process.policy.failing import closed_by
from tallystick.process.policy.language.checks import check_policy
from tallystick.process.policy.language.model import (
    Bounds,
    Limit,
    LimitRule,
    Policy,
    Row,
    SessionRule,
    Words,
)

_OPERATE: Final = Operation.OPERATE.value
_PRICED: Final = frozenset({Operation.PAY.value, Operation.QUOTE.value})
_CATEGORIES: Final = frozenset(factor.value for factor in Factor)
_MINUTE_MS: Final = 60_000
_MINUTES_A_DAY: Final = 1440

_cell_of: Final = attrgetter(*ENUMERATED)
_Test = tuple[Callable[[Facts], int], int, int]


class Decision(Record, frozen=True, kw_only=True):
    """What the policy says to some facts, and why.

    `row` is the id of the row, limit or rule that decided; `limits` are for the ledger to hold.
    `required_grade` and `required_factors` tell what a step-up takes, `delay_ms` how long to wait;
    `cap_passed` says that the amount is above the cap `cap_minor` of one payment.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    outcome: Outcome
    row: str
    because: str
    policy_version: int
    facts: Facts
    limits: tuple[LimitRule, ...] = ()
    required_grade: str = ""
    required_factors: int = 0
    delay_ms: int = 0
    cap_passed: bool = False
    cap_minor: int = FOREVER
    remedy: str = ""

    @property
    def closed(self) -> bool:
        """Whether it is denied only because something fails that the operation leans on.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.row.startswith("dependency-") and not self.cap_passed

    @property
    def reason(self) -> str:
        """The row and its reason in one line, for problem documents.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return f"{self.row}: {self.because}"


class _Cap(NamedTuple):
    """The most that one payment may move, and what says so.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    minor: int
    by: str
    because: str


_NO_CAP: Final = _Cap(FOREVER, "", "")
_amount: Final = attrgetter("minor")


class _Cell(NamedTuple):
    """What one combination of words leads to: rows with bounds left to compare, the first row
    without, the cap of one payment, the rolling limits.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    bounded: tuple[tuple[tuple[_Test, ...], Row], ...]
    otherwise: Row
    cap: _Cap
    limits: tuple[LimitRule, ...]


class CompiledPolicy:
    """A policy in force: decides, and tells its parameters; immutable but for its index.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    __slots__ = ("_cells", "_factors", "_vocabulary", "policy", "version")

    def __init__(self, policy: Policy) -> None:
        """Take a policy that `check_policy` passed; use `compile_policy`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.policy = policy
        self.version = policy.header.version
        self._cells: dict[tuple[Word, ...], _Cell] = {}
        self._factors = policy.factors
        self._vocabulary = {
            field: frozenset(VOCABULARY.get(field, tuple(policy.tiers))) for field in ENUMERATED
        }

    def decide(self, facts: Facts) -> Decision:
        """The decision on `facts`: a pure function of them and of the policy.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if facts.operation == _OPERATE:
            return self._decide_act(facts)
        words = _cell_of(facts)
        cell = self._cells.get(words) or self._learn(words)
        if cell is None:
            return self._deny(facts, "unknown-word", "the policy does not know a word of the facts")
        refused = self._refused_before_rows(facts)
        if refused is not None:
            return refused
        row = _first_match(cell, facts)
        if row.outcome is Outcome.DENY or row.outcome is Outcome.STEP_UP:
            return self._by_row(facts, row)
        return self._lacking_factors(facts) or self._within_cap(facts, cell, row)

    def session(self, channel: str) -> SessionRule:
        """How long a session of `channel` lives.

        Raises NotPermitted for a channel to which the policy gives no sessions.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        try:
            return self.policy.sessions[channel]
        except KeyError:
            raise NotPermitted("the policy gives no sessions to this channel") from None

    def minute_of_day(self, now: int) -> int:
        """Local minute of the day (0 to 1439) at `now` (ms), for `Facts.minute_of_day`.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return (now // _MINUTE_MS + self.policy.header.utc_offset_min) % _MINUTES_A_DAY

    def ceiling_minor(self, tier: int) -> int:
        """The highest balance of an account of `tier`; `FOREVER` without a ceiling.

        Raises NotPermitted for a tier that the policy does not declare.
        Source: ISO/TS 12812-2:2017, B
        """
        try:
            return self.policy.tiers[tier].max_balance_minor
        except KeyError:
            raise NotPermitted("the policy declares no such tier") from None

    def _learn(self, words: tuple[Word, ...]) -> _Cell | None:
        for field, word in zip(ENUMERATED, words, strict=True):
            if word not in self._vocabulary[field]:
                return None
        cell = self._cells[words] = self._make_cell(words)
        return cell

    def _make_cell(self, words: tuple[Word, ...]) -> _Cell:
        facts = dict(zip(ENUMERATED, words, strict=True))
        bounded: list[tuple[tuple[_Test, ...], Row]] = []
        otherwise = self.policy.default
        for row in self.policy.decisions:
            if matches_words(row.words, facts):
                if not row.bounds:
                    otherwise = row
                    break
                bounded.append((tuple(map(_test, row.bounds)), row))
        if facts["operation"] not in _PRICED:
            return _Cell(tuple(bounded), otherwise, _NO_CAP, ())
        limits = [limit for limit in self.policy.limits if matches_words(limit.words, facts)]
        caps = [_Cap(limit.per_payment_minor, limit.id, limit.because) for limit in limits]
        rules = tuple(rule for limit in limits for rule in limit_rules(limit))
        return _Cell(tuple(bounded), otherwise, min(caps, default=_NO_CAP, key=_amount), rules)

    def _refused_before_rows(self, facts: Facts) -> Decision | None:
        if facts.operation in _PRICED:
            if facts.currency != self.policy.header.currency:
                because = "the policy states its limits in another currency"
                return self._deny(facts, "currency", because)
            if facts.amount_minor <= 0:
                return self._deny(facts, "amount", "a payment has a positive amount")
        return self._closed(facts) if facts.degraded else None

    def _closed(self, facts: Facts) -> Decision | None:
        closed = closed_by(self.policy.dependencies, facts.operation, facts.degraded)
        if closed is None:
            return None
        return self._deny(facts, closed.row, closed.because, "try again later")

    def _cap(self, facts: Facts, cell: _Cell) -> _Cap:
        cap = cell.cap
        for name, _ in facts.degraded:
            rule = self.policy.dependencies[name]
            if (
                rule.on_failure == "reduced-limit"
                and facts.operation in rule.operations
                and rule.reduced_limit_minor < cap.minor
            ):
                cap = _Cap(rule.reduced_limit_minor, f"dependency-{name}", rule.because)
        return cap

    def _within_cap(self, facts: Facts, cell: _Cell, row: Row) -> Decision:
        cap = self._cap(facts, cell) if facts.degraded else cell.cap
        if facts.amount_minor > cap.minor:
            return Decision(
                outcome=Outcome.DENY,
                row=cap.by,
                because=cap.because,
                policy_version=self.version,
                facts=facts,
                cap_passed=True,
                cap_minor=cap.minor,
                remedy=f"at most {cap.minor} minor units in one payment",
            )
        return Decision(
            outcome=row.outcome,
            row=row.id,
            because=row.because,
            policy_version=self.version,
            facts=facts,
            limits=cell.limits,
            delay_ms=row.delay_ms,
            cap_minor=cap.minor,
            remedy=f"ask again in {row.delay_ms // 1000} s" if row.delay_ms else "",
        )

    def _lacking_factors(self, facts: Facts) -> Decision | None:
        rule = self._factors.get(facts.operation)
        if rule is None or len(_CATEGORIES.intersection(facts.factors)) >= rule.categories:
            return None
        return Decision(
            outcome=Outcome.STEP_UP,
            row=f"factors-{facts.operation}",
            because=rule.because,
            policy_version=self.version,
            facts=facts,
            required_factors=rule.categories,
            remedy=f"give factors of {rule.categories} different categories",
        )

    def _by_row(self, facts: Facts, row: Row) -> Decision:
        return Decision(
            outcome=row.outcome,
            row=row.id,
            because=row.because,
            policy_version=self.version,
            facts=facts,
            required_grade=row.grade,
            remedy=f"give a consent of grade {row.grade}" if row.grade else "",
        )

    def _deny(self, facts: Facts, row: str, because: str, remedy: str = "") -> Decision:
        return Decision(
            outcome=Outcome.DENY,
            row=row,
            because=because,
            policy_version=self.version,
            facts=facts,
            remedy=remedy,
        )

    def _decide_act(self, facts: Facts) -> Decision:
        operators = self.policy.operators
        if facts.act not in operators.roles.get(facts.operator_role, ()):
            return self._deny(facts, "operators", "the role does not include this act")
        if facts.account_status != "active":
            return self._deny(facts, "operators", "the operator is not active")
        closed = self._closed(facts)
        if closed is not None:
            return closed
        two = facts.act in operators.two_people
        if two and facts.approvals < 2:
            return Decision(
                outcome=Outcome.STEP_UP,
                row="operators-two-people",
                because="two people must agree on this act",
                policy_version=self.version,
                facts=facts,
                required_grade="two-operators",
                remedy="let a second operator approve it",
            )
        lacking = self._lacking_factors(facts)
        if lacking is not None:
            return lacking
        return Decision(
            outcome=Outcome.ALLOW,
            row="operators-two-people" if two else "operators",
            because="two people agreed" if two else "the role includes this act",
            policy_version=self.version,
            facts=facts,
        )


def compile_policy(policy: Policy) -> CompiledPolicy:
    """`policy`, checked as a whole and ready to decide.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    check_policy(policy)
    return CompiledPolicy(policy)


def matches_words(conditions: Iterable[Words], facts: dict[str, Word]) -> bool:
    """Whether every condition has the word that `facts` gives to its field.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return all(facts[condition.field] in condition.words for condition in conditions)


def limit_rules(limit: Limit) -> tuple[LimitRule, ...]:
    """The rolling limits of `limit`, one for each window, named `id/seconds`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return tuple(
        LimitRule(
            id=f"{limit.id}/{window.window_ms // 1000}",
            window_ms=window.window_ms,
            max_amount=window.max_amount,
            max_count=window.max_count,
            because=limit.because,
        )
        for window in limit.windows
    )


def _test(bounds: Bounds) -> _Test:
    return attrgetter(bounds.field), bounds.low, bounds.high


def _first_match(cell: _Cell, facts: Facts) -> Row:
    for tests, row in cell.bounded:
        for measure, low, high in tests:
            if not low <= measure(facts) <= high:
                break
        else:
            return row
    return cell.otherwise
