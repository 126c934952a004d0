"""Probes of what the policy decides: facts that must be refused, and what makes a difference.

Nothing is executed: a decision is a pure function of facts.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3; 12.2; 13.2
"""

from collections.abc import Iterator
from itertools import product
from time import perf_counter_ns
from typing import Final

from tallystick.entry.proving.looking import Declared, Seen, declare, failed, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.policy.compile import CompiledPolicy, recompile
from tallystick.process.policy.facts import (
    FOREVER,
    AccountStatus,
    Channel,
    Dependency,
    DeviceTrust,
    Factor,
    Facts,
    Grade,
    Kind,
    Operation,
    OperatorAct,
    Outcome,
)

PACE_MS: Final = 100
"""How long 95 of 100 decisions may take."""

_ROUNDS: Final = 2_000
_FAR_TOO_MUCH: Final = 10**12
_NEVER_ALONE: Final = tuple(
    one.value
    for one in (
        OperatorAct.ACTIVATE_POLICY,
        OperatorAct.ENROL_OPERATOR,
        OperatorAct.FUND_ACCOUNT,
        OperatorAct.REVERSE_PAYMENT,
    )
)
_BOTH: Final = (Factor.POSSESSION.value, Factor.INHERENCE.value)
_OLD_MS: Final = 400 * DAY_MS
_LONG_MS: Final = 30 * DAY_MS

