"""Rules over a programme: where each catalogued threat arises, as instances with stable ids.

A rule binds the places of its kind and holds where every condition does. The operators are the ones
of `conditions`; nothing of a rule is executed.

Source: ISO/TS 12812-2:2017, A; D
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tallystick.process.programme.model import (
    Asset,
    DeviceClass,
    FlowEntry,
    NodeEntry,
    PartyEntry,
    Programme,
)
from tallystick.process.programme.words import Impact, Role, Strength
from tallystick.process.risk.conditions import FIELDS, Compares
from tallystick.process.risk.model import Condition, Harm, Instance, Over, Pack, ThreatRule

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Bound:
    """What one match of a rule binds; None where its kind of place has no such thing.

    Source: ISO/TS 12812-2:2017, A
    """

    place: str
    asset: Asset
    flow: FlowEntry | None = None
    node: NodeEntry | None = None
    device: DeviceClass | None = None
    party: PartyEntry | None = None


def match_rules(programme: Programme, pack: Pack) -> tuple[Instance, ...]:
    """Every instance of every rule of `pack` in `programme`, in order of id.

    Source: ISO/TS 12812-2:2017, A; D
    """
    found: dict[str, Instance] = {}
    for rule in pack.rules.values():
        for one in _PLACES[rule.over](programme):
            if all(holds(programme, one, condition) for condition in rule.when):
                instance = _instance(programme, pack, rule, one)
                found[instance.id] = instance
    return tuple(found[name] for name in sorted(found))


def holds(programme: Programme, bound: Bound, condition: Condition) -> bool:
    """Whether `condition` holds for what is bound; of what is not bound nothing holds.

    A negated condition holds where the plain one does not.
    Source: ISO/TS 12812-2:2017, A
    """
    name = f"{condition.subject}.{condition.field}"
    values = _VALUES[name](programme, bound)
    match FIELDS[name].compares:
        case Compares.BELOW:
            found = any(_less(value, word) for value in values for word in condition.words)
        case Compares.ABOVE:
            found = any(_less(word, value) for value in values for word in condition.words)
        case _:
            found = any(value in condition.words for value in values)
    return found is not condition.negated


def required_strength(programme: Programme, pack: Pack, asset: str, impact: Impact) -> Strength:
    """What an asset must resist at `impact`: the appetite's word for it, else the pack's.

    Source: ISO/TS 12812-2:2017, A
    """
    own = programme.appetite.resistance.get(asset)
    return pack.required[impact] if own is None else own


def impact_of(asset: Asset, harm: Harm) -> Impact:
    """How bad it would be to break this property of the asset.

    Source: ISO/TS 12812-2:2017, A
    """
    match harm:
        case Harm.CONFIDENTIALITY:
            return asset.confidentiality
        case Harm.INTEGRITY:
            return asset.integrity
        case Harm.AVAILABILITY:
            return asset.availability


def _instance(programme: Programme, pack: Pack, rule: ThreatRule, bound: Bound) -> Instance:
    device = bound.device.id if bound.device else ""
    impact = impact_of(bound.asset, rule.harm)
    parts = (rule.id, bound.place, bound.asset.id, *((device,) if device else ()))
    return Instance(
        id="@".join(parts),
        rule=rule.id,
        place=bound.place,
        asset=bound.asset.id,
        device=device,
        impact=impact,
        required=required_strength(programme, pack, bound.asset.id, impact),
    )


def _flows(programme: Programme) -> Iterator[Bound]:
    for flow in programme.flows.values():
        party = programme.parties.get(flow.party)
        ends = [*programme.devices_at(flow.source), *programme.devices_at(flow.target)]
        devices: tuple[DeviceClass | None, ...] = tuple({one.id: one for one in ends}.values())
        for asset in flow.carries:
            for device in devices or (None,):
                yield Bound(flow.id, programme.assets[asset], flow=flow, device=device, party=party)


def _nodes(programme: Programme) -> Iterator[Bound]:
    for node in programme.nodes.values():
        for asset in assets_at(programme, node.id):
            party = programme.parties.get(node.party)
            yield Bound(node.id, asset, node=node, party=party)


def _devices(programme: Programme) -> Iterator[Bound]:
    for node in programme.nodes.values():
        for device in programme.devices_at(node.id):
            for asset in assets_at(programme, node.id):
                yield Bound(node.id, asset, node=node, device=device)


def _parties(programme: Programme) -> Iterator[Bound]:
    for party in programme.parties.values():
        nodes = [node.id for node in programme.nodes.values() if node.party == party.id]
        assets = {asset.id: asset for node in nodes for asset in assets_at(programme, node)}
        for asset in assets.values():
            yield Bound(party.id, asset, party=party)


def _assets(programme: Programme) -> Iterator[Bound]:
    for asset in programme.assets.values():
        yield Bound(asset.id, asset)


def assets_at(programme: Programme, node: str) -> tuple[Asset, ...]:
    """The assets that rest at `node` or that it reads in clear, in the order of the text.

    Source: ISO/TS 12812-2:2017, A
    """
    read = {
        asset for flow in programme.flows.values() if node in flow.reads for asset in flow.carries
    }
    return tuple(one for one in programme.assets.values() if one.id in read or node in one.kept_at)


_PLACES: dict[Over, Callable[[Programme], Iterator[Bound]]] = {
    Over.FLOW: _flows,
    Over.NODE: _nodes,
    Over.DEVICE: _devices,
    Over.PARTY: _parties,
    Over.ASSET: _assets,
}


def _less(lower: Value, upper: Value) -> bool:
    return isinstance(lower, int) and isinstance(upper, int) and lower < upper


def _kinds(programme: Programme, nodes: Iterable[str]) -> tuple[Value, ...]:
    return tuple(programme.nodes[one].kind.value for one in nodes)


def _role(party: PartyEntry | None, *, of_node: bool = False) -> tuple[Value, ...]:
    """The role of a party; a node without one is run by the provider itself."""
    if party is not None:
        return (party.role.value,)
    return (Role.MFSP.value,) if of_node else ()


def _environment(programme: Programme, device: DeviceClass | None) -> tuple[Value, ...]:
    return (programme.secure_envs[device.secure_env].kind.value,) if device else ()


_VALUES: dict[str, Callable[[Programme, Bound], Iterable[Value]]] = {
    "flow.bearer": lambda _, one: (one.flow.bearer.value,) if one.flow else (),
    "flow.protocol": lambda _, one: (one.flow.protocol,) if one.flow else (),
    "flow.end_to_end": lambda _, one: (one.flow.end_to_end,) if one.flow else (),
    "flow.party_role": lambda _, one: _role(one.party) if one.flow else (),
    "flow.touches": lambda all_, one: _kinds(all_, one.flow.nodes()) if one.flow else (),
    "flow.read_by": lambda all_, one: _kinds(all_, one.flow.reads) if one.flow else (),
    "asset.kind": lambda _, one: (one.asset.kind.value,),
    "asset.personal": lambda _, one: (one.asset.personal,),
    "node.kind": lambda _, one: (one.node.kind.value,) if one.node else (),
    "node.trust_below": lambda all_, one: (all_.zones[one.node.zone].trust,) if one.node else (),
    "node.party_role": lambda all_, one: (
        _role(all_.parties.get(one.node.party), of_node=True) if one.node else ()
    ),
    "device.os": lambda _, one: (one.device.os,) if one.device else (),
    "device.environment": lambda all_, one: _environment(all_, one.device),
    "device.patch_age_above": lambda _, one: (one.device.max_patch_age_ms,) if one.device else (),
    "party.role": lambda _, one: _role(one.party),
    "party.delegated": lambda _, one: one.party.delegated if one.party else (),
    "programme.service": lambda all_, _: tuple(service.value for service in all_.services),
    "programme.connectivity": lambda all_, _: (all_.surroundings.connectivity,),
}
"""How each field is looked up; what stands on no such thing has no value."""
