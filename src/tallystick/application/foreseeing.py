"""What can be said of an order before the code that confirms it is looked at, and used up.

    suspended, out of reach, delayed, stepped up   refused first, alike for every code
    anything else                                  the code is tried, and used up

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2; 7.3.3
"""

from tallystick.application.customers import Customers
from tallystick.application.payments import Ask, Payments
from tallystick.application.payments.rules import facts_of
from tallystick.application.policing import PolicyInForce
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import Instant
from tallystick.process.policy.decision import Delayed, Denied, StepUp, decide


def check_open(
    payments: Payments, policy: PolicyInForce, customers: Customers, now: Instant, ask: Ask
) -> None:
    """Pass unless an order like `ask` would be refused without a trace at `now`; writes nothing.

    It looks at no code: `ask` says what holds once the code was right. Raises ServiceSuspended,
    OutOfReach, StepUpRequired and NotPermitted (delay), as the order itself would.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
    """
    consent = ask.consented.consent
    if payments.find(consent.order) is not None:
        return
    policy.services.check(consent.kind, ask.channel)
    try:
        payee = customers.owner(consent.payee)
    except NotFound:
        payee = None
    known = payments.knows(consent.payer, consent.payee)
    facts = facts_of(ask, consent, policy, now, payee_known=known)
    facts = payments.incentives.with_steps(facts, ask.payer, payee)
    verdict = decide(policy.compiled, facts, subject=consent.order)
    if isinstance(verdict, StepUp | Delayed):
        raise verdict.error()
    if isinstance(verdict, Denied) and verdict.decision.closed:
        raise verdict.error()
