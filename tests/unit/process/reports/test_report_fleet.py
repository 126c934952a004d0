"""The report's figure of devices: equal numbers in picture and table, each led to its source."""

import re

from tests.support.reported import material, report

from tallystick.kernel.model import replace
from tallystick.process.policy.facts import FOREVER
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text
from tallystick.process.reports.fleet import fleet_figure, trust_picture
from tallystick.process.reports.gathering import gather
from tallystick.process.reports.model import (
    FleetDayStanding,
    FleetStanding,
    LessStanding,
    SignalStanding,
)
from tallystick.process.reports.page import report_page


def day(number: int, attested: int, software: int = 10) -> FleetDayStanding:
    return FleetDayStanding(
        day=f"2026-11-{number:02}", attested=attested, software=software, unproven=0, event=number
    )


FLEET = FleetStanding(
    devices=1_300,
    by_trust={"attested-hardware": 1_000, "software": 300},
    watched=800,
    days=(day(1, 10), day(2, 30)),
    less=(
        LessStanding(
            trust="software", tier=1, devices=300, customers=280, kind="p2p",
            most_minor=5_000_000, full_minor=FOREVER, by="software-device",
        ),
    ),
    signals=(
        SignalStanding(signal="rooted", devices=40, established=12, presses=("THR-DEV-02",),
                       steps=1),
    ),
)  # fmt: skip


def test_a_report_of_a_programme_alone_says_that_there_are_no_devices() -> None:
    assert report().fleet is None
    assert "No device of a customer is enrolled" in fleet_figure(None, "KES")


def test_the_figure_says_shares_clauses_and_steps() -> None:
    shown = fleet_figure(FLEET, "KES")
    text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "1,300 active devices" in text
    assert "software, tier 1 300 280 p2p KES 50,000.00 no bound software-device" in text
    assert "rooted 40 12 of 800 THR-DEV-02 +1" in text
    assert "50% on 2026-11-01, 75% on 2026-11-02" in text
    assert set(re.findall(r'href="#from-([a-z]+)"', shown)) == {"fleet"}


def test_the_course_goes_up_where_more_devices_prove_their_keys() -> None:
    drawn = trust_picture(FLEET.days)
    (line,) = re.findall(r'<path class="curve observed" d="M([^"]+)"', drawn)
    heights = [float(one.split()[1]) for one in line.split("L")]
    assert heights[0] > heights[1], "less is further down"


def test_the_page_has_the_figure_and_its_source() -> None:
    made = gather(replace_fleet())
    page = report_page(made, read_programme(profile_text("wallet-start-up")))
    assert 'id="fleet"' in page
    assert 'id="from-fleet"' in page
    assert made.fleet == FLEET


def replace_fleet():
    import dataclasses  # noqa: PLC0415 - Material is no record of ours

    return dataclasses.replace(material(), fleet=FLEET)


def test_one_day_is_no_course() -> None:
    assert "needs two days" in fleet_figure(replace(FLEET, days=FLEET.days[:1]), "KES")
    assert "svg" not in fleet_figure(replace(FLEET, days=FLEET.days[:1]), "KES")
