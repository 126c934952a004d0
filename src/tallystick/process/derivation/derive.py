"""Puts a policy together: the rows that the chosen controls ask for, with values of the profile.

A row is there when a control that asks for it is chosen, and the channel that it speaks of is
offered. A regime that asks for a pause or a cap gets it whether or not a control does.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Table

from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc
from tallystick.process.derivation.amounts import CapReason, duration, multiples
from tallystick.process.derivation.rules import PROFILES, RowRule, Rules, values_named
from tallystick.process.derivation.wholes import (
    ATTESTED,
    DEFAULT,
    Chosen,
    as_tree,
    attempts,
    attested_floor,
    authenticators,
    capped,
    carried_on,
    factors,
    halves,
    operators,
    sessions,
    told,
)
from tallystick.process.derivation.writing import block, items
from tallystick.process.policy.language.model import OperatorRules
from tallystick.process.policy.regimes import BALANCE, DAY, MONTH, PER_PAYMENT, Baseline, Bound
from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Control
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.section import duration_ms
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence

_AT = Position(line=1, column=1)
EMITTER = "policy:"
"""What a word of `Control.enforced_by` begins with that a policy enforces."""

_WINDOWS = ((DAY, "PT24H"), (MONTH, "P30D"))
_SHOWN = 3
_EARNED = re.compile(r"^agent_[0-9]_(?:payment|day)$")
"""Limits that an agent earns; never above those of a business under contract."""

_LONGEST = 400
"""Characters of a reason that the policy language takes."""


class Basis(Record, frozen=True, kw_only=True):
    """Everything that a derivation rests on.

    `threats` maps a chosen control to the threat rules whose paths need it. `approval` is the
    policy profile (`demo` or `production`), `profile` the risk profile (P1 to P4); `chosen` is what
    the provider decided in the policy in force, None where there is none.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    programme: Programme
    controls: Table[str, Control]
    threats: Table[str, tuple[str, ...]]
    profile: str
    baseline: Baseline
    regimes: tuple[str, ...]
    caps: Table[str, CapReason]
    operators: OperatorRules
    channels: tuple[str, ...]
    provider: str
    version: int
    effective_at: int
    utc_offset: str
    approval: str
    chosen: Chosen | None


class Reason(Record, frozen=True, kw_only=True):
    """Why a row of a derived policy is there: controls, threats, requirements, articles.

    `amount` says where a cap comes from; it is for officers, not for whoever is refused.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    row: str
    controls: tuple[str, ...]
    threats: tuple[str, ...]
    requirements: tuple[str, ...]
    articles: tuple[str, ...]
    amount: str


class Derived(Record, frozen=True, kw_only=True):
    """The text of a policy, and why each row is in it.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    text: str
    reasons: tuple[Reason, ...]


