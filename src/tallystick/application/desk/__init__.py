"""The desk: what operators looked at and why, emergencies, and programs of partners.

    a page about a person -> View (purpose, parts) -> event `operator.viewed` -> the page
    break-glass -> Emergency -> alarm, notice to every officer -> ends -> review by somebody else
    issue-workload -> Workload: a hashed secret or a public key, a scope, an end

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3; 7.3.4
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.application.desk.emergencies import Emergencies
from tallystick.application.desk.model import (
    Emergency,
    OfficerNotice,
    SubjectLink,
    View,
    Workload,
)
from tallystick.application.desk.views import Views
from tallystick.application.desk.workloads import Workloads
from tallystick.application.operators import Performer
from tallystick.protocol.desk import BREAK_GLASS, REVIEW_EMERGENCY

__all__ = [
    "Desk",
    "Emergencies",
    "Emergency",
    "OfficerNotice",
    "SubjectLink",
    "View",
    "Views",
    "Workload",
    "Workloads",
    "acts_of_the_desk",
]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk keeps, for the writer.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    views: Views
    emergencies: Emergencies
    workloads: Workloads


def acts_of_the_desk(desk: Desk) -> Mapping[str, Performer]:
    """What performs each of the desk's own acts, by name.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return {
        BREAK_GLASS: desk.emergencies.break_glass,
        REVIEW_EMERGENCY: desk.emergencies.review,
        "issue-workload": desk.workloads.issue,
        "revoke-workload": desk.workloads.revoke,
    }
