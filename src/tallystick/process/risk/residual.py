"""The three states of a risk: without controls, as designed, and as observed now.

Only what is seen at work counts as observed. A control that nobody saw lately counts as absent for
compliance; one that works for a part of the devices leaves the rest without it, and the worst part
decides.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import Impact
from tallystick.process.risk.model import Instance, Pack, Verdict
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.pressing import under
from tallystick.process.risk.verdicts import judge

EVERYWHERE = ""
"""The share of a control where no device class says its own."""

_ONE = Decimal(1)


class Seen(StrEnum):
    """Whether a control was seen at work lately, long ago, never, or seen not to work.

    Source: ISO/TS 12812-2:2017, A
    """

    ENFORCED = "enforced"
    FAILED = "failed"
    STALE = "stale"
    UNKNOWN = "unknown"


class ControlState(Record, frozen=True, kw_only=True):
    """How a control was seen: `shares` maps a device class to the part (0 to 1) that has it.

    The share under "" is for every class that is not named, and for what no device carries.
    Source: ISO/TS 12812-2:2017, A
    """

    control: str
    seen: Seen
    shares: Mapping[str, Decimal]

    def share(self, device: str) -> Decimal:
        """The part of `device` (or of everything) that has the control; 0 unless seen lately.

        Source: ISO/TS 12812-2:2017, A
        """
        if self.seen is not Seen.ENFORCED:
            return Decimal(0)
        return self.shares.get(device, self.shares.get(EVERYWHERE, Decimal(0)))


class Observation(Record, frozen=True, kw_only=True):
    """What is seen now: the state of each control, and which device classes get no service.

    `pressed` says by threat of the catalogue how many steps more likely it is seen to be.
    Source: ISO/TS 12812-2:2017, A
    """

    states: Mapping[str, ControlState]
    shut_out: tuple[str, ...]
    pressed: Mapping[str, int] = {}


class Standing(Record, frozen=True, kw_only=True):
    """An instance in its three states; None where its device class gets no service.

    `observed` is the verdict on the worst part, `worst_share` how large that part is at most.
    `absent` are the controls of the design that are not fully there.
    Source: ISO/TS 12812-2:2017, A
    """

    instance: str
    inherent: Verdict
    designed: Verdict | None
    observed: Verdict | None
    worst_share: Decimal
    absent: tuple[str, ...]


class Highest(Record, frozen=True, kw_only=True):
    """What decides the profile: the highest inherent risk (1 to 25), and the places that have it.

    `places` are instances, in order; `impacts` maps each of their assets to its impact there.
    Source: ISO/TS 12812-2:2017, A
    """

    risk: int
    places: tuple[str, ...]
    impacts: Mapping[str, Impact]


def highest_inherent(stood: Iterable[Standing]) -> Highest:
    """The highest inherent risk of `stood` and where it is; 1 and nowhere if nothing stands.

    Source: ISO/TS 12812-2:2017, A
    """
    listed = tuple(stood)
    risk = max((one.inherent.risk for one in listed), default=1)
    worst = [one for one in listed if one.inherent.risk == risk]
    impacts: dict[str, Impact] = {}
    for one in worst:
        asset = one.instance.split("@")[2]
        impacts[asset] = max(one.inherent.impact, impacts.get(asset, one.inherent.impact))
    return Highest(
        risk=risk,
        places=tuple(sorted(one.instance for one in worst)),
        impacts=dict(sorted(impacts.items())),
    )


def declared(programme: Programme) -> Observation:
    """What the programme says is in place, taken as seen: for use before anything is observed.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    full = {EVERYWHERE: _ONE}
    return Observation(
        states={
            name: ControlState(control=name, seen=Seen.ENFORCED, shares=full)
            for name in programme.controls.in_place
        },
        shut_out=(),
    )


def standings(
    programme: Programme,
    pack: Pack,
    scenes: Scenes,
    instances: Iterable[Instance],
    chosen: frozenset[str],
    shut_out: frozenset[str],
    observation: Observation,
) -> tuple[Standing, ...]:
    """Every instance in its three states, in the order of `instances`.

    Source: ISO/TS 12812-2:2017, A
    """
    found: list[Standing] = []
    out = frozenset(observation.shut_out)
    for one in instances:
        scene = scenes.of(one)
        fixed = one.asset in programme.appetite.resistance
        there, share = in_effect(observation, one.device, scene.controls)
        designed = observed = None
        if one.device not in shut_out or not one.device:
            designed = judge(pack, scene, one, chosen, fixed=fixed)
        if one.device not in out or not one.device:
            steps = observation.pressed.get(pack.rules[one.rule].threat, 0)
            observed = under(judge(pack, scene, one, there, fixed=fixed), steps)
        found.append(
            Standing(
                instance=one.id,
                inherent=judge(pack, scene, one, frozenset(), fixed=fixed),
                designed=designed,
                observed=observed,
                worst_share=share,
                absent=tuple(sorted((chosen & scene.controls) - there)),
            )
        )
    return tuple(found)


def in_effect(
    observation: Observation, device: str, controls: frozenset[str]
) -> tuple[frozenset[str], Decimal]:
    """The controls of `controls` that all of `device` has, and how much at most has only these.

    Source: ISO/TS 12812-2:2017, A
    """
    full: set[str] = set()
    lacking = Decimal(0)
    for name in sorted(controls & observation.states.keys()):
        share = observation.states[name].share(device)
        if share >= _ONE:
            full.add(name)
        elif share > 0:
            lacking += _ONE - share
    return frozenset(full), min(_ONE, lacking) if lacking else _ONE
