"""The libraries are read whole by a strict reader, and have every row, threat and control."""

import re

import pytest
from ruamel.yaml import YAML
from tests.unit.process.library.strict_reader import Unreadable, read_library

from tallystick.process.catalogue import Service, catalogue
from tallystick.process.library import library_files
from tallystick.process.library.mappings import TARGETS, mapped
from tallystick.process.library.writing import yaml_text
from tallystick.process.risk.packs import shipped_pack

FILES = library_files(catalogue(), shipped_pack(), 3)
FRAMEWORK = FILES["tallystick-mfs.yaml"]


def test_the_framework_has_every_row_under_its_clause() -> None:
    library = read_library(FRAMEWORK)
    assert library["version"] == 3
    framework = library["objects"]["framework"]
    nodes = framework["requirement_nodes"]
    rows = {one["ref_id"]: one for one in nodes if one["assessable"]}
    assert set(rows) == set(catalogue().requirements)
    assert len(rows) == 250
    names = {one["urn"]: one["ref_id"] for one in nodes}
    for identifier, node in rows.items():
        row = catalogue().requirements[identifier]
        assert names[node["parent_urn"]] == row.clause
        assert node["description"] == row.text
        assert node["implementation_groups"] == [one.value for one in row.services]
        assert node["annotation"].startswith(row.modality.value)
        assert ("forbids" in node["annotation"]) is row.prohibition
    groups = [one["ref_id"] for one in framework["implementation_groups_definition"]]
    assert groups == [one.value for one in Service]


def test_controls_and_threats_are_those_of_pack_and_catalogue() -> None:
    objects = read_library(FRAMEWORK)["objects"]
    pack = shipped_pack()
    assert [one["ref_id"] for one in objects["reference_controls"]] == list(pack.controls)
    assert {one["ref_id"] for one in objects["threats"]} == set(catalogue().threats)
    by_row: dict[str, set[str]] = {}
    for control in pack.controls.values():
        for row in control.requirements:
            by_row.setdefault(row, set()).add(control.id)
    for node in objects["framework"]["requirement_nodes"]:
        said = {one.rpartition(":")[2] for one in node.get("reference_controls", ())}
        assert said == by_row.get(node["ref_id"], set())


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.framework)
def test_each_mapping_leads_from_a_row_to_one_node(target) -> None:
    library = read_library(FILES[f"tallystick-mfs-to-{target.library}.yaml"])
    (found,) = library["objects"]["requirement_mapping_sets"]
    rows = {one["urn"] for one in
            read_library(FRAMEWORK)["objects"]["framework"]["requirement_nodes"]}  # fmt: skip
    mappings = found["requirement_mappings"]
    assert len(mappings) == len(mapped(catalogue(), target)) > 10
    for one in mappings:
        assert one["source_requirement_urn"] in rows
        node = one["target_requirement_urn"].removeprefix(
            f"urn:intuitem:risk:req_node:{target.library}:"
        )
        assert re.fullmatch(r"masvs-[a-z]+-[1-4]|[0-9]+(?:\.[0-9])+|a\.[5-8]\.[0-9]+", node), node
    assert library["dependencies"] == [
        "urn:tallystick:risk:library:tallystick-mfs",
        f"urn:intuitem:risk:library:{target.library}",
    ]


def test_what_names_no_single_node_is_left_out() -> None:
    places = {place for target in TARGETS for _, place in mapped(catalogue(), target)}
    assert not {"whole", "A.5.1-5.4", "CODE", "all", "4-10", "SoA"} & places
    assert {"A.5.15", "6.1.3", "AUTH-3"} <= places


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assessable: true", 'assessable: "yes"'),
        ("depth: 3", "depth: 5"),
        ("req_node:tallystick-mfs:clause-7.1", "req_node:tallystick-mfs:clause-7.9"),
        ('category: "technical"', 'category: "magic"'),
        ('- "e-money"', '- "gold"'),
        ("threat:tallystick-mfs:thr-agt-01", "threat:tallystick-mfs:thr-agt-99"),
        ("version: 3", 'version: "3"'),
        ("version: 3", "version: 3\nscore: 99"),
        ('locale: "en"\n', ""),
        ("urn:tallystick:risk:library", "tallystick:library"),
    ],
)
def test_the_reader_refuses_what_is_wrong(before: str, after: str) -> None:
    text = FRAMEWORK.decode()
    assert before in text
    with pytest.raises(Unreadable):
        read_library(text.replace(before, after, 1).encode())


def test_no_text_is_taken_for_anything_else() -> None:
    said = {"a": "no", "b": "1.0", "c": 'quo"te: {x} # y\n\u2028end', "d": True, "e": [1, "null"],
            "f": [{"g": "~", "h": ["-"]}]}  # fmt: skip
    assert YAML(typ="safe", pure=True).load(yaml_text(said)) == said
