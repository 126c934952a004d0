"""The page of planned places is true, by the catalogue, the probes and the tags of the tests."""

import re
from pathlib import Path

import pytest

from tallystick.entry.proving.probing import every_check
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.checks import Check

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "explanation" / "planned-places.md"
STATES = {"proved", "probed", "in part", "planned"}
EVERY_CHECK = every_check(ProviderFolder(ROOT), SystemClock())


def rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| MFS-")
    ]


def tagged(requirement: str) -> set[str]:
    mark = f'requirement("{requirement}"'
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if mark in path.read_text(encoding="utf-8")
    }


def test_twenty_rows_of_the_catalogue_have_their_place() -> None:
    names = [row[0] for row in rows()]
    assert len(names) == len(set(names)) == 20
    assert set(names) <= set(catalogue().requirements)


def checks_of(requirement: str) -> list[Check]:
    """The checks that bear on a row and that look by themselves or at a register."""
    return [one for one in EVERY_CHECK if requirement in one.requirements]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_only_what_there_is(row: list[str]) -> None:
    requirement, owner, state, has, shown, rest = row
    assert state in STATES
    assert has
    assert rest
    place = ROOT / "src" / "tallystick" / owner.strip("`")
    assert place.is_dir() or place.with_suffix(".py").is_file(), owner
    evidence = shown.strip("`")
    assert (ROOT / evidence).is_file()
    checks = checks_of(requirement)
    whole = [one for one in checks if requirement not in one.part]
    if state == "proved":
        assert evidence in tagged(requirement)
    if state == "probed":
        assert whole, "a probe looks at what the row asks for"
    if state == "in part":
        assert checks, "a probe looks"
        assert not whole, "what is seen whole is called so"
        assert rest != "none"
    if state == "planned":
        assert not checks
        assert evidence not in tagged(requirement), "what a test proves is called so"
        assert rest != "none"
    named = set(re.findall(r"`([a-z]+\.[a-z-]+)`", has)) & {one.id for one in EVERY_CHECK}
    assert named <= {one.id for one in checks}, "a probe is named where it bears"
    if state in {"probed", "in part"}:
        assert named, "the probes are named"


def test_each_of_the_twenty_has_owner_capability_place_and_what_evidence_there_is() -> None:
    lines: list[str] = []
    for requirement, owner, state, *_, rest in rows():
        row = catalogue().requirement(requirement)
        assert row.accountable.value == "mfsp"
        assert row.performers
        assert row.capability
        assert row.verification
        checks = [
            f"{one.id}{' (part)' if requirement in one.part else ''}"
            for one in checks_of(requirement)
        ]
        tests = sorted(tagged(requirement))
        assert checks or tests or rest != "none", f"{requirement} has neither evidence nor place"
        lines.append(
            f"{requirement:<13} {state:<8} {owner.strip('`'):<26} {len(tests):>2} test files "
            f" {', '.join(checks) or '-'}"
        )
    print("\n" + "\n".join(lines))
    assert len(lines) == 20
    assert sum(" planned " not in line for line in lines) == 20
