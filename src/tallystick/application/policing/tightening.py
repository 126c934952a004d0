"""Measures that the service takes by itself: signed, recorded, proved to loosen nothing.

    Seen -> rules of the entry -> statement, signed -> proof against the officers' policy -> force

The server's key approves no policy. It signs a statement about an entry that officers signed, and
the statement counts only together with the proof.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 7.3.3
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.application.policing.store import (
    MEASURE,
    every_measure,
)
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Conflict, MfsError, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import CompiledPolicy, Policy, recompile
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
    proven_tighter,
    why_not_ease,
    why_not_tighten,
)
from tallystick.protocol.measures import MEASURE_HEADER, MeasureStatement, measure_statements

TIGHTENED: Final = "policy.tightened"
ENDED: Final = {EASED: "policy.eased", LIFTED: "policy.lifted", SUPERSEDED: "policy.eased"}
_PREFIX = "tgt"


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs measures with the newest key of their purpose, and knows every public half of it.

    `signer` is None where the provider has no such key yet.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    signer: SigningKey | None = None
    known: tuple[VerifyKey, ...] = ()

    def sign(self, statement: MeasureStatement) -> str:
        """The statement as a compact JWS.

        Raises NotPermitted where there is no key.
        Source: RFC 7515, 7.1
        """
        if self.signer is None:
            raise NotPermitted(
                "this provider has no key that signs tightenings",
                remedy="make one: tallystick keys renew, and start the service again",
            )
        return sign_compact(self.signer, MEASURE_HEADER, encode_canonical(statement))


def verify_measure(file: str, known: Iterable[VerifyKey]) -> MeasureStatement:
    """The statement in `file`, if a key of the purpose signed it.

    Raises NotAuthentic, Malformed.
    Source: ISO/TS 12812-2:2017, 6.1; RFC 7515, 5.2
    """
    header, payload, signature, signing_input = split_compact(file)
    if header != MEASURE_HEADER:
        raise NotAuthentic("this is not signed as a tightening")
    for key in known:
        try:
            key.verify(signature, signing_input)
        except MfsError:
            continue
        return measure_statements.decode_canonical(payload)
    raise NotAuthentic("no key of this provider signed the tightening")


def check_measure(
    measure: Measure, base: Policy, digest: str, known: Iterable[VerifyKey], provider: str
) -> Tightening:
    """The entry that `measure` puts in force, if its statement fits the row and the policy file.

    Raises NotAuthentic for another signature or another row than was signed.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    stated = verify_measure(measure.file, known)
    entry = entry_of(base, measure.entry)
    if entry is None or stated != _statement(measure, entry, digest, provider):
        raise NotAuthentic("a stored tightening is not what was signed", remedy="audit the store")
    return entry


def _statement(measure: Measure, entry: Tightening, digest: str, provider: str) -> MeasureStatement:
    return MeasureStatement(
        provider=provider,
        measure=measure.id,
        version=measure.version,
        policy=digest,
        entry=measure.entry,
        since=measure.since,
        keep_until=measure.since + entry.keep_ms,
        evidence=measure.evidence,
    )


