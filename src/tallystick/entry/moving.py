"""Move a provider's record to another store while it is served, and prove that it is the same.

    1. rounds    copy what differs, also while the service writes, until little is left
    2. last one  once the service has stopped: nobody can write while this process is the writer
    3. proof     the root of the log from its own leaves, a digest of every table, the balances
    4. switch    the folder names the new store; the old one stays as it was

Until the switch nothing has changed for the service. A move that was broken off is begun again and
goes on from what is there.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Callable

from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.copying import Round, copy_rows, state_digests
from tallystick.infrastructure.store.database import Connection, Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import (
    Place,
    is_being_written,
    open_database,
    open_snapshot,
)
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.tiles import frontier_at
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Broken, Conflict
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant

ONLY_GROW = frozenset({"event", "transfer"})
"""Tables whose rows never change once they are written."""

Tell = Callable[[str], None]


class Proof(Record, frozen=True, kw_only=True):
    """That two stores hold the same: events, root over them, digests by table, even books.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    events: int
    root: str
    digests: dict[str, str]
    accounts: int


class Moved(Record, frozen=True, kw_only=True):
    """What a move did: the rows of its last round, how many rounds, the proof.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    rounds: int
    rows: int
    proof: Proof


def move_store(
    folder: ProviderFolder,
    to: Place,
    now: Instant,
    *,
    wait: Callable[[], None],
    tell: Tell = lambda _says: None,
) -> Moved:
    """Copy the store of the provider in `folder` to `to`, prove it, and use it from now on.

    `wait` is called between rounds while the service still writes, and may raise to give up. Raises
    Conflict if the store is there already, Unavailable, Broken if the two differ in the end: then
    nothing was switched.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
    """
    place = folder.stored()
    if place == to:
        raise Conflict("the record is there already", remedy="nothing is to be done")
    with open_database(to) as target:
        migrate(target, MIGRATIONS, now)
        _check_whose(target, place)
        rounds = 0
        while is_being_written(place):
            rounds += 1
            with open_snapshot(place) as source:
                done = copy_rows(source, target, only_grow=ONLY_GROW)
            tell(_says(rounds, done))
            wait()
        with open_database(place) as source:
            done = copy_rows(source, target)
            tell(_says(rounds + 1, done))
            proof = prove_same(source, target)
    folder.save_place(to)
    return Moved(rounds=rounds + 1, rows=done.rows, proof=proof)


def prove_same(one: Connection, other: Connection) -> Proof:
    """The proof that two stores hold the same.

    Raises Broken, with the first thing that differs.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    left, right = proof_of(one), proof_of(other)
    if left == right:
        return left
    tables = [name for name in left.digests if left.digests[name] != right.digests.get(name)]
    raise Broken(
        f"the copy differs from its source in {', '.join(tables) or 'its log'}",
        remedy="nothing was switched; begin the move again",
    )


def proof_of(store: Connection) -> Proof:
    """What a store holds, in a form that can be compared.

    Raises Broken if its log is not the one that it goes on from.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    tally = TallyStore(store)
    size, origins = tally.size(), tally.origins()
    root = b64url(frontier_at(tally, size).root()) if size else ""
    kept = tally.load_frontier(origins[-1]) if origins else None
    if size and (kept is None or kept.size != size or b64url(kept.root()) != root):
        raise Broken(
            "the log's leaves are not what it goes on from", remedy="tallystick tally verify"
        )
    if LedgerStore(store).differing_accounts():
        raise Broken("balances differ from the journal", remedy="tallystick tally verify")
    accounts = sum(line.accounts for line in LedgerStore(store).balance_lines())
    return Proof(events=size, root=root, digests=state_digests(store), accounts=accounts)


def _check_whose(target: Database, place: Place) -> None:
    """Refuse to write over a record that this one does not continue."""
    there = TallyStore(target)
    size = there.size()
    if not size:
        return
    with open_snapshot(place) as source:
        mine = TallyStore(source)
        if mine.size() < size or frontier_at(mine, size).root() != frontier_at(there, size).root():
            raise Conflict(
                f"that store has another record ({size} events of {there.origins()[-1]})",
                remedy="move to a store of its own",
            )


def _says(number: int, done: Round) -> str:
    changed = done.written + done.deleted
    return f"round {number}: {done.rows:,} rows looked at, {changed:,} changed"
