"""Incentives: where subjects stand on the policy's ladders, and what agents earned.

    controls   facts recorded of each subject -> measures (`application.controls.merits`)
    service    measures -> rules -> event + standing; the steps of one payment; commission
    store      standings, and the commission of each order

Source: ISO/TS 12812-2:2017, 6.1
"""

from tallystick.application.incentives.model import Commission
from tallystick.application.incentives.service import Incentives
from tallystick.application.incentives.store import Commissions

__all__ = ["Commission", "Commissions", "Incentives"]
