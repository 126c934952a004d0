"""Probes of money: rules of the ledger tried on a book of its own, and the stored accounts.

What is tried moves nothing of the provider's: the book is empty, in memory, and forgotten.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3; 13.2; 13.3
"""

from typing import Final

from tallystick.application.daybook.store import above_ceiling, last_closing
from tallystick.application.payments.store import open_orders
from tallystick.entry.proving.looking import Declared, Seen, declare, failed, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.infrastructure.ledger.apply import apply
from tallystick.infrastructure.ledger.daybook import DayEnd
from tallystick.infrastructure.ledger.model import (
    Account,
    AccountKind,
    Leg,
    Posted,
    Posting,
    PostingKind,
    Side,
)
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.kernel.codec import Decoder
from tallystick.kernel.ids import id_time
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry

LATE_MS: Final = DAY_MS
"""How long an order may wait for the core system before somebody has to have looked."""

_MOST: Final = 1_000
_FUNDS: Final = 100
_closings: Final = Decoder(DayEnd)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("ledger.scratch", CheckKind.NEGATIVE, ("MFS-13.3-01", "MFS-7.3.3-06"),
     "on a book of its own, nothing is spent twice, made, lost or taken from nowhere"),
    ("ledger.journal", CheckKind.STATIC, ("MFS-7.3.3-06",),
     "each stored account is the sum of its lines, and no line is of no account"),
    ("ledger.ceilings", CheckKind.STATIC, (part("MFS-13.2-04"), part("MFS-13.3-03")),
     "no account keeps more than its ceiling"),
    ("days.closed", CheckKind.STATIC, (part("MFS-11.2.3-05"),),
     "the books of each day are closed, and no order waits for longer than a day"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class BookProbes:
    """Looks at the books, and tries the rules that keep them.

    Source: ISO/TS 12812-2:2017, 7.3.3; 13.3
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "ledger.scratch": self.scratch,
            "ledger.journal": self.journal,
            "ledger.ceilings": self.ceilings,
            "days.closed": self.days,
        }
        declare(registry, _DECLARED, looks)

    def scratch(self, now: Instant) -> Seen:
        """Tries to spend twice, to overdraw, to make money, and to repeat with another body.

        Source: ISO/TS 12812-2:2017, 13.3; 7.3.3
        """
        state = _book(self._site.settings.currency)
        funded = _post("fund", "bank", "payer", _FUNDS)
        tried = {
            "twice": _post("second", "payer", "payee", _FUNDS),
            "from nothing": _post("nothing", "payee-two", "payee", 1),
            "less than nothing": _post("negative", "payer", "payee", -_FUNDS),
            "above the ceiling": _post("ceiling", "payee", "small", _FUNDS),
            "from nobody": _post("nobody", "no-such", "payee", 1),
            "another body": _post("first", "payer", "payee", _FUNDS - 1),
        }
        first = _post("first", "payer", "payee", _FUNDS)
        begun = apply(state, (funded, first, first), now)
        done = dict(zip(tried, apply(state, tried.values(), now), strict=True))
        carried = [name for name, result in done.items() if isinstance(result, Posted)]
        if not all(isinstance(one, Posted) for one in begun):
            return unknown("the ordinary payments were not posted either")
        balances = {name: one.balance() for name, one in state.accounts.items()}
        owed = sum(balance for name, balance in balances.items() if name != "bank")
        if balances["payee"] != _FUNDS or owed != balances["bank"]:
            return failed(f"the book does not fit: {owed} owed, {balances['bank']} kept")
        return judged(
            not carried,
            f"{len(tried)} of {len(tried)} were refused; what was sent twice was posted once",
            f"carried out: {', '.join(carried)}",
            attempts=len(tried),
            refused=len(tried) - len(carried),
        )

    def journal(self, now: Instant) -> Seen:
        """Adds the lines of every account up.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        with self._site.reading() as reader:
            store = LedgerStore(reader)
            differing = store.differing_accounts()
            accounts = sum(one.accounts for one in store.balance_lines())
        return judged(
            not differing,
            f"{accounts} accounts are the sums of their lines",
            f"{len(differing)} of {accounts} accounts are not the sums of their lines",
            accounts=accounts,
            differing=len(differing),
        )

    def ceilings(self, now: Instant) -> Seen:
        """Counts accounts above their ceiling.

        Source: ISO/TS 12812-2:2017, 13.2; 13.3
        """
        with self._site.reading() as reader:
            accounts, above = above_ceiling(reader)
        return judged(
            not above,
            f"none of {accounts} accounts is above its ceiling",
            f"{above} of {accounts} accounts are above their ceiling",
            accounts=accounts,
            above=above,
        )

    def days(self, now: Instant) -> Seen:
        """Looks at the last closed day, and at the oldest order that waits.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        with self._site.reading() as reader:
            closing = last_closing(reader)
            waiting = [one for one in open_orders(reader, _MOST) if now - id_time(one) > LATE_MS]
        if closing is None:
            return unknown("no day was closed yet")
        end = _closings.decode(closing.encode())
        due = iso_utc(Instant(now - 2 * DAY_MS))[:10]
        return judged(
            end.day >= due and not waiting,
            f"closed up to {end.day}, no order waits for more than a day",
            f"closed up to {end.day}, {len(waiting)} orders wait for more than a day",
            day=end.day,
            waiting=len(waiting),
        )


def _book(currency: str) -> LedgerState:
    state = LedgerState()
    for name, kind, side, ceiling in (
        ("bank", AccountKind.SAFEGUARDING, Side.DEBIT, 10**9),
        ("payer", AccountKind.CUSTOMER, Side.CREDIT, 10**9),
        ("payee", AccountKind.CUSTOMER, Side.CREDIT, 10**9),
        ("payee-two", AccountKind.CUSTOMER, Side.CREDIT, 10**9),
        ("small", AccountKind.CUSTOMER, Side.CREDIT, _FUNDS - 1),
    ):
        state.open_account(
            Account(id=name, kind=kind, currency=currency, side=side, ceiling=ceiling)
        )
    return state


def _post(name: str, debit: str, credit: str, amount: int) -> Posting:
    leg = Leg(debit=debit, credit=credit, amount=amount)
    return Posting(id=name, kind=PostingKind.POST, legs=(leg,))
