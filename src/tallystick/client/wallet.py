"""The wallet: quotes, consents, pays, and keeps the provider honest.

    quote -> what the person sees -> consent signed behind user verification -> order -> receipt
    receipt: leaf, inclusion, checkpoint, disclosures verified; then consistency with the last one
    kept

Retry contract: an order that may or may not have arrived (`Unavailable`) is sent again with the
same `Order`, whose id makes it safe, after the pause that the provider asked for or a growing one:
long enough in all for a provider to change over to another machine. An order that the provider
holds back (`OutOfReach`) was answered: its person hears so, and may send it later. After `Expired`
or `Conflict` a new quote is needed; a session that the provider no longer knows is established anew
by itself.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import sleep
from typing import Protocol, TypeVar

from tallystick.client.consenting import Order, consent_to
from tallystick.client.evidence import FreshEvidence, Prove, asks_for_evidence
from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import ClientSession, Exchanged, Reply, refusal
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.tally.verify import (
    VerifiedReceipt,
    check_consistency,
    decode_proof,
    own_checkpoint,
    verify_checkpoint,
    verify_receipt,
)
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import (
    MfsError,
    NotAuthentic,
    NotFound,
    OutOfReach,
    StepUpRequired,
    Unavailable,
)
from tallystick.kernel.model import ABSENT, Wire
from tallystick.kernel.money import Money
from tallystick.kernel.time import Clock
from tallystick.protocol.operators import CustomerOpened, OpenCustomer
from tallystick.protocol.payments import (
    AccountReply,
    Empty,
    PaymentKind,
    PaymentReply,
    QuoteReply,
    QuoteRequest,
    ReceiptReply,
    ReceiptRequest,
)
from tallystick.protocol.problems import Problem, error_of
from tallystick.protocol.receipt import Checkpoint, Receipt
from tallystick.protocol.tally_api import ConsistencyReply

T = TypeVar("T", bound=Wire)
A = TypeVar("A")
ATTEMPTS = 12
"""How often something is asked while nobody answers: for about 40 s in all."""

OPEN = ("accepted", "unknown")
"""Stages of an order that has not ended: it is not paid, and not to be ordered again."""

_TAKEN = ("settled", *OPEN)
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0
_LONGEST_LOOK_S = 30.0
_LOOKS = 20
_BEHIND = (Unavailable, NotFound)
"""Another of the provider's machines may not know yet what one of them has signed."""

_quotes = Decoder(QuoteReply)
_payments = Decoder(PaymentReply)
_receipts = Decoder(ReceiptReply)
_accounts = Decoder(AccountReply)
_opened = Decoder(CustomerOpened)
_problems = Decoder(Problem)
_consistency = Decoder(ConsistencyReply)


class Getter(Protocol):
    """Fetches public pages of the provider.

    Source: RFC 9110, 9.3.1
    """

    def get(self, path: str) -> Reply:
        """GET `path`.

        Source: RFC 9110, 9.3.1
        """
        ...


@dataclass(frozen=True, slots=True)
class Paid:
    """An order that was taken: its verified receipt and the balance after it, in minor units.

    It is paid if its stage is `settled`; `accepted` and `unknown` are to be followed.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    receipt: Receipt
    verified: VerifiedReceipt
    balance_minor: int

    @property
    def stage(self) -> str:
        """How far the order has come, by the receipt.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.verified.event.stage


