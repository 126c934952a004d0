"""Probes are registered once, chosen by name, row or age, and one that breaks is no verdict."""

from dataclasses import dataclass

import pytest

from tallystick.kernel.errors import Conflict, NotFound, Unavailable
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.time import SimulatedClock
from tallystick.process.conformance.checks import CheckKind, LogPoint, check_of
from tallystick.process.conformance.registry import Registry, due, run_probes

ROWS = ("MFS-7.3.2-01",)


@dataclass
class Fixed:
    """A probe that always sees the same, or breaks."""

    name: str
    requirements: tuple[str, ...] = ROWS
    verdict: Verdict = Verdict.PASS
    error: Exception | None = None

    def observe(self, now: int) -> Evidence:
        if self.error is not None:
            raise self.error
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=self.verdict,
            observed_at=now,
            summary="seen",
            measured={},
            records=(7, 3),
        )


def registry(*probes: Fixed) -> Registry:
    found = Registry()
    for one in probes:
        check = check_of(one.name, CheckKind.POSITIVE, one.requirements, "x", freshness_ms=100)
        found.register(check, one)
    return found


def run(found: Registry, clock: SimulatedClock, told: list | None = None):
    point = LogPoint(origin="o/1", size=9, root="00", first=0, last=-1)
    tell = (told if told is not None else []).append
    return run_probes(
        found.select(), clock, environment="e", log=lambda: point, tell=lambda *of: tell(of)
    )


def test_a_probe_is_registered_once_and_speaks_of_what_its_check_says() -> None:
    found = registry(Fixed("a"))
    check = check_of("a", CheckKind.STATIC, ROWS, "x")
    with pytest.raises(Conflict):
        found.register(check, Fixed("a"))
    for wrong in (Fixed("c"), Fixed("b", ("MFS-6.1-01",))):
        with pytest.raises(Conflict):
            found.register(check_of("b", CheckKind.STATIC, ROWS, "x"), wrong)


def test_probes_are_chosen_by_name_and_by_row() -> None:
    found = registry(Fixed("a"), Fixed("b", ("MFS-6.1-01",)), Fixed("c"))
    assert [one.check.id for one in found.select()] == ["a", "b", "c"]
    assert [one.check.id for one in found.select(["b"])] == ["b"]
    assert [one.check.id for one in found.select(["MFS-7.3.2-01"])] == ["a", "c"]
    with pytest.raises(NotFound, match="nonsense"):
        found.select(["a", "nonsense"])


def test_what_breaks_saw_nothing_and_the_rest_goes_on() -> None:
    told: list = []
    broken = (Fixed("a", error=Unavailable("no answer")), Fixed("b", error=ZeroDivisionError()))
    seen = run(registry(*broken, Fixed("c")), SimulatedClock(), told)
    assert [one.verdict for one in seen] == [Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.PASS]
    assert "no answer" in seen[0].summary
    assert "ZeroDivisionError" in seen[1].summary
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_observation_names_its_place_in_the_log() -> None:
    (seen,) = run(registry(Fixed("a")), SimulatedClock())
    assert seen.log is not None
    assert (seen.log.size, seen.log.first, seen.log.last, seen.records) == (9, 3, 7, (7, 3))


def test_due_is_what_has_no_pass_and_what_is_half_out_of_date() -> None:
    clock = SimulatedClock()
    found = registry(Fixed("a"), Fixed("b", verdict=Verdict.FAIL))
    everything = found.select()
    assert due(everything, (), clock.now()) == everything
    seen = run(found, clock)
    clock.advance(49)
    assert [one.check.id for one in due(everything, seen, clock.now())] == ["b"]
    clock.advance(1)
    assert due(everything, seen, clock.now()) == everything
