"""Threagile models as sketches: technical assets are nodes, data assets assets, boundaries zones.

Source: ISO/TS 12812-2:2017, A; YAML 1.2.2
"""

from collections.abc import Iterator
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
from tallystick.process.programme.words import AssetClass, Bearer, Impact, NodeKind

_SECRECY: Final = ("public", "internal", "restricted", "confidential", "strictly-confidential")
_WEIGHT: Final = ("archive", "operational", "important", "critical", "mission-critical")
_OUTSIDE: Final = "no-boundary"
_LOCAL: Final = ("in-process-library-call", "inter-process-communication", "local-file-access")


def sketch_threagile(document: Foreign) -> Sketch:
    """What a Threagile model says.

    Raises Malformed for another kind of document.
    Source: ISO/TS 12812-2:2017, A
    """
    if not list(document.named("technical_assets")):
        raise Malformed(
            "the document is no Threagile model with technical assets",
            remedy="give the YAML file that has technical_assets and data_assets",
        )
    names = _Names(document)
    flows: list[SketchedFlow] = []
    lost: list[str] = []
    for title, one in document.named("technical_assets"):
        for link, how in one.named("communication_links"):
            if names.nodes.find(how.text("target")):
                flows += _flows(link, (title, one), how, names)
            else:
                lost.append(f"{title}, {link}: leads to what is no technical asset")
    lost += [f"risk {title}: risks come out of the analysis here" for title, _ in _own(document)]
    return Sketch(
        origin=f"Threagile {document.text('threagile_version')}".strip(),
        id=slug(document.text("title") or "imported"),
        owner=document.inner("author").text("name") or "somebody",
        zones=_zones(document, names),
        nodes=tuple(_node(title, one, names) for title, one in document.named("technical_assets")),
        assets=tuple(_asset(title, one, names) for title, one in document.named("data_assets")),
        flows=tuple(flows),
        lost=tuple(lost),
    )


def _own(document: Foreign) -> Iterator[tuple[str, Foreign]]:
    return document.named("individual_risk_categories")


class _Names:
    """Slugs of everything in a model, and the innermost boundary around each technical asset."""

    def __init__(self, document: Foreign) -> None:
        self.zones, self.nodes, self.assets, self.flows = Slugs(), Slugs(), Slugs(), Slugs()
        self.inside: dict[str, str] = {}
        self.stored: dict[str, list[str]] = {}
        for title, one in document.named("trust_boundaries"):
            zone = self.zones.give(one.text("id") or title)
            for node in one.texts("technical_assets_inside"):
                self.inside[node] = zone
        for title, one in document.named("technical_assets"):
            own = one.text("id") or title
            node = self.nodes.give(own)
            for asset in one.texts("data_assets_stored"):
                self.stored.setdefault(asset, []).append(node)
        for title, one in document.named("data_assets"):
            self.assets.give(one.text("id") or title)

    def zone_of(self, node: str) -> str:
        """The zone of a technical asset; outside of all where no boundary is around it."""
        return self.inside.get(node) or self.zones.give(_OUTSIDE)


def _zones(document: Foreign, names: _Names) -> tuple[SketchedZone, ...]:
    question = ("how far is it trusted",)
    found = [
        SketchedZone(id=names.zones.find(one.text("id") or title), trust=0, open=question)
        for title, one in document.named("trust_boundaries")
    ]
    ids = [one.text("id") or title for title, one in document.named("technical_assets")]
    if any(own not in names.inside for own in ids):
        found.append(SketchedZone(id=names.zones.give(_OUTSIDE), trust=0, open=question))
    return tuple(found)


def _node(title: str, one: Foreign, names: _Names) -> SketchedNode:
    own = one.text("id") or title
    said = one.text("technology") or ", ".join(one.texts("technologies"))
    kind = guess_kind(said, title, one.text("type")) or NodeKind.PLATFORM
    return SketchedNode(
        id=names.nodes.find(own),
        kind=kind,
        zone=names.zone_of(own),
        open=(f"is {said or 'it'} a {kind.value}",),
    )


def _asset(title: str, one: Foreign, names: _Names) -> SketchedAsset:
    questions = ["of which class is it, is it personal"]
    grades: list[Impact] = []
    for word, scale in (
        ("confidentiality", _SECRECY),
        ("integrity", _WEIGHT),
        ("availability", _WEIGHT),
    ):
        said = one.text(word)
        grades.append(grade(scale.index(said)) if said in scale else Impact.SEVERE)
        if said not in scale:
            questions.append(f"how bad is the loss of {word}")
    own = one.text("id") or title
    return SketchedAsset(
        id=names.assets.find(own),
        kind=AssetClass.SERVICE.value,
        confidentiality=grades[0],
        integrity=grades[1],
        availability=grades[2],
        personal=False,
        kept_at=tuple(names.stored.get(own, ())),
        open=tuple(questions),
    )


def _flows(
    link: str, asset: tuple[str, Foreign], how: Foreign, names: _Names
) -> list[SketchedFlow]:
    """What a link sends, and what comes back over it."""
    title, one = asset
    source = names.nodes.find(one.text("id") or title)
    target = names.nodes.find(how.text("target"))
    if not source or source == target:
        return []
    protocol = how.text("protocol").lower()
    bearer = Bearer.INTERNET if one.flag("internet") else Bearer.LAN
    if protocol in _LOCAL:
        bearer = Bearer.IN_DEVICE
    found: list[SketchedFlow] = []
    ends = ((source, target, "data_assets_sent"), (target, source, "data_assets_received"))
    for start, end, word in ends:
        carried = names.assets.found(how.texts(word))
        if not carried and (found or word.endswith("received")):
            continue
        stem = slug(link)
        found.append(
            SketchedFlow(
                id=names.flows.give(
                    f"{source} {stem} {word}", stem if start == source else f"{stem}-back"
                ),
                source=start,
                target=end,
                via=(),
                bearer=bearer.value,
                protocol=protocol or "none",
                carries=carried,
                end_to_end=False,
                reads=(start, end),
                open=(f"is the bearer {bearer.value}, is it end-to-end",),
            )
        )
    return found
