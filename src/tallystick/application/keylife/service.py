"""The keys that the writer keeps account of, and what operators say of them.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from collections.abc import Callable, Iterable

from tallystick.application.keylife.model import (
    CeremonyRow,
    HeldCeremony,
    KeyRow,
    SeenKey,
    ending_keys,
)
from tallystick.application.keylife.store import CEREMONY, KEY, every_ceremony, every_key
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.states import KeyState, check_step
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import replace, row_of
from tallystick.protocol.keylife import StepKey
from tallystick.protocol.payments import Empty

Apply = Callable[[str, KeyState], None]
"""Puts the key of this id into a state where it is used; called once the record is durable."""

InUse = Callable[[], frozenset[str]]
"""The keys without which no step could be recorded: those that sign and seal the record."""

Follow = Callable[[Turn, str, KeyState], None]
"""Told of each step with the owner of the key, in the turn of the step."""

_step = Decoder(StepKey, limit=2048)
_OVER = "its time is over"
_GONE = "its block is gone: a successor took its place, or it was deleted"


class KeyLife:
    """Enters keys that are seen, and takes them from state to state.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, policy: PolicyInForce, reader: Reader, apply: Apply, needed: InUse) -> None:
        """Tell `apply` of each step; refuse to stop a key that is `needed` for the record.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._policy = policy
        self._reader = reader
        self._apply = apply
        self._needed = needed
        self.follow: Follow = _nobody_follows
        self._rows: dict[str, KeyRow] | None = None
        self._held: set[str] | None = None

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "suspend-key": self._act(KeyState.SUSPENDED, people=1),
            "resume-key": self._act(KeyState.ACTIVE, people=2),
            "retire-key": self._act(KeyState.DEACTIVATED, people=2),
            "declare-compromise": self._act(KeyState.COMPROMISED, people=2),
            "destroy-key": self._act(KeyState.DESTROYED, people=2),
        }

    def rows(self) -> dict[str, KeyRow]:
        """Every key that was ever entered, by id.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if self._rows is None:
            self._rows = {one.id: one for one in every_key(self._reader)}
        return self._rows

    def ending(self, now: int) -> list[KeyRow]:
        """Keys of the service that end soon and have no successor, by purpose.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return ending_keys(self.rows().values(), now)

    def seen(
        self, turn: Turn, found: Iterable[SeenKey], held: Iterable[HeldCeremony] = ()
    ) -> Outcome:
        """Enter keys that are new, end those whose time is over, and those whose block is gone.

        Ceremonies that were `held` and are not in the record yet get their event.

        Counts of uses are kept with them. A key in the store that the record knows as destroyed
        stays destroyed.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for ceremony in held:
            self._enter_ceremony(turn, ceremony)
        present = {one.id: one for one in found}
        for one in present.values():
            row = self.rows().get(one.id)
            if row is None:
                self._enter(turn, one)
            elif one.uses > row.uses:
                self._put(turn, replace(row, uses=one.uses))
        for row in list(self.rows().values()):
            if row.parent == "master" and row.id not in present:
                self._end(turn, row, _GONE, destroyed=True)
            elif row.ends_at and turn.now >= row.ends_at:
                self._end(turn, row, _OVER, destroyed=False)
        return Outcome(Empty())

    def step(self, turn: Turn, row: KeyRow, state: KeyState, because: str) -> KeyRow:
        """Take a key to another state: a row and an event, and then the module.

        Raises Conflict for a step that is not allowed, or that would stop the record.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        before = KeyState(row.state)
        check_step(before, state)
        if state is not KeyState.ACTIVE and row.id in self._needed():
            raise Conflict(
                f"the record is kept with this {row.purpose} key, and its end could not be told",
                remedy="put a successor into use first: tallystick keys renew",
                because="key-state",
            )
        event = turn.record(
            "key.stepped",
            policy=self._policy.version,
            public={
                "after": state.value,
                "because": because,
                "before": before.value,
                "key": row.id,
                "purpose": row.purpose,
            },
        )
        moved = replace(row, state=state.value, since=turn.now, because=because, event=event)
        self._put(turn, moved)
        self.follow(turn, row.owner, state)
        turn.on_durable(lambda: self._apply(row.id, state))
        return moved

    def trim(self) -> None:
        """Keep what is there: a provider has few keys of its own.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows = None
        self._held = None

    def _act(self, state: KeyState, *, people: int) -> Performer:
        def perform(turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
            if people > 1:
                check_two_people(f"take a key to {state}", jws, because="key custody")
            asked = _step.decode(body)
            row = self.rows().get(asked.key)
            if row is None:
                raise NotFound("the provider has no such key", remedy="tallystick keys list --all")
            moved = self.step(turn, row, state, asked.because)
            return Acted(f"{row.purpose} key {row.id} is {moved.state}", moved.event, row.id)

        return perform

    def _enter(self, turn: Turn, one: SeenKey) -> None:
        event = turn.record(
            "key.entered",
            policy=self._policy.version,
            public={
                "key": one.id,
                "mechanism": one.mechanism,
                "owner": one.owner,
                "parent": one.parent,
                "purpose": one.purpose,
            },
        )
        row = KeyRow(
            id=one.id,
            purpose=one.purpose,
            mechanism=one.mechanism,
            owner=one.owner,
            parent=one.parent,
            created_at=one.created_at,
            ends_at=one.ends_at,
            state=KeyState.ACTIVE.value,
            since=turn.now,
            because="seen in the key store" if one.kept else "known by its public half",
            uses=one.uses,
            event=event,
        )
        self._put(turn, row)

    def _enter_ceremony(self, turn: Turn, one: HeldCeremony) -> None:
        if self._held is None:
            self._held = {row.id for row in every_ceremony(self._reader)}
        if one.id in self._held:
            return
        event = turn.record(
            "ceremony.held",
            policy=self._policy.version,
            public={
                "ceremony": one.id,
                "digest": one.digest,
                "held": one.held_at,
                "people": one.people,
                "profile": one.profile,
                "script": one.script,
            },
        )
        self._held.add(one.id)
        row = CeremonyRow(id=one.id, digest=one.digest, event=event)
        turn.changes.upsert(CEREMONY, row.id, row_of(row))

    def _end(self, turn: Turn, row: KeyRow, because: str, *, destroyed: bool) -> None:
        if row.id in self._needed():
            return
        if row.state in {KeyState.ACTIVE, KeyState.SUSPENDED}:
            row = self.step(turn, row, KeyState.DEACTIVATED, because)
        if destroyed and row.state != KeyState.DESTROYED:
            self.step(turn, row, KeyState.DESTROYED, because)

    def _put(self, turn: Turn, row: KeyRow) -> None:
        self.rows()[row.id] = row
        turn.changes.upsert(KEY, row.id, row_of(row))


def _nobody_follows(turn: Turn, owner: str, state: KeyState) -> None:
    """Nothing hangs on steps but the module."""
