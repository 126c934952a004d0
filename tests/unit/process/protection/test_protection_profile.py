"""The profile hangs together: every threat, rule and assumption leads to an objective, and back."""

import re
from functools import cache

import pytest
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.programme.programmes import programme

from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import replace
from tallystick.process.catalogue import catalogue
from tallystick.process.programme.templates import PROFILES, profile_text
from tallystick.process.protection import (
    ProtectionProfile,
    profile_markdown,
    protection_profile,
)
from tallystick.process.risk.analysis import Analysis, Options, analyse
from tallystick.process.risk.packs import pack_for

pytest.importorskip("highspy", reason="the extra risk is not installed")
SMALL = "wallet-start-up"


@cache
def analysis(name: str) -> Analysis:
    found = programme(name)
    return analyse(found, pack_for(found.uses), options=Options(years=100, limit_s=5.0))


@cache
def profile(name: str = SMALL) -> ProtectionProfile:
    found = programme(name)
    return protection_profile(found, pack_for(found.uses), analysis(name), catalogue())


@pytest.mark.parametrize("name", [SMALL, "bank-app"])
def test_every_name_leads_to_one_that_is_there(name: str) -> None:
    found = profile(name)
    objectives = {one.id for one in found.objectives}
    assert len(objectives) == len(found.objectives)
    rows = {one.id for one in found.requirements}
    for one in (*found.threats, *found.rules):
        assert set(one.objectives) <= objectives, one.id
    assert {one.objective for one in found.assumptions} <= objectives
    assert {row for one in found.objectives for row in one.requirements} == rows
    assert rows <= set(catalogue().requirements)
    assert len(rows) <= found.rows
    assert {one.id.partition(".")[0] for one in found.objectives} == {"O", "OE"}
    for one in found.objectives:
        assert one.id.startswith("O." if one.of_service else "OE.")
    assets = {one.id for one in found.assets}
    assert all(set(one.assets) <= assets for one in found.threats)


def test_threats_and_places_are_those_of_the_analysis() -> None:
    found, run = profile(), analysis(SMALL)
    assert sum(one.places for one in found.threats) == len(run.instances)
    assert {one.id for one in found.threats} == {f"T.{one.rule}" for one in run.instances}
    enough = sum(one.designed is not None and one.designed.gap <= 0 for one in run.standings)
    assert sum(one.enough for one in found.threats) == enough > 0
    chosen = {one.control for one in run.selection.chosen}
    said = {one.id.partition(".")[2] for one in found.objectives}
    assert chosen <= said


def test_a_control_that_is_not_chosen_is_no_objective_and_leaves_its_rule_open() -> None:
    found, run = programme(SMALL), analysis(SMALL)
    pack = pack_for(found.uses)
    mandatory = next(one for one in run.selection.chosen if one.mandatory)
    fewer = tuple(one for one in run.selection.chosen if one is not mandatory)
    changed = replace(run, selection=replace(run.selection, chosen=fewer))
    less = protection_profile(found, pack, changed, catalogue())
    assert not any(one.id.endswith(f".{mandatory.control}") for one in less.objectives)
    opened = {one.id for one in less.rules if not one.objectives}
    full = {one.id for one in profile().rules if not one.objectives}
    only = {
        f"P.{row}"
        for row in mandatory.mandatory
        if not any(row in pack.controls[one.control].mandatory for one in fewer)
    }
    assert opened - full == only & {one.id for one in less.rules}
    assert profile_markdown(less).count("**nothing**") >= len(opened)


def test_the_text_has_every_entry_and_counts_with_denominators() -> None:
    found = profile()
    text = profile_markdown(found)
    for one in (*found.assets, *found.threats, *found.rules, *found.assumptions,
                *found.objectives, *found.requirements):  # fmt: skip
        assert f"| {one.id} |" in text, one.id
    assert f"{len(found.requirements)} of {found.rows} rows" in text
    assert "%" not in re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    for table in re.split(r"\n\n", text):
        lines = table.splitlines()
        if lines and lines[0].startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert text == profile_markdown(found)


def test_the_data_are_read_again_as_they_were() -> None:
    found = profile()
    octets = encode_canonical(found)
    assert Decoder(ProtectionProfile, limit=len(octets)).decode_canonical(octets) == found


def test_the_command_writes_both(tmp_path) -> None:
    assert SMALL in PROFILES
    (tmp_path / "mfs.yaml").write_text(profile_text(SMALL), encoding="utf-8")
    text, data = tmp_path / "profile.md", tmp_path / "profile.json"
    ran = tallystick("risk", "profile", tmp_path, "--out", text, "--json", data)
    assert ran.code == 0, ran.all
    assert "enough at" in ran.out
    octets = data.read_bytes()
    read = Decoder(ProtectionProfile, limit=len(octets)).decode_canonical(octets)
    assert profile_markdown(read) == text.read_text(encoding="utf-8")
    ran = tallystick("risk", "profile", tmp_path / "nowhere", "--out", text)
    assert "there is no programme" in ran.err
