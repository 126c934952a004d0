"""The checklist has every control, its tests exist, and the page is that of the data."""

import ast
import json
import re

import pytest
from tests.architecture.source_tree import ROOT
from tests.unit.entry.cli.command_line import tallystick

from tallystick.kernel.errors import Malformed
from tallystick.process.catalogue import catalogue
from tallystick.process.hardening.checklist import (
    CONTROLS,
    app_checklist,
    checklist_page,
    rows_naming,
    shipped_text,
)

PAGE = ROOT / "docs" / "reference" / "app-hardening.md"


@pytest.mark.requirement("MFS-9.3-01")
def test_every_control_is_there_with_its_part_or_a_reason() -> None:
    found = app_checklist(catalogue())
    assert len(found) == len(CONTROLS) == 24
    assert [one.id for one in found] == [f"MASVS-{one}" for one in CONTROLS]
    for one in found:
        assert bool(one.sdk) != bool(one.outside)
        assert one.developer
        assert one.platform
        assert one.requirements, f"no row of the catalogue names {one.id}"


def test_a_range_names_each_control_in_it() -> None:
    rows = rows_naming(catalogue())
    assert "MFS-7.2.2-05" in rows["STORAGE-1"]
    assert "MFS-7.2.2-05" in rows["STORAGE-2"]
    assert "MFS-7.2.5-05" in rows["PLATFORM-2"]
    assert "MFS-12.3-03" in rows["STORAGE-2"]
    assert "MFS-7.2.2-01" in rows["RESILIENCE-4"]
    assert "MFS-7.2.2-01" not in rows["RESILIENCE-2"]


def test_each_named_test_is_in_the_repository() -> None:
    for control in app_checklist(catalogue()):
        for name in control.tests:
            path, _, function = name.partition("::")
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            names = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
            assert not function or function in names, name


def test_the_reference_page_is_that_of_the_data() -> None:
    assert PAGE.read_text(encoding="utf-8") == checklist_page(catalogue()), "python dev.py docs"


def test_the_command_prints_the_page_and_the_data() -> None:
    assert tallystick("checklist", "app").out == checklist_page(catalogue())
    listed = json.loads(tallystick("checklist", "app", "--json").out)
    assert [one["id"] for one in listed] == [f"MASVS-{one}" for one in CONTROLS]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  CODE-2:\n", "  CODE-9:\n", "CODE-9"),
        ("    sdk: TLS 1.3", "    outside: no\n    sdk: TLS 1.3", "one of them"),
        ("tests/protocol/test_tls.py::test_a_way", "docs/x.md::test_a_way", "no test"),
        ("    developer: Use the SDK's protocol", "    maker: Use the", "maker"),
    ],
)
def test_a_list_with_a_hole_is_refused(old: str, new: str, says: str) -> None:
    text = shipped_text()
    assert old in text
    with pytest.raises(Malformed, match=re.escape(says)):
        app_checklist(catalogue(), text.replace(old, new, 1))