def derive(rules: Rules, basis: Basis) -> Derived:
    """The policy that `basis` calls for.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    return _Derivation(rules, basis).run()


class _Derivation:
    def __init__(self, rules: Rules, basis: Basis) -> None:
        self._rules, self._basis = rules, basis
        column = PROFILES.index(basis.profile)
        self._emitters: dict[str, list[Control]] = {}
        for control in basis.controls.values():
            for word in control.enforced_by:
                if word.startswith(EMITTER):
                    self._emitters.setdefault(word.removeprefix(EMITTER), []).append(control)
        self._values: dict[str, str | int] = {
            **{name: row[column] for name, row in rules.values.items()},
            **{name: row[column] for name, row in rules.numbers.items()},
            **multiples(rules, basis.programme.offer, basis.profile),
            **{name: cap.amount for name, cap in basis.caps.items()},
            ATTESTED: attested_floor(basis.programme),
        }
        self._articles: dict[str, list[str]] = {}
        self._bind()
        self._values |= halves(self._values, (*basis.caps, "tier_1_payment"))
        self._reasons: list[Reason] = []

    def run(self) -> Derived:
        """The text and its reasons."""
        basis, rules = self._basis, self._rules
        lines = [
            "# Derived from a programme and its risk analysis; a person may change it before it",
            f"# is signed. Rules {rules.id}, profile {basis.profile}.",
            "",
            *block("policy", self._header()),
            *(("", f"regimes: [{', '.join(basis.regimes)}]") if basis.regimes else ()),
            "",
            *block("tiers", self._filled(rules.tiers, "tiers")),
            "",
            *block("factors", as_tree(factors(basis.baseline, self._values))),
            "",
            *block("sessions", as_tree(sessions(self._values))),
            "",
            *block("attempts", as_tree(attempts(self._values))),
            *self._codes(),
            "",
            *block("quotes", as_tree({"life": self._values["quote_life"]})),
            "",
            *block("handshake", as_tree(self._handshake())),
            "",
            "limits:",
            *items(tuple(self._rows(rules.limits))),
            "",
            "# Ordered; the first row that matches decides.",
            "decisions:",
            *items(tuple(self._rows(rules.decisions))),
            "",
            *block("default", as_tree(DEFAULT)),
            "",
            *block("dependencies", self._dependencies()),
            "",
            *block("operators", as_tree(operators(basis.operators))),
            "",
            *block("recovery", self._filled(self._offered_recovery(), "recovery")),
            "",
            *block("devices", self._filled(carried_on(rules.devices, basis.chosen), "devices")),
            "",
            *block("education", self._filled(told(rules.education, basis.chosen), "education")),
            *self._listed(
                "incentives", rules.incentives, "Rise with evidence, fall with findings."
            ),
            *self._listed(
                "tightening", rules.tightening, "What the service may tighten by itself."
            ),
            *self._caps(),
        ]
        return Derived(text="\n".join(lines) + "\n", reasons=tuple(self._reasons))

    def _codes(self) -> Iterator[str]:
        """The codes that count as a factor; nothing where none does."""
        basis = self._basis
        found = authenticators(self._rules.authenticators, basis.chosen, basis.channels)
        if found.entries:
            yield from ("", "# Codes of authenticators that customers brought along.")
            yield from block("authenticators", found)

    def _caps(self) -> Iterator[str]:
        """How much all tightenings together may touch; nothing where nobody said so."""
        found = capped(self._basis.chosen)
        if found is not None:
            yield from ("", *block("tightening_caps", found))

    def _listed(self, name: str, rules: tuple[RowRule, ...], says: str) -> Iterator[str]:
        """The section `name` with the entries that the service has; nothing where it has none."""
        entries = tuple(self._rows(rules))
        if entries:
            yield from ("", f"# {says}", f"{name}:")
            yield from items(entries)

    def _offered_recovery(self) -> Mapping:
        """The rules of recovery, without those of agents where no agent serves."""
        entries, chosen = dict(self._rules.recovery.entries), self._basis.chosen
        if "agent" not in self._basis.channels:
            del entries["agents"]
        elif chosen is not None and chosen.bounded_enrolment:
            at, agents = entries["agents"]
            more = {"enrolment": (_AT, as_tree("bounded"))}
            inner = agents.entries if isinstance(agents, Mapping) else {}
            entries["agents"] = (at, Mapping({**inner, **more}, at))
        return Mapping(entries, _AT)

    def _header(self) -> Node:
        basis = self._basis
        return as_tree(
            {
                "provider": basis.provider,
                "version": basis.version,
                "effective_at": iso_utc(basis.effective_at)[:19] + "Z",
                "currency": basis.programme.offer.currency,
                "profile": basis.approval,
                "utc_offset": basis.utc_offset,
            }
        )

    def _bind(self) -> None:
        """Bring values under what the regimes ask, and remember which article did it."""
        baseline = self._basis.baseline
        self._longest("idle", baseline.idle)
        if baseline.attempts is not None and baseline.attempts.value < self._number("attempts"):
            self._values["attempts"] = baseline.attempts.value
            self._articles.setdefault("attempts", []).append(baseline.attempts.origin)
        for pause in baseline.pauses:
            if pause.bound.value > _ms(self._values["sim_pause"]):
                self._values["sim_pause"] = duration(pause.bound.value)
            self._articles.setdefault("sim_pause", []).append(pause.bound.origin)
        for tier in range(4):
            for measure, word in (
                (PER_PAYMENT, "payment"),
                (DAY, "day"),
                (MONTH, "month"),
                (BALANCE, "balance"),
            ):
                bound = self._bound(tier, measure)
                name = f"tier_{tier}_{word}"
                if bound is not None and bound.value < self._number(name):
                    self._values[name] = bound.value
                    self._articles.setdefault(name, []).append(bound.origin)
        for name in [one for one in self._values if _EARNED.match(one)]:
            most = self._number("tier_3_payment" if name.endswith("payment") else "tier_3_day")
            self._values[name] = min(self._number(name), most)

    def _longest(self, name: str, bound: Bound | None) -> None:
        if bound is not None and bound.value < _ms(self._values[name]):
            self._values[name] = duration(bound.value)
            self._articles.setdefault(name, []).append(bound.origin)

    def _number(self, name: str) -> int:
        value = self._values.get(name)
        return value if isinstance(value, int) else 2**62

    def _bound(self, tier: int, measure: str) -> Bound | None:
        found = [
            one.bound
            for one in self._basis.baseline.amounts
            if one.measure == measure and tier in one.tiers
        ]
        return min(found, key=lambda one: one.value, default=None)

    def _rows(self, rules: tuple[RowRule, ...]) -> Iterator[Node]:
        for rule in rules:
            behind = [one for word in rule.emitters for one in self._emitters.get(word, ())]
            asked = rule.id == "sim-just-changed" and self._basis.baseline.pauses
            if rule.emitters and not behind and not asked:
                continue
            if rule.channels and not set(rule.channels) & set(self._basis.channels):
                continue
            row = self._filled(_offered(rule.row, self._basis.channels), rule.id)
            if isinstance(row, Mapping) and row.entries:
                yield self._with_reason(rule, self._with_windows(rule, row), behind)

    def _with_windows(self, rule: RowRule, row: Mapping) -> Mapping:
        """A tier's limit with the windows that regimes cap and the rules leave open."""
        tier = rule.id.removeprefix("tier-")
        if tier == rule.id or not tier.isdigit():
            return row
        windows = row.entries["windows"][1]
        items_given = windows.items if isinstance(windows, Sequence) else (windows,)
        given = {str(_entry(one, "window")) for one in items_given}
        more: list[Node] = []
        for measure, window in _WINDOWS:
            bound = self._bound(int(tier), measure)
            if bound is not None and window not in given:
                more.append(as_tree({"window": window, "amount": bound.value}))
                self._articles.setdefault(rule.id, []).append(bound.origin)
        entries = {**row.entries, "windows": (_AT, Sequence((*items_given, *more), _AT))}
        return Mapping(entries, _AT)

    def _with_reason(self, rule: RowRule, row: Mapping, behind: list[Control]) -> Mapping:
        named = list(values_named(rule.row))
        articles = [one for name in (rule.id, *named) for one in self._articles.get(name, ())]
        amounts = [self._basis.caps[name].because for name in named if name in self._basis.caps]
        reason = Reason(
            row=rule.id,
            controls=tuple(sorted(one.id for one in behind)),
            threats=_sorted(
                threat for one in behind for threat in self._basis.threats.get(one.id, ())
            ),
            requirements=_sorted(
                (*rule.serves, *(name for one in behind for name in one.requirements))
            ),
            articles=_sorted(articles),
            amount="; ".join(dict.fromkeys(amounts)),
        )
        self._reasons.append(reason)
        text = _because(rule.because, reason)
        return Mapping({**row.entries, "because": (_AT, Scalar(text, _AT))}, _AT)

    def _filled(self, node: Node, where: str) -> Node:
        if isinstance(node, Mapping):
            return Mapping(
                {word: (at, self._filled(one, where)) for word, (at, one) in node.entries.items()},
                node.at,
            )
        if isinstance(node, Sequence):
            return Sequence(tuple(self._filled(one, where) for one in node.items), node.at)
        if isinstance(node.value, str) and node.value.startswith("$"):
            return Scalar(self._values[node.value[1:]], node.at)
        return node

    def _handshake(self) -> dict[str, str | list[str]]:
        hybrid = "hpke-mlkem768-x25519"
        if "hybrid-suites" in self._emitters and self._basis.profile == "P4":
            return {"suites": [hybrid], "preferred": hybrid}
        return {"suites": [hybrid, "hpke-x25519", "hpke-p256"], "preferred": hybrid}

    def _dependencies(self) -> Node:
        roles = tuple(self._basis.operators.roles)
        officers = [one for one in roles if "activate-policy" in self._basis.operators.roles[one]]
        tell = as_tree([*officers[:1], *(one for one in roles if one not in officers)][:2])
        entries: dict[str, tuple[Position, Node]] = {}
        for name, (at, node) in self._rules.dependencies.entries.items():
            one = self._filled(node, name)
            if isinstance(one, Mapping):
                entries[name] = (at, Mapping({**one.entries, "tell": (at, tell)}, at))
        return Mapping(entries, _AT)