class Measures:
    """The measures in force over the officers' policy; changed by commands only.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    def __init__(self, seal: Seal, reader: Reader, provider: str) -> None:
        self._seal = seal
        self._reader = reader
        self._provider = provider
        self._known: tuple[Measure, ...] = ()
        self._base: CompiledPolicy | None = None
        self._digest = ""
        self.tell: Callable[[Measure], None] | None = None

    def load(self, base: CompiledPolicy, envelope: str) -> CompiledPolicy:
        """What decides when `base`, signed in `envelope`, is in force with its stored measures.

        Each is verified again and the whole proved. Raises NotAuthentic, NotPermitted.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        self._base, self._digest = base, file_digest(envelope)
        self._known = tuple(every_measure(self._reader))
        for one in self.current:
            check_measure(one, base.policy, self._digest, self._seal.known, self._provider)
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
        found = self._entry(entry)
        measure = self._of(entry)
        if measure is None:
            return why_not_tighten(self._base.policy, found, seen, self._known, now)
        return why_not_ease(found, seen, measure, now)

    def begin(self, turn: Turn, name: str, seen: Seen) -> tuple[CompiledPolicy, int]:
        """Put entry `name` into force; gives what decides from now on, and the event.

        Raises NotFound, Conflict with the rule that is against it, NotPermitted without a key.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        base, entry = self._policy(), self._entry(name)
        against = why_not_tighten(base.policy, entry, seen, self._known, turn.now)
        if against:
            raise Conflict(f"{name} does not begin: {against}")
        measure = Measure(
            id=turn.new_id(_PREFIX),
            version=base.version,
            entry=name,
            since=turn.now,
            until=0,
            ended="",
            blocked_until=0,
            evidence=seen.evidence,
            file="",
            event=turn.next_event(),
            end_event=-1,
        )
        statement = _statement(measure, entry, self._digest, self._provider)
        measure = replace(measure, file=self._seal.sign(statement))
        compiled = self._compiled((*self.current, measure))
        index = turn.record(
            TIGHTENED,
            policy=base.version,
            public={
                "entry": name,
                "measure": measure.id,
                "version": base.version,
                "file": file_digest(measure.file),
                "keep_until": statement.keep_until,
                "evidence": seen.evidence,
            },
        )
        self._put(turn, (measure,))
        self._say(turn, measure)
        return compiled, index

    def ease(self, turn: Turn, name: str, seen: Seen) -> tuple[CompiledPolicy, int]:
        """End entry `name` once its time is over; gives what decides from now on, and the event.

        Raises NotFound, Conflict while it has to stay.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        entry, measure = self._entry(name), self._of(name)
        if measure is None:
            raise NotFound(f"{name} is not in force")
        against = why_not_ease(entry, seen, measure, turn.now)
        if against:
            raise Conflict(f"{name} stays: {against}")
        return self._end(turn, measure, EASED, 0, seen.evidence)

    def lift(
        self, turn: Turn, name: str, blocked_until: int, because: str
    ) -> tuple[CompiledPolicy, int]:
        """End entry `name` at once and keep it from beginning before `blocked_until` (ms).

        Raises NotFound where it is not in force.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        measure = self._of(name)
        if measure is None:
            raise NotFound(f"{name} is not in force", remedy="tallystick policy tightening show")
        return self._end(turn, measure, LIFTED, blocked_until, because)

    def supersede(self, turn: Turn, base: CompiledPolicy, envelope: str) -> None:
        """End every measure, because `base` in `envelope` takes the place of what they tighten.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        ended: list[Measure] = []
        for one in self.current:
            index = self._record_end(turn, one, SUPERSEDED, 0, f"version {base.version}")
            ended.append(_ended(one, turn.now, SUPERSEDED, 0, index))
            self._say(turn, ended[-1])
        before = self._base, self._digest
        self._put(turn, ended)
        self._base, self._digest = base, file_digest(envelope)

        def undo() -> None:
            self._base, self._digest = before

        turn.on_undo(undo)

    def _end(
        self, turn: Turn, measure: Measure, how: str, blocked_until: int, why: str
    ) -> tuple[CompiledPolicy, int]:
        index = self._record_end(turn, measure, how, blocked_until, why)
        over = _ended(measure, turn.now, how, blocked_until, index)
        self._put(turn, (over,))
        self._say(turn, over)
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
        names = [one.entry for one in measures]
        if not names:
            return base
        policy = effective(base.policy, names)
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

    def _of(self, name: str) -> Measure | None:
        return next((one for one in self.current if one.entry == name), None)


def _ended(measure: Measure, now: int, how: str, blocked_until: int, event: int) -> Measure:
    return replace(measure, until=now, ended=how, blocked_until=blocked_until, end_event=event)


def _is_old(measure: Measure, now: int) -> bool:
    """Whether no rule asks for a measure that is over any more."""
    return bool(measure.until) and measure.since < now - DAY_MS and measure.blocked_until < now


def file_digest(text: str) -> str:
    """SHA-256 (base64url) of a signed file, as events name it.

    Source: FIPS 180-4
    """
    return b64url(sha256(text.encode()))
