"""Where the ledger is kept: accounts, limit accounts, holds, what was given back, the journal.

    save           what changed in the state, into the batch's ChangeSet
    LedgerStore    brings into the state what postings need; streams and sums for the daybook

The journal only grows. A posting's first line is unique by the posting's id, so the file itself
refuses to post the same id twice. Indexes for history and statements are built elsewhere.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""

from collections.abc import Iterable, Iterator
from typing import LiteralString, TypeVar

from tallystick.infrastructure.ledger.daybook import BalanceLine
from tallystick.infrastructure.ledger.limits import LimitAccount
from tallystick.infrastructure.ledger.migrations import MIGRATION
from tallystick.infrastructure.ledger.model import (
    MAX_LEGS,
    Account,
    AccountKind,
    AccountStatus,
    Hold,
    Leg,
    Original,
    Posting,
    PostingKind,
    Side,
    Transfer,
)
from tallystick.infrastructure.ledger.state import Changes, LedgerState, account_row, hold_row
from tallystick.infrastructure.store.changes import ChangeSet, load, load_rows, select_in
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.table import Row, Table
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Broken, Malformed
from tallystick.kernel.model import row_of

__all__ = [
    "ACCOUNT",
    "HOLD",
    "LIMIT_ACCOUNT",
    "MIGRATION",
    "RETURNED",
    "TRANSFER",
    "LedgerStore",
    "save",
]

T = TypeVar("T")

ACCOUNT = Table(
    name="account",
    key="id",
    insert_head=(
        "INSERT INTO account (id, kind, currency, side, floor, ceiling, posted_debit,"
        " posted_credit, held_debit, held_credit, status, opened_at, closed_at) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET floor = excluded.floor, ceiling = excluded.ceiling,"
        " posted_debit = excluded.posted_debit, posted_credit = excluded.posted_credit,"
        " held_debit = excluded.held_debit, held_credit = excluded.held_credit,"
        " status = excluded.status, closed_at = excluded.closed_at"
    ),
    select_head=(
        "SELECT id, kind, currency, side, floor, ceiling, posted_debit, posted_credit,"
        " held_debit, held_credit, status, opened_at, closed_at FROM account WHERE id IN "
    ),
)

LIMIT_ACCOUNT = Table(
    name="limit_account",
    key="account",
    insert_head="INSERT INTO limit_account (account, limit_id, window_ms, buckets) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (account, limit_id) DO UPDATE SET window_ms = excluded.window_ms,"
        " buckets = excluded.buckets"
    ),
    select_head=(
        "SELECT account, limit_id, window_ms, buckets FROM limit_account WHERE account IN "
    ),
)

_WITH_LIMITS: LiteralString = (
    "SELECT a.id, a.kind, a.currency, a.side, a.floor, a.ceiling, a.posted_debit, a.posted_credit,"
    " a.held_debit, a.held_credit, a.status, a.opened_at, a.closed_at,"
    " l.limit_id, l.window_ms, l.buckets"
    " FROM account a LEFT JOIN limit_account l ON l.account = a.id WHERE a.id IN "
)

_LEGS_OF: LiteralString = (
    "SELECT line.seq, line.posting_id, line.debit, line.credit, line.amount"
    " FROM transfer AS first JOIN transfer AS line"
    " ON line.seq >= first.seq AND line.seq < first.seq + ?"
    " AND line.posting_id = first.posting_id AND line.kind = first.kind"
    " WHERE first.leg = 0 AND first.kind IN ('post', 'capture') AND first.posting_id IN "
)

HOLD = Table(
    name="hold",
    key="id",
    insert_head=(
        "INSERT INTO hold (id, legs, remaining, placed_at, expires_at, uses, open) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET remaining = excluded.remaining, open = excluded.open"
    ),
    select_head="SELECT id, legs, remaining, placed_at, expires_at, uses FROM hold WHERE id IN ",
)

RETURNED = Table(
    name="returned",
    key="posting_id",
    insert_head="INSERT INTO returned (posting_id, amounts) VALUES ",
    slots="(?, ?)",
    insert_tail=" ON CONFLICT (posting_id) DO UPDATE SET amounts = excluded.amounts",
    select_head="SELECT posting_id, amounts FROM returned WHERE posting_id IN ",
)

TRANSFER = Table(
    name="transfer",
    key="seq",
    insert_head=(
        "INSERT INTO transfer (seq, posting_id, leg, debit, credit, amount, kind, at,"
        " event_index) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail="",
    select_head=(
        "SELECT seq, posting_id, leg, debit, credit, amount, kind, at, event_index"
        " FROM transfer WHERE seq IN "
    ),
)

_buckets = Decoder(list[list[int]])
_amounts = Decoder(list[int])
_legs = Decoder(list[tuple[str, str, int]])
_uses = Decoder(tuple[tuple[str, str, int], ...])


def save(changes: Changes, into: ChangeSet) -> None:
    """Write what changed in the state with the batch `into`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    for account in changes.accounts:
        into.upsert(ACCOUNT, account.id, account_row(account))
    for used in changes.limits:
        row = (used.account, used.limit_id, used.window_ms, encode(used.buckets).decode())
        into.upsert(LIMIT_ACCOUNT, (used.account, used.limit_id), row)
    for hold in changes.holds:
        into.upsert(HOLD, hold.id, hold_row(hold))
    for original in changes.originals:
        into.upsert(RETURNED, original.id, (original.id, encode(original.returned).decode()))
    into.insert_all(TRANSFER, map(_transfer_row, changes.transfers))


