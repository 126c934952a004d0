"""Every term of the standard leads to something that is there, and the page is up to date."""

from tests.architecture.source_tree import ROOT

from tallystick.process.catalogue.glossary import render_glossary, unresolved_pointers


def test_every_entry_points_to_something_that_exists() -> None:
    found = unresolved_pointers(ROOT)
    assert not found, "\n" + "\n".join(found)


def test_the_reference_page_is_the_glossary() -> None:
    page = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
    assert page == render_glossary(), "write it again: render_glossary()"
