"""The protection card: what protects a customer, in plain words, read off the policy in force.

    limits   what the policy decides on the least payment there is, on the steps on which this
             customer's payments stand now: its caps and its windows, and those of each next step
    waits    rows that hold back, refuse or ask for more; wrong PINs; recovery
    lost     how phones are blocked, who helps when, who is told
    never    what we never ask, from the words of education

No number is written by hand, so the card cannot say what the service does not do. The reasons of
the policy's rows stay out: they are in the one language that the policy is written in.

Source: ISO/TS 12812-2:2017, 7.3.6; 6.1
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.application.education.content import CONTENT
from tallystick.application.education.texts import LINES, in_time
from tallystick.application.education.texts.words import Plain
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import SECOND_MS
from tallystick.process.policy import CompiledPolicy, Decision
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
    Outcome,
)
from tallystick.process.policy.incentives import step_of
from tallystick.process.policy.language.model import Bounds, Ladder, Row, Window
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Aspect

Steps = tuple[tuple[str, int], ...]
"""The steps of a customer's payments: a ladder, and a place on it."""

_PAY: Final = Operation.PAY.value
_KINDS: Final = {
    Kind.P2P.value: Plain.SEND,
    Kind.CASH_OUT.value: Plain.WITHDRAW,
    Kind.MERCHANT.value: Plain.MERCHANT,
}
_DIALLED: Final = (Grade.PIN_VERIFIED, Grade.SIM_SIGNED, Grade.CODE_CONFIRMED)
_SIGNED: Final = (Grade.DEVICE_SIGNED_ATTESTED, Grade.DEVICE_SIGNED, Grade.PASSKEY)
_OF_DEVICES: Final = (Dependency.ATTESTATION.value, Dependency.REVOCATION.value)
_OF_SIMS: Final = (Dependency.SIM_SIGNAL.value,)
_PASSES: Final = frozenset({Outcome.ALLOW, Outcome.DELAY})
_ROWS: Final = {
    Outcome.DELAY: Plain.HELD,
    Outcome.DENY: Plain.REFUSED,
    Outcome.STEP_UP: Plain.MORE,
}
_MEASURED: Final = {
    "amount_minor": (Plain.UP_TO, Plain.ABOVE),
    "device_age_ms": (Plain.DEVICE_NEW, Plain.DEVICE_OLD),
    "account_age_ms": (Plain.ACCOUNT_NEW, Plain.ACCOUNT_OLD),
    "sim_age_ms": (Plain.SIM_NEW, Plain.SIM_OLD),
    "session_age_ms": (Plain.SESSION_NEW, Plain.SESSION_OLD),
    "minute_of_day": (Plain.BEFORE, Plain.FROM),
    "recent_failures": (Plain.NOT_FAILED, Plain.FAILED),
    "risk_score": (Plain.CALM, Plain.RISKY),
}
"""How a row that bounds this field from above is told, and one that bounds it from below."""
_PAYEES: Final = {False: Plain.NEW_PAYEE, True: Plain.KNOWN_PAYEE}


_Case = tuple[Plain, dict[str, object]]
"""What may be different of a payment: its words, and the facts that change."""


