"""Runs the cases against a program and says what came of each, and why.

Source: ISO/TS 12812-2:2017, 7.2.5; 9.1
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tallystick.entry.conforming.approving import APPROVING
from tallystick.entry.conforming.bench import Bench, Case
from tallystick.entry.conforming.meeting import MEETING
from tallystick.entry.conforming.paying import PAYING
from tallystick.entry.conforming.program import Program
from tallystick.entry.conforming.proving import PROVING
from tallystick.entry.conforming.relay import LoopbackDoor, Relay
from tallystick.entry.conforming.stage import Stage, staged
from tallystick.entry.conforming.vouching import VOUCHING
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.model import Record

CASES: tuple[Case, ...] = (*MEETING, *PAYING, *PROVING, *VOUCHING, *APPROVING)
"""Every case, in the order in which they are run."""

_BLOCK = 12


class Scored(Record, frozen=True, kw_only=True):
    """What came of a case; `reason` says why it failed, and is empty where it passed.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    case: str
    clause: str
    says: str
    passed: bool
    reason: str


class Score(Record, frozen=True, kw_only=True):
    """What came of a program: how it called itself, and every case.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int = 1
    client: str
    cases: tuple[Scored, ...]

    @property
    def conforms(self) -> bool:
        """Whether every case passed.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        return all(one.passed for one in self.cases)


def chosen(names: Iterable[str]) -> tuple[Case, ...]:
    """The cases of these names, or every case where there is no name.

    Raises NotFound for a name that no case has.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    known = {case.name: case for case in CASES}
    wanted = list(names)
    if missing := [one for one in wanted if one not in known]:
        raise NotFound(f"there is no case {missing[0]}", remedy="see tallystick conform cases")
    return tuple(known[one] for one in wanted) if wanted else CASES


def score(
    command: Sequence[str],
    cases: Sequence[Case] = CASES,
    *,
    port: int = 0,
    patience_s: float = 60.0,
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Score:
    """Run `command` through `cases`, against a provider of the kit's own behind its relay.

    The relay listens on loopback at `port`, or where there is room. Raises Unavailable if the
    program or the provider cannot be run.
    Source: ISO/TS 12812-2:2017, 7.2.5; 9.1
    """
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-conform-") as spare,
        staged(Path(spare) / "provider") as stage,
    ):
        return score_on(
            stage, Path(spare), command, cases, port=port, patience_s=patience_s, tell=tell
        )


def score_on(
    stage: Stage,
    spare: Path,
    command: Sequence[str],
    cases: Sequence[Case] = CASES,
    *,
    port: int = 0,
    patience_s: float = 60.0,
    tell: Callable[[int, int], None] = lambda _, __: None,
) -> Score:
    """What `score` gives, on a stage that is set; the states of devices go below `spare`.

    Raises Unavailable if the program cannot be run.
    Source: ISO/TS 12812-2:2017, 7.2.5; 9.1
    """
    program, relay = Program(command, patience_s), Relay(stage.url)
    door = LoopbackDoor(relay.handle, port)
    bench = Bench(program, relay, stage, door.url, spare, beside=_beside(cases))
    try:
        program.start()
        found: list[Scored] = []
        for done, case in enumerate(cases):
            tell(done, len(cases))
            found.append(_scored(case, bench))
        tell(len(cases), len(cases))
    finally:
        program.kill()
        door.close()
    return Score(client=bench.client, cases=tuple(found))


def _beside(cases: Sequence[Case]) -> int:
    """How many customers are made ready at once: a short-lived code each."""
    return min(len(cases), _BLOCK) - 1


def _scored(case: Case, bench: Bench) -> Scored:
    try:
        case.run(bench)
        reason = ""
    except MfsError as error:
        reason = error.detail
    return Scored(
        case=case.name, clause=case.clause, says=case.says, passed=not reason, reason=reason
    )
