"""One call from a programme and a pack to the whole result, as data and as canonical JSON.

Equal programme, pack, observation and options give equal bytes, unless a limit of time ended the
search for the cheapest set early; the result says so.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.programme.model import Programme
from tallystick.process.risk.findings import Finding, findings_of
from tallystick.process.risk.losses.report import YEARS, Inputs, LossReport, loss_report
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.model import (
    AttackPath,
    Instance,
    Pack,
    Rejection,
    Selection,
    Verdict,
)
from tallystick.process.risk.paths import Scenes, attack_paths, path_id
from tallystick.process.risk.rating import Profile, profile_of
from tallystick.process.risk.residual import (
    Observation,
    Standing,
    declared,
    highest_inherent,
    standings,
)
from tallystick.process.risk.selection.choosing import Chosen, Units, choose
from tallystick.process.risk.selection.explain import explain_chosen, explain_rejected, sums
from tallystick.process.risk.selection.pareto import Point, front
from tallystick.process.risk.selection.problem import Rules, rules_of, units_of
from tallystick.process.risk.selection.robustness import Variant, robust_controls, variants
from tallystick.process.risk.selection.solving import TIME_LIMIT_S

FORMAT = 1
"""The version of the result's shape."""

Stage = Callable[[str], None]
"""Told what is done next."""


class Levels(Record, frozen=True, kw_only=True):
    """The highest risk (L x I, 1 to 25) in the three states; 0 where nothing is served.

    Source: ISO/TS 12812-2:2017, A
    """

    inherent: int
    designed: int
    observed: int


class Treatment(Record, frozen=True, kw_only=True):
    """What is done for a requirement: the chosen controls that serve it, the others that could.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.1
    """

    chosen: tuple[str, ...]
    others: tuple[str, ...]
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: seed and years of the simulation, seconds of the solver, paths of an instance.

    `limits` has what a control lets through for one payment, where a policy says it. `front` asks
    for cost against friction, which takes seven choices more.
    Source: ISO/TS 12812-2:2017, A
    """

    seed: str = "tallystick"
    years: int = YEARS
    limit_s: float = TIME_LIMIT_S
    most_paths: int = 5
    limits: Mapping[str, Money] | None = None
    front: bool = False


class Analysis(Record, frozen=True, kw_only=True):
    """The whole result of a run.

    `basis` says whether what is observed was observed or only declared. `truncated` counts, for an
    instance, the paths behind the ones listed. `unmet` maps a mandatory control that cannot be had
    to its requirements. `labels` has the words of rules and controls.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    format: int
    programme: str
    programme_digest: str
    pack: str
    pack_digest: str
    basis: str
    counts: Mapping[str, int]
    profile: Profile
    instances: tuple[Instance, ...]
    paths: tuple[AttackPath, ...]
    truncated: Mapping[str, int]
    standings: tuple[Standing, ...]
    by_asset: Mapping[str, Levels]
    by_service: Mapping[str, Levels]
    by_layer: Mapping[str, Levels]
    findings: tuple[Finding, ...]
    selection: Selection
    unmet: Mapping[str, tuple[str, ...]]
    variants: tuple[Variant, ...]
    front: tuple[Point, ...]
    treatments: Mapping[str, Treatment]
    loss: LossReport
    labels: Mapping[str, str]


