"""From words to a risk: points, strength, likelihood with its two corrections, band and profile.

Points are ordinal: they rank attacks. A likelihood is a rank from 1 to 5 as well, and a risk is
the product of two ranks, good for ordering and for the bands, not for sums.

Source: ISO/TS 12812-2:2017, 3.3; A; ISO/IEC 18045, B.4
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.process.programme.words import Environment, Strength
from tallystick.process.risk.model import ScoringTable
from tallystick.process.yamltext.section import duration_ms

DAY_PRICE: Mapping[str, Decimal] = {
    "layman": Decimal("0.01"),
    "proficient": Decimal("0.05"),
    "expert": Decimal("0.25"),
    "multiple-experts": Decimal(1),
}
"""What a day of work costs an attacker, in parts of the largest payment: an assumption."""

EQUIPMENT_PRICE: Mapping[str, Decimal] = {
    "standard": Decimal(0),
    "specialised": Decimal(2),
    "bespoke": Decimal(20),
    "multiple-bespoke": Decimal(200),
}
"""What equipment costs an attacker, in parts of the largest payment: an assumption."""

BEYOND_DAYS = 365
"""How many days `beyond` stands for, and any other word of time that is no duration."""


class Band(StrEnum):
    """How a risk is dealt with: accept, its owner, the risk committee, not operable.

    Source: ISO/TS 12812-2:2017, A
    """

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Likelihood(Record, frozen=True, kw_only=True):
    """A rank from 1 to 5, and for each correction why it was made.

    Source: ISO/TS 12812-2:2017, A
    """

    level: int
    because: tuple[str, ...]


class Profile(Record, frozen=True, kw_only=True):
    """What a service with this highest inherent risk starts from; lengths of time in ms.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    resistance: Strength
    environment: Environment
    verification: str
    attestation_age_ms: int
    session_idle_ms: int
    evidence: str
    keys: str
    offline: str
    monitoring: str


def points_of(table: ScoringTable, rating: Mapping[str, str]) -> int:
    """The sum of the points of `rating`, which has a word for every factor of `table`.

    Raises Malformed for a factor without a word, or a word that the table has not.
    Source: ISO/IEC 18045, B.4
    """
    try:
        return sum(words[rating[factor]] for factor, words in table.factors.items())
    except KeyError as error:
        raise Malformed(f"{table.id}: no rating {error.args[0]!r}") from error


def strength_of(table: ScoringTable, points: int) -> Strength:
    """The attack potential that something with this sum of points resists.

    Source: ISO/IEC 18045, B.4
    """
    reached = [strength for strength, least in table.thresholds.items() if points >= least]
    return max(reached, default=Strength.NONE)


def needed_points(table: ScoringTable, strength: Strength) -> int:
    """The least sum that resists `strength`; 0 for none.

    Source: ISO/IEC 18045, B.4
    """
    return table.thresholds.get(strength, 0)


def likelihood_of(strength: Strength, *, scales: bool, gain: Decimal, cost: Decimal) -> Likelihood:
    """From 5 (nothing is resisted) to 1, one up where it scales, one down where it does not pay.

    `gain` and `cost` are in parts of the largest payment. A gain of 0 says that money is not the
    motive, and corrects nothing.
    Source: ISO/TS 12812-2:2017, 3.3; A
    """
    level = 5 - strength
    because: list[str] = []
    if scales:
        level = min(5, level + 1)
        because.append("one attack reaches many victims from afar: one rank up")
    if 0 < gain < cost:
        level = max(1, level - 1)
        because.append(f"it yields {gain} of the largest payment and costs {cost}: one rank down")
    return Likelihood(level=level, because=tuple(because))


def attack_cost(rating: Mapping[str, str]) -> Decimal:
    """What an attack with these words costs, in parts of the largest payment.

    Days of work at the price of the expertise, and the equipment; of a table with phases the parts
    of all phases are added. Words without a price cost nothing.
    Source: ISO/TS 12812-2:2017, 3.3; A
    """
    days, price, equipment = 0, Decimal(0), Decimal(0)
    for factor, word in rating.items():
        if factor.endswith("time"):
            length = duration_ms(word)
            days += BEYOND_DAYS if length is None else -(-length // DAY_MS)
        price = max(price, DAY_PRICE.get(word, Decimal(0)))
        equipment += EQUIPMENT_PRICE.get(word, Decimal(0))
    return days * price + equipment


def band_of(risk: int) -> Band:
    """The band of a risk from 1 to 25.

    Source: ISO/TS 12812-2:2017, A
    """
    if risk >= 20:
        return Band.CRITICAL
    if risk >= 10:
        return Band.HIGH
    return Band.MEDIUM if risk >= 5 else Band.LOW


def profile_of(highest_risk: int) -> Profile:
    """What a service starts from whose highest inherent risk is `highest_risk` (1 to 25).

    Source: ISO/TS 12812-2:2017, A
    """
    return PROFILES[band_of(highest_risk)]


def _profile(
    name: str,
    resistance: Strength,
    environment: Environment,
    verification: str,
    seconds: tuple[int, int],
    rest: tuple[str, str, str, str],
) -> Profile:
    evidence, keys, offline, monitoring = rest
    return Profile(
        id=name,
        resistance=resistance,
        environment=environment,
        verification=verification,
        attestation_age_ms=seconds[0] * 1000,
        session_idle_ms=seconds[1] * 1000,
        evidence=evidence,
        keys=keys,
        offline=offline,
        monitoring=monitoring,
    )


PROFILES: Mapping[Band, Profile] = {
    Band.LOW: _profile(
        "P1",
        Strength.BASIC,
        Environment.SOFTWARE,
        "device lock",
        (86_400, 300),
        ("receipt", "software module", "up to a cap", "batch"),
    ),
    Band.MEDIUM: _profile(
        "P2",
        Strength.ENHANCED_BASIC,
        Environment.SOFTWARE,
        "two factors, or an exemption",
        (86_400, 300),
        (
            "receipt and record with a MAC",
            "software keys wrapped by a hardware module",
            "up to a cap, five times in a row",
            "real time",
        ),
    ),
    Band.HIGH: _profile(
        "P3",
        Strength.MODERATE,
        Environment.KEYSTORE,
        "two factors always, linked to payee and amount",
        (3_600, 180),
        (
            "signed consent with a time stamp",
            "master keys in a hardware module",
            "forbidden",
            "real time, suspicious payments wait",
        ),
    ),
    Band.CRITICAL: _profile(
        "P4",
        Strength.HIGH,
        Environment.SECURE_ELEMENT,
        "two factors and a signature on a trusted display",
        (300, 120),
        (
            "signature, time stamp of an authority, kept valid for years",
            "all keys in hardware",
            "forbidden",
            "real time, two people approve",
        ),
    ),
}
"""The four profiles, by the band of the highest inherent risk."""
