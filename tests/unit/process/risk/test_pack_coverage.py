"""What the pack covers of two public catalogues of mobile threats, and why not the rest."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.process.risk.pack_texts import OUTSIDE_ID, PACK, rules

MAPS = {"nist-mtc.json": 236, "attack-mobile.json": 121}
LEAST_SHARE = 0.9
MTC = Path("threat-models/nist-mobile-threat-catalogue")
ATTACK = Path("threat-models/mobile-attack-17.1.json")


def coverage(name: str) -> dict[str, Any]:
    return json.loads((PACK / "coverage" / name).read_text(encoding="utf-8"))


def mtc_ids(data: Path) -> set[str]:
    found = set()
    for path in (data / MTC).glob("_*-threats/*.md"):
        match = re.search(r"^\s*ID:\s*(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert match, path
        found.add(match.group(1))
    return found


def attack_ids(data: Path) -> set[str]:
    """The techniques that are neither revoked nor deprecated."""
    bundle = json.loads((data / ATTACK).read_text(encoding="utf-8"))
    return {
        reference["external_id"]
        for one in bundle["objects"]
        if one["type"] == "attack-pattern"
        and not one.get("revoked")
        and not one.get("x_mitre_deprecated")
        for reference in one["external_references"]
        if reference["source_name"] == "mitre-attack"
    }


@pytest.mark.parametrize("name", MAPS)
def test_nine_in_ten_are_mapped_to_rules_or_reasoned_out(name: str) -> None:
    found = coverage(name)
    covered, outside = set(found["covered"]), set(found["outside"])
    assert found["total"] == MAPS[name]
    assert not covered & outside
    assert all(OUTSIDE_ID.match(one) for one in covered | outside)
    assert len(covered | outside) >= LEAST_SHARE * found["total"]
    assert len(covered) >= 2 * len(outside), "reasons are no substitute for rules"


@pytest.mark.parametrize("name", MAPS)
def test_every_mapped_rule_exists_and_every_reason_is_one(name: str) -> None:
    found = coverage(name)
    for one, named in found["covered"].items():
        assert named, one
        assert set(named) <= set(rules()), one
        assert len(set(named)) == len(named), one
    assert all(20 <= len(reason) <= 120 for reason in found["outside"].values())


def test_what_a_rule_refers_to_is_mapped_to_it() -> None:
    covered = {**coverage("nist-mtc.json")["covered"], **coverage("attack-mobile.json")["covered"]}
    for name, rule in rules().items():
        for reference in rule["references"]:
            assert name in covered.get(reference, ()), (name, reference)


@pytest.mark.parametrize(
    ("name", "ids"), [("nist-mtc.json", mtc_ids), ("attack-mobile.json", attack_ids)]
)
def test_the_ids_are_those_of_the_source(name: str, ids: Any, test_data: Path) -> None:
    published = ids(test_data)
    found = coverage(name)
    assert len(published) == found["total"]
    assert {*found["covered"], *found["outside"]} <= published


def test_the_licence_of_the_techniques_is_beside_them() -> None:
    notice = (PACK / "coverage" / "NOTICE").read_text(encoding="utf-8")
    assert "2025 The MITRE Corporation" in notice
    assert "NOTICE" in coverage("attack-mobile.json")["notice"]
