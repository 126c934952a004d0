"""Orders as the provider keeps them, and the tariff.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tallystick.application.consent import Consented
from tallystick.application.customers import Customer
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError, StepUpRequired, error_by_code
from tallystick.kernel.model import Record
from tallystick.process.policy.facts import FOREVER
from tallystick.protocol.payments import Consent, PaymentKind, PaymentReply, ReceiptReply
from tallystick.protocol.receipt import Receipt


class Stage(StrEnum):
    """How far an order has come; the receipt prints it.

    accepted: consented and permitted, durable, the book has not answered yet. settled: the money
    moved. refused: it will not. unknown: the book did not say; it is being asked. returned: settled
    and given back in full.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    ACCEPTED = "accepted"
    SETTLED = "settled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    RETURNED = "returned"


class OrderRow(Record, frozen=True, kw_only=True):
    """One order and its answer; its id is the idempotency key, so refusals are remembered too.

    `evidence` is the consent as given, sealed under the payer's subject key. `error` is the code of
    the refusal or empty. `event` is the index of its last event in the tally.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    id: str
    body_hash: bytes
    kind: PaymentKind
    stage: Stage
    error: str
    detail: str
    remedy: str
    because: str
    payer: str
    payee: str
    amount_minor: int
    fee_minor: int
    currency: str
    original: str
    returned_minor: int
    grade: str
    device: str
    policy: int
    row: str
    evidence: bytes
    event: int
    balance_minor: int
    at: int


class KnownPayee(Record, frozen=True, kw_only=True):
    """That a payer's account paid a payee's before; `pair` is both ids, payer first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    pair: str
    since: int


class Evidence(Record, frozen=True, kw_only=True):
    """What is kept of a consent: the proof as given, the consent where it is not inside, the facts.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    proof: str
    consent: str
    facts: str

    def given(self) -> Consent:
        """The consent that the payer gave.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        octets = self.consent.encode() if self.consent else split_compact(self.proof)[1]
        return _consents.decode(octets)


class Ask(NamedTuple):
    """An order that was found authentic, with what the decision needs to know of its origin.

    `instead` is asked for in place of a refusal, where its device has more trust than counts now.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    consented: Consented
    payer: Customer
    channel: str
    grade: str
    device_trust: str
    device_enrolled_at: int
    session_since: int
    factors: tuple[str, ...]
    degraded: tuple[tuple[str, int], ...] = ()
    sim_age_ms: int = FOREVER
    risk_score: int = 0
    recovering_for_ms: int = FOREVER
    instead: StepUpRequired | None = None


@dataclass(frozen=True, slots=True)
class PaymentSettled:
    """The answer to a settled order, but for the receipt that its batch will give.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    balance_minor: int

    def with_receipt(self, receipt: Receipt) -> PaymentReply:
        """The whole answer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return PaymentReply(receipt=receipt, balance_minor=self.balance_minor)


@dataclass(frozen=True, slots=True)
class AskedReceipt:
    """The answer to who asked for a receipt, but for that receipt.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def with_receipt(self, receipt: Receipt) -> ReceiptReply:
        """The whole answer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return ReceiptReply(receipt=receipt)


def read_evidence(octets: bytes) -> Evidence:
    """The evidence of an order, as it was sealed.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return _evidence.decode(octets)


def refusal_of(row: OrderRow) -> MfsError:
    """The refusal that `row` remembers, as it was answered the first time.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return error_by_code(row.error)(row.detail, remedy=row.remedy, because=row.because)


_evidence = Decoder(Evidence, limit=16_384)
_consents = Decoder(Consent, limit=4096)


class Tariff(Record, frozen=True, kw_only=True):
    """Fees by kind: `flat_minor` plus `basis_points` of the amount, rounded down to a minor unit.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    flat_minor: dict[str, int]
    basis_points: dict[str, int]

    def fee(self, kind: PaymentKind, amount_minor: int) -> int:
        """The fee of one payment, in minor units.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        share = amount_minor * self.basis_points.get(kind, 0) // 10_000
        return self.flat_minor.get(kind, 0) + share


NO_FEES = Tariff(flat_minor={}, basis_points={})
