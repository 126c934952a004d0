"""One round against the one before it, and which risks rose because a control fell.

What rose is found by judging every place twice: as it is seen, and as it would be seen if the
controls that fell were in effect. What is open for another reason is not laid to them.

Source: ISO/TS 12812-2:2017, 6.1; 9.1; A
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.kernel.model import Record, replace
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.loop.model import VERSION, Flip, Level, LoopLine, LoopState, Moved, Turned
from tallystick.process.programme.model import Programme
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.model import Pack
from tallystick.process.risk.observing import NOT_PRESSED, Sighting, Tie, observation_of
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import EVERYWHERE, Seen, Standing, standings


@dataclass(frozen=True, slots=True)
class Ground:
    """What does not change from round to round: programme, pack, the analysis, its scenes.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    programme: Programme
    pack: Pack
    analysis: Analysis
    scenes: Scenes

    def stood(
        self, found: Iterable[Sighting], pressed: Mapping[str, int] = NOT_PRESSED
    ) -> tuple[Standing, ...]:
        """Every place as it stands under what is seen, with the threats that are `pressed`.

        Source: ISO/TS 12812-2:2017, A
        """
        selection = self.analysis.selection
        return standings(
            self.programme,
            self.pack,
            self.scenes,
            self.analysis.instances,
            frozenset(one.control for one in selection.chosen),
            frozenset(selection.shut_out),
            observation_of(found, selection.shut_out, pressed),
        )

    def levels(self, stood: Iterable[Standing]) -> dict[str, Level]:
        """What is left by asset.

        Source: ISO/TS 12812-2:2017, A
        """
        assets = {one.id: one.asset for one in self.analysis.instances}
        found: dict[str, Level] = {}
        for one in stood:
            before = found.get(assets[one.instance], Level(risk=0, open=0))
            risk = 0 if one.observed is None else one.observed.risk
            is_open = one.observed is not None and one.observed.gap > 0
            found[assets[one.instance]] = Level(
                risk=max(before.risk, risk), open=before.open + is_open
            )
        return dict(sorted(found.items()))


class Rise(Record, frozen=True, kw_only=True):
    """A place where more is left because a control fell; risks before and after, points missing.

    Source: ISO/TS 12812-2:2017, A
    """

    instance: str
    rule: str
    asset: str
    before: int
    after: int
    gap: int


class Around(Record, frozen=True, kw_only=True):
    """What a round saw: controls, findings, what is left by asset, the policy in force.

    `chosen` are the controls that the analysis chose.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    at: int
    sightings: tuple[Sighting, ...]
    findings: tuple[Finding, ...]
    residual: Mapping[str, Level]
    policy_version: int
    chosen: frozenset[str]

    @property
    def waived(self) -> frozenset[str]:
        """The controls that nobody chose and that the policy in force has nothing for.

        Whoever signed the policy left them out; that is a decision and no failure.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        return frozenset(
            one.control
            for one in self.sightings
            if one.seen is Seen.FAILED and one.tie is Tie.POLICY and one.control not in self.chosen
        )


def is_in_effect(one: Sighting) -> bool:
    """Whether everybody has the control.

    Source: ISO/TS 12812-2:2017, A
    """
    whole = one.shares.get(EVERYWHERE, Decimal(0)) >= 1
    return one.seen is Seen.ENFORCED and whole


def state_word(one: Sighting) -> str:
    """The state of a control in a word; `in part` where only some have it.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return "in part" if one.seen is Seen.ENFORCED and not is_in_effect(one) else one.seen.value


def fallen_of(before: LoopState | None, around: Around) -> tuple[str, ...]:
    """The controls that were in effect once and are not now, without those that officers left out.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    held = () if before is None else before.held
    gone = {one.control for one in around.sightings if not is_in_effect(one)}
    return tuple(sorted((gone & set(held)) - around.waived))


def rises(ground: Ground, found: Iterable[Sighting], fallen: Iterable[str]) -> tuple[Rise, ...]:
    """The places where more is left than if the controls `fallen` were in effect, worst first.

    Source: ISO/TS 12812-2:2017, A
    """
    listed, lost = tuple(found), set(fallen)
    if not lost:
        return ()
    whole = {EVERYWHERE: Decimal(1)}
    mended = tuple(
        replace(one, seen=Seen.ENFORCED, shares=whole) if one.control in lost else one
        for one in listed
    )
    places = {one.id: one for one in ground.analysis.instances}
    risen: list[Rise] = []
    for now, then in zip(ground.stood(listed), ground.stood(mended), strict=True):
        after, before = now.observed, then.observed
        if after is None or before is None:
            continue
        opened = after.gap > 0 >= before.gap
        if after.risk > before.risk or opened:
            place = places[now.instance]
            risen.append(
                Rise(
                    instance=place.id,
                    rule=place.rule,
                    asset=place.asset,
                    before=before.risk,
                    after=after.risk,
                    gap=after.gap,
                )
            )
    return tuple(sorted(risen, key=lambda one: (-one.after, one.before, -one.gap, one.instance)))


def round_of(
    before: LoopState | None, around: Around, fallen: tuple[str, ...], proposal: str
) -> tuple[LoopLine | None, LoopState]:
    """The line of this round, None if it changed nothing, and the state that it leaves.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    number = 1 if before is None else before.round + 1
    state = LoopState(
        v=VERSION,
        at=around.at,
        round=number,
        controls={one.control: state_word(one) for one in around.sightings},
        held=_held(before, around),
        findings={one.requirement: one.state.value for one in around.findings},
        residual=around.residual,
        policy_version=around.policy_version,
        proposal=proposal,
    )
    line = LoopLine(
        v=VERSION,
        at=around.at,
        round=number,
        turned=() if before is None else _turned(before, around),
        residual={
            name: Moved(before=level if before is None else before.residual.get(name, level),
                        after=level)
            for name, level in around.residual.items()
        },
        policy_version=around.policy_version,
        proposal=proposal,
        findings=() if before is None else _flips(before, state),
        satisfied=sum(one.state is State.SATISFIED for one in around.findings),
        rows=len(around.findings),
        in_effect=sum(map(is_in_effect, around.sightings)),
        controls=len(around.sightings),
        fallen=fallen,
    )  # fmt: skip
    return (line if before is None or _is_news(before, line) else None), state


def _held(before: LoopState | None, around: Around) -> tuple[str, ...]:
    now = {one.control for one in around.sightings if is_in_effect(one)}
    held = set(() if before is None else before.held)
    return tuple(sorted(now | (held - around.waived)))


def _is_news(before: LoopState, line: LoopLine) -> bool:
    moved = any(one.before != one.after for one in line.residual.values())
    told = (before.policy_version, before.proposal) != (line.policy_version, line.proposal)
    return bool(line.turned or line.findings) or moved or told


def _turned(before: LoopState, around: Around) -> tuple[Turned, ...]:
    return tuple(
        Turned(
            control=one.control,
            was=before.controls.get(one.control, Seen.UNKNOWN.value),
            now=state_word(one),
            by=one.tie.value,
            says=one.says,
        )
        for one in around.sightings
        if before.controls.get(one.control, Seen.UNKNOWN.value) != state_word(one)
    )


def _flips(before: LoopState, after: LoopState) -> tuple[Flip, ...]:
    return tuple(
        Flip(requirement=name, was=before.findings[name], now=state)
        for name, state in after.findings.items()
        if name in before.findings and before.findings[name] != state
    )
