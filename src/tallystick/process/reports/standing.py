"""Figure 1 and Table 1 of this deployment: its three layers, the clauses by state, its population.

Source: ISO/TS 12812-2:2017, 5; 6.2; 8.1.1
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.process.catalogue import Clause, Layer, Requirement
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.programme.drawing.placing import BANDS, layer_of
from tallystick.process.programme.entries import spelt
from tallystick.process.programme.model import DeviceClass
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import (
    ClauseStanding,
    DeviceStanding,
    LayerStanding,
    Placed,
)
from tallystick.process.risk.analysis import Levels
from tallystick.process.risk.model import Verdict
from tallystick.process.risk.residual import Standing

NOT_OFFERED: Final = State.NOT_APPLICABLE.value
WORST: Final = (
    State.NOT_SATISFIED.value,
    State.STALE.value,
    State.EXCEPTED.value,
    State.SATISFIED.value,
    State.NOT_APPLICABLE.value,
)
"""States from the one that most asks for attention to the one that asks for none."""


def states_of(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings are in each state; every state is named.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    counted = Counter(one.state.value for one in findings)
    return {state: counted[state] for state in WORST}


def layers_of(material: Material) -> tuple[LayerStanding, ...]:
    """The three layers, the process layer first.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    by_row = {one.requirement: one for one in material.findings}
    chosen, there = material.chosen(), material.there()
    none = Levels(inherent=0, designed=0, observed=0)
    found: list[LayerStanding] = []
    for layer in BANDS:
        mine = [by_row[one.id] for one in material.catalogue.on_layer(layer) if one.id in by_row]
        controls = {one for one in chosen if material.pack.controls[one].layer is layer}
        levels = material.analysis.by_layer.get(layer.value, none)
        found.append(
            LayerStanding(
                layer=layer.value,
                parts=tuple(one for one in _parts(material, layer) if one.names),
                chosen=len(controls),
                seen=len(controls & there),
                rows=len(mine),
                states=states_of(mine),
                inherent=levels.inherent,
                designed=levels.designed,
                observed=levels.observed,
            )
        )
    return tuple(found)


def _parts(material: Material, layer: Layer) -> Iterable[Placed]:
    programme = material.programme
    if layer is Layer.PROCESS:
        yield Placed(sort="posts", names=tuple(programme.organisation))
        parties = tuple(f"{one.id} ({one.role.value})" for one in programme.parties.values())
        yield Placed(sort="parties", names=parties)
        regimes = tuple(
            f"{one.country}: {', '.join(one.regimes)}" for one in programme.jurisdictions.values()
        )
        yield Placed(sort="jurisdictions", names=regimes)
    if layer is Layer.APPLICATION:
        yield Placed(sort="services", names=tuple(one.value for one in programme.services))
        devices = tuple(f"{one.id} ({one.os})" for one in programme.devices.values())
        yield Placed(sort="telephones", names=devices)
    if layer is Layer.INFRASTRUCTURE:
        places = tuple(f"{one.id} ({one.kind.value})" for one in programme.secure_envs.values())
        yield Placed(sort="secure environments", names=places)
    nodes = tuple(one.id for one in programme.nodes.values() if layer_of(one.kind) is layer)
    yield Placed(sort="nodes", names=nodes)


def clauses_of(material: Material) -> tuple[ClauseStanding, ...]:
    """Every clause of the catalogue with what is known of its rows.

    Source: ISO/TS 12812-2:2017, 5
    """
    by_row = {one.requirement: one for one in material.findings}
    rows: dict[str, list[Requirement]] = {}
    for one in material.catalogue.requirements.values():
        rows.setdefault(one.clause, []).append(one)
    return tuple(
        _clause(clause, rows.get(clause.number, []), by_row)
        for clause in material.catalogue.clauses.values()
    )


def _clause(
    clause: Clause, rows: list[Requirement], by_row: Mapping[str, Finding]
) -> ClauseStanding:
    states = states_of(by_row[one.id] for one in rows if one.id in by_row)
    state = next((one for one in WORST if states[one]), NOT_OFFERED)
    return ClauseStanding(
        number=clause.number,
        title=clause.title,
        kind=clause.kind.value,
        inferred=not clause.kind_certain,
        state=state,
        rows=sum(states.values()),
        of=len(rows),
        states=states,
    )


def population_of(material: Material) -> tuple[DeviceStanding, ...]:
    """Every device class, the most common first, with what its weakest path resists.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    device_of = {one.id: one.device for one in material.analysis.instances}
    weakest: dict[str, list[Standing]] = {}
    for one in material.analysis.standings:
        weakest.setdefault(device_of[one.instance], []).append(one)
    devices = sorted(material.programme.devices.values(), key=lambda one: (-one.share, one.id))
    return tuple(_device(material, one, weakest.get(one.id, [])) for one in devices)


def _device(material: Material, device: DeviceClass, standings: list[Standing]) -> DeviceStanding:
    programme = material.programme
    designed = [one.designed for one in standings if one.designed is not None]
    observed = [one.observed for one in standings if one.observed is not None]
    least = min(designed, key=lambda one: one.points, default=None)
    return DeviceStanding(
        id=device.id,
        os=device.os,
        environment=programme.secure_envs[device.secure_env].kind.value,
        share=device.share,
        customers=int(programme.offer.customers * device.share),
        shut_out=device.id in material.analysis.selection.shut_out,
        refused=device.id in material.observation.shut_out,
        points=(
            _least([one.inherent for one in standings]),
            _least(designed),
            _least(observed),
        ),
        strength="" if least is None else spelt(least.strength),
    )


def _least(verdicts: list[Verdict]) -> int:
    return min((one.points for one in verdicts), default=-1)
