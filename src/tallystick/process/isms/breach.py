"""Legal clocks of an incident: which notification falls due when, and which are missed.

The table is data; whether a law applies, and whether an incident is major under it, people decide
and write into the register. Times count from the moments that stand there.

Source: ISO/TS 12812-2:2017, 7.3.4; Regulation (EU) 2016/679, 33; Regulation (EU) 2022/2554, 19
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from tallystick.kernel.model import Record
from tallystick.kernel.time import HOUR_MS, Instant
from tallystick.process.isms.model import Entry

MONTH = -1
"""A length of one calendar month."""


class Notification(Record, frozen=True, kw_only=True):
    """One thing to tell: due `length_ms` after the moment `start`, told at the moment `done`.

    `latest_ms` after `aware` is a second bound; 0 for none.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    what: str
    start: str
    length_ms: int
    done: str
    latest_ms: int = 0


class Deadline(Record, frozen=True, kw_only=True):
    """When a notification of an incident is due (ms), when it was made (0: not yet), and if late.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    regime: str
    what: str
    due: int
    done: int
    late: bool


REGIMES: Mapping[str, tuple[Notification, ...]] = MappingProxyType(
    {
        "gdpr": (
            Notification(
                what="notification to the data protection authority",
                start="aware", length_ms=72 * HOUR_MS, done="authority",
            ),
        ),
        "dora": (
            Notification(
                what="initial notification",
                start="classified", length_ms=4 * HOUR_MS, done="initial", latest_ms=24 * HOUR_MS,
            ),
            Notification(
                what="intermediate report",
                start="initial", length_ms=72 * HOUR_MS, done="intermediate",
            ),
            Notification(
                what="final report", start="intermediate", length_ms=MONTH, done="final"
            ),
        ),
        "uganda": (
            Notification(
                what="notification to the central bank",
                start="aware", length_ms=24 * HOUR_MS, done="initial",
            ),
        ),
    }
)  # fmt: skip
"""What each law asks for, in order."""


def deadlines(incident: Entry, now: Instant) -> Iterator[Deadline]:
    """Every notification that an incident needs and whose clock has begun, in order.

    A clock that begins with an earlier notification runs, while that one is missing, from the
    latest moment at which it was due. An incident that is not yet classified under `dora` has the
    clock that runs from awareness.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    for regime in incident.words("regimes"):
        moments = {name: incident.number(name) for name in _MOMENTS}
        for one in REGIMES.get(regime, ()):
            due = _due(one, moments)
            if due == 0:
                continue
            done = incident.number(one.done)
            yield Deadline(
                regime=regime,
                what=one.what,
                due=due,
                done=done,
                late=(done or now) > due,
            )
            moments[one.done] = done or due


_MOMENTS = ("aware", "classified", "initial", "intermediate", "final", "authority")


def _due(one: Notification, moments: Mapping[str, int]) -> int:
    """When it is due; 0 while its clock has not begun.

    The second bound counts from awareness, unless the first clock began after it only.
    """
    began, aware = moments[one.start], moments["aware"]
    first = later(began, one.length_ms) if began else 0
    latest = aware + one.latest_ms if one.latest_ms and aware else 0
    if not first or not latest:
        return first or latest
    return first if began > latest else min(first, latest)


def later(start: int, length_ms: int) -> int:
    """The instant (ms) after `length_ms`; MONTH is the same day of the next month, or its last.

    Source: ISO 8601-1, 5.2.2
    """
    if length_ms != MONTH:
        return start + length_ms
    moment = datetime.fromtimestamp(start / 1000, tz=UTC)
    year, month = (moment.year + moment.month // 12, moment.month % 12 + 1)
    for day in range(moment.day, 27, -1):
        try:
            ended = moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
        return int(ended.timestamp() * 1000)
    return int(moment.replace(year=year, month=month).timestamp() * 1000)
