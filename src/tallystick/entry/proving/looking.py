"""A probe out of a function: it looks once and says pass, fail or unknown, with its numbers.

Source: ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind, check_of
from tallystick.process.conformance.registry import Registry


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look came to; `records` are the events of the log that it rests on.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    verdict: Verdict
    summary: str
    measured: dict[str, int | str] = field(default_factory=dict[str, int | str])
    records: tuple[int, ...] = ()


Look = Callable[[Instant], Seen]
"""Looks once; what it raises is no verdict."""


def passed(summary: str, *records: int, **measured: int | str) -> Seen:
    """What should hold was seen to hold.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return Seen(Verdict.PASS, summary, measured, records)


def failed(summary: str, *records: int, **measured: int | str) -> Seen:
    """What should hold was seen not to.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return Seen(Verdict.FAIL, summary, measured, records)


def unknown(summary: str, **measured: int | str) -> Seen:
    """It could not be seen.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return Seen(Verdict.UNKNOWN, summary, measured)


def judged(holds: bool, good: str, bad: str, **measured: int | str) -> Seen:
    """`good` if it `holds`, `bad` if not, with the same numbers.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return passed(good, **measured) if holds else failed(bad, **measured)


def attempted(act: Callable[[], object], *refusals: type[MfsError]) -> Seen:
    """Passed if `act`, which is forbidden, is refused with one of `refusals`.

    A refusal of another kind shows nothing: the act may have been refused for another reason.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    try:
        act()
    except refusals as refusal:
        return passed(f"refused: {refusal.detail}", refusal=refusal.code)
    except Unavailable as error:
        return unknown(f"nobody answered: {error.detail}")
    except MfsError as error:
        return unknown(f"refused in another way: {error.code}", refusal=error.code)
    return failed("the forbidden act was carried out")


def all_attempted(seen: dict[str, Seen]) -> Seen:
    """One verdict for several attempts: the worst; the numbers say how many were refused.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    refused = sum(one.verdict is Verdict.PASS for one in seen.values())
    numbers: dict[str, int | str] = {"attempts": len(seen), "refused": refused}
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN):
        worst = [f"{name}: {one.summary}" for name, one in seen.items() if one.verdict is verdict]
        if worst:
            return Seen(verdict, "; ".join(worst)[:300], numbers)
    return Seen(Verdict.PASS, f"{refused} of {len(seen)} attempts were refused", numbers)


@dataclass(slots=True)
class LookingProbe:
    """A probe as the kernel describes it, out of a function.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    name: str
    requirements: tuple[str, ...]
    look: Look

    def observe(self, now: Instant) -> Evidence:
        """What the function sees.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        seen = self.look(now)
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=seen.verdict,
            observed_at=now,
            summary=seen.summary[:300],
            measured=seen.measured,
            records=seen.records,
        )


_IN_PART: Final = " in part"


def part(row: str) -> str:
    """`row`, declared as one of which a probe shows less than it asks for.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return f"{row}{_IN_PART}"


Declared = tuple[str, CheckKind, tuple[str, ...], str]
"""A probe's name, its kind, the rows that it bears on, and what holds if it passes."""


def declare(registry: Registry, declared: Iterable[Declared], looks: Mapping[str, Look]) -> None:
    """Register those of the `declared` probes that `looks` has a function for, by name.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    for name, kind, named, says in declared:
        look = looks.get(name)
        if look is not None:
            rows = tuple(one.removesuffix(_IN_PART) for one in named)
            less = tuple(row for row, one in zip(rows, named, strict=True) if row != one)
            check = check_of(name, kind, rows, says, part=less)
            registry.register(check, LookingProbe(name, rows, look))
