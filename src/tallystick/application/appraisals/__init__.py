"""By what devices are appraised, changed while the service runs; each verdict can be made again.

    a device that is asked for a proof -> AskProof, TakeProof -> trusted as far as it shows
    signed policy -> ChangeAppraisal, vendor's list -> TakeList
                                   -> in force from the same turn on
                                   -> devices under what changed first, the others after them

Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
"""

from tallystick.application.appraisals.changing import (
    APPRAISAL_EXECUTORS,
    AppraisalCommand,
    AppraiseAgain,
    ChangeAppraisal,
    ForgetBases,
)
from tallystick.application.appraisals.lists import TakeList
from tallystick.application.appraisals.proving import AskProof, ReportSignals, TakeProof

__all__ = [
    "APPRAISAL_EXECUTORS",
    "AppraisalCommand",
    "AppraiseAgain",
    "AskProof",
    "ChangeAppraisal",
    "ForgetBases",
    "ReportSignals",
    "TakeList",
    "TakeProof",
]
