"""The documents lead where they say, and every page can be reached from the index."""

import re
from pathlib import Path

import pytest
from tests.architecture.source_tree import ROOT

LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def links(page: Path) -> set[Path]:
    return {
        (page.parent / target).resolve()
        for target in LINK.findall(page.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_of_the_project(page: Path) -> None:
    broken = sorted(str(target) for target in links(page) if not target.exists())
    assert not broken
    assert all(target.is_relative_to(ROOT) for target in links(page))


def test_every_page_is_reached_from_the_index() -> None:
    reached = {ROOT / "docs" / "index.md"}
    waiting = list(reached)
    while waiting:
        for target in links(waiting.pop()):
            if target.suffix == ".md" and target.exists() and target not in reached:
                reached.add(target)
                waiting.append(target)
    unreached = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - reached
    assert not sorted(str(page.relative_to(ROOT)) for page in unreached)


def test_every_page_has_one_title_and_no_empty_section() -> None:
    for page in PAGES:
        text = re.sub(r"```.*?```", "block", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        titles = re.findall(r"^# .+$", text, re.MULTILINE)
        assert len(titles) == 1, page
        assert not re.search(r"^(#{2,6}) [^\n]+\n+(?=\1 |\Z)", text, re.MULTILINE), page


def test_decisions_are_numbered_without_a_gap_and_fit_a_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.split()) <= 500, page
        for part in (
            "**Asked.**",
            "**Options.**",
            "**Chosen.**",
            "**Costs.**",
            "**What would change",
        ):
            assert part in text, (page, part)
