"""The conformance kit: our SDK passes, and each planted defect fails the cases about it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.broken_device import DEFECTS

from tallystick.entry.cli.conforming import conform
from tallystick.entry.conforming import scoring
from tallystick.entry.conforming.scoring import CASES, chosen, score_on
from tallystick.entry.conforming.stage import Stage, staged
from tallystick.kernel.errors import NotFound, Unavailable

SDK = (sys.executable, "-m", "simulators.driven")
RECEIPTS = {one.name for one in CASES if one.name.startswith("receipt-")}
FAILS = {
    "believes_any_list": {
        "key-list-of-another-root",
        "key-list-altered",
        "key-list-past-its-time",
        "key-list-older",
    },
    "forgets_the_version": {"key-list-older"},
    "offers_less_when_refused": {"offer-kept"},
    "opens_nothing_after_a_refusal": {"offer-kept"},
    "warns_of_nothing": {"request-warned"},
    "forgets_the_hybrid": {"hybrid-kept"},
    "skips_the_signature": {"provider-signature-altered"},
    "skips_the_mac": {"provider-mac-altered"},
    "forgets_the_proposal": {"acceptance-lost", "renewal-durable"},
    "believes_what_is_clear": {"reply-in-clear", "payment-forged"},
    "ignores_the_status": {"reply-status-altered"},
    "orders_anew": {"answer-lost"},
    "skips_the_history": {"history-forked"},
    "believes_receipts": RECEIPTS,
    "draws_no_lots": {"fresh-keys"},
    "asks_the_store_with_another_hash": {"store-verdict", "store-verdict-on-demand"},
    "enrols_without_the_store": {"store-verdict", "store-verdict-on-demand"},
}
HOLDS = ("reply-altered",)
"""What no defect touches: a kit that fails everything finds nothing."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Path]]:
    folder = tmp_path_factory.mktemp("conform")
    with staged(folder / "provider") as found:
        yield found, folder


@pytest.mark.requirement("MFS-7.3.3-03")
@pytest.mark.requirement("MFS-7.3.3-11")
def test_our_device_passes_every_case(stage: tuple[Stage, Path]) -> None:
    found = score_on(*stage, SDK)
    assert [one for one in found.cases if not one.passed] == []
    assert found.conforms
    assert len(found.cases) == len(CASES) >= 40
    assert found.client == "tallystick.client"


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_planted_defect_fails_its_cases_and_no_others(
    stage: tuple[Stage, Path], defect: str
) -> None:
    command = (sys.executable, "-m", "tests.support.broken_device", defect)
    expected = set(sorted(FAILS[defect])[:2])
    found = score_on(*stage, command, chosen([*sorted(expected), *HOLDS]))
    failed = {one.case: one.reason for one in found.cases if not one.passed}
    assert set(failed) == expected
    assert all(failed.values())


def test_every_defect_and_most_of_the_cases_are_named_here() -> None:
    assert set(FAILS) == set(DEFECTS)
    assert {name for names in FAILS.values() for name in names} <= {one.name for one in CASES}
    assert len({one.name for one in CASES}) == len(CASES)


def test_a_program_that_ends_says_nothing_or_cannot_be_run(stage: tuple[Stage, Path]) -> None:
    one = chosen(["receipt"])
    ended = score_on(*stage, ("/bin/true",), one)
    assert "ended" in ended.cases[0].reason
    silent = score_on(*stage, ("/bin/sleep", "60"), one, patience_s=0.2)
    assert "too slow" in silent.cases[0].reason
    with_words = score_on(*stage, ("/bin/echo", "{}"), one)
    assert not with_words.cases[0].passed
    with pytest.raises(Unavailable, match="cannot be run: /nowhere/device"):
        score_on(*stage, ("/nowhere/device",), one)
    with pytest.raises(NotFound):
        chosen(["no-such-case"])


def test_the_command_says_it_in_words_and_in_json(
    stage: tuple[Stage, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_this_stage(command, cases, **named):
        return score_on(*stage, command, cases, **named)

    monkeypatch.setattr("tallystick.entry.cli.conforming.score", on_this_stage)
    run = CliRunner().invoke
    good = ["device", "--command", " ".join(SDK), "--case", "enrol"]
    told = run(conform, good)
    assert told.exit_code == 0
    assert "all 1 cases passed" in told.output
    bad = ["device", "--command", "/bin/true", "--case", "enrol"]
    told = run(conform, bad)
    assert told.exit_code == 4
    assert "1 of 1 cases failed" in told.output
    told = run(conform, [*bad, "--json"])
    assert told.exit_code == 4
    score = json.loads(told.output)
    assert score["cases"][0]["case"] == "enrol"
    assert score["cases"][0]["passed"] is False
    told = run(conform, ["device", "--command", "/bin/cat", "--case", "enrol", "--json"])
    assert 'no answer: {"id":1,"do":"start"' in json.loads(told.output)["cases"][0]["reason"]
    assert "key-list-older" in run(conform, ["cases"]).output
    beyond = run(conform, [*good, "--url", "http://192.0.2.1:80"])
    assert beyond.exit_code != 0


def test_nothing_is_left_when_the_stage_cannot_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise Unavailable("the stage cannot be set")

    monkeypatch.setattr(Stage, "set_the_stage", fails)
    with pytest.raises(Unavailable):
        scoring.score(SDK, chosen(["enrol"]))
