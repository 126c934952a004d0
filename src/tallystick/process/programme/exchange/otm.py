"""Open Threat Model 0.2.0: a programme as such a document, and such a document as a sketch.

Ratings of 0 to 100 there are the five words here (0, 25, 50, 75, 100). What that form has no place
for stands in `attributes`, so that our own documents come back nearly whole.

Source: ISO/TS 12812-2:2017, A; RFC 8259
"""

import json
from typing import Final

from tallystick.kernel.errors import Malformed
from tallystick.process.programme.exchange.foreign import Foreign
from tallystick.process.programme.exchange.sketch import (
    Sketch,
    SketchedAsset,
    SketchedFlow,
    SketchedNode,
    SketchedZone,
    Slugs,
    grade,
    guess_kind,
    slug,
)
from tallystick.process.programme.model import Asset, FlowEntry, NodeEntry, Programme
from tallystick.process.programme.words import AssetClass, Bearer, Impact, NodeKind

FORM: Final = "0.2.0"

_STEP: Final = 25
_KINDS: Final = {one.value: one for one in NodeKind}
_BEARERS: Final = frozenset(one.value for one in Bearer)
_CLASSES: Final = frozenset(one.value for one in AssetClass)


def export_otm(programme: Programme) -> str:
    """`programme` as the text of a JSON document; equal programmes, equal texts.

    Source: RFC 8259; ISO/TS 12812-2:2017, A
    """
    offer = programme.offer
    document = {
        "otmVersion": FORM,
        "project": {
            "name": offer.id,
            "id": offer.id,
            "owner": offer.owner,
            "attributes": {
                "currency": offer.currency,
                "services": ", ".join(one.value for one in programme.services),
            },
        },
        "trustZones": [
            {"id": one.id, "name": one.id, "risk": {"trustRating": one.trust}}
            for one in programme.zones.values()
        ],
        "components": [_component(one, programme) for one in programme.nodes.values()],
        "assets": [_asset(one) for one in programme.assets.values()],
        "dataflows": [_dataflow(one) for one in programme.flows.values()],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(node: NodeEntry, programme: Programme) -> dict[str, object]:
    passing = [flow for flow in programme.flows.values() if node.id in flow.reads]
    read = dict.fromkeys(asset for flow in passing for asset in flow.carries)
    stored = [one.id for one in programme.assets.values() if node.id in one.kept_at]
    return {
        "id": node.id,
        "name": node.id,
        "type": node.kind.value,
        "parent": {"trustZone": node.zone},
        "assets": {"processed": list(read), "stored": stored},
        "attributes": {"party": node.party, "runs_on": ", ".join(node.runs_on)},
    }


def _asset(asset: Asset) -> dict[str, object]:
    return {
        "id": asset.id,
        "name": asset.id,
        "risk": {
            "confidentiality": (asset.confidentiality - 1) * _STEP,
            "integrity": (asset.integrity - 1) * _STEP,
            "availability": (asset.availability - 1) * _STEP,
        },
        "attributes": {
            "class": asset.kind.value,
            "owner": asset.owner,
            "personal": "true" if asset.personal else "false",
        },
    }


def _dataflow(flow: FlowEntry) -> dict[str, object]:
    return {
        "id": flow.id,
        "name": flow.id,
        "bidirectional": False,
        "source": flow.source,
        "destination": flow.target,
        "assets": list(flow.carries),
        "attributes": {
            "via": ", ".join(flow.via),
            "bearer": flow.bearer.value,
            "protocol": flow.protocol,
            "party": flow.party,
            "end_to_end": "true" if flow.end_to_end else "false",
            "reads": ", ".join(flow.reads),
        },
    }


def sketch_otm(document: Foreign) -> Sketch:
    """What an Open Threat Model document says.

    Raises Malformed for another kind of document.
    Source: ISO/TS 12812-2:2017, A
    """
    if not document.text("otmVersion") or not document.rows("components"):
        raise Malformed(
            "the document is no Open Threat Model with components",
            remedy="give a JSON document that has otmVersion, trustZones and components",
        )
    project = document.inner("project")
    names = _Names(document)
    lost = [
        f"{one.text('name', 'id')}: joins what is no component"
        for one in document.rows("dataflows")
        if not (names.nodes.find(one.text("source")) and names.nodes.find(one.text("destination")))
    ]
    lost += [
        f"threat {one.text('name', 'id')}: threats come from the packs here"
        for one in document.rows("threats")
    ]
    return Sketch(
        origin=f"Open Threat Model {document.text('otmVersion')}",
        id=slug(project.text("id", "name")),
        owner=project.text("owner", "name") or "somebody",
        zones=tuple(_zone(one, names) for one in document.rows("trustZones")),
        nodes=tuple(_node(one, names) for one in document.rows("components")),
        assets=tuple(_sketched_asset(one, names) for one in document.rows("assets")),
        flows=tuple(
            _flow(one, names)
            for one in document.rows("dataflows")
            if names.nodes.find(one.text("source")) and names.nodes.find(one.text("destination"))
        ),
        lost=tuple(lost),
    )


class _Names:
    """Slugs of everything in a document, and what is inside what."""

    def __init__(self, document: Foreign) -> None:
        self.zones, self.nodes, self.assets, self.flows = Slugs(), Slugs(), Slugs(), Slugs()
        self.parents: dict[str, Foreign] = {}
        self.stored: dict[str, list[str]] = {}
        for one in document.rows("trustZones"):
            self.zones.give(one.text("id"), one.text("id", "name"))
        for one in document.rows("components"):
            node = self.nodes.give(one.text("id"), _wish(one))
            self.parents[one.text("id")] = one.inner("parent")
            for asset in one.inner("assets").texts("stored"):
                self.stored.setdefault(asset, []).append(node)
        for one in document.rows("assets"):
            self.assets.give(one.text("id"), _wish(one))

    def zone_of(self, component: str) -> str:
        """The zone around a component, through the components around it."""
        seen: set[str] = set()
        while component in self.parents and component not in seen:
            seen.add(component)
            parent = self.parents[component]
            if parent.text("trustZone"):
                return self.zones.find(parent.text("trustZone"))
            component = parent.text("component")
        return ""


def _wish(one: Foreign) -> str:
    """An id is kept where it is a word; else the name says more."""
    own = one.text("id")
    return own if slug(own) == own else one.text("name", "id")


def _zone(one: Foreign, names: _Names) -> SketchedZone:
    rating = one.inner("risk").number("trustRating")
    return SketchedZone(
        id=names.zones.find(one.text("id")),
        trust=0 if rating is None else min(max(round(rating), 0), 100),
        open=("how far is it trusted",) if rating is None else (),
    )


def _node(one: Foreign, names: _Names) -> SketchedNode:
    said, questions = one.text("type"), list[str]()
    kind = _KINDS.get(said)
    if kind is None:
        kind = guess_kind(said, one.text("name"))
        questions.append(f"is {said or 'it'} a {(kind or NodeKind.PLATFORM).value}")
    zone = names.zone_of(one.text("id"))
    if not zone:
        questions.append("in which zone does it stand")
    return SketchedNode(
        id=names.nodes.find(one.text("id")),
        kind=kind or NodeKind.PLATFORM,
        zone=zone,
        open=tuple(questions),
    )


def _sketched_asset(one: Foreign, names: _Names) -> SketchedAsset:
    risk, attributes = one.inner("risk"), one.inner("attributes")
    kind, questions = attributes.text("class"), list[str]()
    if kind not in _CLASSES:
        kind = AssetClass.SERVICE.value
        questions.append("of which class is it")
    grades: list[Impact] = []
    for word in ("confidentiality", "integrity", "availability"):
        rating = risk.number(word)
        grades.append(Impact.SEVERE if rating is None else grade(rating / _STEP))
        if rating is None:
            questions.append(f"how bad is the loss of {word}")
    return SketchedAsset(
        id=names.assets.find(one.text("id")),
        kind=kind,
        confidentiality=grades[0],
        integrity=grades[1],
        availability=grades[2],
        personal=attributes.text("personal") == "true",
        kept_at=tuple(names.stored.get(one.text("id"), ())),
        open=tuple(questions),
    )


def _flow(one: Foreign, names: _Names) -> SketchedFlow:
    attributes, questions = one.inner("attributes"), list[str]()
    source, target = (names.nodes.find(one.text(end)) for end in ("source", "destination"))
    via = tuple(
        node for node in names.nodes.found(attributes.texts("via")) if node not in {source, target}
    )
    bearer = attributes.text("bearer")
    if bearer not in _BEARERS:
        bearer = Bearer.INTERNET.value
        questions.append("over which bearer")
    protocol = attributes.text("protocol").lower().replace(" ", "-")
    if not protocol:
        questions.append("under which protocol")
    end_to_end = attributes.text("end_to_end") == "true"
    reads = names.nodes.found(attributes.texts("reads"))
    way = (source, *via, target)
    if not attributes.text("end_to_end"):
        questions.append("who reads it in clear")
        reads = tuple(dict.fromkeys(way))
    if one.flag("bidirectional"):
        questions.append("what goes back is a flow of its own")
    return SketchedFlow(
        id=names.flows.give(one.text("id"), _wish(one)),
        source=source,
        target=target,
        via=via,
        bearer=bearer,
        protocol=protocol or "none",
        carries=names.assets.found(one.texts("assets")),
        end_to_end=end_to_end,
        reads=tuple(node for node in reads if node in way),
        open=tuple(questions),
    )