def _transfer_row(line: Transfer) -> Row:
    return (*row_of(line)[:6], line.kind.value, line.at, line.event_index)


class LedgerStore:
    """Reads the stored ledger through any connection.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def restore(self, state: LedgerState, *, holds: bool = True) -> None:
        """Start `state` afresh from the file: the next journal line and every open hold.

        Accounts come with `prepare`, without `holds` holds too. Raises Broken for a wrong row.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        last = self._reader.one("SELECT coalesce(max(seq), 0) FROM transfer")
        state.clear(1 if last is None else int(last[0]) + 1)
        if not holds:
            return
        for row in self._reader.rows(
            "SELECT id, legs, remaining, placed_at, expires_at, uses FROM hold"
            " WHERE open = 1 ORDER BY expires_at, id"
        ):
            state.add_hold(_hold_of(row))

    def prepare(self, state: LedgerState, postings: Iterable[Posting]) -> None:
        """Bring what `postings` need into `state`, with at most five statements in all.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        wanted, holds, originals = _needs(postings)
        self.load_holds(state, holds)
        self.load_originals(state, originals)
        for hold_id in holds:
            if (hold := state.holds.get(hold_id)) is not None:
                wanted.update(_accounts_of(hold.legs))
                wanted.update({account_id: None for account_id, _, _ in hold.uses})
        for original_id in originals:
            if (original := state.originals.get(original_id)) is not None:
                wanted.update(_accounts_of(original.legs))
            elif (recent := state.recent.get(original_id)) is not None:
                wanted.update(_accounts_of(recent[0].legs))
        self.load_accounts(state, wanted)

    def load_accounts(self, state: LedgerState, ids: Iterable[str]) -> None:
        """Bring the accounts `ids` into `state`, each with all its limit accounts.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        missing = [one for one in ids if one not in state.accounts]
        for *row, limit_id, window_ms, buckets in select_in(self._reader, _WITH_LIMITS, missing):
            if row[0] not in state.accounts:
                state.accounts[row[0]] = _account_of(tuple(row))
            if limit_id is not None:
                state.limits[row[0], limit_id] = LimitAccount(
                    row[0], limit_id, window_ms, _decoded(_buckets, buckets)
                )

    def load_holds(self, state: LedgerState, ids: Iterable[str]) -> None:
        """Bring holds into `state`, done ones too, so that they are told from unknown ones.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        missing = [one for one in ids if one not in state.holds]
        for row in load_rows(self._reader, HOLD, missing):
            state.add_hold(_hold_of(row))

    def load_originals(self, state: LedgerState, ids: Iterable[str]) -> None:
        """Bring postings that money may go back from into `state`, with what went back already.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        missing = [one for one in ids if one not in state.originals and one not in state.recent]
        if not missing:
            return
        legs: dict[str, list[Leg]] = {}
        for _, posting_id, debit, credit, amount in sorted(
            self._reader.among(_LEGS_OF, missing, (MAX_LEGS,))
        ):
            leg = Leg(debit=debit, credit=credit, amount=amount)
            legs.setdefault(posting_id, []).append(leg)
        returned = load(self._reader, RETURNED, list(legs))
        for posting_id, own in legs.items():
            row = returned.get(posting_id)
            amounts = [0] * len(own) if row is None else _decoded(_amounts, row[1])
            state.originals[posting_id] = Original(id=posting_id, legs=tuple(own), returned=amounts)

    def balance_lines(self) -> tuple[BalanceLine, ...]:
        """Sums of the stored accounts by currency, kind and side, for the trial balance.

        Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
        """
        return tuple(
            BalanceLine(
                currency=row[0],
                kind=AccountKind(row[1]),
                side=Side(row[2]),
                accounts=row[3],
                posted_debit=row[4],
                posted_credit=row[5],
                held_debit=row[6],
                held_credit=row[7],
            )
            for row in self._reader.rows(
                """SELECT currency, kind, side, count(*), sum(posted_debit), sum(posted_credit),
                    sum(held_debit), sum(held_credit)
                    FROM account GROUP BY currency, kind, side ORDER BY currency, kind, side"""
            )
        )

    def differing_accounts(self) -> tuple[str, ...]:
        """The accounts whose stored sums are not those of the journal, posted or held; reads all.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        rows = self._reader.rows(
            """WITH line AS (
                    SELECT debit AS id, amount AS debit, 0 AS credit, kind FROM transfer
                    UNION ALL SELECT credit, 0, amount, kind FROM transfer
                    UNION ALL SELECT id, 0, 0, '' FROM account),
                part AS (
                    SELECT id, debit, credit,
                    CASE WHEN kind IN ('post', 'capture', 'reverse') THEN 1 ELSE 0 END AS posted,
                    CASE WHEN kind = 'hold' THEN 1
                        WHEN kind IN ('capture', 'void', 'expire') THEN -1 ELSE 0 END AS held
                    FROM line),
                own AS (
                    SELECT id, sum(debit * posted) AS pd, sum(credit * posted) AS pc,
                    sum(debit * held) AS hd, sum(credit * held) AS hc FROM part GROUP BY id)
                SELECT own.id FROM own LEFT JOIN account ON account.id = own.id
                WHERE account.id IS NULL OR pd <> posted_debit OR pc <> posted_credit
                    OR hd <> held_debit OR hc <> held_credit ORDER BY own.id"""
        )
        return tuple(row[0] for row in rows)

    def transfers(self, after: int = 0) -> Iterator[Transfer]:
        """The journal from the line behind number `after` on.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for seq, posting_id, leg, debit, credit, amount, kind, at, event in self._reader.stream(
            """SELECT seq, posting_id, leg, debit, credit, amount, kind, at, event_index
                FROM transfer WHERE seq > ? ORDER BY seq""",
            (after,),
        ):
            yield Transfer(
                seq=seq,
                posting_id=posting_id,
                leg=leg,
                debit=debit,
                credit=credit,
                amount=amount,
                kind=PostingKind(kind),
                at=at,
                event_index=event,
            )

    def stored_sums(self) -> Iterator[tuple[str, int, int]]:
        """Id, posted debit and posted credit of every account.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        yield from self._reader.stream(
            "SELECT id, posted_debit, posted_credit FROM account ORDER BY id"
        )

    def lines(self) -> Iterator[tuple[int, str, str, int, int, int]]:
        """Each line in order: number, debit, credit, amount, event, and 1 where money moved.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        yield from self._reader.stream(
            """SELECT seq, debit, credit, amount, event_index,
                CASE WHEN kind IN ('post', 'capture', 'reverse') THEN 1 ELSE 0 END
                FROM transfer ORDER BY seq"""
        )