def _because(text: str, reason: Reason) -> str:
    """The reason as people read it, and in brackets what it rests on, cut to what a row may say."""
    shown = [*_few(reason.threats), *_few(reason.requirements), *reason.articles]
    return f"{text} [{', '.join(shown)}]"[:_LONGEST] if shown else text


def _few(names: tuple[str, ...]) -> Iterator[str]:
    yield from names[:_SHOWN]
    if len(names) > _SHOWN:
        yield f"{len(names) - _SHOWN} more"


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _offered(row: Mapping, channels: tuple[str, ...]) -> Mapping:
    """The row with the channels that are offered; empty where it speaks of none of them."""
    if "when" not in row.entries:
        return row
    when = row.entries["when"][1]
    spoken = when.entries.get("channel") if isinstance(when, Mapping) else None
    if spoken is None or not isinstance(when, Mapping):
        return row
    at, node = spoken
    listed = node.items if isinstance(node, Sequence) else (node,)
    left = tuple(one for one in listed if isinstance(one, Scalar) and one.value in channels)
    if not left:
        return Mapping({}, row.at)
    narrowed = left[0] if len(left) == 1 else Sequence(left, at)
    inner = Mapping({**when.entries, "channel": (at, narrowed)}, when.at)
    return Mapping({**row.entries, "when": (row.at, inner)}, row.at)


def _entry(node: Node, word: str) -> object:
    if isinstance(node, Mapping):
        value = node.entries[word][1]
        return value.value if isinstance(value, Scalar) else None
    return None


def _ms(value: str | int) -> int:
    return (duration_ms(value) if isinstance(value, str) else value) or 0
