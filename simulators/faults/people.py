"""Who pays: people who dial and people with an app; what each was told, kept for the checker.

Whoever gets no answer asks again under the same id, for as long as it takes.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.faults.agenda import Agenda, DriftingClock
from simulators.faults.network import Network
from simulators.faults.process import AskBalance, AskQuote, Dial, Get, Http, Post
from tallystick.application.turn import Recorded
from tallystick.client.consenting import Order
from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import ClientSession, Peer, Reply
from tallystick.client.wallet import Refusal, Wallet
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Broken, Expired, MfsError, NotAuthentic, Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.payments import (
    AccountReply,
    PaymentKind,
    Quote,
    QuoteReply,
    QuoteRequest,
)
from tallystick.protocol.receipt import Receipt, parse_checkpoint

CURRENCY = "KES"
ANSWER_MS = 3_000
PAYEES = 12
AMOUNTS = (100, 250, 1_000, 5_000, 40_000)


@dataclass(slots=True)
class Told:
    """What somebody was told about one order, in all: the events, and the refusals for good."""

    order: str
    payer: str
    amount_minor: int
    events: set[int] = field(default_factory=set)
    settled: bool = False
    accepted: bool = False
    refused: set[str] = field(default_factory=set)
    never: bool = False
    other: set[str] = field(default_factory=set)

    @property
    def final(self) -> bool:
        """Whether its payer knows how it ended."""
        return self.settled or self.accepted or bool(self.refused) or self.never


@dataclass(slots=True)
class BalanceRead:
    """A balance that somebody was told: between which events it must have been true."""

    account: str
    minor: int
    after_event: int
    before_event: int


@dataclass(slots=True)
class Diary:
    """Everything that anybody was told."""

    orders: dict[str, Told] = field(default_factory=dict)
    reads: list[BalanceRead] = field(default_factory=list)
    roots: dict[int, set[bytes]] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    dishonest: list[str] = field(default_factory=list)
    done: int = 0
    newest: dict[str, int] = field(default_factory=dict)

    def note(self, note: str) -> int:
        """Keep the root of a signed checkpoint; gives its size."""
        checkpoint = parse_checkpoint(note.split("\n\n", 1)[0] + "\n")
        self.roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
        return checkpoint.size

    def receipt(self, told: Told, receipt: Receipt) -> None:
        """Keep what a receipt proves about `told`."""
        self.note(receipt.checkpoint)
        leaf = decode_leaf(b64url_decode(receipt.leaf))
        if leaf.id != told.order:
            told.other.add(leaf.id)
        told.events.add(receipt.index)
        if leaf.stage == "settled":
            told.settled = True
            payer = told.payer
            self.newest[payer] = max(self.newest.get(payer, -1), receipt.index)
        elif leaf.stage in {"accepted", "unknown"}:
            told.accepted = True


class Dialler:
    """Somebody who dials: a quote, a PIN, an order; again until it is answered.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        agenda: Agenda,
        network: Network,
        diary: Diary,
        dice: random.Random,
        *,
        customer: str,
        account: str,
        payees: Sequence[str],
        size: Callable[[], int],
        more: Callable[[], bool],
    ) -> None:
        self._agenda = agenda
        self._network = network
        self._diary = diary
        self._dice = dice
        self._customer = customer
        self._account = account
        self._payees = payees
        self._size = size
        self._more = more
        self._attempt = 0
        self.idle = False
        self._later(dice.random() * 1_000)

    def _later(self, delay_ms: float) -> None:
        self._agenda.after(delay_ms, self._next)

    def _next(self) -> None:
        if not self._more():
            self.idle = True
            return
        if self._dice.random() < 0.1:
            self._read()
        else:
            self._quote()

    def _think(self) -> None:
        self._later(self._dice.expovariate(1 / 250))

    def _ask(
        self, request: Any, answered: Callable[[Any], None], silent: Callable[[], None]
    ) -> None:
        """Ask once; the first answer counts, or silence does."""
        self._attempt += 1
        attempt = self._attempt

        def first(answer: Any) -> None:
            if self._attempt == attempt:
                self._attempt += 1
                answered(answer)

        def quiet() -> None:
            if self._attempt == attempt:
                self._attempt += 1
                silent()

        self._network.call(request, first)
        self._agenda.after(ANSWER_MS, quiet)

    def _quote(self) -> None:
        request = QuoteRequest(
            kind=PaymentKind.P2P,
            payee=self._dice.choice(self._payees),
            amount_minor=self._dice.choice(AMOUNTS),
            currency=CURRENCY,
        )

        def answered(answer: Any) -> None:
            if isinstance(answer, QuoteReply):
                self._place(answer.quote)
            else:
                self._think()

        self._ask(AskQuote(self._customer, request), answered, self._think)

    def _place(self, quote: Quote) -> None:
        told = self._diary.orders.get(quote.order)
        if told is None:
            told = Told(quote.order, quote.payer, quote.amount_minor)
            self._diary.orders[quote.order] = told

        def answered(answer: Any) -> None:
            again_ms = self._heard(told, answer)
            if again_ms is None:
                self._diary.done += 1
                self._think()
            else:
                self._agenda.after(again_ms, lambda: self._place(quote))

        self._ask(Dial(self._customer, quote), answered, lambda: self._place(quote))

    def _heard(self, told: Told, answer: Any) -> float | None:
        """What an answer means: None if it ends the order, else when to ask again."""
        if isinstance(answer, Recorded):
            reply, receipt = answer.outcome.reply, answer.receipt
        else:
            reply, receipt = answer, None
        if receipt is not None:
            self._diary.receipt(told, receipt)
        if not isinstance(reply, MfsError):
            return None
        if isinstance(reply, Unavailable):
            return 1_000.0 * (reply.retry_after_s or 1)
        if isinstance(reply, Broken):
            self._diary.stopped.add(str(reply))
            return 5_000.0
        if receipt is not None:
            told.refused.add(reply.code)
        else:
            told.never = True
        return None

    def _read(self) -> None:
        after = self._diary.newest.get(self._account, -1)

        def answered(answer: Any) -> None:
            if isinstance(answer, Recorded) and isinstance(answer.outcome.reply, AccountReply):
                minor = answer.outcome.reply.available_minor
                read = BalanceRead(self._account, minor, after, self._size())
                self._diary.reads.append(read)
            self._think()

        self._ask(AskBalance(self._customer), answered, self._think)