class _Card:
    """What one policy says to one sort of customer in one language."""

    __slots__ = ("_dials", "_facts", "_money", "_policy", "_says", "_tier")

    def __init__(
        self,
        policy: CompiledPolicy,
        tier: int,
        channel: str,
        says: Mapping[Plain, str],
        steps: Steps = (),
    ) -> None:
        self._policy, self._says, self._tier = policy, says, tier
        self._dials = channel == Channel.USSD.value
        grade = _DIALLED[0] if self._dials else _SIGNED[0]
        trust = DeviceTrust.NONE if self._dials else DeviceTrust.ATTESTED_HARDWARE
        self._facts = Facts(
            operation=_PAY,
            channel=channel,
            tier=tier,
            device_trust=trust.value,
            account_status=AccountStatus.ACTIVE.value,
            grade=grade.value,
            factors=tuple(one.value for one in Factor),
            amount_minor=1,
            currency=policy.policy.header.currency,
            payee_known=True,
            device_age_ms=FOREVER,
            account_age_ms=FOREVER,
            factor_age_ms=0,
            steps=steps,
        )

    def limits(self) -> Iterator[str]:
        ceiling = self._policy.ceiling_minor(self._tier)
        if ceiling != FOREVER:
            yield self._line(Plain.BALANCE, amount=self._amount(ceiling))
        usual = self._decided(self._facts)
        closed = [kind for kind, one in usual.items() if one.outcome not in _PASSES]
        if closed:
            yield self._line(Plain.NOT_SO, what=self._kinds(closed))
        yield from self._all(self._facts, self._cases())
        yield from self._next()

    def _next(self) -> Iterator[str]:
        """What is bounded otherwise on the next step of each ladder, and when at first.

        A ladder of agents says nothing here: it is the agent's whom one will meet.
        """
        steps = dict(self._facts.steps)
        cases = [one for one in self._cases() if one[0] is Plain.UNPROVEN]
        now = frozenset(self._all(self._facts, cases))
        for ladder in self._policy.policy.incentives:
            place = step_of(ladder, steps.get(ladder.id, 0))[0] + 1
            if not ladder.of or place == len(ladder.steps):
                continue
            raised = tuple({**steps, ladder.id: place}.items())
            time = in_time(ladder.steps[place].dwell_ms, self._says)
            for line in self._all(replace(self._facts, steps=raised), cases):
                if line not in now:
                    yield self._line(Plain.NEXT, time=time, line=line)

    def _all(self, facts: Facts, cases: Iterable[_Case]) -> Iterator[str]:
        """Every cap and window of `facts`, and those of the `cases` that bound them more."""
        usual = self._decided(facts)
        yield from self._bounded(usual, {}, ())
        for case, changes in cases:
            other = self._decided(replace(facts, **changes))
            yield from self._bounded(other, usual, (self._line(case),))

    def most(self, kind: str) -> int:
        steps = tuple(map(_highest, self._policy.policy.incentives))
        facts = replace(self._facts, kind=kind, steps=steps)
        found = (self._policy.decide(replace(facts, grade=one.value)) for one in _DIALLED)
        return max((one.cap_minor for one in found if one.outcome in _PASSES), default=FOREVER)

    def _cases(self) -> Iterator[_Case]:
        """What may be different of a payment, and bound it more."""
        yield Plain.NEW_PAYEE, {"payee_known": False}
        if not self._dials:
            trust, grade = DeviceTrust.SOFTWARE.value, Grade.DEVICE_SIGNED.value
            yield Plain.UNPROVEN, {"device_trust": trust, "grade": grade}
        failing = tuple(
            (name, 0)
            for name, rule in self._policy.policy.dependencies.items()
            if rule.on_failure == "reduced-limit"
            and _PAY in rule.operations
            and name not in (_OF_DEVICES if self._dials else _OF_SIMS)
        )
        if failing:
            yield Plain.UNSEEN, {"degraded": failing}

    def _decided(self, facts: Facts) -> dict[str, Decision]:
        return {kind: self._policy.decide(replace(facts, kind=kind)) for kind in _KINDS}

    def _bounded(
        self, decided: dict[str, Decision], usual: dict[str, Decision], when: tuple[str, ...]
    ) -> Iterator[str]:
        """The caps and windows of `decided`, of which those in `usual` were told already.

        Kinds of payments that are bounded alike share a line.
        """
        told: dict[_Bound, list[str]] = {}
        for kind, decision in decided.items():
            known = _strictest(usual[kind]) if kind in usual else {}
            for key, most in _strictest(decision).items() if decision.outcome in _PASSES else ():
                if most < known.get(key, FOREVER):
                    told.setdefault(_Bound(*key, most), []).append(kind)
        payable = [kind for kind, one in decided.items() if one.outcome in _PASSES]
        for bound in sorted(told, key=lambda one: (one.window_ms, one.counts)):
            kinds = told[bound]
            of_kinds = () if kinds == payable else (f"({self._kinds(kinds)})",)
            yield self._bound(bound, self._when((*of_kinds, *when)))

    def _bound(self, bound: "_Bound", when: str) -> str:
        if not bound.window_ms:
            return self._line(Plain.ONCE, when=when, amount=self._amount(bound.most))
        time = in_time(bound.window_ms, self._says)
        if bound.counts:
            return self._line(Plain.COUNT, when=when, time=time, count=bound.most)
        return self._line(Plain.WITHIN, when=when, time=time, amount=self._amount(bound.most))

    def waits(self) -> Iterator[str]:
        data = self._policy.policy
        rule = data.attempts
        time = in_time(rule.block_ms, self._says)
        yield self._line(Plain.TRIES, count=rule.limit, time=time)
        if rule.blocks:
            yield self._line(Plain.BLOCKS, count=rule.blocks)
        for row in data.decisions:
            if row.outcome in _ROWS and row.bounds and self._bears(row):
                yield self._row(row)
        recovery = data.recovery
        yield self._line(Plain.RECOVERY, time=in_time(recovery.cooling_ms, self._says))
        if recovery.per_payment_minor != FOREVER:
            after, amount = recovery.after_ms, self._amount(recovery.per_payment_minor)
            yield self._line(Plain.LOWERED, time=in_time(after, self._says), amount=amount)
        if data.education.terms:
            yield self._line(Plain.TERMS, count=data.education.terms)

    def lost(self) -> Iterator[str]:
        agents = self._policy.policy.recovery.agents
        yield self._line(Plain.BLOCK)
        opens, ends = _clock(agents.from_minute), _clock(agents.until_minute)
        yield self._line(Plain.AGENT, opens=opens, ends=ends)
        yield self._line(Plain.TOLD)

    def _bears(self, row: Row) -> bool:
        """Whether `row` can touch a payment of somebody of this tier who pays this way."""
        grades = _DIALLED if self._dials else _SIGNED
        mine: dict[str, tuple[object, ...]] = {
            "operation": (_PAY,),
            "channel": (self._facts.channel,),
            "tier": (self._tier,),
            "kind": tuple(_KINDS),
            "grade": tuple(one.value for one in grades),
            "account_status": (AccountStatus.ACTIVE.value,),
        }
        if self._dials:
            mine["device_trust"] = (DeviceTrust.NONE.value,)
        return all(
            any(word in mine.get(one.field, one.words) for word in one.words) for one in row.words
        )

    def _row(self, row: Row) -> str:
        fields = {"when": self._when(tuple(self._conditions(row)))}
        if row.outcome is Outcome.DELAY:
            fields["time"] = in_time(row.delay_ms, self._says)
        return self._line(_ROWS[row.outcome], **fields)

    def _conditions(self, row: Row) -> Iterator[str]:
        words = {one.field: one.words for one in row.words}
        kinds = [kind for kind in _KINDS if kind in words.get("kind", tuple(_KINDS))]
        if len(kinds) < len(_KINDS):
            yield f"({self._kinds(kinds)})"
        for payee in words.get("payee_known", ()) if len(words.get("payee_known", ())) == 1 else ():
            yield self._line(_PAYEES[bool(payee)])
        trusts = words.get("device_trust", ())
        if trusts and not self._dials:
            proven = DeviceTrust.ATTESTED_HARDWARE.value in trusts
            yield self._line(Plain.PROVEN if proven else Plain.UNPROVEN)
        for bounds in row.bounds:
            yield from self._measured(bounds)

    def _measured(self, bounds: Bounds) -> Iterator[str]:
        below, above = _MEASURED[bounds.field]
        if bounds.low > -FOREVER:
            yield self._line(above, **self._value(bounds.field, bounds.low, 0))
        if bounds.high < FOREVER:
            yield self._line(below, **self._value(bounds.field, bounds.high, 1))

    def _value(self, field: str, bound: int, upper: int) -> dict[str, object]:
        """How a line says a bound that is included: `upper` is 1 for one above, 0 for one below."""
        match field:
            case "amount_minor":
                return {"amount": self._amount(bound if upper else bound - 1)}
            case "minute_of_day":
                return {"clock": _clock(bound + upper)}
            case "recent_failures" | "risk_score":
                return {"count": bound}
            case _:
                whole = bound if (bound + upper) % SECOND_MS else bound + upper
                return {"time": in_time(whole, self._says)}

    def _when(self, parts: tuple[str, ...]) -> str:
        """`parts` behind what they restrict: with a space, and a comma between two."""
        return " " + ", ".join(parts).replace("), ", ") ") if parts else ""

    def _kinds(self, kinds: list[str]) -> str:
        return ", ".join(self._says[_KINDS[kind]] for kind in kinds)

    def _line(self, plain: Plain, **fields: object) -> str:
        return self._says[plain].format(**fields)

    def _amount(self, minor: int) -> str:
        return str(Money(minor, self._policy.policy.header.currency))


