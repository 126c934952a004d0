"""What a policy says of recovery, of devices, of agents who assist, and of what customers are told.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1; 7.4.5
"""

import re
from typing import Final

from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tallystick.process.policy.facts import FOREVER
from tallystick.process.yamltext.section import Section

CODES: Final = ("recovery", "one-operator")
"""How somebody who has a device, a SIM that signs or a PIN gets a new activation code."""

WARNINGS: Final = (
    "new-payee",
    "first-large-amount",
    "screen-shared",
    "remote-tool",
    "urgency",
)
"""Kinds of warnings that a quote may carry."""

LEAST_COOLING_MS: Final = HOUR_MS
"""No policy lets a recovery end sooner after it was opened."""

AS_SHOWN: Final = "as-shown"
FACTORS: Final = ("as-said", AS_SHOWN)
"""Whether an order stands for the factors that an app says, or those that are shown."""

_AGES: Final = {"calm": DAY_MS, "raised": HOUR_MS, "high": 5 * MINUTE_MS}
"""The oldest proof that any policy may take, by risk."""

_DEVICES: Final = ("at_most", "dormant", "leaving", "keep", "proofs", "factors", "because")
_TIERS: Final = ("0", "1", "2", "3", "4")
_CLOCK: Final = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


class AgentRule(Record, frozen=True, kw_only=True):
    """When and how often a day an agent assists, in minutes of the provider's local day.

    With `enrolment` new customers too are opened within these bounds only, and in the agent's zones
    only.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    from_minute: int = 7 * 60
    until_minute: int = 20 * 60
    per_day: int = 20
    enrolment: bool = False


class RecoveryRule(Record, frozen=True, kw_only=True):
    """How long a recovery cools off, waits to be finished, and lowers limits after it ended (ms).

    `FOREVER` in an amount or count caps nothing. After a cancelled one no agent opens another for
    `after_ms`.
    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """

    cooling_ms: int = DAY_MS
    expires_ms: int = 7 * DAY_MS
    after_ms: int = 3 * DAY_MS
    codes: str = "one-operator"
    per_payment_minor: int = FOREVER
    day_minor: int = FOREVER
    day_count: int = FOREVER
    agents: AgentRule = AgentRule()
    because: str = "whoever recovers an account may not be its owner"

    def lowers(self, since_ms: int) -> bool:
        """Whether limits are lowered `since_ms` after the last recovery was opened or ended.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return since_ms < self.after_ms


class ProofRule(Record, frozen=True, kw_only=True):
    """How old the last proof of an attested device may be, by the risk of what it asks (ms).

    For `lowered_ms` beyond that it still pays as a device that proved nothing, unless the risk is
    high. All are 0 where no further proof is asked for.
    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 8.1.1
    """

    calm_ms: int = 0
    raised_ms: int = 0
    high_ms: int = 0
    lowered_ms: int = 0


class DeviceRule(Record, frozen=True, kw_only=True):
    """How many devices a customer of each tier has at once, and when devices move on (ms).

    Without `at_most` there is no limit; a higher tier has what the last one has. A device unused
    for `dormant_ms` rests, `told_ms` after its customer was told; one that was given away leaves
    for `leave_ms`; what is kept of one that ended is erased after `keep_ms`. `proofs` says how
    fresh the proof of an attested device is. `factors` says what stands behind a signed order: two
    as the app says, or those that the place of its key gives and the session was given.
    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5; 14.2.2
    """

    at_most: tuple[int, ...] = ()
    dormant_ms: int = FOREVER
    told_ms: int = 0
    leave_ms: int = DAY_MS
    keep_ms: int = FOREVER
    because: str = "each device more is one more way in"
    proofs: ProofRule = ProofRule()
    factors: str = FACTORS[0]

    def most(self, tier: int) -> int:
        """How many devices a customer of `tier` may have at once; `FOREVER` without a limit.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self.at_most[min(tier, len(self.at_most) - 1)] if self.at_most else FOREVER


class EducationRule(Record, frozen=True, kw_only=True):
    """Which terms must be accepted before paying, and which warnings a consent must acknowledge.

    `terms` is the least version, 0 for none; a payment of `large_minor` is large.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    terms: int = 0
    acknowledge: tuple[str, ...] = ()
    large_minor: int = FOREVER
    because: str = "people decide on what they were told"


