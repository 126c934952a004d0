"""Registers beside a served provider: who approves is trained, what is overdue is told."""

import json
import re
import time
from pathlib import Path

import pytest
from tests.support.metrics import exposition
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.isms.kept import INCIDENT, TEXTS, text

from tallystick.entry.doctor import State, examine
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.protocol.operators import FundAccount


def day(offset: int) -> str:
    return iso_utc(SystemClock().now() + offset * DAY_MS)[:10]


def trained(operator: str, since: int) -> str:
    return (
        f"  ann: {{kind: staff, operator: {operator}, course: keys, trained: {day(since)},"
        " valid_for: P30D}\n"
    )


def keep(provider: Served, name: str, entries: str, reviewed: int = 0) -> Path:
    folder = provider.folder.registers
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text(name, entries, day(reviewed)))
    return path


@pytest.fixture
def provider(tmp_path: Path):
    with served(tmp_path / "p") as running:
        yield running


@pytest.mark.requirement("MFS-7.3.6-05", "MFS-6.2.1-07")
def test_an_operator_whose_training_ended_cannot_approve(provider: Served) -> None:
    payee = provider.person("+254700000001", "Ann")
    first, second = provider.operators["operations"]
    number = 0

    def fund(*, approve: bool) -> str:
        nonlocal number
        number += 1
        body = FundAccount(
            number=payee.number, amount_minor=100, currency="KES", bank_reference=f"b-{number}"
        )
        waiting = first.act("fund-account", body)
        assert waiting.state == "waiting"
        return second.act("fund-account", body, approves=waiting.act).state if approve else ""

    assert fund(approve=True) == "done"
    path = keep(provider, "people", trained(second._operator, -28))
    assert fund(approve=True) == "done"
    for entries, says in (
        (trained(second._operator, -31), "ended at"),
        (trained("opr_somebody", -1), "no training"),
        ("  ann: {kind: ghost}\n", "cannot be read"),
    ):
        path.write_text(text("people", entries, day(0)))
        with pytest.raises(NotPermitted, match="does not approve") as refused:
            fund(approve=True)
        assert says in refused.value.because
    path.write_text(text("people", trained(second._operator, -1), day(0)))
    assert fund(approve=True) == "done"


@pytest.mark.requirement("MFS-6.2.1-04")
def test_what_is_overdue_is_a_metric_a_finding_and_a_list(provider: Served) -> None:
    assert "tallystick_registers_overdue 0" in exposition(provider)
    (found,) = [one for one in examine(provider.folder, SystemClock()) if one.what == "registers"]
    assert (found.state, found.says) == (State.SOON, "none is kept")

    keep(provider, "sites", TEXTS["sites"].replace("2026-06-01", day(-1)), reviewed=-1)
    (found,) = [one for one in examine(provider.folder, SystemClock()) if one.what == "registers"]
    assert found.state is State.FINE, found

    keep(provider, "documents", TEXTS["documents"].replace("2026-02-01", day(-1)), reviewed=-366)
    (provider.folder.registers / "vendors.yaml").write_text("{")
    assert "tallystick_registers_overdue 2" in exposition(provider)
    found = [one for one in examine(provider.folder, SystemClock()) if one.what == "registers"]
    assert [one.state for one in found] == [State.WRONG, State.SOON]
    assert "first documents: review of the register" in found[1].says

    ran = tallystick("registers", "due", provider.folder.root, "--json")
    assert ran.code == 4
    rows = json.loads(ran.out)
    assert [one["register"] for one in rows if one["overdue"]] == ["vendors", "documents"]


@pytest.mark.requirement("MFS-6.2.1-01", "MFS-9.1-01")
def test_a_check_says_of_each_register_what_it_proves(provider: Served) -> None:
    root = provider.folder.root
    ran = tallystick("registers", "check", root)
    assert ran.code == 0, ran.all
    assert re.search(r"unknown +vendors +it is not kept", ran.out)
    assert re.search(r"pass +keys", ran.out)
    keep(provider, "assets", TEXTS["assets"])
    path = keep(provider, "vendors", TEXTS["vendors"])
    path.write_text(path.read_text().replace("delivers", "delvers"))
    ran = tallystick("registers", "check", root)
    assert ran.code == 4
    assert re.search(r"fail +vendors +it cannot be read", ran.out)
    assert re.search(r"vendors.yaml: line \d+, column \d+: .*did you mean 'delivers'", ran.out)
    assert "key:quote was found and belongs to no asset" in ran.out
    found = {one["probe"]: one for one in json.loads(
        tallystick("registers", "check", root, "--json").out)}  # fmt: skip
    assert found["registers.vendors"]["verdict"] == "fail"
    assert found["registers.assets"]["measured"]["gaps"] > 3


@pytest.mark.requirement("MFS-6.2.1-09")
def test_registers_are_shown_with_what_follows_from_them(provider: Served) -> None:
    root = provider.folder.root
    provider.person("+254700000001", "Ann", funds=1_000)
    time.sleep(0.01)
    began = iso_utc(SystemClock().now() - DAY_MS)[:16] + "Z"
    incident = INCIDENT.replace("2026-11-20T00:00Z", began)
    keep(provider, "incidents", incident)
    keep(provider, "vendors", TEXTS["vendors"])
    keep(provider, "responsibilities", TEXTS["responsibilities"])
    shown = tallystick("registers", "show", root, "incidents", "outage")
    assert shown.code == 0, shown.all
    assert re.search(r"dora +initial notification .* late", shown.out)
    assert "account.funded" in shown.out, "the log tells of that time"
    assert "sms-house" in tallystick("registers", "show", root, "vendors").out
    assert "365 d" in tallystick("registers", "show", root, "vendors", "sms-house").out
    matrix = json.loads(tallystick("registers", "show", root, "responsibilities", "--json").out)
    assert len(matrix) == 250
    listing = tallystick("registers", "show", root, "responsibilities").out
    assert re.search(r"MFS-7.4.2-01 +head-of-keys +vault-team", listing)
    keys = tallystick("registers", "show", root, "keys").out
    assert re.search(r"tally +key_\w+ +\S+ .*approved", keys)
    purposes = {one["purpose"] for one in json.loads(
        tallystick("registers", "show", root, "keys", "--json").out)["keys"]}  # fmt: skip
    assert {"tally", "store", "quote"} <= purposes
    for arguments, says in (
        (("vendors", "nobody"), "no entry"),
        (("sites",), "not kept"),
    ):
        ran = tallystick("registers", "show", root, *arguments)
        assert ran.code == 1
        assert says in ran.err


def test_a_register_is_begun_empty_and_can_be_read(provider: Served) -> None:
    root = provider.folder.root
    for name in TEXTS:
        ran = tallystick("registers", "new", root, name, "--owner", "ciso")
        assert ran.code == 0, ran.all
    assert tallystick("registers", "new", root, "vendors", "--owner", "x").code == 1
    found = json.loads(tallystick("registers", "check", root, "--json").out)
    summaries = {one["probe"]: one["summary"] for one in found}
    assert not [one for one in summaries.values() if "cannot be read" in one]
    assert summaries["registers.vendors"] == "it has no entry"
    assert summaries["registers.exceptions"].startswith("reviewed")
