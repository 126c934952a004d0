"""The pages on registers say what the code does, and their examples can be read."""

import re
from pathlib import Path

import pytest

from tallystick.process.isms.page import registers_page
from tallystick.process.isms.reading import read_register
from tallystick.process.isms.shapes import SHAPES

DOCS = Path(__file__).resolve().parents[4] / "docs"
HOW_TO = (DOCS / "how-to" / "keep-the-registers.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", HOW_TO, re.DOTALL)


def test_the_reference_page_is_that_of_the_registers() -> None:
    page = (DOCS / "reference" / "registers.md").read_text(encoding="utf-8")
    assert page == registers_page(), "python dev.py docs"
    for shape in SHAPES.values():
        assert f"\n## {shape.name}\n" in page


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_how_to_is_a_register(example: str) -> None:
    name = example.splitlines()[0].removeprefix("register: ")
    assert read_register(example, name).entries


def test_the_how_to_has_examples() -> None:
    assert len(EXAMPLES) == 4
