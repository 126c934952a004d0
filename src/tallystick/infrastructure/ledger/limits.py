"""Limits as accounts: how much an account used of a limit within its rolling window.

A window is cut into 24 buckets. What was used counts for at least the window and at most a bucket
longer, so the limit holds for every window, not only for calendar days, and the state of one limit
is at most 25 small rows.

Source: ISO/TS 12812-2:2017, 7.3.3; A
"""

from tallystick.infrastructure.ledger.model import Limit, Reason

BUCKETS = 24


class LimitAccount:
    """What one account used of one limit: amount and count by bucket, oldest first.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = ("account", "amount", "buckets", "count", "limit_id", "width", "window_ms")

    def __init__(
        self, account: str, limit_id: str, window_ms: int, buckets: list[list[int]] | None = None
    ) -> None:
        """Continue from `buckets`, lists of (bucket number, amount, count).

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.account = account
        self.limit_id = limit_id
        self.window_ms = window_ms
        self.width = _width(window_ms)
        self.buckets: list[list[int]] = buckets if buckets is not None else []
        self.amount = sum(bucket[1] for bucket in self.buckets)
        self.count = sum(bucket[2] for bucket in self.buckets)

    def refusal(self, limit: Limit, amount: int, now: int) -> Reason | None:
        """Why `limit` refuses `amount` at `now` (milliseconds), or None; forgets what has passed.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if limit.window_ms != self.window_ms:
            self._resize(limit.window_ms)
        oldest = now // self.width - BUCKETS
        buckets = self.buckets
        while buckets and buckets[0][0] < oldest:
            _, past_amount, past_count = buckets.pop(0)
            self.amount -= past_amount
            self.count -= past_count
        if self.amount + amount > limit.max_amount:
            return Reason.LIMIT_AMOUNT
        if self.count >= limit.max_count:
            return Reason.LIMIT_COUNT
        return None

    def use(self, amount: int, now: int) -> None:
        """Count `amount` once at `now`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        number = now // self.width
        buckets = self.buckets
        self.amount += amount
        self.count += 1
        if buckets and buckets[-1][0] == number:
            last = buckets[-1]
            last[1] += amount
            last[2] += 1
        else:
            self._merge(number, amount, 1)

    def give_back(self, amount: int, count: int, used_at: int) -> None:
        """Count `amount` and `count` of what was used at `used_at` no longer, if not yet past.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        number = used_at // self.width
        for bucket in self.buckets:
            if bucket[0] == number:
                back, times = min(amount, bucket[1]), min(count, bucket[2])
                bucket[1] -= back
                bucket[2] -= times
                self.amount -= back
                self.count -= times
                if not bucket[1] and not bucket[2]:
                    self.buckets.remove(bucket)
                return

    def _resize(self, window_ms: int) -> None:
        """Follow a policy that changed the window: what is known moves to the new buckets."""
        old, old_width = self.buckets, self.width
        self.buckets, self.window_ms, self.width = [], window_ms, _width(window_ms)
        for number, amount, count in old:
            self._merge(((number + 1) * old_width - 1) // self.width, amount, count)

    def _merge(self, number: int, amount: int, count: int) -> None:
        at = len(self.buckets)
        while at and self.buckets[at - 1][0] > number:
            at -= 1
        if at and self.buckets[at - 1][0] == number:
            self.buckets[at - 1][1] += amount
            self.buckets[at - 1][2] += count
        else:
            self.buckets.insert(at, [number, amount, count])


def _width(window_ms: int) -> int:
    return max(1, -(-window_ms // BUCKETS))
