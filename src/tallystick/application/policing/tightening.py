"""Measures that the service takes by itself: signed, recorded, proved to loosen nothing, capped.

    Seen -> rules of the entry -> caps -> statement, signed -> proof against the policy -> force
                                   '-> beyond them: a proposal that waits for two officers

The server's key approves no policy. It signs a statement about an entry that officers signed, and
the statement counts only together with the proof and the caps.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 7.3.3
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from tallystick.application.policing.store import MEASURE, every_measure
from tallystick.application.tightenings.proposals import (
    APPROVED,
    LIFE_MS,
    Proposals,
)
from tallystick.application.tightenings.proposals import SUPERSEDED as PROPOSAL_SUPERSEDED
from tallystick.application.tightenings.sealing import (
    Seal,
    check_caps,
    check_measure,
    file_digest,
    statement_of,
    told_of,
    verify_approval,
)
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import CompiledPolicy, recompile
from tallystick.process.policy.caps import (
    FRESH_MS,
    Preview,
    is_capped,
    narrowest,
    why_beyond,
)
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import (
    EASED,
    LIFTED,
    SUPERSEDED,
    Measure,
    Seen,
    effective,
    entry_of,
    in_force,
    is_widening,
    proven_tighter,
    why_not_ease,
    why_not_tighten,
)
from tallystick.protocol.measures import TighteningProposal, Touched

TIGHTENED: Final = "policy.tightened"
ENDED: Final = {EASED: "policy.eased", LIFTED: "policy.lifted", SUPERSEDED: "policy.eased"}
_PREFIX = "tgt"
_PROPOSED = "tpr"


class Measures:
    """The measures in force over the officers' policy; changed by commands only.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    def __init__(
        self,
        seal: Seal,
        reader: Reader,
        provider: str,
        officers: Mapping[str, VerifyKey] | None = None,
    ) -> None:
        """Sign with `seal`; believe two of the `officers` where something is beyond its caps.

        Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
        """
        self.proposals = Proposals(reader)
        self._officers = officers or {}
        self._seal = seal
        self._reader = reader
        self._provider = provider
        self._known: tuple[Measure, ...] = ()
        self._base: CompiledPolicy | None = None
        self._digest = ""
        self.tell: Callable[[Measure], None] | None = None

    def load(self, base: CompiledPolicy, envelope: str) -> CompiledPolicy:
        """What decides when `base`, signed in `envelope`, is in force with its stored measures.

        Each is verified again, caps included, and the whole proved. Raises NotAuthentic,
        NotPermitted.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        self._base, self._digest = base, file_digest(envelope)
        self._known = tuple(every_measure(self._reader))
        self.proposals.load()
        for one in self.current:
            check_measure(one, base.policy, self._digest, self._seal.known, self._provider)
            check_caps(one, base.policy, self._digest, self._known, self._officers)
        return self._compiled(self.current)

    @property
    def current(self) -> tuple[Measure, ...]:
        """The measures in force.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return () if self._base is None else in_force(self._known, self._base.version)

    @property
    def known(self) -> tuple[Measure, ...]:
        """Every measure that the rules still have to know of, over ones included.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._known

    def why_not(self, entry: str, seen: Seen, now: int) -> str:
        """Why `entry` can neither begin nor end on what was `seen`; empty if a command is due.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._base is None:
            return "no policy is in force"
        found, held = self._entry(entry), self._of(entry)
        if not held or (seen.failing and is_widening(found, held, self._base.version)):
            against = why_not_tighten(self._base.policy, found, seen, self._known, now)
            if not against and self.proposals.of(self._base.version, entry, now) is not None:
                return "it is beyond its caps, and waits for two officers"
            return against
        return _first(why_not_ease(found, seen, one, now) for one in held)

    def cohort_due(self, name: str, seen: Seen, preview: Preview) -> str:
        """The cohort of entry `name` that is tightened next, by what `preview` counted.

        Empty for all: where no cohort holds the failing signal by itself, or one is in force.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        entry = self._entry(name)
        if is_widening(entry, self.current, self._policy().version):
            return ""
        return narrowest(entry, seen.cohorts, preview)

    def begin(
        self, turn: Turn, name: str, seen: Seen, preview: Preview | None = None
    ) -> tuple[CompiledPolicy, int]:
        """Put entry `name` into force, or propose it where it is beyond its caps.

        Gives what decides from now on, and the event. Raises NotFound, Conflict with the rule that
        is against it or for a preview that does not count, NotPermitted without a key.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        base, entry = self._policy(), self._entry(name)
        against = why_not_tighten(base.policy, entry, seen, self._known, turn.now)
        if against:
            raise Conflict(f"{name} does not begin: {against}")
        if self.proposals.of(base.version, name, turn.now) is not None:
            raise Conflict(f"{name} does not begin: it waits for two officers")
        cohort, touched = self._counted(turn, entry, seen, preview)
        beyond = why_beyond(base.policy, entry, touched, self._known, turn.now)
        if beyond and touched is None:
            raise Conflict(f"{name} does not begin: {beyond}")
        if beyond and touched is not None:
            proposal = TighteningProposal(
                provider=self._provider,
                id=turn.new_id(_PROPOSED),
                version=base.version,
                policy=self._digest,
                entry=name,
                cohort=cohort,
                at=turn.now,
                until=turn.now + LIFE_MS,
                evidence=seen.evidence,
                touched=touched,
                beyond=beyond,
            )
            return self._compiled(self.current), self.proposals.propose(turn, proposal)
        return self._take(turn, entry, cohort, seen.evidence, touched)

    def approve(self, turn: Turn, text: str, *, dual: bool = False) -> tuple[CompiledPolicy, int]:
        """Put into force what two officers signed in `text`, though it is beyond its caps.

        With `dual` each of them signed twice.

        Gives what decides from now on, and the event. Raises NotPermitted, NotAuthentic, Malformed,
        NotFound for a proposal that does not wait any more, Conflict for one that is over.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        signed = verify_approval(text, self._officers, dual=dual)
        waiting = self.proposals.find(signed.id)
        if waiting.proposal() != signed or signed.policy != self._digest:
            raise NotPermitted("the officers signed another proposal than the one that waits")
        if turn.now >= waiting.until:
            raise Conflict("the time of the proposal is over")
        entry = self._entry(signed.entry)
        held = self._of(signed.entry)
        if any(one.cohort in {"", signed.cohort} for one in held):
            raise Conflict(f"{signed.entry} is in force already")
        self.proposals.end(turn, waiting, APPROVED)
        return self._take(turn, entry, signed.cohort, signed.evidence, signed.touched, text)

    def _counted(
        self, turn: Turn, entry: Tightening, seen: Seen, preview: Preview | None
    ) -> tuple[str, Touched | None]:
        """The cohort that is due and whom it touches; nobody was counted without a preview."""
        if preview is None:
            if entry.cohorts or is_capped(self._policy().policy, entry):
                raise Conflict(f"{entry.id} does not begin: nobody counted whom it touches")
            return "", None
        there = tuple(sorted(one.step for one in self.current))
        counted = (preview.entry, preview.version, tuple(preview.steps))
        fresh = 0 <= turn.now - preview.at <= FRESH_MS
        if counted != (entry.id, self._policy().version, there) or not fresh:
            raise Conflict(f"{entry.id} does not begin: what was counted does not hold any more")
        cohort = self.cohort_due(entry.id, seen, preview)
        return cohort, preview.touched.get(cohort)

    def _take(
        self,
        turn: Turn,
        entry: Tightening,
        cohort: str,
        evidence: str,
        touched: Touched | None,
        approval: str = "",
    ) -> tuple[CompiledPolicy, int]:
        version = self._policy().version
        measure = Measure(
            id=turn.new_id(_PREFIX),
            version=version,
            entry=entry.id,
            since=turn.now,
            until=0,
            ended="",
            blocked_until=0,
            evidence=evidence,
            file="",
            event=turn.next_event(),
            end_event=-1,
            cohort=cohort,
            touched="" if touched is None else encode_canonical(touched).decode(),
            approval=approval,
        )
        statement = statement_of(measure, entry, self._digest, self._provider)
        measure = replace(measure, file=self._seal.sign(statement))
        compiled = self._compiled((*self.current, measure))
        public: dict[str, str | int] = {
            "entry": entry.id,
            "measure": measure.id,
            "version": version,
            "file": file_digest(measure.file),
            "keep_until": statement.keep_until,
            "evidence": evidence,
        }
        index = turn.record(TIGHTENED, policy=version, public=public | told_of(measure))
        self._put(turn, (replace(measure, event=index),))
        self._say(turn, measure)
        return compiled, index

    def ease(self, turn: Turn, name: str, seen: Seen) -> tuple[CompiledPolicy, int]:
        """End entry `name` once its time is over; gives what decides from now on, and the event.

        Raises NotFound, Conflict while it has to stay.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        entry, held = self._entry(name), self._of(name)
        if not held:
            raise NotFound(f"{name} is not in force")
        against = _first(why_not_ease(entry, seen, one, turn.now) for one in held)
        if against:
            raise Conflict(f"{name} stays: {against}")
        return self._end(turn, held, EASED, 0, seen.evidence)

    def lift(
        self, turn: Turn, name: str, blocked_until: int, because: str
    ) -> tuple[CompiledPolicy, int]:
        """End entry `name` at once and keep it from beginning before `blocked_until` (ms).

        Raises NotFound where it is not in force.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        held = self._of(name)
        if not held:
            raise NotFound(f"{name} is not in force", remedy="tallystick policy tightening show")
        return self._end(turn, held, LIFTED, blocked_until, because)

    def supersede(self, turn: Turn, base: CompiledPolicy, envelope: str) -> None:
        """End every measure and proposal: `base` in `envelope` takes the place of their policy.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        ended: list[Measure] = []
        for one in self.current:
            index = self._record_end(turn, one, SUPERSEDED, 0, f"version {base.version}")
            ended.append(_ended(one, turn.now, SUPERSEDED, 0, index))
            self._say(turn, ended[-1])
        for waiting in self.proposals.waiting:
            self.proposals.end(turn, waiting, PROPOSAL_SUPERSEDED)
        before = self._base, self._digest
        self._put(turn, ended)
        self._base, self._digest = base, file_digest(envelope)

        def undo() -> None:
            self._base, self._digest = before

        turn.on_undo(undo)

    def _end(
        self, turn: Turn, held: Iterable[Measure], how: str, blocked_until: int, why: str
    ) -> tuple[CompiledPolicy, int]:
        over: list[Measure] = []
        index = -1
        for one in held:
            index = self._record_end(turn, one, how, blocked_until, why)
            over.append(_ended(one, turn.now, how, blocked_until, index))
            self._say(turn, over[-1])
        self._put(turn, over)
        return self._compiled(self.current), index

    def _record_end(
        self, turn: Turn, measure: Measure, how: str, blocked_until: int, why: str
    ) -> int:
        public: dict[str, str | int] = {
            "entry": measure.entry,
            "measure": measure.id,
            "version": measure.version,
            "ended": how,
            "because": why,
        }
        if blocked_until:
            public["blocked_until"] = blocked_until
        return turn.record(ENDED[how], policy=measure.version, public=public)

    def _put(self, turn: Turn, rows: Sequence[Measure]) -> None:
        before = self._known
        changed = {one.id: one for one in rows}
        kept = [one for one in before if one.id not in changed and not _is_old(one, turn.now)]
        self._known = (*kept, *rows)
        for one in rows:
            turn.changes.upsert(MEASURE, one.id, row_of(one))

        def undo() -> None:
            self._known = before

        turn.on_undo(undo)

    def _say(self, turn: Turn, measure: Measure) -> None:
        def tell() -> None:
            if self.tell is not None:
                self.tell(measure)

        turn.on_durable(tell)

    def _compiled(self, measures: Iterable[Measure]) -> CompiledPolicy:
        base = self._policy()
        steps = [one.step for one in measures]
        if not steps:
            return base
        policy = effective(base.policy, steps)
        proven_tighter(base.policy, policy)
        return recompile(policy)

    def _policy(self) -> CompiledPolicy:
        if self._base is None:
            raise NotFound("no policy is in force")
        return self._base

    def _entry(self, name: str) -> Tightening:
        found = entry_of(self._policy().policy, name)
        if found is None:
            raise NotFound(f"the policy in force has no tightening {name!r}")
        return found

    def _of(self, name: str) -> tuple[Measure, ...]:
        """What of entry `name` is in force: for a cohort, for all, or both."""
        return tuple(one for one in self.current if one.entry == name)


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


def _ended(measure: Measure, now: int, how: str, blocked_until: int, event: int) -> Measure:
    return replace(measure, until=now, ended=how, blocked_until=blocked_until, end_event=event)


def _is_old(measure: Measure, now: int) -> bool:
    """Whether no rule asks for a measure that is over any more."""
    return bool(measure.until) and measure.since < now - DAY_MS and measure.blocked_until < now
