"""Every act on keys and aliases of the door, one event each; who did it is a program of a partner.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from tallystick.application.paycrypt.model import (
    COMPLETE,
    DELETED,
    OWNER,
    PENDING,
    AliasRow,
    PaymentKey,
)
from tallystick.application.paycrypt.store import ALIAS, PAYMENT_KEY, every_alias, every_key
from tallystick.application.policing import PolicyInForce
from tallystick.application.surrogates import Surrogates
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, LimitExceeded, NotFound
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import DAY_MS
from tallystick.protocol.paycrypt.control import Nothing

R = TypeVar("R")
MOST_KEYS: Final = 2_000
MOST_ALIASES: Final = 2_000
MOST_TAGS: Final = 200
_tags = Decoder(dict[str, str], limit=128 * 1024)


@dataclass(frozen=True, slots=True)
class InPaycrypt:
    """Something that a program asked of the keys of the door, to be done by the writer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    act: "Callable[[PaymentKeys, Turn], int]"


class PaymentKeys:
    """The keys and aliases of the door; each change is an event of the tally.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, policy: PolicyInForce, reader: Reader) -> None:
        """Read what is kept from `reader`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._policy = policy
        self._reader = reader
        self.keys: dict[str, PaymentKey] = {}
        self.aliases: dict[str, AliasRow] = {}
        self.surrogates = Surrogates(policy, reader)
        self.reset()

    def reset(self) -> None:
        """Read everything again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.keys = {one.id: one for one in every_key(self._reader)}
        self.aliases = {one.name: one for one in every_alias(self._reader)}
        self.surrogates.reset()

    def trim(self) -> None:
        """Keep every key, of which there are few; forget what is over capacity of surrogates.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.surrogates.trim()

    def perform(self, turn: Turn, asked: InPaycrypt) -> Outcome:
        """Do what was asked; gives its event.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return Outcome(Nothing(), asked.act(self, turn))

    def add(self, turn: Turn, program: str, act: str, row: PaymentKey) -> int:
        """Keep a new key.

        Raises LimitExceeded where there are as many as there may be.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        living = sum(one.state != DELETED for one in self.keys.values())
        if living >= MOST_KEYS:
            raise LimitExceeded(f"there are {MOST_KEYS} keys", remedy="delete keys first")
        return self._keep(turn, program, act, row)

    def schedule(self, turn: Turn, program: str, key_id: str, days: int) -> int:
        """Delete a key in so many days; until then it can be restored and does nothing.

        Raises NotFound, Conflict for one that is being deleted.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._complete(key_id)
        changed = replace(row, state=PENDING, delete_at=turn.now + days * DAY_MS, enabled=0)
        return self._keep(turn, program, "DeleteKey", changed)

    def restore(self, turn: Turn, program: str, key_id: str) -> int:
        """Take a key back that was to be deleted; its use is started separately.

        Raises NotFound, Conflict for one that was not to be deleted.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._known(key_id)
        if row.state != PENDING:
            raise Conflict(
                "the key is not waiting to be deleted", remedy="look at the state of the key"
            )
        return self._keep(turn, program, "RestoreKey", replace(row, state=COMPLETE, delete_at=0))

    def start(self, turn: Turn, program: str, key_id: str) -> int:
        """Let a key be used.

        Raises NotFound, Conflict for one that is being deleted.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._complete(key_id)
        changed = replace(row, enabled=1, usage_start=turn.now)
        return self._keep(turn, program, "StartKeyUsage", changed)

    def stop(self, turn: Turn, program: str, key_id: str) -> int:
        """Let a key be used no more.

        Raises NotFound, Conflict for one that is being deleted.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._complete(key_id)
        changed = replace(row, enabled=0, usage_stop=turn.now)
        return self._keep(turn, program, "StopKeyUsage", changed)

    def bury(self, turn: Turn, key_id: str) -> int:
        """Erase a key whose days are over; gives -1 where it was taken back meanwhile.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self.keys.get(key_id)
        if row is None or row.state != PENDING or turn.now < row.delete_at:
            return -1
        gone = replace(row, state=DELETED, deleted_at=turn.now, block=b"")
        return self._keep(turn, "", "key-erased", gone)

    def stepped(self, turn: Turn, owner: str, state: KeyState) -> None:
        """Erase the block of a key that two operators destroyed; `owner` names the key.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        row = self.keys.get(owner.removeprefix(OWNER)) if owner.startswith(OWNER) else None
        if row is None or row.state == DELETED or state is not KeyState.DESTROYED:
            return
        gone = replace(row, state=DELETED, enabled=0, deleted_at=turn.now, block=b"")
        self._keep(turn, "", "key-destroyed", gone)

    def exported(self, turn: Turn, program: str, key_id: str, under: str) -> int:
        """Record that a key left.

        Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3
        """
        return self._record(turn, program, "ExportKey", {"key": key_id, "under": under})

    def tag(
        self, turn: Turn, program: str, key_id: str, given: Mapping[str, str], gone: frozenset[str]
    ) -> int:
        """Give tags to a key and take others.

        Raises NotFound, LimitExceeded for more tags than a key may have.
        Source: AWS Payment Cryptography API, TagResource
        """
        row = self._known(key_id)
        tags = {name: one for name, one in self.tags_of(row).items() if name not in gone}
        tags.update(given)
        if len(tags) > MOST_TAGS:
            raise LimitExceeded(f"a key has at most {MOST_TAGS} tags")
        changed = replace(row, tags=encode_canonical(tags).decode())
        return self._keep(turn, program, "TagResource" if given else "UntagResource", changed)

    def tags_of(self, row: PaymentKey) -> dict[str, str]:
        """The tags of a key.

        Source: AWS Payment Cryptography API, ListTagsForResource
        """
        return _tags.decode(row.tags.encode())

    def name(self, turn: Turn, program: str, name: str, key_id: str) -> int:
        """Make an alias.

        Raises Conflict for one that there is, NotFound for a key that is not there.
        Source: AWS Payment Cryptography API, CreateAlias
        """
        known = self.aliases.get(name)
        if known is not None and known.present:
            raise Conflict("there is such an alias", remedy="update it")
        if sum(one.present for one in self.aliases.values()) >= MOST_ALIASES:
            raise LimitExceeded(f"there are {MOST_ALIASES} aliases", remedy="delete some first")
        return self._point(turn, program, "CreateAlias", name, key_id)

    def rename(self, turn: Turn, program: str, name: str, key_id: str) -> int:
        """Let an alias name another key, or none.

        Raises NotFound.
        Source: AWS Payment Cryptography API, UpdateAlias
        """
        self.alias(name)
        return self._point(turn, program, "UpdateAlias", name, key_id)

    def unname(self, turn: Turn, program: str, name: str) -> int:
        """Delete an alias; raises NotFound.

        Source: AWS Payment Cryptography API, DeleteAlias
        """
        self.alias(name)
        return self._put_alias(turn, program, "DeleteAlias", name, "", present=0)

    def alias(self, name: str) -> AliasRow:
        """The alias called `name`; raises NotFound.

        Source: AWS Payment Cryptography API, GetAlias
        """
        known = self.aliases.get(name)
        if known is None or not known.present:
            raise NotFound("there is no such alias")
        return known

    def relied_on(self, turn: Turn, program: str, call: str, authority: str) -> int:
        """Record that a partner was believed by an authority that publishes no list, as declared.

        `authority` is the SHA-256 of its certificate in hex.
        Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 6.3
        """
        said = {"call": call, "authority": authority}
        return self._record(turn, program, "believed-without-list", said)

    def count(self, turn: Turn, calls: Mapping[str, int]) -> int:
        """Record how often what was done with keys since the last time.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return turn.record("paycrypt.calls", policy=self._policy.version, public=calls)

    def refused(self, turn: Turn, program: str, call: str, reason: str) -> int:
        """Record that an operation was refused because of what the module is.

        Source: ISO/TS 12812-2:2017, 8.2.2; 7.3.3
        """
        return turn.record(
            "paycrypt.refused",
            policy=self._policy.version,
            public={"program": program, "call": call, "refused": reason},
        )

    def _known(self, key_id: str) -> PaymentKey:
        row = self.keys.get(key_id)
        if row is None:
            raise NotFound("there is no such key")
        return row

    def _complete(self, key_id: str) -> PaymentKey:
        row = self._known(key_id)
        if row.state != COMPLETE:
            raise Conflict("the key is being deleted", remedy="restore it first")
        return row

    def _point(self, turn: Turn, program: str, act: str, name: str, key_id: str) -> int:
        if key_id:
            self._complete(key_id)
        return self._put_alias(turn, program, act, name, key_id, present=1)

    def _put_alias(
        self, turn: Turn, program: str, act: str, name: str, key_id: str, *, present: int
    ) -> int:
        index = self._record(turn, program, act, {"alias": name, "key": key_id})
        row = AliasRow(name=name, key_id=key_id, present=present, event=index)
        known = self.aliases.get(name)
        self.aliases[name] = row
        turn.changes.upsert(ALIAS, name, row_of(row))
        turn.on_undo(lambda: _put_back(self.aliases, name, known))
        return index

    def _keep(self, turn: Turn, program: str, act: str, row: PaymentKey) -> int:
        public: dict[str, str | int] = {
            "key": row.id, "usage": row.usage, "algorithm": row.algorithm, "state": row.state,
            "enabled": row.enabled, "exportable": row.exportable, "origin": row.origin,
            "check_value": row.kcv,
        }  # fmt: skip
        index = self._record(turn, program, act, public)
        kept = replace(row, event=index)
        known = self.keys.get(row.id)
        self.keys[row.id] = kept
        turn.changes.upsert(PAYMENT_KEY, row.id, row_of(kept))
        turn.on_undo(lambda: _put_back(self.keys, row.id, known))
        return index

    def _record(self, turn: Turn, program: str, act: str, public: Mapping[str, str | int]) -> int:
        said = {"act": act, "program": program, **public}
        return turn.record("paycrypt.changed", policy=self._policy.version, public=said)


def _put_back(rows: dict[str, R], name: str, known: R | None) -> None:
    if known is None:
        rows.pop(name, None)
    else:
        rows[name] = known
