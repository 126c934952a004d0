"""Where in a text something stands.

Source: YAML 1.2.2, 3.2.2
"""

from tallystick.kernel.model import Record


class Position(Record, frozen=True, kw_only=True, order=True):
    """Where in the text something stands, both counted from 1.

    Source: YAML 1.2.2, 3.2.2
    """

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"
