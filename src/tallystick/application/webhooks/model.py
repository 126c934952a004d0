"""A webhook as stored, and one delivery that is due.

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from dataclasses import dataclass

from tallystick.kernel.model import Record


class WebhookRow(Record, frozen=True, kw_only=True):
    """Where events go: `cursor` is the next index to look at, `kinds` words with commas, or empty.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    id: str
    url: str
    kinds: str
    cursor: int
    failures: int
    due_at: int

    def wants(self, kind: str) -> bool:
        """Whether events of `kind` are delivered; without kinds all are.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        return not self.kinds or kind in self.kinds.split(",")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that is due at one webhook; `leaf` is None when only the cursor moves past it.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    webhook: WebhookRow
    index: int
    leaf: bytes | None
