"""Traces: where the time of one payment or act went, for the share of them that is asked for.

    received -open-> opened -verify-> verified -wait for the batch-> -commit-> -answer-> answered

Without tracing a payment costs one look at an attribute. With it a trace is a few numbers in a
list; spans are made of them later, on another thread, by the OpenTelemetry SDK, an extra.

Source: W3C Trace Context; OpenTelemetry Trace API
"""

from tallystick.entry.tracing.parents import Parent, read_parent, write_parent
from tallystick.entry.tracing.recording import Trace, Tracing

__all__ = ["Parent", "Trace", "Tracing", "read_parent", "write_parent"]
