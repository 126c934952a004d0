"""Plays a recording: everybody opens and enrols, then every row is quoted, signed and paid.

    open -> fund -> enrol -> for each hour: sessions -> quotes -> consents -> orders -> receipts
         -> compared with the columns -> the same orders once more -> audit of the tally

Rows of one hour are taken in groups, as requests of many people that arrive together.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.5
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TypeVar

from tallystick.client.consenting import Order, consent_to
from tallystick.client.session import Peer
from tallystick.entry.auditing import audit_provider
from tallystick.entry.replay.parties import (
    Cast,
    Device,
    Party,
    enrol_devices,
    establish_sessions,
    fund_parties,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import CURRENCY, ReplayProvider
from tallystick.entry.replay.report import Answer, Comparison, Phase, Replayed
from tallystick.entry.replay.rows import Row
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import HOUR_MS, SECOND_MS, SimulatedClock
from tallystick.protocol.payments import PaymentReply, QuoteReply, QuoteRequest
from tallystick.protocol.problems import Problem, error_of

Tell = Callable[[str, int, int], None]
"""Told the name of the phase, how many are done, and of how many."""

T = TypeVar("T")
GROUP = 64
_START = 1_767_225_600_000
_NOBODY = "replay"
_quotes = Decoder(QuoteReply)
_payments = Decoder(PaymentReply)
_problems = Decoder(Problem)


def replay(
    rows: Sequence[Row], folder: ProviderFolder, *, again: bool = True, tell: Tell | None = None
) -> Replayed:
    """Replay `rows` through a provider set up in `folder`, an empty one; `again` adds a pass.

    The clock starts in 2026 and follows `step`, in hours.
    Raises Conflict if there is a provider in `folder`.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    clock = SimulatedClock(_START)
    provider = ReplayProvider(folder, clock)
    try:
        player = _Player(provider, rows, tell or _silent)
        player.prepare()
        player.play()
        same, added = player.play_again() if again else (0, 0)
    finally:
        provider.platform.close()
    report = audit_provider(folder)
    compared = player.comparison
    return Replayed(
        rows=len(rows),
        parties=len(player.cast),
        devices=sum(party.device is not None for party in player.cast.all()),
        posted=compared.posted,
        refused_funds=compared.refused_funds,
        exact=compared.exact,
        rounded=compared.rounded,
        differ=compared.differ,
        differences=tuple(compared.differences),
        again=len(rows) if again else 0,
        again_same=same,
        again_events=added,
        events=report.rows,
        findings=len(report.findings),
        types=tuple(sorted(compared.types.values(), key=lambda one: -one.rows)),
        phases=tuple(player.phases.values()),
    )


