"""The figure of the devices that are there: trust over time, who may pay less, what apps report.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 8.1.1
"""

from collections.abc import Sequence
from html import escape
from typing import Final

from tallystick.kernel.money import Money
from tallystick.process.policy.facts import FOREVER
from tallystick.process.reports.marks import (
    CellText,
    linked,
    path,
    picture,
    scrolled,
    spot,
    table,
    text,
)
from tallystick.process.reports.model import FleetDayStanding, FleetStanding, LessStanding

SOURCE: Final = "fleet"
_WIDTH, _LEFT, _RIGHT, _TOP, _TALL = 640, 52, 20, 12, 150


def fleet_figure(fleet: FleetStanding | None, currency: str) -> str:
    """The course of trust, the classes that may pay less by which clause, and the signals.

    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.1
    """
    if fleet is None or not fleet.devices:
        return "<p><b>No device of a customer is enrolled.</b></p>"
    shares = ", ".join(f"{many:,} {escape(name)}" for name, many in fleet.by_trust.items())
    said = f"<p>{fleet.devices:,} active devices: {shares}.</p>"
    return said + _course(fleet.days) + _less(fleet.less, currency) + _signals(fleet)


def _course(days: Sequence[FleetDayStanding]) -> str:
    rows: list[tuple[CellText, ...]] = [
        (
            one.day,
            linked(one.attested, SOURCE),
            linked(one.software, SOURCE),
            linked(one.unproven, SOURCE),
            linked(one.event, SOURCE),
        )
        for one in days
    ]
    columns = ("day", "proven", "in software", "unproven", "event of the log")
    numbers = table("Devices by day", columns, rows, "numbers")
    if len(days) < 2:
        return f"<p>A course of trust needs two days that were counted.</p>{numbers}"
    drawn = scrolled("Trust over time", trust_picture(days))
    return f"{drawn}<details><summary>The numbers as a table</summary>{numbers}</details>"


def trust_picture(days: Sequence[FleetDayStanding]) -> str:
    """The share of devices that proved their keys, day by day, from none to all.

    Source: ISO/TS 12812-2:2017, 7.2.6; W3C SVG
    """
    across = (_WIDTH - _LEFT - _RIGHT) / (len(days) - 1)
    bottom = _TOP + _TALL
    shares = [one.attested / (one.attested + one.software + one.unproven or 1) for one in days]
    spots = [(_LEFT + place * across, bottom - share * _TALL) for place, share in enumerate(shares)]
    line = "M" + "L".join(f"{spot(x)} {spot(y)}" for x, y in spots)
    parts = [
        *(path(f"M{_LEFT} {spot(bottom - part * _TALL)}H{_WIDTH - _RIGHT}", "grid")
          for part in (0, 0.5, 1)),
        *(text(_LEFT - 6, bottom - part * _TALL + 4, f"{part:.0%}", "soft", "end")
          for part in (0, 0.5, 1)),
        path(line, "curve observed"),
        text(_LEFT, bottom + 18, days[0].day, "soft"),
        text(_WIDTH - _RIGHT, bottom + 18, days[-1].day, "soft", "end"),
    ]  # fmt: skip
    said = (
        f"Devices that proved their keys: {shares[0]:.0%} on {days[0].day},"
        f" {shares[-1]:.0%} on {days[-1].day}."
    )
    return picture(
        "fleet-picture", (_WIDTH, bottom + 28), "Share of devices with proven keys", said, parts
    )


def _less(less: Sequence[LessStanding], currency: str) -> str:
    if not less:
        return "<p>Nobody may pay less than with a proven device.</p>"
    rows: list[tuple[CellText, ...]] = [
        (
            f"{one.trust}, tier {one.tier}",
            linked(one.devices, SOURCE),
            linked(one.customers, SOURCE),
            one.kind,
            linked(_amount(one.most_minor, currency), SOURCE),
            linked(_amount(one.full_minor, currency), SOURCE),
            one.by,
        )
        for one in less
    ]
    columns = (
        "devices of",
        "devices",
        "customers",
        "payment",
        "at most",
        "with a proven device",
        "clause",
    )
    return table("Who may pay less, and by which clause", columns, rows, "numbers")


def _signals(fleet: FleetStanding) -> str:
    if not fleet.signals:
        return "<p>No app reported anything of its telephone within a day.</p>"
    rows: list[tuple[CellText, ...]] = [
        (
            one.signal,
            linked(one.devices, SOURCE),
            linked(f"{one.established:,} of {fleet.watched:,}", SOURCE),
            "".join(f"{threat} " for threat in one.presses).strip() or "none",
            linked(f"+{one.steps}" if one.steps else "0", SOURCE),
        )
        for one in fleet.signals
    ]
    columns = ("signal", "devices", "trusted for long", "threats it shows", "likelihood now")
    return table("What apps report of their telephones", columns, rows, "numbers")


def _amount(minor: int, currency: str) -> str:
    if minor >= FOREVER:
        return "no bound"
    return str(Money(minor, currency)) if minor else "nothing"
