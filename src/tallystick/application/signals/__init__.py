"""Signals of the mobile network: has the SIM changed, is it in another phone, whose number is it?

    door --asks--> network --Answers--> writer: kept, recorded, told --> facts of decisions

What a network says is asked just before an act that rests on a SIM, kept for a minute, and told to
the policy as the age of the SIM; what it does not say is the missing dependency `sim-signal`.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.4.5
"""

from tallystick.application.signals.model import (
    UNKNOWN,
    Answers,
    SignalKind,
    SignalRow,
    SimFacts,
)
from tallystick.application.signals.service import Signals

__all__ = ["UNKNOWN", "Answers", "SignalKind", "SignalRow", "Signals", "SimFacts"]