class AppPerson:
    """Somebody with an app: the real SDK over the simulated network, receipts verified.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    def __init__(
        self,
        agenda: Agenda,
        network: Network,
        diary: Diary,
        dice: random.Random,
        *,
        provider: str,
        keystore: DeviceKeystore,
        session_keys: Callable[[], dict[str, VerifyKey]],
        tally_key: Callable[[], VerifyKey],
        origin: str,
        payees: Sequence[str],
        more: Callable[[], bool],
    ) -> None:
        self._agenda = agenda
        self._network = network
        self._diary = diary
        self._dice = dice
        self._payees = payees
        self._more = more
        self._pending: Order | None = None
        self.idle = False
        clock = DriftingClock(agenda)
        peer = Peer(self, provider, session_keys, dice.randbytes, (KemSuite.X25519,))
        self._wallet = Wallet(
            ClientSession(peer, keystore, clock),
            keystore,
            self,
            lambda: (tally_key(),),
            origin=origin,
            clock=clock,
            pause=self._pause,
            attempts=3,
        )
        agenda.after(dice.random() * 2_000, self._next)

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """What the provider answers to octets; raises Unavailable if nothing comes.

        Source: RFC 9110, 9.3.3
        """
        del content_type
        return self._exchanged(Post(path, body))

    def get(self, path: str) -> Reply:
        """What the provider answers to a question about its log.

        Source: RFC 9162, 2.1.4
        """
        query = dict(part.split("=") for part in path.partition("?")[2].split("&"))
        return self._exchanged(Get(int(query["old"]), int(query["new"])))

    def _exchanged(self, request: Any) -> Reply:
        box: list[Http] = []
        self._network.call(request, box.append)
        self._agenda.run_until(lambda: bool(box), ANSWER_MS)
        if not box:
            raise Unavailable("no answer")
        answer = box[0]
        return Reply(answer.status, answer.body, {"content-type": answer.media})

    def _pause(self, seconds: float) -> None:
        self._agenda.run_until(lambda: False, seconds * 1_000)

    def _next(self) -> None:
        if not self._more() and self._pending is None:
            self.idle = True
            return
        try:
            self._step()
        except Broken as error:
            self._diary.stopped.add(str(error))
        except NotAuthentic as error:
            self._diary.dishonest.append(str(error))
        except MfsError:
            pass  # nobody answered, or the clocks differ: again a little later
        self._agenda.after(self._dice.expovariate(1 / 2_000), self._next)

    def _step(self) -> None:
        if self._pending is None:
            amount = Money(self._dice.choice(AMOUNTS), CURRENCY)
            payee = self._dice.choice(self._payees)
            quoted = self._wallet.quote(PaymentKind.P2P, payee, amount)
            self._pending = self._wallet.consent(quoted)
            quote = quoted.quote
            self._diary.orders[quote.order] = Told(quote.order, quote.payer, quote.amount_minor)
        order = self._pending
        told = self._diary.orders[order.quote.order]
        try:
            paid = self._wallet.place(order)
        except Refusal as refused:
            self._diary.receipt(told, refused.receipt)
            told.refused.add(refused.error.code)
        except Expired as error:
            if "quote" not in error.detail:
                raise
            told.never = True
        else:
            self._diary.receipt(told, paid.receipt)
        self._pending = None
        self._diary.done += 1
