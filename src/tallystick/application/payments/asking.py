"""What is asked with an order, and the facts that the decision is made from.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from typing import Final, NamedTuple

from tallystick.application.consent import Consented, DeviceSigned, PinVerified
from tallystick.application.customers import Customer
from tallystick.application.policing import PolicyInForce
from tallystick.kernel.time import Instant
from tallystick.process.policy import Facts, Operation
from tallystick.protocol.payments import Consent

_PAY: Final = Operation.PAY.value


class Ask(NamedTuple):
    """An order that was found authentic, with what the decision needs to know of its origin.

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


def evidence_of(consented: Consented) -> str:
    """The consent as it was given: the JWS, the gateway's message, or both acts.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    if isinstance(consented, DeviceSigned):
        return consented.jws
    if isinstance(consented, PinVerified):
        return consented.channel_message
    return "\n".join(consented.acts)


def facts_of(
    ask: Ask, consent: Consent, policy: PolicyInForce, now: Instant, *, payee_known: bool
) -> Facts:
    """The facts of an order at `now` (ms), but for the steps of its incentives.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    since = ask.device_enrolled_at
    return Facts(
        operation=_PAY,
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
        degraded=(*ask.degraded, *policy.degraded_since(now)),
    )
