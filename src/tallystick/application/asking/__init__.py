"""Asking: how requests for approval begin, how devices see them, and what operators arrange.

    shop, desk, another person -> beginning -> request, number    reading -> inbox of each approver
    no network at the device   -> offline: signed request out, eight digits back

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 5
"""

from tallystick.application.asking.acts import ApprovalActs, begun_by
from tallystick.application.asking.beginning import Beginning
from tallystick.application.asking.commands import ApprovalAct, Approving
from tallystick.application.asking.offline import Offline
from tallystick.application.asking.reading import Reading

__all__ = [
    "ApprovalAct",
    "ApprovalActs",
    "Approving",
    "Beginning",
    "Offline",
    "Reading",
    "begun_by",
]