def analyse(
    programme: Programme,
    pack: Pack,
    observation: Observation | None = None,
    options: Options | None = None,
    stage: Stage | None = None,
) -> Analysis:
    """Match, choose, explain, judge and simulate; `stage` hears what is done next.

    Without an observation what the programme says is in place counts as observed.
    Raises Conflict where the controls contradict themselves, Unavailable without the extra `risk`.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    asked, tell = options or Options(), stage or _silent
    seen = declared(programme) if observation is None else observation
    tell("finding where threats arise")
    instances = match_rules(programme, pack)
    scenes = Scenes(programme, pack)
    units, rules = units_of(instances, scenes), rules_of(programme, pack)
    tell("choosing controls")
    chosen = choose(rules, units, asked.limit_s)
    answer = chosen.answer
    tell("moving every rating by a word")
    tried = variants(programme, pack, instances, asked.limit_s)
    tell("explaining the choice")
    selection = _selection(programme, pack, rules, chosen, units, tried)
    points = front(programme, pack, units, asked.limit_s) if asked.front else ()
    tell("judging every instance")
    stood = standings(programme, pack, scenes, instances, answer.chosen, answer.shut_out, seen)
    listed = {one.id: one for one in instances}
    found = findings_of(pack, scenes, listed, stood, answer.chosen, seen)
    tell("simulating years of loss")
    inputs = Inputs(
        programme=programme,
        pack=pack,
        instances=instances,
        scenes=scenes,
        shut_out=answer.shut_out,
        limits=asked.limits or {},
        seed=asked.seed,
        years=asked.years,
    )
    return _Result(
        inputs=inputs,
        basis="declared" if observation is None else "observed",
        units=units,
        selection=selection,
        chosen=answer.chosen,
        variants=tried,
        front=points,
        standings=stood,
        findings=found,
        loss=loss_report(inputs, answer.chosen),
    ).analysis(asked.most_paths)


@dataclass(frozen=True, slots=True)
class _Result:
    """What the stages of a run came to."""

    inputs: Inputs
    basis: str
    units: Units
    selection: Selection
    chosen: frozenset[str]
    variants: tuple[Variant, ...]
    front: tuple[Point, ...]
    standings: tuple[Standing, ...]
    findings: tuple[Finding, ...]
    loss: LossReport

    def analysis(self, most_paths: int) -> Analysis:
        """All of it in one record."""
        programme, pack, instances = self.inputs.programme, self.inputs.pack, self.inputs.instances
        stood, listed = self.standings, {one.id: one for one in instances}
        paths, truncated = _paths(self.inputs.scenes, instances, most_paths)
        return Analysis(
            format=FORMAT,
            programme=programme.offer.id,
            programme_digest=sha256(encode_canonical(programme)).hex(),
            pack=pack.id,
            pack_digest=pack.digest,
            basis=self.basis,
            counts=_counts(pack, instances, self.units, self.findings, stood),
            profile=profile_of(highest_inherent(stood).risk),
            instances=instances,
            paths=paths,
            truncated=truncated,
            standings=stood,
            by_asset=_levels(stood, lambda one: (listed[one.instance].asset,)),
            by_service=_levels(stood, lambda one: _services(programme, pack, listed[one.instance])),
            by_layer=_levels(stood, lambda one: (_layer(pack, listed[one.instance]),)),
            findings=self.findings,
            selection=self.selection,
            unmet={
                one.id: one.mandatory
                for one in pack.controls.values()
                if one.mandatory and one.id not in self.chosen
            },
            variants=self.variants,
            front=self.front,
            treatments=treatments_of(pack, self.chosen),
            loss=self.loss,
            labels=_labels(pack),
        )


def analysis_json(analysis: Analysis) -> bytes:
    """The result as canonical JSON; shares and chances are decimal fractions in text.

    Source: RFC 8785
    """
    return encode_canonical(analysis)


def read_analysis(octets: bytes) -> Analysis:
    """The result in `octets`; raises Malformed for anything that `analysis_json` does not write.

    Source: RFC 8785
    """
    return _reader.decode_canonical(octets)


def treatments_of(pack: Pack, chosen: frozenset[str]) -> dict[str, Treatment]:
    """For each requirement that a control serves what is done about it.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    served: dict[str, list[str]] = {}
    mandatory: set[str] = set()
    for control in pack.controls.values():
        mandatory.update(control.mandatory)
        for requirement in {*control.requirements, *control.mandatory}:
            served.setdefault(requirement, []).append(control.id)
    return {
        requirement: Treatment(
            chosen=tuple(sorted(set(names) & chosen)),
            others=tuple(sorted(set(names) - chosen)),
            mandatory=requirement in mandatory,
        )
        for requirement, names in sorted(served.items())
    }


_reader = Decoder(Analysis, limit=256 * 1024 * 1024)


