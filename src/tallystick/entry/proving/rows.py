"""Probes of our own rows: who answers for them, what needs them, and that exceptions lapse.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.1; 7.5
"""

from typing import Final

from tallystick.entry.proving.looking import Declared, Seen, declare, judged, part, unknown
from tallystick.kernel.time import Instant
from tallystick.process.catalogue import catalogue, security_matrix
from tallystick.process.conformance.checks import CheckKind, check_of
from tallystick.process.conformance.findings import Exempted, Ground, Need, State, findings
from tallystick.process.conformance.registry import Registry

_DECLARED: Final[tuple[Declared, ...]] = (
    ("rows.owners", CheckKind.STATIC, ("MFS-6.2.1-09",),
     "each row has who answers for it and who carries it out"),
    ("rows.matrix", CheckKind.STATIC, ("MFS-7.5-01",),
     "each operation says which services it needs, and by which rows"),
    ("rows.lapse", CheckKind.NEGATIVE, (part("MFS-7.3.1-01"),),
     "an exception that lapsed covers nothing any more"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class RowProbes:
    """Looks at the catalogue, and at the rules by which findings follow.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "rows.owners": self.owners,
            "rows.matrix": self.matrix,
            "rows.lapse": self.lapse,
        }
        declare(registry, _DECLARED, looks)

    def owners(self, now: Instant) -> Seen:
        """Whether each row names who answers and who performs.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        rows = catalogue().requirements.values()
        bare = [one.id for one in rows if not one.performers or one.accountable.value != "mfsp"]
        return judged(
            not bare,
            f"{len(rows)} rows, the provider answers for each",
            f"others answer for {len(bare)} rows, {bare[0] if bare else ''} the first",
            rows=len(rows),
            bare=len(bare),
        )

    def matrix(self, now: Instant) -> Seen:
        """Whether each operation says what it needs, and by which rows it is met.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        operations = security_matrix()
        empty = [name for name, one in operations.items() if not one.needs or not one.requirements]
        return judged(
            not empty,
            f"{len(operations)} operations, none without rows",
            f"without: {', '.join(empty[:3])}",
            operations=len(operations),
            empty=len(empty),
        )

    def lapse(self, now: Instant) -> Seen:
        """Tries to have a row excepted with an exception that has just lapsed.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        row = "MFS-7.3.1-01"
        check = check_of("never.made", CheckKind.STATIC, (row,), "nobody makes it")
        lapsed = Exempted(requirement=row, who="probe", why="probe", since=now - 2, until=now)
        ground = Ground(
            needs=(Need(requirement=row, prohibition=True, checks=(check,)),),
            history=(),
            exceptions=(lapsed,),
        )
        state = findings(ground, now)[0].state
        before = findings(ground, now - 1)[0].state
        if before is not State.EXCEPTED:
            return unknown("an exception in force covered nothing")
        return judged(
            state is State.STALE,
            "it covers nothing from its end on",
            f"the row is {state.value} although the exception lapsed",
        )