def _needs(
    postings: Iterable[Posting],
) -> tuple[dict[str, None], dict[str, None], dict[str, None]]:
    """The accounts, holds and originals that postings name, each once, in order."""
    accounts: dict[str, None] = {}
    holds: dict[str, None] = {}
    originals: dict[str, None] = {}
    for posting in postings:
        accounts.update(_accounts_of(posting.legs))
        accounts.update({account_id: None for _, account_id in posting.limits})
        if posting.kind is PostingKind.REVERSE:
            originals[posting.ref] = None
        elif posting.ref:
            holds[posting.ref] = None
    return accounts, holds, originals


def _accounts_of(legs: Iterable[Leg]) -> dict[str, None]:
    return {one: None for leg in legs for one in (leg.debit, leg.credit)}


def _account_of(row: Row) -> Account:
    return Account(
        id=row[0],
        kind=AccountKind(row[1]),
        currency=row[2],
        side=Side(row[3]),
        floor=row[4],
        ceiling=row[5],
        posted_debit=row[6],
        posted_credit=row[7],
        held_debit=row[8],
        held_credit=row[9],
        status=AccountStatus(row[10]),
        opened_at=row[11],
        closed_at=row[12],
    )


def _hold_of(row: Row) -> Hold:
    return Hold(
        id=row[0],
        legs=tuple(
            Leg(debit=debit, credit=credit, amount=amount)
            for debit, credit, amount in _decoded(_legs, row[1])
        ),
        remaining=_decoded(_amounts, row[2]),
        placed_at=row[3],
        expires_at=row[4],
        uses=_decoded(_uses, row[5]),
    )


def _decoded(decoder: Decoder[T], text: str) -> T:
    try:
        return decoder.decode(text.encode())
    except Malformed as error:
        raise Broken("a stored row of the ledger has another shape") from error
