"""Reads a library as its importer does, and refuses what the importer would only find later.

Members are those that the public description of the format names; what is not described is refused.
"""

import re
from typing import Any

from ruamel.yaml import YAML

URN = re.compile(r"urn:[a-z0-9_-]+:risk:(?P<sort>[a-z_]+):[a-z0-9_.\-:]+")
HEAD = {"urn", "locale", "ref_id", "name", "description", "copyright", "version", "provider",
        "packager", "objects"}  # fmt: skip
OBJECTS = {"threats", "reference_controls", "framework", "requirement_mapping_sets"}
NODE = {"urn", "assessable", "depth", "ref_id"}
NODE_MAY = {"parent_urn", "name", "description", "annotation", "typical_evidence",
            "implementation_groups", "threats", "reference_controls"}  # fmt: skip
CATEGORIES = {"policy", "process", "technical", "physical", "procedure"}
RELATIONSHIPS = {"equal", "subset", "superset", "intersect"}
RATIONALES = {"syntactic", "semantic", "functional"}


class Unreadable(Exception):
    """What the reader does not take."""


def need(condition: object, says: str) -> None:
    if not condition:
        raise Unreadable(says)


def members(
    value: Any, must: set[str], may: frozenset[str] | set[str] = frozenset()
) -> dict[str, Any]:
    need(isinstance(value, dict), "an object belongs here")
    need(must <= value.keys(), f"missing: {must - value.keys()}")
    need(value.keys() <= must | may, f"foreign: {value.keys() - must - may}")
    for name, one in value.items():
        need(one not in ("", [], {}, None), f"{name} is empty")
    return value


def named(value: dict[str, Any], sort: str, known: set[str]) -> str:
    match = URN.fullmatch(value["urn"])
    need(match and match["sort"] == sort, f"{value['urn']} is no name of a {sort}")
    need(value["urn"] not in known, f"{value['urn']} stands twice")
    known.add(value["urn"])
    return value["urn"]


def read_library(octets: bytes) -> dict[str, Any]:
    """The library in `octets`; raises Unreadable."""
    library = members(YAML(typ="safe", pure=True).load(octets), HEAD, {"dependencies"})
    need(type(library["version"]) is int and library["version"] > 0, "a version is a number")
    known: set[str] = set()
    named(library, "library", known)
    objects = members(library["objects"], set(), OBJECTS)
    threats = {_threat(one, known) for one in objects.get("threats", ())}
    controls = {_control(one, known) for one in objects.get("reference_controls", ())}
    if "framework" in objects:
        _framework(objects["framework"], known, threats, controls)
    for one in objects.get("requirement_mapping_sets", ()):
        need(library.get("dependencies"), "a mapping needs what it maps")
        _mapping_set(one, known)
    return library


def _threat(value: Any, known: set[str]) -> str:
    return named(members(value, {"urn", "ref_id", "name"}, {"description"}), "threat", known)


def _control(value: Any, known: set[str]) -> str:
    found = members(value, {"urn", "ref_id", "name", "category"})
    need(found["category"] in CATEGORIES, f"{found['category']} is no category")
    return named(found, "function", known)


def _framework(value: Any, known: set[str], threats: set[str], controls: set[str]) -> None:
    found = members(
        value,
        {"urn", "ref_id", "name", "description", "implementation_groups_definition",
         "requirement_nodes"},
    )  # fmt: skip
    named(found, "framework", known)
    groups = {
        members(one, {"ref_id", "name"}, {"description"})["ref_id"]
        for one in found["implementation_groups_definition"]
    }
    depths: dict[str, int] = {}
    for one in found["requirement_nodes"]:
        node = members(one, NODE, NODE_MAY)
        need(type(node["assessable"]) is bool and type(node["depth"]) is int, "wrong sorts")
        parent = node.get("parent_urn")
        need(parent is None or parent in depths, f"{parent} comes later or never")
        need(node["depth"] == depths.get(parent, 0) + 1, f"{node['urn']}: depth {node['depth']}")
        need(set(node.get("implementation_groups", ())) <= groups, "an unknown group")
        need(set(node.get("threats", ())) <= threats, "an unknown threat")
        need(set(node.get("reference_controls", ())) <= controls, "an unknown control")
        need(node["assessable"] or "implementation_groups" not in node, "a heading has no group")
        depths[named(node, "req_node", known)] = node["depth"]


def _mapping_set(value: Any, known: set[str]) -> None:
    found = members(
        value,
        {"urn", "ref_id", "name", "description", "source_framework_urn", "target_framework_urn",
         "requirement_mappings"},
    )  # fmt: skip
    named(found, "req_mapping_set", known)
    pairs: set[tuple[str, str]] = set()
    for one in found["requirement_mappings"]:
        mapping = members(
            one,
            {"source_requirement_urn", "target_requirement_urn", "relationship", "rationale"},
        )
        need(mapping["relationship"] in RELATIONSHIPS, "an unknown relationship")
        need(mapping["rationale"] in RATIONALES, "an unknown rationale")
        pair = mapping["source_requirement_urn"], mapping["target_requirement_urn"]
        need(all(URN.fullmatch(name) for name in pair), "a name that is none")
        need(pair not in pairs, "a pair stands twice")
        pairs.add(pair)
