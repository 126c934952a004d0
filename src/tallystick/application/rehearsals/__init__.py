"""What a rehearsal would have changed, in plain words: before and after, out of its rows.

    a turn that is thrown away -> its rows -> the rows that are stored -> one line each

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from tallystick.application.rehearsals.comparing import differences
from tallystick.application.rehearsals.telling import Told, tell
from tallystick.application.rehearsals.words import TABLES, UNTOLD

__all__ = ["TABLES", "UNTOLD", "Told", "differences", "tell"]
