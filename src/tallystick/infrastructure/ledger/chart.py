"""The accounts of a provider in one currency, and how money comes in and goes out.

    owned (debit side)     safeguarding: customers' money at the bank
                           bank settlement: the provider's own money at the bank
                           interoperable: what other schemes owe, negative if it is owed to them
    owed (credit side)     customers, agents' float, merchants, issued e-money, suspense
    earned (credit side)   fees
    spent (debit side)     commission to agents; opened when the first is paid

The electronic money in circulation is what the customers' accounts hold: issuing debits
safeguarding and credits one of them, redeeming does the contrary.

Source: ISO/TS 12812-2:2017, 13.1; 13.3
"""

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.ledger.model import (
    NO_CEILING,
    NO_FLOOR,
    Account,
    AccountKind,
    Leg,
    Posting,
    PostingKind,
    Side,
)
from tallystick.kernel.ids import random_id
from tallystick.kernel.model import Record
from tallystick.kernel.money import currency_exponent

OWNED = frozenset(
    {
        AccountKind.SAFEGUARDING,
        AccountKind.BANK_SETTLEMENT,
        AccountKind.INTEROPERABLE,
        AccountKind.COMMISSION,
    }
)
"""Kinds that grow on the debit side."""

OWED = frozenset(
    {
        AccountKind.CUSTOMER,
        AccountKind.AGENT_FLOAT,
        AccountKind.MERCHANT,
        AccountKind.ISSUANCE,
        AccountKind.SUSPENSE,
    }
)
"""Kinds whose money belongs to others and is safeguarded."""

_MAY_BE_NEGATIVE = frozenset(
    {AccountKind.BANK_SETTLEMENT, AccountKind.INTEROPERABLE, AccountKind.SUSPENSE}
)


class Chart(Record, frozen=True, kw_only=True):
    """The ids of the provider's own accounts in one currency.

    Source: ISO/TS 12812-2:2017, 13.1
    """

    currency: str
    safeguarding: str
    bank_settlement: str
    interoperable: str
    issuance: str
    suspense: str
    fee: str
    commission: str

    def ids(self) -> tuple[str, ...]:
        """The ids of the provider's own accounts.

        Source: ISO/TS 12812-2:2017, 13.1
        """
        return (
            self.safeguarding,
            self.bank_settlement,
            self.interoperable,
            self.issuance,
            self.suspense,
            self.fee,
            self.commission,
        )

    def accounts(self, now: int) -> tuple[Account, ...]:
        """The provider's own accounts, empty, opened at `now`; but for commission.

        Source: ISO/TS 12812-2:2017, 13.1
        """
        own = (
            (self.safeguarding, AccountKind.SAFEGUARDING),
            (self.bank_settlement, AccountKind.BANK_SETTLEMENT),
            (self.interoperable, AccountKind.INTEROPERABLE),
            (self.issuance, AccountKind.ISSUANCE),
            (self.suspense, AccountKind.SUSPENSE),
            (self.fee, AccountKind.FEE),
        )
        return tuple(new_account(id_, kind, self.currency, now) for id_, kind in own)


def chart_of(currency: str) -> Chart:
    """The chart of a provider in `currency`; its account ids are the same everywhere.

    Raises Malformed for a currency that is not known.
    Source: ISO/TS 12812-2:2017, 13.1; ISO 4217
    """
    currency_exponent(currency)

    def own(kind: AccountKind) -> str:
        name = f"{currency}/{kind.value}"
        return random_id("acc", sha256(name.encode())[:16])

    return Chart(
        currency=currency,
        safeguarding=own(AccountKind.SAFEGUARDING),
        bank_settlement=own(AccountKind.BANK_SETTLEMENT),
        interoperable=own(AccountKind.INTEROPERABLE),
        issuance=own(AccountKind.ISSUANCE),
        suspense=own(AccountKind.SUSPENSE),
        fee=own(AccountKind.FEE),
        commission=own(AccountKind.COMMISSION),
    )


def new_account(
    account_id: str, kind: AccountKind, currency: str, now: int, *, ceiling: int = NO_CEILING
) -> Account:
    """An empty account with the side and the floor of its kind; `ceiling` in minor units.

    Raises Malformed for a currency that is not known.
    Source: ISO/TS 12812-2:2017, 13.1; 13.3
    """
    currency_exponent(currency)
    return Account(
        id=account_id,
        kind=kind,
        currency=currency,
        side=Side.DEBIT if kind in OWNED else Side.CREDIT,
        floor=NO_FLOOR if kind in _MAY_BE_NEGATIVE else 0,
        ceiling=ceiling,
        opened_at=now,
    )


def issue(
    chart: Chart, posting_id: str, account: str, amount: int, *, event_index: int = -1
) -> Posting:
    """Money that arrived in the safeguarding account becomes money of `account`.

    Source: ISO/TS 12812-2:2017, 13.1; 13.2
    """
    leg = Leg(debit=chart.safeguarding, credit=account, amount=amount)
    return Posting(id=posting_id, kind=PostingKind.POST, legs=(leg,), event_index=event_index)


def redeem(
    chart: Chart, posting_id: str, account: str, amount: int, *, event_index: int = -1
) -> Posting:
    """Money of `account` leaves the safeguarding account for its owner.

    Source: ISO/TS 12812-2:2017, 13.1; 13.2
    """
    leg = Leg(debit=account, credit=chart.safeguarding, amount=amount)
    return Posting(id=posting_id, kind=PostingKind.POST, legs=(leg,), event_index=event_index)


def cover(chart: Chart, posting_id: str, amount: int, *, event_index: int = -1) -> Posting:
    """The provider's own money at its bank becomes safeguarded, for what it owes beyond that.

    Source: ISO/TS 12812-2:2017, 13.1
    """
    leg = Leg(debit=chart.safeguarding, credit=chart.bank_settlement, amount=amount)
    return Posting(id=posting_id, kind=PostingKind.POST, legs=(leg,), event_index=event_index)
