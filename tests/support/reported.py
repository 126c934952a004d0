"""A report of a shipped programme, with the few years that a test can wait for."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tallystick.entry.reporting import material_of
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.programme.templates import profile_text
from tallystick.process.reports.gathering import gather
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import HistoryPoint, Report
from tallystick.process.risk.analysis import Options

NOW = Instant(1_796_000_000_000)
SMALL = "wallet-start-up"
QUICK = Options(years=400, front=True)


class StillClock:
    """Always the same instant."""

    def now(self) -> Instant:
        return NOW


@cache
def material(name: str = SMALL) -> Material:
    """What a report of the shipped programme `name` is made from."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mfs.yaml"
        file.write_text(profile_text(name), encoding="utf-8")
        return material_of(file, StillClock(), QUICK, lambda _: None)


@cache
def report(name: str = SMALL) -> Report:
    return gather(material(name))


def course(count: int) -> tuple[HistoryPoint, ...]:
    """A history of `count` points that ends with the report's own; the policy changes half-way."""
    last = report().history[-1]
    return tuple(
        replace(
            last,
            at=NOW - (count - 1 - day) * DAY_MS,
            policy_version=1 + (2 * day >= count),
            open=(last.open[0], last.open[1], last.open[2] - day),
        )
        for day in range(count)
    )