class Refusal(Exception):
    """A refusal that the provider remembers, with the verified receipt that proves it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, error: MfsError, receipt: Receipt) -> None:
        super().__init__(str(error))
        self.error = error
        self.receipt = receipt


class Wallet:
    """What an app does with a session; safe to share between threads.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    def __init__(
        self,
        session: ClientSession,
        keystore: DeviceKeystore,
        public: Getter,
        tally_keys: Callable[[], Sequence[VerifyKey]],
        *,
        origin: str,
        clock: Clock,
        consistency: bool = True,
        pause: Callable[[float], None] = sleep,
        attempts: int = ATTEMPTS,
        prove: Prove | None = None,
    ) -> None:
        """Pay over `session`; believe receipts of the log `origin` under `tally_keys` only.

        `pause` waits some seconds between attempts, of which there are at most `attempts`. With
        `prove` a payment that asks for a fresh proof of the device gets it and is sent again.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._session = session
        self._keystore = keystore
        self._public = public
        self._tally_keys = tally_keys
        self._origin = origin
        self._clock = clock
        self._consistency = consistency
        self._pause = pause
        self.attempts = attempts
        self._evidence = (
            None
            if prove is None
            else FreshEvidence(session, lambda: keystore.identity().device, prove)
        )

    def quote(
        self,
        kind: PaymentKind,
        payee: str,
        amount: Money,
        *,
        original: str = "",
        seen: tuple[str, ...] = (),
    ) -> QuoteReply:
        """The provider's terms for a payment.

        `seen` is what the phone notices: screen-shared, remote-tool, urgency.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        request = QuoteRequest(
            kind=kind,
            payee=payee,
            amount_minor=amount.minor,
            currency=amount.currency,
            original=original,
            seen=seen or ABSENT,
        )
        return self._ask("payment.quote", "/v1/quotes", request, _quotes)

    def consent(self, quoted: QuoteReply) -> Order:
        """Ask the person, and sign exactly the terms that were shown.

        Raises NotPermitted if the person declines.
        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        return consent_to(quoted, self._keystore, self._clock.now())

    def place(self, order: Order, *, attempts: int = 0) -> Paid:
        """Send `order` until it is answered (at most `attempts` times), and verify the receipt.

        Raises Refusal with its receipt if it was refused for good, the error of the tree if it may
        be asked again otherwise, Unavailable if nobody answered: place the same order again then.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        often = attempts or self.attempts
        exchanged = self._until_answered(often, lambda: self._sent(order))
        try:
            return self._settled(exchanged, order.quote.order)
        except StepUpRequired as asked:
            if self._evidence is None or not asks_for_evidence(asked):
                raise
            self._evidence.renew()
        exchanged = self._until_answered(often, lambda: self._sent(order))
        return self._settled(exchanged, order.quote.order)

    def _sent(self, order: Order) -> Exchanged:
        exchanged = self._session.exchange("payment.order", path="/v1/payments", body=order.body)
        if exchanged.status == Unavailable.status:
            raise error_of(_problems.decode(exchanged.body))
        return exchanged

    def pay(self, kind: PaymentKind, payee: str, amount: Money, *, original: str = "") -> Paid:
        """Quote, ask the person, and place.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.place(self.consent(self.quote(kind, payee, amount, original=original)))

    def receipt(self, order: str) -> VerifiedReceipt:
        """The verified receipt of an order that this customer paid or received.

        Raises NotAuthentic for one of another order.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        request = ReceiptRequest(order=order)
        reply = self._ask("payment.receipt", "/v1/receipts", request, _receipts)
        return self.verified(reply.receipt).of(order)

    def follow(self, order: str, *, looks: int = _LOOKS) -> VerifiedReceipt:
        """The receipt of `order` once it proves a final stage, else that of the last of `looks`.

        Raises what `receipt` raises.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        last = self.receipt(order)
        for look in range(1, looks):
            if last.event.stage not in OPEN:
                break
            self._pause(min(2.0 ** (look - 1), _LONGEST_LOOK_S))
            last = self.receipt(order)
        return last

    def account(self) -> AccountReply:
        """The customer's own balance.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        return self._ask("account.read", "/v1/account", Empty(), _accounts)

    def open_customer(self, request: OpenCustomer) -> CustomerOpened:
        """Open a customer, as an agent.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._session.ask("agent.open-customer", "/v1/agent/customers", request, _opened)

    def verified(self, receipt: Receipt) -> VerifiedReceipt:
        """`receipt` after every check, its checkpoint kept for the next one.

        Raises NotAuthentic if it does not verify or its tally is another than the one seen before.
        Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1
        """
        verified = self._under_one_key(
            lambda key: verify_receipt(receipt, key, origin=self._origin)
        )
        if self._consistency:
            self._remember(receipt.checkpoint)
        return verified

    def _under_one_key(self, verify: Callable[[VerifyKey], A]) -> A:
        """What `verify` comes to under the first listed key that fits: the log's key may change."""
        *others, last = self._tally_keys()
        for key in others:
            with suppress(NotAuthentic):
                return verify(key)
        return verify(last)

    def _checkpoint(self, note: str) -> Checkpoint:
        return self._under_one_key(lambda key: verify_checkpoint(note, key, origin=self._origin))

    def _remember(self, note: str) -> None:
        """Demand that the checkpoint continues the last one that this device saw."""
        kept = self._keystore.checkpoint()
        if not kept:
            self._keystore.store_checkpoint(note)
            return
        new, old = self._checkpoint(note), own_checkpoint(kept, origin=self._origin)
        if new.size < old.size:
            new, old = old, new
            note = kept
        if new.size == old.size:
            if new.root != old.root:
                raise NotAuthentic("the provider shows two histories", remedy="keep both, report")
            return
        path = f"/v1/tally/consistency?old={old.size}&new={new.size}"
        reply = self._until_answered(self.attempts, lambda: self._fetched(path), _BEHIND)
        proof = _consistency.decode(reply.body).proof
        check_consistency(old, new, decode_proof(proof))
        self._keystore.store_checkpoint(note)

    def _fetched(self, path: str) -> Reply:
        reply = self._public.get(path)
        if reply.status != 200:
            raise refusal(reply)
        return reply

    def _settled(self, exchanged: Exchanged, order: str) -> Paid:
        if exchanged.status != 200:
            problem = _problems.decode(exchanged.body)
            error = error_of(problem)
            if problem.receipt is None:
                raise error
            self.verified(problem.receipt).of(order)
            raise Refusal(error, problem.receipt)
        reply = _payments.decode(exchanged.body)
        verified = self.verified(reply.receipt).of(order, *_TAKEN)
        return Paid(reply.receipt, verified, reply.balance_minor)

    def _ask(self, operation: str, path: str, request: Wire, decoder: Decoder[T]) -> T:
        """The answer to a request that changes nothing, asked again while nobody answers."""
        return self._until_answered(
            self.attempts, lambda: self._session.ask(operation, path, request, decoder)
        )

    def _until_answered(
        self,
        attempts: int,
        ask: Callable[[], A],
        again: tuple[type[MfsError], ...] = (Unavailable,),
    ) -> A:
        """What `ask` gives, asked up to `attempts` times while nobody answers."""
        for attempt in range(1, attempts):
            try:
                return ask()
            except OutOfReach:
                raise
            except again as error:
                asked_for = error.retry_after_s or 0
                self._pause(min(max(asked_for, _FIRST_PAUSE_S * 2**attempt), _LONGEST_PAUSE_S))
        return ask()
