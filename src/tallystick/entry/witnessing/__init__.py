"""A witness as a process of its own, and how a provider asks witnesses to countersign.

Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 7.3.3
"""

from tallystick.entry.witnessing.asking import (
    WITNESSED_NOTE,
    Asker,
    WitnessEndpoint,
    Witnessing,
    ask_for_ever,
)
from tallystick.entry.witnessing.server import (
    OpenWitness,
    open_witness,
    witness_application,
)

__all__ = [
    "WITNESSED_NOTE",
    "Asker",
    "OpenWitness",
    "WitnessEndpoint",
    "Witnessing",
    "ask_for_ever",
    "open_witness",
    "witness_application",
]
