"""Exemptions: what a law would have let go with one factor, counted exactly, and the fraud rate.

    order settled -> counters since two factors -> exemptions that hold -> the first is noted
    report-fraud (operators' act) -> that order counts as fraud -> rate of its kind

The platform asks two factors of every payment all the same. The counters are those of a provider
that had used each exemption; they loosen nothing.

Source: Delegated Regulation (EU) 2018/389, 10 to 20
"""

from tallystick.application.exemptions.model import CountedRow, ExemptedRow
from tallystick.application.exemptions.service import Exemptions

__all__ = ["CountedRow", "ExemptedRow", "Exemptions"]
