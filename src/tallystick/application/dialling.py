"""The order of whoever dials: a PIN was right, and networks say what they know of the SIM.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from tallystick.application.consent import PinVerified
from tallystick.application.customers import Customer
from tallystick.application.payments import Ask
from tallystick.application.signals import SimFacts
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.time import Instant
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import Channel, DeviceTrust, Factor

_FACTORS = (Factor.POSSESSION.value, Factor.KNOWLEDGE.value)


def dialled(
    customer: Customer, consented: PinVerified, grade: Grade, now: Instant, sim: SimFacts
) -> Ask:
    """The order of `customer`, by what networks say of the SIM; what none says counts as missing.

    Raises NotPermitted for another's order.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    if consented.consent.payer != customer.account:
        raise NotPermitted("the order is not this customer's", remedy="ask for one of your own")
    return Ask(
        consented=consented,
        payer=customer,
        channel=Channel.USSD.value,
        grade=grade.value,
        device_trust=DeviceTrust.NONE.value,
        device_enrolled_at=0,
        session_since=now,
        factors=_FACTORS,
        degraded=sim.degraded,
        sim_age_ms=sim.sim_age_ms,
    )
