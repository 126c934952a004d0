"""A suspension as stored.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from typing import Final

from tallystick.kernel.model import Record

ALL: Final = "all"
"""Stands for every kind, or for every channel."""


class Suspension(Record, frozen=True, kw_only=True):
    """Payments of `kind` through `channel`, each a word or `ALL`, suspended since then (ms).

    `ended_at` is 0 while it is in force; `ended_by` names two operators, by commas.
    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    id: str
    kind: str
    channel: str
    because: str
    since: int
    begun_by: str
    ended_at: int
    ended_by: str

    def what(self) -> str:
        """Its two words, as people name it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return f"{self.kind} by {self.channel}"

    def covers(self, kind: str, channel: str) -> bool:
        """Whether a payment of `kind` through `channel` is suspended by it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.kind in {ALL, kind} and self.channel in {ALL, channel}
