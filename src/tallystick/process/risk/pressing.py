"""What apps report of their telephones, as a pressure on the likelihood of the threats they show.

    devices.signals (newest, fresh)  -> share of devices trusted for long that report a signal
    10 in a thousand: one step more likely    50 in a thousand: two    fewer than 100 devices: none

It only adds. That nobody reports anything proves nothing, since whoever owns a telephone can keep
its app silent; so a likelihood falls back to what was rated once reports stop, and never below.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.2; 8.1.3; A
"""

from collections.abc import Mapping
from typing import Final

from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.process.conformance.checks import Observation
from tallystick.process.risk.model import Verdict as RiskVerdict

SIGNALS: Final = "devices.signals"
"""The check whose numbers are `watched` and `signal-NAME` for each signal."""

LEAST: Final = 100
"""Of fewer devices a share says nothing."""

STEPS: Final = ((50, 2), (10, 1))
"""From how many in a thousand on a likelihood is so many steps higher, the highest first."""

SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "rooted": ("THR-DEV-02", "THR-MAL-04"),
    "outdated": ("THR-DEV-03",),
    "hooked": ("THR-MAL-05",),
    "debugged": ("THR-MAL-05",),
    "emulated": ("THR-DEV-04",),
    "repackaged": ("THR-APP-01",),
    "overlaid": ("THR-MAL-01",),
    "screen-shared": ("THR-MAL-02", "THR-MAL-03"),
}
"""Which threats of the catalogue each signal shows at work."""

PREFIX: Final = "signal-"
_MOST: Final = 5


def steps_for(count: int, watched: int) -> int:
    """How many steps `count` of `watched` devices make a threat more likely, 0 to 2.

    Source: ISO/TS 12812-2:2017, A
    """
    if watched < LEAST:
        return 0
    return next((steps for permille, steps in STEPS if count * 1000 >= permille * watched), 0)


def pressed_by(answers: Mapping[str, Observation], now: int) -> dict[str, int]:
    """Steps by threat from the newest `answers` by check; nothing where they are old or missing.

    Source: ISO/TS 12812-2:2017, 8.1.3; A
    """
    seen = answers.get(SIGNALS)
    if seen is None or seen.verdict is Verdict.UNKNOWN or not seen.is_fresh(now):
        return {}
    watched = seen.measured.get("watched")
    if not isinstance(watched, int):
        return {}
    found: dict[str, int] = {}
    for signal, threats in SHOWN.items():
        count = seen.measured.get(PREFIX + signal)
        steps = steps_for(count, watched) if isinstance(count, int) else 0
        for threat in threats:
            if steps > found.get(threat, 0):
                found[threat] = steps
    return dict(sorted(found.items()))


def under(verdict: RiskVerdict, steps: int) -> RiskVerdict:
    """`verdict` with its likelihood `steps` higher, 5 at most; what is missing stays the same.

    Source: ISO/TS 12812-2:2017, A
    """
    if not steps:
        return verdict
    likelihood = min(_MOST, verdict.likelihood + steps)
    return replace(verdict, likelihood=likelihood, risk=likelihood * verdict.impact)
