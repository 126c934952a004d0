"""Proof by observation: what checks saw, what follows from it, and what an auditor gets of it.

    checks, flowprobe      what is looked at, and what was seen
    builds, dossier        evidence of a build, and what people decided and attested
    needs, findings        what each requirement takes, and whether it is satisfied now
    effectiveness          for how much of a period it was

A probe gives `Evidence` (kernel/evidence.py) and never raises for a control that fails: that is a
verdict. Nothing here imports what it observes.

Source: ISO/TS 12812-2:2017, 9.1; 7.1
"""

from tallystick.process.conformance.checks import Check, CheckKind, Observation, check_of
from tallystick.process.conformance.effectiveness import Effectiveness, effectiveness
from tallystick.process.conformance.findings import Finding, Ground, Need, State, findings
from tallystick.process.conformance.flowprobe import Exposure, FlowProbe

__all__ = [
    "Check",
    "CheckKind",
    "Effectiveness",
    "Exposure",
    "Finding",
    "FlowProbe",
    "Ground",
    "Need",
    "Observation",
    "State",
    "check_of",
    "effectiveness",
    "findings",
]
