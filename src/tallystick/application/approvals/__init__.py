"""Approvals: orders that are begun elsewhere and agreed to on people's own devices.

    pending -> device: text, number typed, consent signed -> order paid in the same step
            -> device: "it was not me"                    -> risk raised, everything else stopped

`application/asking` begins and shows requests. Read `rules.py` for how a request moves and
`service.py` for what an approval takes.

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 5
"""

from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow, Begin
from tallystick.application.approvals.service import Approvals, Staff

__all__ = ["ApprovalRow", "Approvals", "Begin", "Kept", "Staff"]
