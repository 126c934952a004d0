"""The fleet of a served provider: at the desk for a purpose, in the log, and before a policy."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep

import pytest
from simulators.keymint import SimulatedFactory
from tests.support.collectors import until
from tests.support.desks import come_in, events, served_desk, text_of
from tests.support.partners import MovedClock
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry import fleetkeeping
from tallystick.entry.fleet import fleet_of
from tallystick.entry.fleetkeeping import due_count
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    factory = SimulatedFactory(SystemClock().now())
    folder = tmp_path_factory.mktemp("fleet") / "p"
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(fleetkeeping, "LOOK_EVERY_S", 0.2)
        patch.setattr(fleetkeeping, "HOUR_MS", 0)
        clock = MovedClock()
        clock.not_at_the_end(of_ms=DAY_MS, left_ms=10 * MINUTE_MS)
        desk = stack.enter_context(
            served_desk(folder, appraisal=factory.policy_text(), clock=clock)
        )
        provider, origin, codes = desk
        provider.person("+254700000001", "Ann Wanjiru")
        provider.person("+254700000002", "Ben Otieno", tier=1)
        provider.factory = factory
        provider.person("+254700000003", "Cleo Achieng")
        provider.open_customer("+254700000004", "Dan Dials")
        care = come_in(origin, codes["care-desk"][0], "Cem")
        operations = come_in(origin, codes["operations"][0], "Oda")
        yield provider, care, operations


@pytest.mark.requirement("MFS-7.3.4-01")
def test_the_page_is_opened_for_a_purpose_and_the_look_is_recorded(town) -> None:
    provider, care, operations = town
    asked = care.get("/desk/fleet").text
    assert "active devices" not in asked, "nothing is shown before the purpose is told"
    assert events(provider, "operator.viewed")[-1]["p"]["page"] == "fleet-form"
    assert care.post("/desk/fleet", {"purpose": ""}).status == 403
    assert care.post("/desk/fleet", {"purpose": "disputed-payment"}).status == 403
    assert operations.post("/desk/fleet", {"purpose": "lost-device"}).status == 403
    shown = care.post("/desk/fleet", {"purpose": "lost-device"})
    assert shown.status == 200
    viewed = events(provider, "operator.viewed")[-1:]
    assert [(one["p"]["page"], one["p"]["purpose"]) for one in viewed] == [("fleet", "lost-device")]
    assert "700000" not in shown.text
    assert "Wanjiru" not in shown.text


@pytest.mark.requirement("MFS-7.2.6-01")
def test_the_page_counts_trust_and_names_the_clause_that_holds_people_back(town) -> None:
    _, care, _ = town
    page = care.post("/desk/fleet", {"purpose": "lost-device"}).text
    text = text_of(page)
    assert "3 active devices" in text
    assert "keys proven in hardware: 1 (33.3 %)" in text
    assert "keys in software: 2 (66.6 %)" in text
    assert "software-device" in text
    assert "no device, dials" in text
    assert "dialled" in text
    assert re.search(r'<svg[^>]*role="img"[^>]*aria-label="Trust of active devices: ', page)
    assert "style=" not in page.partition("<body>")[2]


def _last(provider) -> tuple[int, int]:
    told = [one["p"] for one in events(provider, "fleet.counted")]
    return (told[-1]["attested"], told[-1]["software"]) if told else (0, 0)


@pytest.mark.requirement("MFS-7.2.6-01")
def test_an_hour_of_the_fleet_is_a_line_and_an_event_that_agree(town, monkeypatch) -> None:
    provider, _, _ = town
    until(lambda: _last(provider) == (1, 2))
    counts = len(events(provider, "fleet.counted"))
    sleep(0.6)
    assert len(events(provider, "fleet.counted")) == counts, "the same again is no event"
    monkeypatch.setattr(fleetkeeping, "HOUR_MS", HOUR_MS)
    now = provider.clock.now()
    with open_reader(provider.folder.stored()) as reader:
        assert due_count(reader, now) is None, "within the hour nothing is counted"
        later = Instant(now + HOUR_MS + 60_000)
        same_day = now // DAY_MS == later // DAY_MS
        assert (due_count(reader, later) is None) == same_day, "a day has a line of its own"
        (day,) = fleet_of(reader, now).days
        assert (day.attested, day.software, day.unproven) == (1, 2, 0)
        leaf = reader.one("SELECT leaf FROM event WHERE idx = ?", (day.event,))
        assert leaf is not None
        assert json.loads(bytes(leaf[0]))["p"]["day"] == day.day


def test_the_command_line_says_the_same_without_a_secret(town) -> None:
    provider, _, _ = town
    ran = tallystick("fleet", provider.folder.root, "--json")
    assert ran.code == 0, ran.all
    found = json.loads(ran.out)
    assert found["by_trust"] == {"attested-hardware": 1, "software": 2}
    soft = [one for one in found["shut_out"] if one["people"]["trust"] == "software"]
    assert {one["reach"]["by"] for one in soft} == {"software-device"}
    assert {one["people"]["customers"] for one in soft} == {1}


@pytest.mark.requirement("MFS-6.1-01")
def test_before_a_policy_is_signed_it_says_whom_it_would_give_less(town, tmp_path: Path) -> None:
    provider, _, _ = town
    candidate = tmp_path / "next.yaml"
    changed = demo_policy().replace(
        "  - id: person-signed\n",
        "  - id: no-software\n    when: {operation: pay, kind: [p2p, merchant, cash-out],"
        " channel: [app, web], device_trust: [software, unknown], account_status: active}\n"
        "    outcome: deny\n    because: keys in software pay nothing\n  - id: person-signed\n",
        1,
    )
    candidate.write_text(re.sub(r"version: 1\n", "version: 2\n", changed, count=1))
    ran = tallystick("policy", "reach", candidate, "--provider", provider.folder.root, "--json")
    assert ran.code == 0, ran.all
    found = json.loads(ran.out)["narrowed"]
    assert {(one["people"]["trust"], one["people"]["tier"]) for one in found} == {
        ("software", 1),
        ("software", 2),
    }
    assert {one["now"]["by"] for one in found} == {"no-software"}
    assert {one["now"]["most_minor"] for one in found} == {0}


@pytest.mark.requirement("MFS-6.1-01")
def test_a_policy_that_counts_what_is_shown_says_whom_it_shuts_out(town, tmp_path: Path) -> None:
    """Keys in plain software show one category; with a PIN there are two, and nothing is lost."""
    provider, _, _ = town
    candidate = tmp_path / "shown.yaml"
    text = demo_policy().replace("  proofs: {", "  factors: as-shown\n  proofs: {", 1)
    candidate.write_text(re.sub(r"version: 1\n", "version: 2\n", text, count=1))
    ran = tallystick("policy", "reach", candidate, "--provider", provider.folder.root, "--json")
    assert ran.code == 0, ran.all
    told = json.loads(ran.out)
    software = [one for one in told["people"] if one["trust"] == "software"]
    assert sum(one["devices"] for one in software) == 2
    classes = {(one["people"]["trust"], *one["people"]["factors"]) for one in told["narrowed"]}
    assert classes == {("software", "possession")}
    assert {one["now"]["most_minor"] for one in told["narrowed"]} == {0}
    shown = tallystick("policy", "reach", candidate, "--provider", provider.folder.root)
    assert "software: possession" in shown.out


@pytest.mark.requirement("MFS-7.2.6-02")
def test_before_a_policy_of_appraisal_is_signed_it_says_whose_trust_goes(
    town, tmp_path: Path
) -> None:
    provider, _, _ = town
    candidate = tmp_path / "attestation.yaml"
    text = provider.factory.policy_text()
    candidate.write_text(text.replace("levels: [trusted-environment, ", "levels: [", 1))
    asked = ("device", "try", candidate, "--provider", provider.folder.root)
    ran = tallystick(*asked, "--json")
    assert ran.code == 0, ran.all
    found = json.loads(ran.out)
    assert (found["devices"], found["judged"]) == (3, 1)
    (one,) = found["changed"]
    assert (one["was"], one["now"], one["devices"], one["customers"]) == (
        "attested-hardware", "unknown", 1, 1,
    )  # fmt: skip
    assert "level" in one["rules"]
    candidate.write_text(text)
    assert json.loads(tallystick(*asked, "--json").out)["changed"] == []
    assert "0 would lose full trust" in tallystick(*asked).out
