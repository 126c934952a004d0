"""The text of a register is read whole or refused with every defect and its position."""

import pytest
from tests.unit.process.isms.kept import TEXTS, kept, text

from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.isms.reading import REVIEW_MS, read_register, read_registers
from tallystick.process.isms.shapes import SHAPES


def test_every_register_can_be_kept_and_is_read() -> None:
    assert set(TEXTS) == set(SHAPES)
    registers = kept()
    assert not registers.unreadable, registers.unreadable
    assert set(registers.kept) == set(SHAPES)
    assert registers.kept["vendors"].review_ms == REVIEW_MS == 365 * DAY_MS


def test_every_requirement_that_a_register_bears_on_is_in_the_catalogue() -> None:
    named = {one for shape in SHAPES.values() for one in shape.requirements}
    assert named <= set(catalogue().requirements)
    fields = {(shape.name, clock.start) for shape in SHAPES.values() for clock in shape.clocks}
    for name, start in fields:
        assert SHAPES[name].field(start)


def test_fields_hold_what_was_written() -> None:
    vendor = kept().entries("vendors")["sms-house"]
    assert vendor.words("requirements") == ("MFS-7.2.3-01",)
    assert vendor.number("verify_every") == 365 * DAY_MS
    assert vendor.flag("service_level_met")
    assert vendor.at.line > 4
    assert kept().entries("continuity")["payments"].number("took") == 2 * HOUR_MS
    asked = kept().entries("requests")["r-1"].number("asked")
    assert asked % DAY_MS == 9 * HOUR_MS


def test_every_defect_is_named_with_its_position() -> None:
    wrong = text("vendors").replace("2027-05-01", "2027-02-30").replace("P365D", "a year")
    wrong = wrong.replace("MFS-7.2.3-01", "MFS-7.2.3-99").replace("delivers", "delvers")
    with pytest.raises(Malformed) as refused:
        read_register(wrong, "vendors")
    lines = refused.value.detail.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("line ") for line in lines)
    for said in ("no day", "length of time", "MFS-7.2.3-99", "did you mean 'delivers'", "lacks"):
        assert sum(said in line for line in lines) == 1, said


@pytest.mark.parametrize(
    ("name", "before", "after", "says"),
    [
        ("vendors", "register: vendors", "register: assets", "in the file of vendors"),
        ("vendors", "register: vendors", "register: vendor", "did you mean 'vendors'"),
        ("vendors", "owner: ciso", "ownr: ciso", "the text lacks 'owner'"),
        ("vendors", "entries:", "review_every: P400D\nentries:", "once a year"),
        ("vendors", "service_level_met: true", "service_level_met: yes", "true or false"),
        ("parties", ", why: trained and supervised by us", "", "no attestation"),
        ("parties", "role: mno", "role: telephone", "cannot be 'telephone'"),
        ("objectives", ", why: everything is hosted", "", "nothing says why"),
        ("objectives", "physical:", "phisical:", "did you mean 'physical'"),
        ("responsibilities", '"7.4.2"', '"7.4.22"', "no requirement and no clause"),
        ("exceptions", "approved_by: ciso", "approved_by: cto", "whoever asked"),
        ("components", "a" * 64, "abc", "SHA-256"),
        ("requests", "T09:00Z", "T09:00", "a moment such as"),
        ("requests", "2026-11-20T", "2026-11-31T", "no such moment"),
        ("assets", "[database]", "[database, database]", "different words"),
        ("documents", "policy:", '"-":', "is no id"),
    ],
)
def test_a_defect_is_found(name: str, before: str, after: str, says: str) -> None:
    good = text(name)
    assert before in good
    with pytest.raises(Malformed, match=says):
        read_register(good.replace(before, after, 1), name)


def test_a_register_that_cannot_be_read_is_kept_apart_and_hides_no_other() -> None:
    registers = read_registers({"vendors": "{", "assets": text("assets")})
    assert set(registers.kept) == {"assets"}
    assert [one.name for one in registers.unreadable] == ["vendors"]
    assert registers.is_broken("vendors")
    assert not registers.entries("vendors")
