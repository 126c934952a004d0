"""The page of planned places is true: its rows and evidence exist, and what is proved is tagged."""

from pathlib import Path

import pytest

from tallystick.process.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs" / "explanation" / "planned-places.md"
STATES = {"proved", "probed", "in part", "planned"}


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
    if state == "proved":
        assert evidence in tagged(requirement)
    if state == "probed":
        probes = (ROOT / "src" / "tallystick" / "entry" / "proving").glob("*.py")
        assert any(f'"{requirement}"' in one.read_text(encoding="utf-8") for one in probes)
    if state in {"in part", "planned"}:
        assert evidence not in tagged(requirement), "what a test proves is called so"
        assert rest != "none"
