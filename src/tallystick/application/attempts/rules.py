"""When a try may be made, and what one more makes of a row: pure functions of the policy's words.

    1 2 . 3 .. 4 .... 5 [block] 1 2 . 3 .. 4 .... 5 [block, twice as long] ... [two operators]

Source: ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.application.attempts.model import NOBODY, SOURCE, AttemptRow
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.language.model import AttemptRule

SOURCE_SHARE = 20
"""How many times the limit of a customer a source may fail: many people share an address."""

_MOST_DOUBLINGS = 20
_LONGEST_BLOCK_MS = 365 * DAY_MS


def limit_of(row: AttemptRow, rule: AttemptRule) -> int:
    """How many failures in a row block the subject of `row`.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if row.subject == NOBODY:
        return FOREVER
    return rule.limit * SOURCE_SHARE if row.subject.startswith(SOURCE) else rule.limit


def next_try_at(row: AttemptRow, rule: AttemptRule) -> int:
    """From when (ms) one more try may be made; `FOREVER` once only operators unlock.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if row.stopped:
        return FOREVER
    if row.blocked_until or row.subject.startswith((SOURCE, NOBODY)) or row.failures < 2:
        return row.blocked_until
    return row.tried_at + (rule.backoff_ms << min(row.failures - 2, _MOST_DOUBLINGS))


def is_blocked(row: AttemptRow, now: Instant) -> bool:
    """Whether failures block the subject of `row` at `now`, be it for a time or for good.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return bool(row.stopped) or now < row.blocked_until


def tried(row: AttemptRow, now: Instant, rule: AttemptRule) -> AttemptRow:
    """`row` after one more try at `now`, which is at or after `next_try_at`.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    failures = (0 if row.blocked_until else row.failures) + 1
    counted = replace(row, failures=failures, tried_at=now, blocked_until=0)
    if failures < limit_of(row, rule):
        return counted
    length = min(_LONGEST_BLOCK_MS, rule.block_ms << min(row.blocks, _MOST_DOUBLINGS))
    blocks = row.blocks + 1
    stops = 0 < rule.blocks <= blocks and not row.subject.startswith(SOURCE)
    return replace(counted, blocked_until=now + length, blocks=blocks, stopped=int(stops))
