"""The glossary's shape, its look-ups, and what counts as a place that exists."""

from pathlib import Path

import pytest

from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.model import replace
from tallystick.process.catalogue import glossary, term
from tallystick.process.catalogue.glossary import (
    GlossaryFile,
    checked,
    render_glossary,
    resolves,
)
from tallystick.process.catalogue.load import read


def test_every_definition_and_abbreviation_is_there() -> None:
    rows = glossary()
    assert [name for name in rows if name.startswith("3.")] == [f"3.{n}" for n in range(1, 26)]
    assert sum(bool(one.abbreviation) for one in rows.values()) == 38
    assert term("3.9") is term("end-to-end security")
    assert term("HSM").term == "Hardware Security Module"
    for absent in ("", "3.26", "QKD"):
        with pytest.raises(NotFound):
            term(absent)


def test_a_glossary_that_lost_or_doubled_an_entry_is_refused() -> None:
    file = read("glossary.json", GlossaryFile)
    with pytest.raises(Broken):
        checked(replace(file, entries=file.entries[1:]))
    with pytest.raises(Broken):
        checked(replace(file, entries=file.entries[:-1]))
    unnamed = replace(file.entries[-1], abbreviation="")
    with pytest.raises(Broken):
        checked(replace(file, entries=(*file.entries[:-1], unnamed)))


def test_places_are_looked_for_in_code_and_pages(tmp_path: Path) -> None:
    package = tmp_path / "src" / "tallystick" / "vault"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("LIMIT: int = 3\n")
    (package / "door.py").write_text("class Lock:\n    def turn(self): ...\nopen_ = Lock\n")
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("# Top\n## People, law, privacy\n")
    for there in (
        "tallystick.vault",
        "tallystick.vault.LIMIT",
        "tallystick.vault.door.Lock",
        "tallystick.vault.door.Lock.turn",
        "tallystick.vault.door.open_",
        "docs/page.md",
        "docs/page.md#people-law-privacy",
    ):
        assert resolves(tmp_path, there), there
    for absent in (
        "tallystick.cellar",
        "tallystick.vault.door.Key",
        "tallystick.vault.door.Lock.burst",
        "tallystick.vault.door.open_.turn",
        "docs/other.md",
        "docs/page.md#bottom",
    ):
        assert not resolves(tmp_path, absent), absent


def test_the_page_names_every_entry() -> None:
    page = render_glossary()
    for one in glossary().values():
        assert f"| {one.name()} | {one.term} | {one.our_words} |" in page
