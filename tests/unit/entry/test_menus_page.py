"""The page for reviewers has every word that a phone without our software shows, as it is now."""

import re
from pathlib import Path

import pytest

from tallystick.application.channels.texts import TEXTS
from tallystick.application.education.content import CONTENT
from tallystick.application.education.texts import LINES
from tallystick.application.notices.texts import WORDS
from tallystick.application.notices.texts.reasons import REASONS
from tallystick.entry.menupages import longest, menus_page
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import to_gsm7
from tallystick.protocol.toolkit import ORDERS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "menus.md"
TITLE = re.compile(r"^## .*\((\d+) places")


def test_the_page_in_the_reference_is_the_one_of_these_words() -> None:
    assert PAGE.read_text(encoding="utf-8") == menus_page(), "run: python dev.py docs"


@pytest.mark.requirement("MFS-7.3.6-01")
@pytest.mark.parametrize("language", Language)
def test_nothing_that_is_said_is_missing(language: Language) -> None:
    page = menus_page()
    for table in (TEXTS, ORDERS, WORDS, REASONS, LINES):
        for said in table[language].values():
            assert f"| {said.replace(chr(10), ' / ')} |" in page, said
    for line in CONTENT[language].never_contact:
        assert f"    - {to_gsm7(line)}\n" in page


def test_no_page_is_longer_than_its_section_has_room_for() -> None:
    room, counted = 0, 0
    for line in menus_page().splitlines():
        title = TITLE.match(line)
        if line.startswith("## "):
            room = int(title[1]) if title else 0
        cells = line.split(" | ")
        if room and len(cells) >= 3 and cells[1].isdigit():
            counted += 1
            assert int(cells[1]) <= room, line
    tables = TEXTS["en"], ORDERS["en"], WORDS["en"], REASONS["en"]
    assert counted == sum(len(one) * 3 for one in tables)


def test_a_length_is_that_of_the_longest_values() -> None:
    assert longest("{least} to {most}", {}) == len("12 to 12")
    assert longest("{stage}", {"stage": "€"}) == 2
