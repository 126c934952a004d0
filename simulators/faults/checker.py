"""What must hold in the end, whatever happened on the way; each breach is a sentence.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterator
from itertools import islice

from simulators.faults.core import HostileCore
from simulators.faults.people import Diary
from simulators.faults.store import SimulatedServer
from tallystick.application.core.rules import book_id
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.sqlite.connection import SqliteConnection
from tallystick.infrastructure.tally.merkle import Frontier, append_batch, leaf_hash
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import MfsError
from tallystick.protocol.core import TransferStage
from tallystick.protocol.receipt import parse_checkpoint

_MOST = 5


class Checker:
    """Reads the store, the diary and the core's books, and says what is wrong.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        server: SimulatedServer,
        diary: Diary,
        core: HostileCore | None,
        opening: dict[str, int],
    ) -> None:
        self._server = server
        self._diary = diary
        self._core = core
        self._opening = opening
        self._reader = SqliteConnection(server.link)

    def findings(self) -> list[str]:
        """Every breach, at most a few of each kind.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        found: list[str] = []
        for rule in (
            self._value_is_conserved,
            self._the_journal_is_whole,
            self._once_and_as_told,
            self._everybody_knows,
            self._the_log_is_one,
            self._balances_were_true,
            self._nobody_wrote_late,
            self._nothing_stopped,
            self._the_core_agrees,
        ):
            try:
                found += islice(rule(), _MOST)
            except MfsError as error:
                found.append(f"the store cannot be read: {error}")
        return found

    def _value_is_conserved(self) -> Iterator[str]:
        lines = LedgerStore(self._reader).balance_lines()
        debit = sum(line.posted_debit for line in lines)
        credit = sum(line.posted_credit for line in lines)
        if debit != credit:
            yield f"value is not conserved: {debit} debited, {credit} credited"
        for account in LedgerStore(self._reader).differing_accounts():
            yield f"the balance of {account} is not that of the journal"

    def _the_journal_is_whole(self) -> Iterator[str]:
        rows = self._reader.rows("SELECT count(*), coalesce(max(seq), 0) FROM transfer")
        if rows[0][0] != rows[0][1]:
            yield f"the journal has gaps: {rows[0][0]} lines up to number {rows[0][1]}"
        for posting, times in self._reader.rows(
            "SELECT posting_id, count(*) FROM transfer WHERE leg = 0"
            " GROUP BY posting_id HAVING count(*) > 1"
        ):
            yield f"{posting} was posted {times} times"

    def _once_and_as_told(self) -> Iterator[str]:
        stored = {
            row[0]: row[1:]
            for row in self._reader.rows(
                "SELECT id, stage, error, event, amount_minor, payer FROM payment_order"
            )
        }
        posted: dict[str, int] = dict(
            self._reader.rows(
                "SELECT posting_id, amount FROM transfer WHERE leg = 0 AND kind IN ('post', 'hold')"
            )
        )
        for told in self._diary.orders.values():
            row = stored.get(told.order)
            if told.other:
                yield f"the payer of {told.order} got the receipt of another order"
            if (told.settled or told.accepted or told.refused) and row is None:
                yield f"{told.order} was answered and is not there"
                continue
            if told.never and row is not None:
                yield f"{told.order} was said to be never executed and is {row[0]}"
            if row is None:
                continue
            stage, error, event, amount, payer = row
            if told.settled and stage not in {"settled", "returned"}:
                yield f"{told.order} was said to be settled and is {stage}"
            if told.refused and told.refused != {error}:
                yield f"{told.order} was refused as {sorted(told.refused)} and is {error or stage}"
            if told.settled and told.refused:
                yield f"{told.order} was said to be settled and to be refused"
            if (amount, payer) != (told.amount_minor, told.payer):
                yield f"{told.order} is not what was ordered"
            if event < max(told.events, default=-1):
                yield f"{told.order} has event {event}, and a later one was shown"
            money = posted.get(told.order)
            if stage == "settled" and money != amount:
                yield f"{told.order} is settled and {money} was posted"
            if stage == "refused" and money is not None and self._core is None:
                yield f"{told.order} is refused and {money} was posted"

    def _everybody_knows(self) -> Iterator[str]:
        for told in self._diary.orders.values():
            if not told.final:
                yield f"the payer of {told.order} never learnt how it ended"
        if self._core is not None:
            waiting = self._reader.rows("SELECT id FROM payment_order WHERE stage = 'accepted'")
            for (order,) in waiting:
                yield f"{order} still waits for the core system"

    def _the_log_is_one(self) -> Iterator[str]:
        tally = TallyStore(self._reader)
        size, origins = tally.size(), tally.origins()
        kept = tally.load_frontier(origins[-1])
        if kept is None or kept.size != size:
            yield "the log is not as long as it should be"
            return
        hashes: list[bytes] = []
        for index, leaf, hashed in tally.leaves(0, size):
            if leaf_hash(leaf) != hashed:
                yield f"leaf {index} is not what its hash says"
            hashes.append(hashed)
        if append_batch(Frontier(), hashes).frontier.root() != kept.root():
            yield "the leaves do not give the root that the log goes on from"
        roots = dict(self._diary.roots)
        for shown, note in tally.checkpoints():
            root = parse_checkpoint(note.split("\n\n", 1)[0] + "\n").root
            roots.setdefault(shown, set()).add(root)
        tree = Frontier()
        for shown, seen in sorted(roots.items()):
            if shown > size:
                yield f"a checkpoint of {shown} events was shown, and there are {size}"
                continue
            tree = append_batch(tree, hashes[tree.size : shown]).frontier
            if seen != {tree.root()}:
                yield f"two histories were shown at {shown} events"

    def _balances_were_true(self) -> Iterator[str]:
        """Each balance that was read was true at some event between the question and the answer."""
        if self._core is not None:
            return
        changes: dict[str, list[tuple[int, int]]] = {}
        running = dict(self._opening)
        lines = self._reader.stream(
            "SELECT event_index, debit, credit, amount FROM transfer ORDER BY seq"
        )
        for event, debit, credit, amount in lines:
            for account, minor in ((debit, -amount), (credit, amount)):
                running[account] = running.get(account, 0) + minor
                changes.setdefault(account, []).append((event, running[account]))
        for read in self._diary.reads:
            steps = changes.get(read.account, [])
            possible = {self._opening.get(read.account, 0)} if not steps else set[int]()
            before = self._opening.get(read.account, 0)
            for event, balance in steps:
                if event <= read.after_event:
                    before = balance
                elif event < read.before_event:
                    possible.add(balance)
            possible.add(before)
            if read.minor not in possible:
                yield f"{read.account} was said to have {read.minor}, which it never had then"

    def _nobody_wrote_late(self) -> Iterator[str]:
        if self._server.stale_writes:
            yield f"an overtaken writer wrote {self._server.stale_writes} batches"

    def _nothing_stopped(self) -> Iterator[str]:
        for why in sorted(self._diary.stopped):
            yield f"the writer stopped: {why}"
        for why in self._diary.dishonest:
            yield f"an app found the provider dishonest: {why}"

    def _the_core_agrees(self) -> Iterator[str]:
        if self._core is None:
            return
        truth = self._core.books.truth()
        stages: dict[str, str] = dict(self._reader.rows("SELECT id, stage FROM payment_order"))
        for order, stage in stages.items():
            transfer = truth.get(book_id(order))
            moved = transfer is not None and transfer.state is TransferStage.SETTLED
            if (stage == "settled") != moved and stage != "unknown":
                yield f"{order} is {stage} here and {'settled' if moved else 'not'} at the core"
        for identifier in truth.keys() - {book_id(order) for order in stages}:
            yield f"the core moved money for {identifier}, which nobody ordered"