_DECLARED: Final[tuple[Declared, ...]] = (
    ("decide.one-factor", CheckKind.NEGATIVE, ("MFS-7.3.2-01", "MFS-11.2.1-01"),
     "no single category of factors pays or logs in, on any channel"),
    ("decide.channels", CheckKind.NEGATIVE, ("MFS-12.2-01",),
     "what an attested phone may pay, a dialled PIN may not"),
    ("decide.context", CheckKind.NEGATIVE, ("MFS-7.3.2-12",),
     "a new device, a risky order and failures before it each change the decision"),
    ("decide.fraud", CheckKind.NEGATIVE, (part("MFS-7.3.3-05"),),
     "an order that monitoring is sure of is denied"),
    ("decide.pace", CheckKind.TELEMETRY, (part("MFS-7.3.3-05"),),
     "95 of 100 decisions take less than 100 ms"),
    ("decide.sim", CheckKind.NEGATIVE, (part("MFS-7.3.2-10"),),
     "a dialled order is denied after a change of SIM, and reduced where none can be seen"),
    ("decide.stale-evidence", CheckKind.NEGATIVE, (part("MFS-7.3.5-02"),),
     "orders stop where evidence of devices cannot be renewed for too long"),
    ("decide.stopped", CheckKind.NEGATIVE, (part("MFS-12.3-04"), part("MFS-7.4.1-10")),
     "a suspended, dormant or erased account pays nothing"),
    ("decide.tiers", CheckKind.NEGATIVE, ("MFS-13.2-04", part("MFS-B-01")),
     "each tier is denied one unit above its cap"),
    ("decide.one-less", CheckKind.NEGATIVE, (part("MFS-7.1-05"),),
     "whichever one limit or row is taken away, an order far above all limits is denied"),
    ("decide.two-people", CheckKind.NEGATIVE, (part("MFS-8.2.2-02"), part("MFS-13.2-03")),
     "what takes two people is refused to one, whatever the role"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class DecisionProbes:
    """Asks the policy in force.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "decide.one-factor": self.one_factor,
            "decide.channels": self.channels,
            "decide.context": self.context,
            "decide.fraud": self.fraud,
            "decide.pace": self.pace,
            "decide.sim": self.sim,
            "decide.stale-evidence": self.stale_evidence,
            "decide.stopped": self.stopped,
            "decide.tiers": self.tiers,
            "decide.one-less": self.one_less,
            "decide.two-people": self.two_people,
        }
        declare(registry, _DECLARED, looks)

    def _policy(self) -> CompiledPolicy:
        return recompile(policy_in_force(self._site)[0])

    def one_factor(self, now: Instant) -> Seen:
        """Pays and logs in with each category alone, on each channel.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        policy = self._policy()
        tried: list[Facts] = []
        for channel, factor in product(Channel, Factor):
            alone = replace(
                best(policy), channel=channel.value, factors=(factor.value, factor.value)
            )
            tried += [alone, replace(alone, operation=Operation.LOGIN.value, kind=Kind.NONE.value)]
        return _none_allowed(policy, tried)

    def channels(self, now: Instant) -> Seen:
        """Pays by a dialled PIN what an attested phone may just pay.

        Source: ISO/TS 12812-2:2017, 12.2
        """
        policy = self._policy()
        most = replace(best(policy), device_trust=DeviceTrust.ATTESTED_HARDWARE.value,
                       grade=Grade.DEVICE_SIGNED_ATTESTED.value)  # fmt: skip
        most = replace(most, amount_minor=_most(policy, most))
        if policy.decide(most).outcome is not Outcome.ALLOW:
            return unknown("an attested phone may pay nothing")
        return _none_allowed(policy, [replace(dialled(policy), amount_minor=most.amount_minor)])

    def context(self, now: Instant) -> Seen:
        """Changes one circumstance of an order that is allowed, the largest of its kind.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        policy = self._policy()
        allowed = best(policy)
        allowed = replace(allowed, amount_minor=_most(policy, allowed))
        before = policy.decide(allowed)
        if before.outcome is not Outcome.ALLOW:
            return unknown("no order is allowed")
        changed = {
            "a new device": replace(allowed, device_age_ms=0),
            "a risky order": replace(allowed, risk_score=1000),
            "failures before it": replace(allowed, recent_failures=9),
        }
        same = [
            name for name, facts in changed.items() if policy.decide(facts).outcome is Outcome.ALLOW
        ]
        return judged(
            not same,
            f"{len(changed)} circumstances, each changes the decision",
            f"makes no difference: {', '.join(same)}",
            attempts=len(changed),
            refused=len(changed) - len(same),
        )

    def fraud(self, now: Instant) -> Seen:
        """Orders with the highest score of risk, on each channel.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        policy = self._policy()
        sure = [replace(one, risk_score=1000) for one in (best(policy), dialled(policy))]
        return _none_allowed(policy, sure)

    def pace(self, now: Instant) -> Seen:
        """Takes the time of decisions on orders that differ.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        policy, facts = self._policy(), best(self._policy())
        took: list[int] = []
        for amount in range(1, _ROUNDS + 1):
            asked = replace(facts, amount_minor=amount * 1_000)
            began = perf_counter_ns()
            policy.decide(asked)
            took.append(perf_counter_ns() - began)
        p95 = sorted(took)[len(took) * 95 // 100]
        return judged(
            p95 < PACE_MS * 1_000_000,
            f"p95 {p95 // 1000} microseconds of {len(took)} decisions",
            f"p95 {p95 // 1_000_000} ms of {len(took)} decisions",
            decisions=len(took),
            p95_us=p95 // 1000,
        )

    def sim(self, now: Instant) -> Seen:
        """Dials after a change of SIM, and where nobody tells of changes.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        policy = self._policy()
        usual = dialled(policy)
        most = _most(policy, usual)
        unseen = replace(
            usual, amount_minor=most, degraded=((Dependency.SIM_SIGNAL.value, _LONG_MS),)
        )
        return _none_allowed(policy, [replace(usual, sim_age_ms=0), unseen], most=most)

    def stale_evidence(self, now: Instant) -> Seen:
        """Orders while attestation and revocation have been out of reach for a month.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        policy, names = self._policy(), (Dependency.ATTESTATION, Dependency.REVOCATION)
        return _none_allowed(
            policy, [replace(best(policy), degraded=((one.value, _LONG_MS),)) for one in names]
        )

    def stopped(self, now: Instant) -> Seen:
        """Orders from accounts that were stopped.

        Source: ISO/TS 12812-2:2017, 12.3; 7.4.1
        """
        policy = self._policy()
        states = (AccountStatus.SUSPENDED, AccountStatus.DORMANT, AccountStatus.ERASED)
        return _none_allowed(
            policy,
            [
                replace(facts, account_status=status.value)
                for facts in (best(policy), dialled(policy))
                for status in states
            ],
        )

    def tiers(self, now: Instant) -> Seen:
        """Orders one unit above what each tier may pay at once.

        Source: ISO/TS 12812-2:2017, 13.2; B
        """
        policy = self._policy()
        above: list[Facts] = []
        for tier in sorted(policy.policy.tiers):
            caps = [
                limit.per_payment_minor
                for limit in policy.policy.limits
                for words in limit.words
                if words.field == "tier" and tier in words.words
            ]
            if not caps:
                return judged(False, "", f"tier {tier} has no limit", tier=tier)
            above.append(replace(best(policy), tier=tier, amount_minor=min(caps) + 1))
        return _none_allowed(policy, above)

    def one_less(self, now: Instant) -> Seen:
        """Takes each limit and each row that refuses away in turn, and orders far too much.

        Source: ISO/TS 12812-2:2017, 7.1
        """
        whole = policy_in_force(self._site)[0]
        refusing = [one.id for one in whole.decisions if one.outcome is not Outcome.ALLOW]
        lacking = [
            replace(whole, limits=tuple(it for it in whole.limits if it is not one))
            for one in whole.limits
        ] + [
            replace(whole, decisions=tuple(it for it in whole.decisions if it.id != one))
            for one in refusing
        ]
        passed: list[str] = []
        for less in lacking:
            policy = recompile(less)
            for facts in (best(policy), dialled(policy)):
                much = replace(facts, amount_minor=_FAR_TOO_MUCH, payee_known=False)
                if policy.decide(much).outcome is Outcome.ALLOW:
                    passed.append(facts.channel)
        return judged(
            bool(lacking) and not passed,
            f"{len(lacking)} controls taken away in turn, {2 * len(lacking)} orders denied",
            f"{len(passed)} orders were allowed, over {', '.join(sorted(set(passed)))}",
            controls=len(lacking),
            allowed=len(passed),
        )

    def two_people(self, now: Instant) -> Seen:
        """Asks for each act that takes two people, in each role that has it, alone.

        Source: ISO/TS 12812-2:2017, 8.2.2; 6.2.1
        """
        policy = self._policy()
        tried = list(_alone(policy))
        return _none_allowed(policy, tried) if tried else failed("no role has such an act")


def best(policy: CompiledPolicy) -> Facts:
    """An ordinary small order from a phone and account of the highest tier for persons.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    tiers = sorted(policy.policy.tiers)
    return Facts(
        operation=Operation.PAY.value,
        channel=Channel.APP.value,
        tier=tiers[-2] if len(tiers) > 1 else tiers[0],
        device_trust=DeviceTrust.SOFTWARE.value,
        account_status=AccountStatus.ACTIVE.value,
        kind=Kind.P2P.value,
        grade=Grade.DEVICE_SIGNED.value,
        factors=_BOTH,
        amount_minor=100,
        currency=policy.policy.header.currency,
        payee_known=True,
        device_age_ms=_OLD_MS,
        account_age_ms=_OLD_MS,
        sim_age_ms=FOREVER,
    )


def dialled(policy: CompiledPolicy) -> Facts:
    """The same order, dialled and confirmed by a PIN.

    Source: ISO/TS 12812-2:2017, 12.2
    """
    return replace(
        best(policy),
        channel=Channel.USSD.value,
        device_trust=DeviceTrust.NONE.value,
        grade=Grade.PIN_VERIFIED.value,
        factors=(Factor.POSSESSION.value, Factor.KNOWLEDGE.value),
        device_age_ms=0,
    )


def _most(policy: CompiledPolicy, facts: Facts) -> int:
    """The largest amount that is allowed, by the cap that the decision names."""
    cap = policy.decide(facts).cap_minor
    return facts.amount_minor if cap >= FOREVER else cap


def _alone(policy: CompiledPolicy) -> Iterator[Facts]:
    operators = policy.policy.operators
    for role, acts in sorted(operators.roles.items()):
        for act in sorted(set(acts) & {*operators.two_people, *_NEVER_ALONE}):
            yield Facts(
                operation=Operation.OPERATE.value,
                channel=Channel.OPERATOR.value,
                tier=0,
                device_trust=DeviceTrust.NONE.value,
                account_status=AccountStatus.ACTIVE.value,
                factors=_BOTH,
                operator_role=role,
                act=act,
                approvals=1,
            )


def _none_allowed(policy: CompiledPolicy, tried: list[Facts], **more: int) -> Seen:
    """Passed if none of `tried` is allowed."""
    if not tried:
        return unknown("there was nothing to try")
    allowed = [one for one in tried if policy.decide(one).outcome is Outcome.ALLOW]
    first = allowed[0] if allowed else tried[0]
    what = first.act or f"{first.operation} of {first.amount_minor} over {first.channel}"
    return judged(
        not allowed,
        f"{len(tried)} of {len(tried)} were not allowed",
        f"{len(allowed)} of {len(tried)} were allowed: {what}",
        attempts=len(tried),
        refused=len(tried) - len(allowed),
        **more,
    )
