"""What a derivation rests on, put together from a programme, its analysis and its regimes.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.process.derivation.amounts import caps_for_appetite
from tallystick.process.derivation.derive import EMITTER, Basis
from tallystick.process.derivation.rules import Cap, Rules
from tallystick.process.derivation.wholes import Chosen, chosen_in
from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.regimes import baseline_of, regime, regime_names
from tallystick.process.programme.model import Programme
from tallystick.process.programme.organisation import staffing
from tallystick.process.programme.words import Bearer, NodeKind
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.losses.report import Inputs, Simulation
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.model import Control, Pack, Tree
from tallystick.process.risk.paths import Scenes

TIERS = (0, 1, 2, 3)
_GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Header:
    """What the policy says of itself: version, since when (ms), local time, how it is approved.

    `chosen` is what it carries on from the policy in force, None where there is none.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    provider: str
    version: int
    effective_at: int
    utc_offset: str
    approval: str
    chosen: Chosen | None = None


def following(before: Policy, now: int) -> Header:
    """The header of the policy after `before`, in force from `now`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    minutes = before.header.utc_offset_min
    hours, rest = divmod(abs(minutes), 60)
    return Header(
        provider=before.header.provider,
        version=before.header.version + 1,
        effective_at=now,
        utc_offset=f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}",
        approval=before.header.profile,
        chosen=chosen_in(before),
    )


def basis_of(
    rules: Rules, programme: Programme, pack: Pack, analysis: Analysis, header: Header
) -> Basis:
    """The basis of a policy for `programme` with the controls that `analysis` chose.

    Raises Malformed where a regime states its amounts in another currency, Unavailable without
    the extra `risk`.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    chosen = {one.control: pack.controls[one.control] for one in analysis.selection.chosen}
    regimes = regimes_of(programme)
    shut_out = frozenset(analysis.selection.shut_out)
    return Basis(
        programme=programme,
        controls=chosen,
        threats=threats_of(pack, analysis, chosen),
        profile=analysis.profile.id,
        baseline=baseline_of(
            map(regime, regimes),
            at=header.effective_at,
            currency=programme.offer.currency,
            tiers=TIERS,
        ),
        regimes=regimes,
        caps=caps_for_appetite(
            rules,
            programme,
            successes_of(rules, programme, pack, chosen, frozenset(chosen), shut_out),
        ),
        operators=staffing(programme).rules,
        channels=channels_of(programme, shut_out),
        provider=header.provider,
        version=header.version,
        effective_at=header.effective_at,
        utc_offset=header.utc_offset,
        approval=header.approval,
        chosen=header.chosen,
    )


def regimes_of(programme: Programme) -> tuple[str, ...]:
    """The generic regime and those that the jurisdictions of `programme` name and we have.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    named = {name for one in programme.jurisdictions.values() for name in one.regimes}
    named |= {one.country.lower() for one in programme.jurisdictions.values()}
    return (_GENERIC, *sorted((named & set(regime_names())) - {_GENERIC}))


def channels_of(programme: Programme, shut_out: frozenset[str]) -> tuple[str, ...]:
    """The channels that somebody can use who is not shut out, in the policy's words.

    Source: ISO/TS 12812-2:2017, 12.2
    """
    found: set[str] = {"operator", "scheduled"}
    for node in programme.nodes.values():
        served = [one for one in node.runs_on if one not in shut_out]
        if node.runs_on and not served:
            continue
        if node.kind is NodeKind.MOBILE_APP:
            found.add("app")
        elif node.kind is NodeKind.BROWSER:
            found.add("web")
        elif node.kind is NodeKind.AGENT_APP:
            found.add("agent")
        elif node.kind is NodeKind.PERSON_INTERFACE and _dials(programme, node.id):
            found.add("ussd")
    return tuple(sorted(found))


def _dials(programme: Programme, node: str) -> bool:
    dialled = (Bearer.USSD, Bearer.STK)
    return any(node in one.nodes() and one.bearer in dialled for one in programme.flows.values())


def threats_of(
    pack: Pack, analysis: Analysis, chosen: Mapping[str, Control]
) -> dict[str, tuple[str, ...]]:
    """For each chosen control the threat rules that fall without it, or else that it hinders.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    arising = {one.rule for one in analysis.instances}
    hindered: dict[str, set[str]] = {name: set() for name in chosen}
    for rule in pack.rules.values():
        if rule.id in arising:
            for name in controls_in(rule.tree):
                if name in hindered:
                    hindered[name].add(rule.id)
    needed = {
        one.control: {path.partition("@")[0] for path in one.paths}
        for one in analysis.selection.chosen
    }
    return {name: tuple(sorted(needed.get(name) or hindered[name])) for name in chosen}


def controls_in(tree: Tree) -> Iterator[str]:
    """Every control that hinders a step of `tree`.

    Source: ISO/IEC 18045, B.4
    """
    for step in tree.steps:
        for use in step.controls:
            yield use.control
    for inner in tree.trees:
        yield from controls_in(inner)


def successes_of(
    rules: Rules,
    programme: Programme,
    pack: Pack,
    chosen: Mapping[str, Control],
    there: frozenset[str],
    shut_out: frozenset[str] = frozenset(),
) -> dict[str, Decimal]:
    """Attacks that may succeed in a year with the controls `there`, by the cap that answers them.

    A cap answers what one of the `chosen` controls hinders that asks for it.
    Source: ISO/TS 12812-2:2017, 7.3.3; A
    """
    simulation = Simulation(
        Inputs(
            programme=programme,
            pack=pack,
            instances=match_rules(programme, pack),
            scenes=Scenes(programme, pack),
            shut_out=shut_out,
            limits={},
            seed="caps",
            years=1,
        ),
        1,
    )
    expected = simulation.successes(there)
    found: dict[str, Decimal] = {}
    for cap in rules.caps.values():
        behind = asking(chosen.values(), cap)
        total = sum(
            share
            for name, share in expected.items()
            if behind.intersection(controls_in(pack.rules[name].tree))
        )
        found[cap.id] = Decimal(str(round(total, 6)))
    return found


def asking(controls: Iterable[Control], cap: Cap) -> frozenset[str]:
    """Those of `controls` that ask for `cap`.

    Source: ISO/TS 12812-2:2017, 7.3.3; A
    """
    return frozenset(one.id for one in controls if EMITTER + cap.emitter in one.enforced_by)