def _labels(pack: Pack) -> dict[str, str]:
    rules = {one.id: one.label for one in pack.rules.values()}
    return rules | {one.id: one.label for one in pack.controls.values()}


def _silent(_: str) -> None:
    """Nobody listens."""


def _selection(
    programme: Programme,
    pack: Pack,
    rules: Rules,
    chosen: Chosen,
    units: Units,
    tried: tuple[Variant, ...],
) -> Selection:
    answer = chosen.answer
    cost, friction = sums(programme, pack, answer.chosen)
    rejected: tuple[Rejection, ...] = explain_rejected(rules, chosen, units)
    share = sum((programme.devices[one].share for one in answer.shut_out), Decimal(0))
    return Selection(
        chosen=explain_chosen(pack, chosen, units, robust_controls(answer.chosen, tried)),
        rejected=rejected,
        shut_out=tuple(sorted(answer.shut_out)),
        shut_out_share=share,
        cost=cost,
        friction=friction,
        objective=answer.objective,
        bound=answer.bound,
        optimal=answer.optimal,
        open_paths=_open_paths(units, chosen),
        rounds=chosen.rounds,
    )


def _open_paths(units: Units, chosen: Chosen) -> tuple[str, ...]:
    """The weakest path of every instance that stays open under the choice."""
    found: list[str] = []
    for name in chosen.missing:
        unit, scene = units[name]
        way = scene.weakest(chosen.answer.chosen)
        found += [path_id(instance, way) for instance in unit.instances]
    return tuple(sorted(found))


def _paths(
    scenes: Scenes, instances: Iterable[Instance], most: int
) -> tuple[tuple[AttackPath, ...], dict[str, int]]:
    found: list[AttackPath] = []
    truncated: dict[str, int] = {}
    for one in instances:
        paths, more = attack_paths(scenes.of(one), one, most)
        found += paths
        if more:
            truncated[one.id] = more
    return tuple(found), truncated


def _layer(pack: Pack, instance: Instance) -> str:
    return pack.rules[instance.rule].layer.value


def _services(programme: Programme, pack: Pack, instance: Instance) -> tuple[str, ...]:
    """The services that an instance belongs to: those that its rule asks for, else all."""
    asked = {
        word
        for condition in pack.rules[instance.rule].when
        if condition.subject == "programme" and condition.field == "service"
        for word in condition.words
        if not condition.negated
    }
    return tuple(one.value for one in programme.services if not asked or one.value in asked)


def _levels(
    stood: Iterable[Standing], names: Callable[[Standing], Iterable[str]]
) -> dict[str, Levels]:
    found: dict[str, Levels] = {}
    for one in stood:
        for name in names(one):
            before = found.get(name, Levels(inherent=0, designed=0, observed=0))
            found[name] = Levels(
                inherent=max(before.inherent, one.inherent.risk),
                designed=max(before.designed, _risk(one.designed)),
                observed=max(before.observed, _risk(one.observed)),
            )
    return dict(sorted(found.items()))


def _risk(verdict: Verdict | None) -> int:
    return 0 if verdict is None else verdict.risk


def _counts(
    pack: Pack,
    instances: tuple[Instance, ...],
    units: Units,
    found: tuple[Finding, ...],
    stood: tuple[Standing, ...],
) -> dict[str, int]:
    matched = {one.rule for one in instances}
    return {
        "rules": len(pack.rules),
        "rules_matched": len(matched),
        "threats": len({one.threat for one in pack.rules.values()}),
        "threats_matched": len({pack.rules[one].threat for one in matched}),
        "controls": len(pack.controls),
        "instances": len(instances),
        "units": len(units),
        "findings": len(found),
        "open_inherent": sum(one.inherent.gap > 0 for one in stood),
        "open_designed": sum(_gap(one.designed) > 0 for one in stood),
        "open_observed": sum(_gap(one.observed) > 0 for one in stood),
        "not_served": sum(one.designed is None for one in stood),
    }


def _gap(verdict: Verdict | None) -> int:
    return 0 if verdict is None else verdict.gap
