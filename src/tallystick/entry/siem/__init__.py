"""Security events for a monitoring system: derived from what the service counts, notes and records.

    answers, notes, states     -- collecting -->  bounded queue ---+
                                                                   +-> exporter -> collector
    tally, acts, blocked PINs  -- recalling --->  cursor in a file -+

Nothing here is on the way of a payment. A collector that does not answer costs the oldest news of
the queue at most; what is in the record waits in the record.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.4
"""

from tallystick.entry.siem.destination import Destination
from tallystick.entry.siem.exporting import export_for_ever

__all__ = ["Destination", "export_for_ever"]
