"""A candidate policy tried on what was decided before: how many decisions would come out otherwise.

The facts of every order are sealed beside it. They are opened one by one, decided by the policy
that was in force then and by the candidate, and counted; nothing of them leaves this module but
counts and sums. Orders that asked for more or had to wait left no record and are not tried; limits
over time and funds are the ledger's and are not replayed.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; 14.2.2
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from tallystick.application.customers import Customers
from tallystick.application.payments.model import OrderRow
from tallystick.application.payments.proof import Proofs
from tallystick.application.payments.store import ORDER, last_orders
from tallystick.entry.inforce import Policies
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import SERVER_ROLES
from tallystick.infrastructure.keys.table import load_for, purposes_of
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock
from tallystick.process.policy import CompiledPolicy, Decision, Facts

_SET = 500
_facts = Decoder(Facts)


class Flip(Record, frozen=True, kw_only=True):
    """Decisions that come out otherwise, by what decided then and what would decide now.

    `count` orders of together `value_minor` in minor units.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    was: str
    now: str
    before: str
    after: str
    count: int
    value_minor: int


class Judged(Record, frozen=True, kw_only=True):
    """What a candidate would have decided: of `decisions`, the `flips`; nothing personal.

    `customers` are the payers of the flips. `unlike` are orders whose decision by the policy of
    then is not the one that was recorded (none in a sound provider), `unread` those whose payer was
    erased.
    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """

    candidate: int
    versions: tuple[int, ...]
    currency: str
    decisions: int
    value_minor: int
    customers: int
    unlike: int
    unread: int
    flips: tuple[Flip, ...]

    @property
    def flipped(self) -> int:
        """How many decisions come out otherwise.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return sum(one.count for one in self.flips)

    @property
    def touched_minor(self) -> int:
        """The value of those decisions, in minor units.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return sum(one.value_minor for one in self.flips)


class _Count:
    """Counts flips by kind."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str], tuple[int, int]] = {}
        self.payers: set[str] = set()

    def add(self, was: Decision, now: Decision, payer: str) -> None:
        """Count one decision of `payer`, if it comes out otherwise."""
        before, after = _says(was), _says(now)
        if before != after:
            kind = (before, after, was.row, now.row)
            count, value = self._found.get(kind, (0, 0))
            self.payers.add(payer)
            self._found[kind] = (count + 1, value + was.facts.amount_minor)

    def flips(self) -> tuple[Flip, ...]:
        """What was counted, the most frequent first."""
        ordered = sorted(self._found.items(), key=lambda one: (-one[1][0], one[0]))
        return tuple(
            Flip(was=was, now=now, before=before, after=after, count=count, value_minor=value)
            for (was, now, before, after), (count, value) in ordered
        )


def judge(
    folder: ProviderFolder, candidate: CompiledPolicy, opener: Opener, clock: Clock, *, last: int
) -> Judged:
    """What `candidate` would have decided on the facts of the `last` orders, the newest first.

    Raises NotAuthentic for a secret that is not this provider's.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    count, versions = _Count(), set[int]()
    decisions = value = unlike = unread = 0
    with open_reader(folder.stored()) as reader, _opened(folder, reader, opener, clock) as proofs:
        policies = Policies(reader)
        for order in _orders(reader, last):
            try:
                text = proofs.evidence(order).facts
            except NotFound:
                unread += 1
                continue
            facts = _facts.decode(text.encode())
            versions.add(order.policy)
            was = policies.at(order.policy, order.event).decide(facts)
            count.add(was, candidate.decide(facts), order.payer)
            decisions += 1
            value += facts.amount_minor
            unlike += was.row != order.row
    return Judged(
        candidate=candidate.version,
        versions=tuple(sorted(versions)),
        currency=folder.settings().currency,
        decisions=decisions,
        value_minor=value,
        customers=len(count.payers),
        unlike=unlike,
        unread=unread,
        flips=count.flips(),
    )


@contextmanager
def _opened(
    folder: ProviderFolder, reader: Reader, opener: Opener, clock: Clock
) -> Generator[Proofs]:
    """What opens the sealed facts, for as long as the block lasts."""
    master = folder.master(opener)
    profile = folder.settings().profile
    module = SoftModule(folder.roots(master, purposes_of(SERVER_ROLES)), clock, profile=profile)
    try:
        keys = load_for(SERVER_ROLES, module, folder.blocks(), now=clock.now())
        index = keys.newest(Purpose.ALIAS_INDEX)
        yield Proofs(Customers(module, index, reader, capacity=_SET))
    finally:
        module.zeroise()


def _orders(reader: Reader, last: int) -> Iterator[OrderRow]:
    names = last_orders(reader, last)
    for start in range(0, len(names), _SET):
        some = names[start : start + _SET]
        orders = RowCache(ORDER, OrderRow, reader, capacity=_SET)
        orders.prefetch(some)
        yield from filter(None, map(orders.get, some))


def _says(decision: Decision) -> str:
    return " ".join(filter(None, (decision.outcome.value, decision.required_grade)))