def _silent(_name: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Placed:
    """A row with its signed order and how it was answered first."""

    row: Row
    order: Order
    answer: Answer


@dataclass(slots=True)
class _Player:
    """The phases of a replay, one after the other."""

    provider: ReplayProvider
    rows: Sequence[Row]
    tell: Tell
    cast: Cast = field(init=False)
    peer: Peer = field(init=False)
    comparison: Comparison = field(default_factory=Comparison)
    phases: dict[str, Phase] = field(default_factory=dict[str, Phase])
    placed: list[_Placed] = field(default_factory=list[_Placed])

    def __post_init__(self) -> None:
        self.cast = Cast(self.rows)
        self.peer = replay_peer(self.provider)

    def prepare(self) -> None:
        """Open everybody, give them their money, and enrol whoever consents."""
        parties = self.cast.all()
        funded = [one for one in parties if one.funds_minor]
        consenting = [one for one in parties if one.consents]
        self._phase("opening", parties, partial(open_parties, self.provider))
        self._phase("funding", funded, partial(fund_parties, self.provider))
        self._phase("enrolment", consenting, partial(enrol_devices, self.provider, self.peer))

    def _phase(
        self, name: str, parties: Sequence[Party], work: Callable[[Sequence[Party]], None]
    ) -> None:
        for done, some in _groups(parties):
            with self._timed(name, len(some)):
                work(some)
            self.provider.clock.advance(SECOND_MS)
            self.tell(name, done + len(some), len(parties))

    def play(self) -> None:
        """Quote, sign and place every row in its hour, and compare."""
        began, first = self.provider.clock.now(), self.rows[0].step
        done = 0
        for step, hourly in groupby(self.rows, key=lambda row: row.step):
            at = began + (step - first) * HOUR_MS
            self.provider.clock.set(max(at, self.provider.clock.now()))
            for _, group in _groups(list(hourly)):
                self._sessions([self.cast.sides(row)[0] for row in group], "session")
                with self._timed("order", len(group)):
                    orders = self._signed(group)
                    answers = self._answers(group, orders)
                for row, order, answer in zip(group, orders, answers, strict=True):
                    self._compare(row, answer)
                    self.placed.append(_Placed(row, order, answer))
                done += len(group)
                self.tell("paying", done, len(self.rows))

    def play_again(self) -> tuple[int, int]:
        """Place the very same orders; gives how many were answered as before, and new events."""
        before, same = self.provider.platform.archive.size, 0
        sessions = 0
        for done, group in _groups(self.placed):
            rows = [one.row for one in group]
            payers = [self.cast.sides(row)[0] for row in rows]
            sessions += self._sessions(payers, "session, second pass")
            with self._timed("order, second pass", len(group)):
                answers = self._answers(rows, [one.order for one in group])
            same += sum(
                one.answer.event == told.event for one, told in zip(group, answers, strict=True)
            )
            self.tell("second pass", done + len(group), len(self.placed))
        return same, self.provider.platform.archive.size - before - sessions

    def _sessions(self, payers: Sequence[Party], phase: str) -> int:
        once = list({party.number: party for party in payers}.values())
        self.provider.clock.advance(SECOND_MS)
        before = self.provider.platform.archive.size
        with self._timed(phase, len(once)):
            establish_sessions(self.provider, self.peer, once)
        return self.provider.platform.archive.size - before

    def _signed(self, group: Sequence[Row]) -> list[Order]:
        orders: list[Order] = []
        for row in group:
            payer, payee = self.cast.sides(row)
            asked = QuoteRequest(
                kind=row.kind,
                payee=payee.number,
                amount_minor=row.amount_minor,
                currency=CURRENCY,
            )
            ((status, content),) = self._exchange(
                "payment.quote", [(payer.phone(), encode_canonical(asked))]
            )
            if status != 200:
                raise error_of(_problems.decode(content))
            quoted = _quotes.decode(content)
            orders.append(consent_to(quoted, payer.phone().keystore, self.provider.clock.now()))
        return orders

    def _answers(self, rows: Sequence[Row], orders: Sequence[Order]) -> list[Answer]:
        asked = [
            (self.cast.sides(row)[0].phone(), order.body)
            for row, order in zip(rows, orders, strict=True)
        ]
        return [self._answer(*one) for one in self._exchange("payment.order", asked)]

    def _answer(self, status: int, content: bytes) -> Answer:
        if status == 200:
            paid = _payments.decode(content)
            receipt, error, detail, balance = paid.receipt, "", "", paid.balance_minor
        else:
            problem = _problems.decode(content)
            refusal = error_of(problem)
            error, detail, balance = refusal.code, refusal.detail, -1
            if problem.receipt is None:
                return Answer(error, detail, -1, balance)
            receipt = problem.receipt
        origin = self.provider.platform.settings.origin
        verify_receipt(receipt, self.provider.tally_key, origin=origin)
        return Answer(error, detail, receipt.index, balance)

    def _exchange(
        self, operation: str, asked: Sequence[tuple[Device, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Seal and send what each device asks, as one batch; status and opened content of each."""
        handle = self.provider.handler(operation)
        told: dict[int, tuple[int, bytes]] = {}
        sequences: list[int] = []
        for number, (device, body) in enumerate(asked):
            sequence, sealed = device.seal(operation, body)
            sequences.append(sequence)

            def respond(
                status: int, _media: bytes, octets: bytes, _after: int, at: int = number
            ) -> None:
                told[at] = (status, octets)

            handle(sealed, _NOBODY, respond)
        self.provider.batch.run()
        if len(told) != len(asked):
            raise Broken("a request was not answered")
        return [
            (told[number][0], device.opened(operation, sequences[number], *told[number]))
            for number, (device, _) in enumerate(asked)
        ]

    def _compare(self, row: Row, answer: Answer) -> None:
        account = self.cast.party(row.name, "person").phone().account()
        balance = self.provider.platform.desks.book.available(account)
        self.comparison.note(row, answer, balance)

    @contextmanager
    def _timed(self, name: str, count: int) -> Generator[None, None, None]:
        began = time.perf_counter()
        yield
        before = self.phases.get(name) or Phase(name=name, count=0, seconds=0.0)
        self.phases[name] = Phase(
            name=name,
            count=before.count + count,
            seconds=before.seconds + time.perf_counter() - began,
        )


def _groups(items: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    """Each group of at most `GROUP` items, with how many came before it."""
    for begin in range(0, len(items), GROUP):
        yield begin, items[begin : begin + GROUP]
