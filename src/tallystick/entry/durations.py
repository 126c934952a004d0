"""How long answers took, counted in buckets by operation; one list index goes up an answer.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from bisect import bisect_left
from collections.abc import Iterable
from time import monotonic

BOUNDS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""The upper ends of the buckets, in seconds; one more bucket takes what is longer."""

_LABELS = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
_SUM = len(_LABELS)
_NAME = "tallystick_answer_seconds"


class Durations:
    """Counts answers by operation and by how long they took.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def since(self, operation: str, began: float) -> None:
        """Count an answer of `operation` whose request came at `began` (monotonic seconds).

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        took = monotonic() - began
        counts = self._counts.get(operation)
        if counts is None:
            counts = self._counts[operation] = [0] * (_SUM + 1)
        counts[bisect_left(BOUNDS_S, took)] += 1
        counts[_SUM] += int(took * 1_000_000)

    def taken(self) -> list[tuple[str, list[int]]]:
        """What was counted since the last call: by operation, each bucket, then microseconds.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        taken, self._counts = self._counts, {}
        return list(taken.items())

    def absorb(self, taken: Iterable[tuple[str, list[int]]]) -> None:
        """Add what another process counted to what was counted here.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for operation, counts in taken:
            known = self._counts.get(operation, [0] * (_SUM + 1))
            self._counts[operation] = [a + b for a, b in zip(known, counts, strict=True)]

    def exposed(self) -> Iterable[str]:
        """The lines of a Prometheus histogram.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        yield f"# HELP {_NAME} Seconds from a whole request to its answer, by operation."
        yield f"# TYPE {_NAME} histogram"
        for operation, counts in sorted(self._counts.items()):
            total = 0
            for label, count in zip(_LABELS, counts[:_SUM], strict=True):
                total += count
                yield f'{_NAME}_bucket{{operation="{operation}",le="{label}"}} {total}'
            yield f'{_NAME}_sum{{operation="{operation}"}} {counts[_SUM] / 1_000_000:.6f}'
            yield f'{_NAME}_count{{operation="{operation}"}} {total}'
