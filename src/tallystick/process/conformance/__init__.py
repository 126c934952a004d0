"""Proof by observation: probes that look at what really happened and say what they saw.

A probe gives `Evidence` (kernel/evidence.py) and never raises for a control that fails: that is a
verdict. `flowprobe` watches who could read what on the way.

Source: ISO/TS 12812-2:2017, 9; 7.1
"""

from tallystick.process.conformance.flowprobe import Exposure, FlowProbe

__all__ = ["Exposure", "FlowProbe"]
