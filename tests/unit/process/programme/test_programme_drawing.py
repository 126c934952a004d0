"""The picture: the same for the same programme, whole XML, nothing on top of anything else."""

import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from tests.unit.process.programme.programmes import LARGE, SMALL, changed, programme

from tallystick.kernel.model import replace
from tallystick.process.programme.drawing.placing import HEIGHT, WIDTH, place
from tallystick.process.programme.drawing.routing import lines_of, route
from tallystick.process.programme.drawing.svg import draw
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import PROFILES, profile_text
from tallystick.process.programme.words import Bearer

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.requirement("MFS-6.2.3-01")
@pytest.mark.parametrize("name", PROFILES)
def test_the_picture_is_whole_and_told_in_words(name: str) -> None:
    text = draw(programme(name))
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "flows-title flows-desc"
    words = "".join(root.find(f"{SVG}desc").itertext())
    for flow in programme(name).flows.values():
        assert f"{flow.id}: {' to '.join(flow.nodes())} by {flow.bearer.value}." in words
    titles = ["".join(one.itertext()) for one in root.iter(f"{SVG}title")]
    for node in programme(name).nodes.values():
        assert any(title.startswith(f"{node.id}: {node.kind.value}") for title in titles)
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"(?:href|src|url\()\s*=?\s*[\"']?https?:", text)


def test_equal_programmes_give_equal_octets() -> None:
    again = read_programme(profile_text(LARGE))
    assert draw(again) == draw(programme(LARGE))
    moved = read_programme(
        changed("witness: {kind: witness, zone: outside", "witness: {kind: witness, zone: vault")
    )
    assert draw(moved) != draw(programme(SMALL))


@pytest.mark.parametrize("name", PROFILES)
def test_no_two_boxes_meet_and_no_label_covers_a_box(name: str) -> None:
    placed = place(programme(name))
    for one, other in combinations(placed.boxes.values(), 2):
        apart = abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
        assert apart, (one.node, other.node)
    routes = route(placed, lines_of(programme(name)))
    covered = [
        (found.line.label(), box.node)
        for found in routes
        for box in placed.boxes.values()
        if box.x < found.label[0] < box.x + WIDTH and box.y < found.label[1] < box.y + HEIGHT
    ]
    assert not covered


def test_columns_go_by_trust_and_bands_by_layer() -> None:
    placed = place(programme(LARGE))
    trust = [programme(LARGE).zones[zone].trust for zone in placed.zones]
    assert trust == sorted(trust)
    assert placed.boxes["console"].y < placed.boxes["platform"].y < placed.boxes["store"].y


def test_a_line_says_its_bearer_and_whether_it_is_end_to_end() -> None:
    lines = lines_of(programme(LARGE))
    hops = {
        (one, other)
        for flow in programme(LARGE).flows.values()
        for one, other in zip(flow.nodes(), flow.nodes()[1:], strict=False)
    }
    drawn = {(line.source, line.target) for line in lines} | {
        (line.target, line.source) for line in lines if line.both_ways
    }
    assert hops <= drawn
    dialled = [one for one in lines if one.bearer is Bearer.USSD]
    assert dialled
    assert not any(one.end_to_end for one in dialled)
    assert draw(programme(LARGE)).count('class="lock"') == sum(one.end_to_end for one in lines) + 1


def test_names_cannot_break_out_of_the_picture() -> None:
    found = programme(SMALL)
    odd = replace(found, offer=replace(found.offer, owner='<script>alert("1")</script>&'))
    text = draw(odd)
    assert "<script" not in text
    ET.fromstring(text)
