"""Evidence kept and recorded, and the customers whom the provider keeps to try itself.

    run of probes -> row + event with its digest         later: every run, for findings
    probe customer: no money, a number that nobody can have, a code that is sent to nobody

Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
"""

from tallystick.application.proving.service import Equipped, Proving
from tallystick.application.proving.store import recorded_runs

__all__ = ["Equipped", "Proving", "recorded_runs"]
