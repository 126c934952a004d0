"""The counters that the writer owns: exact, since orders are applied one after the other.

Source: Delegated Regulation (EU) 2018/389, 10 to 19
"""

from decimal import Decimal
from typing import Final

from tallystick.application.exemptions.model import (
    PACK,
    WITH_TWO_FACTORS,
    CountedRow,
    ExemptedRow,
)
from tallystick.application.exemptions.store import COUNTED, EXEMPTED, kinds_of_payments
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.policy.facts import Kind
from tallystick.process.policy.regimes import regime
from tallystick.process.policy.regimes.exemptions import (
    BY_AMOUNT,
    BY_COUNT,
    Asked,
    Since,
    exempted,
)

WINDOW_MS = 90 * DAY_MS
_AT_A_TILL: Final = frozenset({Kind.MERCHANT.value, Kind.CASH_IN.value, Kind.CASH_OUT.value})
_NEVER_REMOTE: Final = "contactless"
_CARDS: Final = "card-"


class Exemptions:
    """Counts what exemptions would have let go, while the policy is held to the pack.

    Source: Delegated Regulation (EU) 2018/389, 10 to 18
    """

    def __init__(
        self, policy: PolicyInForce, reader: Reader, *, capacity: int, counter: str = BY_COUNT
    ) -> None:
        """Count payments, or with `counter` their amounts, as a provider has to choose.

        Source: Delegated Regulation (EU) 2018/389, 11; 16
        """
        if counter not in {BY_COUNT, BY_AMOUNT}:
            raise Conflict("a provider counts payments or amounts")
        self._policy = policy
        self._reader = reader
        self._counter = counter
        self._counted = RowCache(COUNTED, CountedRow, reader, capacity=capacity)
        self._orders = RowCache(EXEMPTED, ExemptedRow, reader, capacity=capacity)
        self._share: tuple[int, Decimal | None] = (-1, None)

    @property
    def counting(self) -> bool:
        """Whether the policy in force is held to the pack, and states its amounts in its currency.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        policy = self._policy.compiled.policy
        return PACK in policy.regimes and policy.header.currency == regime(PACK).currency

    def settled(
        self, turn: Turn, order: str, customer: str, kind: str, amount_minor: int, *, known: bool
    ) -> str:
        """Note a payment that settled; gives the exemption that would have held, or two factors.

        Source: Delegated Regulation (EU) 2018/389, 11; 13; 16; 18
        """
        remote = kind not in _AT_A_TILL
        row = self.counted(customer, remote=remote) or _fresh(customer, remote, turn.now)
        since = Since(
            count=row.count,
            amount_minor=row.amount_minor,
            elapsed_ms=max(0, turn.now - row.since),
        )
        asked = Asked(
            amount_minor=amount_minor,
            relation="trusted" if known else "",
            fraud_share=self._fraud_share(turn.now),
        )
        found = exempted(regime(PACK), asked, since, at=turn.now, counter=self._counter)
        names = [one.id for one in found if _fits(one.id, remote=remote)]
        exemption = names[0] if names else WITH_TWO_FACTORS
        counted = [replace(row, count=row.count + 1, amount_minor=row.amount_minor + amount_minor)]
        if not names:
            counted = [_fresh(customer, where, turn.now) for where in (False, True)]
        for one in counted:
            self._counted.put(one.id, one, turn.changes)
        note = ExemptedRow(
            id=order,
            exemption=exemption,
            remote=int(remote),
            amount_minor=amount_minor,
            at=turn.now,
            fraud=0,
        )
        self._orders.put(order, note, turn.changes)
        return exemption

    def report_fraud(self, turn: Turn, order: str) -> ExemptedRow:
        """Count `order` as fraud from now on.

        Raises NotFound for one that was not counted, Conflict for one that was reported.
        Source: Delegated Regulation (EU) 2018/389, 19(1)
        """
        row = self._orders.get(order)
        if row is None:
            raise NotFound(
                "no settled order of this id was counted",
                remedy="look at the order's id and whether it is settled",
            )
        if row.fraud:
            raise Conflict("this order was reported before", remedy="nothing is to be done")
        marked = replace(row, fraud=1)
        self._orders.put(order, marked, turn.changes)
        return marked

    def counted(self, customer: str, *, remote: bool) -> CountedRow | None:
        """What was counted for `customer`, from afar or at a till, since two factors were needed.

        Source: Delegated Regulation (EU) 2018/389, 11; 16
        """
        return self._counted.get(_counter(customer, remote))

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._counted.trim()
        self._orders.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._counted.reset()
        self._orders.reset()

    def _fraud_share(self, now: Instant) -> Decimal | None:
        """The share of remote payments that was fraud in 90 days; read once a day, None if none."""
        day = now // DAY_MS
        if self._share[0] != day:
            kinds = kinds_of_payments(self._reader, day * DAY_MS - WINDOW_MS, day * DAY_MS)
            paid = sum(one.amount_minor for one in kinds if one.remote)
            fraud = sum(one.fraud_minor for one in kinds if one.remote)
            self._share = (day, Decimal(fraud) / Decimal(paid) if paid else None)
        return self._share[1]


def _counter(customer: str, remote: bool) -> str:
    return f"{customer}|{int(remote)}"


def _fresh(customer: str, remote: bool, now: Instant) -> CountedRow:
    """Nothing counted since `now`, when two factors were given: for payments of both sorts."""
    return CountedRow(
        id=_counter(customer, remote),
        customer=customer,
        remote=int(remote),
        count=0,
        amount_minor=0,
        since=now,
    )


def _fits(exemption: str, *, remote: bool) -> bool:
    """Whether an exemption is for a payment from afar or at a till; accounts have no cards here."""
    if exemption.startswith(_CARDS):
        return False
    if exemption == _NEVER_REMOTE:
        return not remote
    return remote or exemption in {"trusted-payee", "recurring"}
