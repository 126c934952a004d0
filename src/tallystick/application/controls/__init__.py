"""What the service observes of its own controls, for tightenings and incentives.

    recorded runs, certificates, established devices   read from the store
    dependencies                                       as the watch reports them
    what agents and devices paid, registers            for the measures of incentives (`merits`)
    -> for each entry of the policy: failing or well, since when, and on what that rests

A signal is only what the service itself observed. Shares count devices that have been customers'
for long, each once: what a stranger sends, and what a new device says of itself, weighs nothing.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

from tallystick.application.controls.signals import Signals, read_controls
from tallystick.application.controls.store import Established, established

__all__ = ["Established", "Signals", "established", "read_controls"]
