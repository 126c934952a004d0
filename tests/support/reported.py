"""A report of a shipped programme, with the few years that a test can wait for."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tallystick.entry.reporting import material_of
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.loop.model import Flip, Level, LoopLine, Moved, Turned
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


def rounds(count: int) -> tuple[LoopLine, ...]:
    """Lines of the loop, a minute apart: every second one a control falls, then it comes back.

    The policy has another version after each fall.
    """
    calm, worse = Level(risk=10, open=3), Level(risk=25, open=8)
    found: list[LoopLine] = []
    for number in range(count):
        bad = number % 2 == 1
        states = ("enforced", "failed") if bad else ("failed", "enforced")
        flips = ("satisfied", "not-satisfied") if bad else ("not-satisfied", "satisfied")
        found.append(
            LoopLine(
                v=1,
                at=NOW - (count - number) * 60_000,
                round=number + 1,
                turned=(
                    Turned(
                        control="files-mode", was=states[0], now=states[1], by="probes", says="it"
                    ),
                ),
                residual={
                    "pin": Moved(before=calm if bad else worse, after=worse if bad else calm),
                    "tally": Moved(before=calm, after=calm),
                },
                policy_version=1 + number // 2,
                proposal="0123456789abcdef" if bad else "",
                findings=(Flip(requirement="MFS-7.2.1-01", was=flips[0], now=flips[1]),),
                satisfied=9 if bad else 10,
                rows=250,
                in_effect=29 if bad else 30,
                controls=120,
                fallen=("files-mode",) if bad else (),
            )
        )
    return tuple(found)
