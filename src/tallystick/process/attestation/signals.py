"""What speaks against a device at run time: signals, their sources and weights, as one score.

    the app's own word       half weight; whoever owns the phone can say anything
    appraised evidence       full weight; rules of the verdict that did not hold

One source alone stays below what makes people wait or be refused: it makes the provider ask for a
fresh proof. Two that agree go beyond. A score is of one device and rests on its own reports alone,
so that reports of a thousand other devices do not move it.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.2.5; 8.1.1; 8.1.3
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tallystick.kernel.time import DAY_MS
from tallystick.process.attestation.model import Appraised


class Signal(StrEnum):
    """What an app notices of its phone, or evidence shows.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    ROOTED = "rooted"
    HOOKED = "hooked"
    EMULATED = "emulated"
    DEBUGGED = "debugged"
    REPACKAGED = "repackaged"
    OVERLAID = "overlaid"
    SCREEN_SHARED = "screen-shared"
    OUTDATED = "outdated"


WEIGHTS: Final[Mapping[Signal, int]] = {
    Signal.ROOTED: 600,
    Signal.HOOKED: 700,
    Signal.EMULATED: 700,
    Signal.DEBUGGED: 400,
    Signal.REPACKAGED: 800,
    Signal.OVERLAID: 400,
    Signal.SCREEN_SHARED: 400,
    Signal.OUTDATED: 200,
}
"""How much each is worth, of 1000, where evidence shows it."""

ALONE: Final = 599
"""The most that one source comes to: a step below where a policy makes people wait."""

MOST: Final = 1000
LASTS_MS: Final = DAY_MS
"""How long a report counts after it was made last."""

_SHOWN: Final[Mapping[str, Signal]] = {
    "boot-lock": Signal.ROOTED,
    "boot-state": Signal.ROOTED,
    "application": Signal.REPACKAGED,
    "patch-age": Signal.OUTDATED,
    "level": Signal.EMULATED,
}


def shown_by(appraised: Iterable[Appraised]) -> frozenset[Signal]:
    """The signals that evidence shows: rules of its verdicts that did not hold.

    Source: RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.2.6
    """
    rules = {reason.rule for one in appraised for reason in one.verdict.reasons}
    return frozenset(_SHOWN[rule] for rule in rules if rule in _SHOWN)


def standing(reported: Mapping[str, int], now: int) -> frozenset[Signal]:
    """The signals in `reported` (when each was reported last, ms) that still count at `now`.

    Source: ISO/TS 12812-2:2017, 7.2.2
    """
    return frozenset(Signal(name) for name, at in reported.items() if 0 <= now - at <= LASTS_MS)


def score(told: Iterable[Signal], shown: Iterable[Signal]) -> int:
    """0 to 1000 for a device whose app `told` and whose evidence has `shown` what is given.

    Source: ISO/TS 12812-2:2017, 6.1; 8.1.3
    """
    own = sum(WEIGHTS[one] for one in set(told)) // 2
    evidence = sum(WEIGHTS[one] for one in set(shown))
    if not own or not evidence:
        return min(ALONE, own + evidence)
    return min(MOST, own + evidence)
