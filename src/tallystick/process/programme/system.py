"""Reads what is run: devices, zones, nodes, what is of value on them, and what passes between.

Source: ISO/TS 12812-2:2017, 6.2; 7.1; 8.1; A
"""

from decimal import Decimal
from typing import Final

from tallystick.process.programme.entries import (
    Named,
    certificates,
    choice_of,
    entries,
    flag,
    grade_of,
    length_of,
    listed,
    optional,
    slugs,
)
from tallystick.process.programme.model import (
    Asset,
    DeviceClass,
    FlowEntry,
    NodeEntry,
    SecureEnvironment,
    Zone,
)
from tallystick.process.programme.words import AssetClass, Bearer, Environment, Impact, NodeKind
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import share
from tallystick.process.yamltext.section import Section
from tallystick.process.yamltext.tree import Scalar, Sequence

SYSTEMS: Final = ("android", "ios", "kaios", "harmonyos", "other", "none")
"""Operating systems of devices; a telephone that only dials has none."""

_PROTOCOL: Final = r"^[a-z0-9][a-z0-9.+/-]{0,40}$"
_ASSET: Final = (
    "class",
    "c",
    "i",
    "a",
    "owner",
    "kept_at",
    "max_life",
    "retention",
    "personal",
)
_FLOW: Final = ("from", "to", "via", "channel", "carries", "end_to_end", "reads")


def read_environments(root: Section) -> dict[str, SecureEnvironment]:
    """Where keys live on devices.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    return {
        name: SecureEnvironment(
            id=name,
            kind=choice_of(one, "kind", Environment),
            hardening=slugs(one, "hardening"),
            certificates=certificates(one),
            at=at,
        )
        for name, one, at in entries(root, "secure_envs", ("kind", "hardening", "certificates"))
    }


def read_devices(root: Section, named: Named) -> dict[str, DeviceClass]:
    """The classes of telephones; their shares make up all customers.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.1
    """
    words = ("os", "max_patch_age", "secure_env", "share")
    found = {
        name: DeviceClass(
            id=name,
            os=one.choice("os", SYSTEMS),
            max_patch_age_ms=length_of(one, "max_patch_age"),
            secure_env=one.choice("secure_env", named.of("secure_envs")),
            share=share(one, "share"),
            at=at,
        )
        for name, one, at in entries(root, "devices", words)
    }
    whole = sum((one.share for one in found.values()), Decimal(0))
    if found and whole != 1:
        root.defects.add(root.position("devices"), f"shares of devices sum to {whole}, not to 1")
    return found


def read_zones(root: Section) -> dict[str, Zone]:
    """The parts of the world by how much they are trusted.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    return {
        name: Zone(id=name, trust=one.integer("trust", 0, 100), at=at)
        for name, one, at in entries(root, "zones", ("trust",))
    }


def read_nodes_of(root: Section, named: Named) -> dict[str, NodeEntry]:
    """What sends, carries, keeps or answers.

    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """
    words = ("kind", "zone", "party", "runs_on", "certificates")
    return {
        name: NodeEntry(
            id=name,
            kind=choice_of(one, "kind", NodeKind),
            zone=one.choice("zone", named.of("zones")),
            party=optional(one, "party", named.of("parties")),
            runs_on=listed(one, "runs_on", named.of("devices")),
            certificates=certificates(one),
            at=at,
        )
        for name, one, at in entries(root, "nodes", words)
    }


def read_assets(root: Section, named: Named) -> dict[str, Asset]:
    """What is of value, each with what the loss of c, i and a would mean.

    Source: ISO/TS 12812-2:2017, A
    """
    return {
        name: Asset(
            id=name,
            kind=choice_of(one, "class", AssetClass),
            confidentiality=grade_of(one, "c", Impact),
            integrity=grade_of(one, "i", Impact),
            availability=grade_of(one, "a", Impact),
            owner=one.choice("owner", named.of("parties")),
            kept_at=listed(one, "kept_at", named.of("nodes")),
            max_life_ms=length_of(one, "max_life"),
            retention_ms=length_of(one, "retention"),
            personal=flag(one, "personal", default=False),
            at=at,
        )
        for name, one, at in entries(root, "assets", _ASSET)
    }


def read_flows(root: Section, named: Named) -> dict[str, FlowEntry]:
    """What passes between nodes, and who sees it in clear.

    Source: ISO/TS 12812-2:2017, 3.9; 7.1; 7.2.3
    """
    return {name: _flow(name, one, named, at) for name, one, at in entries(root, "flows", _FLOW)}


def _flow(name: str, section: Section, named: Named, at: Position) -> FlowEntry:
    nodes = named.of("nodes")
    channel = section.section("channel", ("bearer", "protocol", "party"))
    found = FlowEntry(
        id=name,
        source=section.choice("from", nodes),
        target=section.choice("to", nodes),
        via=listed(section, "via", nodes),
        bearer=choice_of(channel, "bearer", Bearer),
        protocol=channel.text("protocol", _PROTOCOL, "a word such as tls1.3, or none"),
        party=optional(channel, "party", named.of("parties")),
        carries=section.choices("carries", named.of("assets")),
        end_to_end=flag(section, "end_to_end"),
        reads=section.choices("reads", nodes),
        at=at,
    )
    _check_way(section, found, nodes)
    return found


def _check_way(section: Section, flow: FlowEntry, nodes: tuple[str, ...]) -> None:
    """Notes what is odd about the way of `flow` and about who reads it."""
    defects, way = section.defects, flow.nodes()
    if flow.source == flow.target and flow.source in nodes:
        defects.add(section.position("to"), f"{section.trail} ends where it begins")
    for one, at in _words_at(section, "via"):
        if one in {flow.source, flow.target}:
            defects.add(at, f"{section.trail} via names {one!r}, an end of the flow")
    for one, at in _words_at(section, "reads"):
        if one not in nodes:
            continue
        if one not in way:
            defects.add(at, f"{section.trail} reads: {one!r} is not on the way")
        elif flow.end_to_end and one in flow.via:
            text = f"{section.trail} reads: {one!r} is on the way of an end-to-end flow"
            defects.add(at, f"{text}, which only its ends read")


def _words_at(section: Section, word: str) -> list[tuple[str, Position]]:
    if word not in section:
        return []
    node = section.node(word)
    items = node.items if isinstance(node, Sequence) else ()
    return [(str(one.value), one.at) for one in items if isinstance(one, Scalar)]
