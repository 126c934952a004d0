"""One turn of the writer: the commands that arrived while the last commit ran, applied in order.

    command -> executor(turn, command) -> Outcome      state in memory, rows in turn.changes
    turn.record(...)                                     a leaf of the tally, in the same commit

What an executor changes outside of rows (a session's replay window, say) it registers with
`turn.on_undo`, so that a batch that the database refuses leaves no trace.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.tally.leaf import Commitments, encode_leaf
from tallystick.kernel.errors import MfsError
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant
from tallystick.protocol.receipt import Disclosure, EventLeaf, Receipt, Scalar


class WithReceipt(Protocol):
    """A reply that is whole once its receipt exists.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def with_receipt(self, receipt: Receipt) -> Wire:
        """The whole reply.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class Outcome(NamedTuple):
    """What a command came to: a reply or a refusal, and the event that records it, if any.

    `event` is the index in the tally whose receipt goes with the reply, -1 for none.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    reply: Wire | WithReceipt | MfsError
    event: int = -1
    disclosures: tuple[Disclosure, ...] = ()


class Recorded(NamedTuple):
    """An outcome that is durable; the only thing that a reply is made of.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    outcome: Outcome
    receipt: Receipt | None


@dataclass(slots=True)
class Turn:
    """The batch being applied: its instant, its rows, its events, its undo list.

    `entropy(n)` gives n random bytes; `provider` and `policy` go into every event.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    now: Instant
    first_event: int
    provider: str
    entropy: Callable[[int], bytes]
    changes: ChangeSet = field(default_factory=ChangeSet)
    leaves: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    durable: list[Callable[[], None]] = field(default_factory=list)

    def next_event(self) -> int:
        """The index that the next recorded event will have.

        Source: RFC 9162, 2.1
        """
        return self.first_event + len(self.leaves)

    def new_id(self, prefix: str) -> str:
        """A new id that grows with time.

        Source: RFC 9562, 5.7
        """
        return timed_id(prefix, self.now, self.entropy(10))

    def record(
        self,
        kind: str,
        *,
        policy: int,
        public: Mapping[str, Scalar],
        commitments: Commitments | None = None,
        event_id: str = "",
        stage: str = "",
    ) -> int:
        """Append an event to the tally with this commit; gives its index.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        index = self.next_event()
        identifier = event_id or self.new_id("evt")
        leaf = EventLeaf(
            id=identifier,
            at=self.now,
            kind=kind,
            stage=stage,
            provider=self.provider,
            policy=policy,
            p=dict(public),
            c={} if commitments is None else commitments.texts(),
        )
        self.leaves.append(encode_leaf(leaf))
        self.ids.append(identifier)
        return index

    def record_about(
        self,
        kind: str,
        *,
        policy: int,
        mac: Callable[[bytes], bytes],
        committed: Mapping[str, Scalar],
        public: Mapping[str, Scalar],
        event_id: str = "",
        stage: str = "",
    ) -> int:
        """Append an event about somebody: `public` in clear, `committed` salted under their `mac`.

        Gives its index.
        Source: ISO/TS 12812-2:2017, 7.3.3; 14.2.2
        """
        identifier = event_id or self.new_id("evt")
        commitments = Commitments(identifier)
        commitments.commit(mac, committed)
        return self.record(
            kind,
            policy=policy,
            public=public,
            commitments=commitments,
            event_id=identifier,
            stage=stage,
        )

    def on_undo(self, action: Callable[[], None]) -> None:
        """Run `action` if this batch does not become durable.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.undo.append(action)

    def on_durable(self, action: Callable[[], None]) -> None:
        """Run `action` once this batch is durable, before its replies leave.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.durable.append(action)
