"""The row that a writer on a server counts up while it lives.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from tallystick.infrastructure.store.database import Reader


def beat_of(reader: Reader) -> int:
    """How often the writer has beaten; 0 before the first time and after the last.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    row = reader.one("SELECT number FROM writer_beat WHERE id = 1")
    return 0 if row is None else int(row[0])
