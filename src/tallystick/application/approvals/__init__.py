"""Approvals: orders that are begun elsewhere and agreed to on people's own devices.

    begun (shop, desk, another person) -> number shown there, request on the device
    device: text, number typed, consent signed -> order paid in the same step
          : "it was not me"                     -> risk raised, everything else stopped

Read `rules.py` for how a request moves, `service.py` for what an approval takes.

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; PSD2 RTS (EU) 2018/389, 5
"""

from tallystick.application.approvals.acts import ApprovalActs, begun_by
from tallystick.application.approvals.commands import ApprovalAct, Approving
from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow, Begin
from tallystick.application.approvals.offline import Offline
from tallystick.application.approvals.reading import Reading
from tallystick.application.approvals.service import Approvals, Staff

__all__ = [
    "ApprovalAct",
    "ApprovalActs",
    "ApprovalRow",
    "Approvals",
    "Approving",
    "Begin",
    "Kept",
    "Offline",
    "Reading",
    "Staff",
    "begun_by",
]