def read_recovery(root: Section) -> RecoveryRule:
    """The section `recovery`; defaults where there is none.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if "recovery" not in root:
        return RecoveryRule()
    words = ("cooling_off", "expires", "after", "codes", "lowered", "agents", "because")
    one = root.section("recovery", words)
    usual = RecoveryRule()
    why = "a recovery gives its owner time to say no"
    cooling = one.duration("cooling_off", LEAST_COOLING_MS, 30 * DAY_MS, why=why)
    lowered = one.section("lowered", ("per_payment", "day", "count")) if "lowered" in one else None

    def amount(word: str) -> int:
        return lowered.integer(word, 1) if lowered is not None and word in lowered else FOREVER

    after = one.duration("after", HOUR_MS, 90 * DAY_MS) if "after" in one else usual.after_ms
    expires = one.duration("expires", HOUR_MS, 30 * DAY_MS)
    return RecoveryRule(
        cooling_ms=cooling,
        expires_ms=expires,
        after_ms=after,
        codes=one.choice("codes", CODES) if "codes" in one else usual.codes,
        per_payment_minor=amount("per_payment"),
        day_minor=amount("day"),
        day_count=amount("count"),
        agents=_agents(one) if "agents" in one else usual.agents,
        because=one.text("because"),
    )


def read_devices(root: Section) -> DeviceRule:
    """The section `devices`; no limit and no end of time where there is none.

    Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
    """
    if "devices" not in root:
        return DeviceRule()
    one = root.section("devices", _DEVICES)
    usual, day = DeviceRule(), DAY_MS
    dormant, told = usual.dormant_ms, usual.told_ms
    if "dormant" in one:
        rests = one.section("dormant", ("after", "told_before"))
        dormant = rests.duration("after", 7 * day, 3650 * day)
        told = rests.duration("told_before", day, 90 * day)
        if told >= dormant:
            rests.defects.add(rests.position("told_before"), "it is told before it is dormant")
    leave, keep = usual.leave_ms, usual.keep_ms
    if "leaving" in one:
        leave = one.duration("leaving", HOUR_MS, 30 * day)
    if "keep" in one:
        keep = one.duration("keep", 30 * day, 3650 * day)
    most = one.section("at_most", _TIERS) if "at_most" in one else None
    words = () if most is None else tuple(one for one in _TIERS if one in most)
    counts = () if most is None else tuple(most.integer(one, 1, 100) for one in words)
    return DeviceRule(
        at_most=counts,
        dormant_ms=dormant,
        told_ms=told,
        leave_ms=leave,
        keep_ms=keep,
        because=one.text("because"),
        proofs=_proofs(one) if "proofs" in one else ProofRule(),
        factors=one.choice("factors", FACTORS) if "factors" in one else usual.factors,
    )


def _proofs(root: Section) -> ProofRule:
    """All three ages, none above what is asked of its risk, and the higher risk never older."""
    one = root.section("proofs", (*_AGES, "lowered"))
    ages = [
        one.duration(word, SECOND_MS, most, why="a proof is as fresh as its risk (MFS-7.3.5-02)")
        for word, most in _AGES.items()
    ]
    if ages != sorted(ages, reverse=True):
        one.defects.add(one.at, "a proof for a higher risk is not older than for a lower one")
    calm, raised, high = ages
    lowered = one.duration("lowered", MINUTE_MS, 3 * DAY_MS) if "lowered" in one else 0
    return ProofRule(calm_ms=calm, raised_ms=raised, high_ms=high, lowered_ms=lowered)


def read_education(root: Section) -> EducationRule:
    """The section `education`; defaults where there is none.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    if "education" not in root:
        return EducationRule()
    one = root.section("education", ("terms", "acknowledge", "large", "because"))
    return EducationRule(
        terms=one.integer("terms", 0, 10_000) if "terms" in one else 0,
        acknowledge=one.choices("acknowledge", WARNINGS) if "acknowledge" in one else (),
        large_minor=one.integer("large", 1) if "large" in one else FOREVER,
        because=one.text("because"),
    )


def _agents(root: Section) -> AgentRule:
    section = root.section("agents", ("from", "until", "per_day", "enrolment"))
    begins, ends = _minute(section, "from"), _minute(section, "until")
    if begins >= ends:
        section.defects.add(section.position("until"), "until is later in the day than from")
    bounded = section.choice("enrolment", ("bounded", "open")) if "enrolment" in section else "open"
    return AgentRule(
        from_minute=begins,
        until_minute=ends,
        per_day=section.integer("per_day", 1, 1000),
        enrolment=bounded == "bounded",
    )


def _minute(section: Section, word: str) -> int:
    match = _CLOCK.match(section.text(word, _CLOCK.pattern, 'quoted, as in "07:30"'))
    return int(match[1]) * 60 + int(match[2]) if match else 0
