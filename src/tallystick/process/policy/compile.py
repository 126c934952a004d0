"""From a checked policy to an evaluator that answers in microseconds.

    compile_policy(policy)        refuses what `proofs` find
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

from operator import attrgetter
from typing import Final

from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.policy.cells import (
    PRICED,
    RECOVERING,
    Cap,
    Cell,
    Cells,
    first_match,
    lowered_limits,
    with_origin,
)
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
from tallystick.process.policy.incentives import Stepped, stepped
from tallystick.process.policy.language.model import (
    FactorRule,
    LimitRule,
    Policy,
    Row,
    SessionRule,
)
from tallystick.process.policy.proofs import baseline_for, prove
from tallystick.process.policy.proofs.ladders import check_incentives
from tallystick.process.policy.regimes import (
    NO_BASELINE,
    Baseline,
    Bound,
)
from tallystick.process.policy.tightening import check_tightening

_OPERATE: Final = Operation.OPERATE.value
_CATEGORIES: Final = frozenset(factor.value for factor in Factor)
_MINUTE_MS: Final = 60_000
_MINUTES_A_DAY: Final = 1440

_NO_STEPS: Final = Stepped()
_cell_of: Final = attrgetter(*ENUMERATED)


class Decision(Record, frozen=True, kw_only=True):
    """What the policy says to some facts, and why.

    `row` is the id of the row, limit or rule that decided; `limits` are for the ledger to hold.
    `required_grade`, `required_factors` and `fresh_ms` (how old the last factor may be) tell what a
    step-up takes, `delay_ms` how long to wait;
    `cap_passed` says that the amount is above the cap `cap_minor` of one payment;
    `commission_minor` is what the payment's agent earns with it.
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
    fresh_ms: int = 0
    delay_ms: int = 0
    cap_passed: bool = False
    cap_minor: int = FOREVER
    commission_minor: int = 0
    remedy: str = ""

    @property
    def closed(self) -> bool:
        """Whether it is denied only because something fails that the operation leans on.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.row.startswith("dependency-") and not self.cap_passed

    @property
    def suffices(self) -> tuple[str, ...]:
        """What would be enough, as words for programs: `grade:...`, `categories:...`, `fresh:...`.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        given = frozenset(self.facts.factors)
        words = [f"grade:{self.required_grade}"] if self.required_grade else []
        if self.required_factors:
            words.append(f"categories:{self.required_factors}")
        if len(given & _CATEGORIES) < self.required_factors:
            words += [f"factor:{one.value}" for one in Factor if one.value not in given]
        if self.fresh_ms:
            words.append(f"fresh:{self.fresh_ms // 1000}")
        return tuple(words)

    @property
    def reason(self) -> str:
        """The row and its reason in one line, for problem documents.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return f"{self.row}: {self.because}"


class CompiledPolicy:
    """A policy in force: decides, and tells its parameters; immutable but for its index.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    __slots__ = ("_cells", "_factors", "_maker", "_vocabulary", "baseline", "policy", "version")

    def __init__(self, policy: Policy, baseline: Baseline = NO_BASELINE) -> None:
        """Take a policy that `prove` passed, and what it is held to; use `compile_policy`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.policy = policy
        self.baseline = baseline
        self.version = policy.header.version
        self._maker = Cells(policy, baseline)
        self._cells: dict[tuple[Word, ...], Cell] = {}
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
        row = first_match(cell, facts)
        if row.outcome is Outcome.DENY or row.outcome is Outcome.STEP_UP:
            return self._by_row(facts, row, cell.pauses)
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

    def _learn(self, words: tuple[Word, ...]) -> Cell | None:
        for field, word in zip(ENUMERATED, words, strict=True):
            if word not in self._vocabulary[field]:
                return None
        cell = self._cells[words] = self._maker.make(words)
        return cell

    def _refused_before_rows(self, facts: Facts) -> Decision | None:
        if facts.operation in PRICED:
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

    def _cap(self, facts: Facts, cell: Cell) -> Cap:
        cap = cell.cap
        for name, _ in facts.degraded:
            rule = self.policy.dependencies[name]
            if (
                rule.on_failure == "reduced-limit"
                and facts.operation in rule.operations
                and rule.reduced_limit_minor < cap.minor
            ):
                cap = Cap(rule.reduced_limit_minor, f"dependency-{name}", rule.because)
        return cap

    def _within_cap(self, facts: Facts, cell: Cell, row: Row) -> Decision:
        cap = self._cap(facts, cell) if facts.degraded else cell.cap
        steps = stepped(cell.ladders, facts) if cell.ladders else _NO_STEPS
        if steps.cap_minor < cap.minor:
            cap = Cap(steps.cap_minor, steps.by, steps.because)
        recovery = self.policy.recovery
        lowered: tuple[LimitRule, ...] = ()
        if facts.operation in PRICED and recovery.lowers(facts.recovering_for_ms):
            lowered = lowered_limits(recovery)
            if recovery.per_payment_minor < cap.minor:
                cap = Cap(recovery.per_payment_minor, RECOVERING, recovery.because)
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
            limits=cell.limits + steps.limits + lowered,
            delay_ms=row.delay_ms,
            cap_minor=cap.minor,
            commission_minor=steps.commission_minor,
            remedy=f"ask again in {row.delay_ms // 1000} s" if row.delay_ms else "",
        )

    def _lacking_factors(self, facts: Facts) -> Decision | None:
        rule = self._factors.get(facts.operation)
        if rule is None:
            return None
        enough = len(_CATEGORIES.intersection(facts.factors)) >= rule.categories
        stale = 0 < rule.fresh_ms < facts.factor_age_ms
        if enough and not stale:
            return None
        remedy = f"give factors of {rule.categories} different categories"
        if enough:
            remedy = f"enter your PIN or a code again: at most {rule.fresh_ms // 1000} s ago"
        return Decision(
            outcome=Outcome.STEP_UP,
            row=f"factors-{facts.operation}",
            because=self._because_factors(facts.operation, rule),
            policy_version=self.version,
            facts=facts,
            required_factors=rule.categories,
            fresh_ms=rule.fresh_ms if stale else 0,
            remedy=remedy,
        )

    def _because_factors(self, operation: str, rule: FactorRule) -> str:
        floor = self.baseline.factors.get(operation)
        bound = floor is not None and floor.value == rule.categories
        return with_origin(rule.because, floor.origin if floor is not None and bound else "")

    def _by_row(self, facts: Facts, row: Row, pauses: tuple[Bound, ...]) -> Decision:
        origin = next((one.origin for one in pauses if facts.sim_age_ms < one.value), "")
        return Decision(
            outcome=row.outcome,
            row=row.id,
            because=with_origin(row.because, origin),
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
    """`policy`, proved as a whole and ready to decide.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    baseline = prove(policy)
    check_tightening(policy)
    check_incentives(policy)
    return CompiledPolicy(policy, baseline)


def recompile(policy: Policy) -> CompiledPolicy:
    """`policy`, which was proved when it was put into force, ready to decide as it did then.

    What an earlier version of the proofs let pass stays what it is; it is not judged again.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    return CompiledPolicy(policy, baseline_for(policy))
