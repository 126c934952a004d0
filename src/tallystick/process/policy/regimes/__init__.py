"""Regimes: what laws and supervisors ask of a policy, as dated data with articles.

    model       rules: floors of factors, caps, pauses after a change of SIM, exemptions
    reading     the packs of this folder; `regime(name)` reads one
    baseline    of several regimes the strictest, with its origin
    exemptions  where a law would let fewer factors be enough

Not legal advice: a pack is as good as its source and its date.

Source: ISO/TS 12812-2:2017, 6.1; B
"""

from tallystick.process.policy.regimes.baseline import (
    BALANCE,
    DAY,
    MONTH,
    NO_BASELINE,
    PER_PAYMENT,
    AmountCap,
    Baseline,
    Bound,
    Waiting,
    baseline_of,
)
from tallystick.process.policy.regimes.model import Regime
from tallystick.process.policy.regimes.reading import regime, regime_names

__all__ = [
    "BALANCE",
    "DAY",
    "MONTH",
    "NO_BASELINE",
    "PER_PAYMENT",
    "AmountCap",
    "Baseline",
    "Bound",
    "Regime",
    "Waiting",
    "baseline_of",
    "regime",
    "regime_names",
]