@dataclass(frozen=True, slots=True)
class _Bound:
    """What is bounded: of one payment (no window), or of those in a window its sum or count."""

    window_ms: int
    counts: bool
    most: int


def _strictest(decision: Decision) -> dict[tuple[int, bool], int]:
    """The least that a payment so decided meets, by window and by whether it counts payments."""
    found: dict[tuple[int, bool], int] = {(0, False): decision.cap_minor}
    windows = (
        Window(window_ms=one.window_ms, max_amount=one.max_amount, max_count=one.max_count)
        for one in decision.limits
    )
    for one in windows:
        for counts, most in ((False, one.max_amount), (True, one.max_count)):
            key = (one.window_ms, counts)
            found[key] = min(most, found.get(key, FOREVER))
    return {key: most for key, most in found.items() if most < FOREVER}


def _highest(ladder: Ladder) -> tuple[str, int]:
    """The step of `ladder` on which one payment is bounded least."""
    caps = [one.per_payment_minor for one in ladder.steps]
    return ladder.id, caps.index(max(caps))


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def protection(
    policy: CompiledPolicy, tier: int, channel: str, language: Language, steps: Steps = ()
) -> Mapping[Aspect, tuple[str, ...]]:
    """What protects a customer of `tier` who pays through `channel` (app or ussd), by aspect.

    `steps` are where payments of this customer stand on the policy's ladders now; without them, on
    the lowest.
    Raises NotPermitted for a tier that the policy does not declare.
    Source: ISO/TS 12812-2:2017, 7.3.6; 6.1
    """
    card = _Card(policy, tier, channel, LINES[language], steps)
    return {
        Aspect.LIMITS: tuple(card.limits()),
        Aspect.NEVER: CONTENT[language].never_contact,
        Aspect.WAITS: tuple(dict.fromkeys(card.waits())),
        Aspect.LOST: tuple(card.lost()),
    }


def most_at_once(policy: CompiledPolicy, tier: int, kind: str) -> int:
    """The most that one payment of `kind` can move that somebody of `tier` dials, in minor units.

    Of everything that may stand behind it the strongest counts, and of incentives the highest step;
    `FOREVER` where nothing is capped,
    or where the policy decides otherwise than by amount.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6
    """
    card = _Card(policy, tier, Channel.USSD.value, LINES[Language.ENGLISH])
    return card.most(kind)


def protection_card(
    policy: CompiledPolicy, tier: int, channel: str, language: Language, steps: Steps = ()
) -> tuple[str, ...]:
    """All lines of `protection`, for those who read them at once.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    found = protection(policy, tier, channel, language, steps)
    return tuple(line for aspect in Aspect for line in found[aspect])
