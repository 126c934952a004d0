"""Rules of payments: who may pay whom for what, who consents, and what is decided on.

    kind       payer     payee      consents
    p2p        person    person     payer
    merchant   person    merchant   payer
    salary     merchant  person     payer
    cash-in    agent     person     agent, whose float becomes the customer's money
    cash-out   person    agent      customer
    refund     merchant  person     merchant, up to what is left of the original
    reversal   payee of the original back to its payer; two operators

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.application.customers.model import CustomerKind
from tallystick.application.payments.model import Ask, OrderRow, Stage
from tallystick.application.policing import PolicyInForce
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted
from tallystick.kernel.time import Instant
from tallystick.process.policy import Dependency, DeviceTrust, Facts, Operation
from tallystick.protocol.payments import Consent, PaymentKind

_NO_DEVICE: Final = DeviceTrust.NONE.value
_OF_DEVICES: Final = frozenset((Dependency.ATTESTATION.value, Dependency.REVOCATION.value))
_PARTIES: dict[PaymentKind, tuple[CustomerKind, CustomerKind]] = {
    PaymentKind.P2P: (CustomerKind.PERSON, CustomerKind.PERSON),
    PaymentKind.MERCHANT: (CustomerKind.PERSON, CustomerKind.MERCHANT),
    PaymentKind.SALARY: (CustomerKind.MERCHANT, CustomerKind.PERSON),
    PaymentKind.CASH_IN: (CustomerKind.AGENT, CustomerKind.PERSON),
    PaymentKind.CASH_OUT: (CustomerKind.PERSON, CustomerKind.AGENT),
    PaymentKind.REFUND: (CustomerKind.MERCHANT, CustomerKind.PERSON),
}


def check_parties(kind: PaymentKind, payer: CustomerKind, payee: CustomerKind) -> None:
    """Pass if a `payer` may pay a `payee` for `kind`.

    Raises NotPermitted otherwise, with what the kind is for.
    Source: ISO/TS 12812-2:2017, 11.2.1
    """
    wanted = _PARTIES.get(kind)
    if wanted is None:
        raise NotPermitted(f"a {kind} is not ordered by a customer", remedy="ask the provider")
    if wanted != (payer, payee):
        raise NotPermitted(
            f"a {kind} goes from a {wanted[0]} to a {wanted[1]}",
            remedy=f"this would go from a {payer} to a {payee}; choose another kind or payee",
        )


def check_refund(original: OrderRow | None, payer: str, payee: str, amount_minor: int) -> None:
    """Pass if `amount_minor` may go back from the payee of `original` to its payer.

    Raises NotFound if the asker did not receive that order, Conflict if less than the amount is
    left.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if original is None or original.payee != payer or original.payer != payee:
        raise NotFound(
            "no such order was paid to you by this customer",
            remedy="look at your list of payments received",
        )
    if original.stage is not Stage.SETTLED:
        raise Conflict(
            f"the original order is {original.stage}, not settled",
            remedy="wait until it is settled, or look at what it came to",
        )
    left = original.amount_minor - original.returned_minor
    if amount_minor > left:
        raise Conflict(
            "a refund cannot exceed what is left of the original",
            remedy=f"at most {left} minor units are left",
        )


def body_digest(evidence: str) -> bytes:
    """What makes two orders with one id the same: SHA-256 of the consent as given.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return sha256(evidence.encode())


def facts_of(
    ask: Ask, consent: Consent, policy: PolicyInForce, now: Instant, *, payee_known: bool
) -> Facts:
    """The facts of an order at `now` (ms), but for the steps of its incentives.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    since = ask.device_enrolled_at
    return Facts(
        operation=Operation.PAY.value,
        channel=ask.channel,
        tier=ask.payer.tier,
        device_trust=ask.device_trust,
        account_status=ask.payer.status,
        kind=consent.kind,
        grade=ask.grade,
        factors=ask.factors,
        amount_minor=consent.amount_minor,
        currency=consent.currency,
        payee_known=payee_known,
        device_age_ms=max(0, now - since) if since else 0,
        account_age_ms=max(0, now - ask.payer.opened_at),
        session_age_ms=max(0, now - ask.session_since),
        minute_of_day=policy.compiled.minute_of_day(now),
        recent_failures=ask.payer.pin_failures,
        sim_age_ms=ask.sim_age_ms,
        risk_score=ask.risk_score,
        recovering_for_ms=ask.recovering_for_ms,
        degraded=(*ask.degraded, *_touching(ask, policy.degraded_since(now))),
    )


def _touching(ask: Ask, failing: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """What is `failing` and bears on `ask`: who only dials has no device that anybody attests."""
    for one in failing:
        if ask.device_trust != _NO_DEVICE or one[0] not in _OF_DEVICES:
            yield one
