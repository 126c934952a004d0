"""Adds up what the transfers say and names the account whose row says something else.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""

from collections.abc import Iterable, Iterator

from tallystick.infrastructure.tally.findings import Finding, FindingKind
from tallystick.kernel.model import Record


class TransferRow(Record, frozen=True, kw_only=True):
    """One stored transfer: `amount` minor units from the debit side to the credit side.

    `event_index` is the place of the event that it belongs to. A line that only holds or frees
    money does not `move` any: it counts for the order of the lines, not for the sums, and may
    belong to no event, as a hold that expired.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    seq: int
    debit: str
    credit: str
    amount: int
    event_index: int
    moves: bool = True


class AccountRow(Record, frozen=True, kw_only=True):
    """One stored account: sums of debits and credits now, and at the opening of the period.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    account: str
    posted_debit: int
    posted_credit: int
    opening_debit: int = 0
    opening_credit: int = 0


def recompute_balances(
    transfers: Iterable[TransferRow],
    accounts: Iterable[AccountRow],
    *,
    events: int | None = None,
) -> tuple[Finding, ...]:
    """Every account row that differs from opening sums plus transfers, and each broken transfer.

    `transfers` come by `seq`; a gap in it is a deleted row. `events` is the size of the tally, if
    known: a transfer of an event beyond it belongs to nothing that was recorded.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = {row.account: row for row in accounts}
    debits = {name: row.opening_debit for name, row in rows.items()}
    credits_ = {name: row.opening_credit for name, row in rows.items()}
    findings: list[Finding] = []
    expected: int | None = None
    for transfer in transfers:
        findings += _transfer_faults(transfer, expected, events)
        expected = transfer.seq + 1
        if not transfer.moves:
            continue
        debits[transfer.debit] = debits.get(transfer.debit, 0) + transfer.amount
        credits_[transfer.credit] = credits_.get(transfer.credit, 0) + transfer.amount
    for name in sorted({*rows, *debits, *credits_}):
        findings += _account_faults(
            name, rows.get(name), debits.get(name, 0), credits_.get(name, 0)
        )
    return tuple(findings)


def _transfer_faults(
    transfer: TransferRow, expected: int | None, events: int | None
) -> Iterator[Finding]:
    row = f"transfer {transfer.seq}"
    if expected is not None and transfer.seq != expected:
        kind = FindingKind.DELETED if transfer.seq > expected else FindingKind.REORDERED
        yield Finding(kind=kind, row=row, detail=f"transfer {expected} should stand here")
    if transfer.amount <= 0 or transfer.debit == transfer.credit:
        yield Finding(
            kind=FindingKind.EDITED, row=row, detail="no posting has such an amount or such sides"
        )
    if not transfer.moves:
        return
    if transfer.event_index < 0 or (events is not None and transfer.event_index >= events):
        yield Finding(
            kind=FindingKind.ROW_DIFFERS,
            row=row,
            detail=f"the tally has no event {transfer.event_index}",
        )


def _account_faults(
    name: str, row: AccountRow | None, debit: int, credit: int
) -> Iterator[Finding]:
    if row is None:
        yield Finding(
            kind=FindingKind.DELETED,
            row=f"account {name}",
            detail="transfers name the account, but it has no row",
        )
    elif (row.posted_debit, row.posted_credit) != (debit, credit):
        yield Finding(
            kind=FindingKind.BALANCE_DIFFERS,
            row=f"account {name}",
            detail=(
                f"the row says debit {row.posted_debit}, credit {row.posted_credit}; "
                f"the transfers add up to debit {debit}, credit {credit}"
            ),
        )
