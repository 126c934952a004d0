"""Probes of what customers are told: read by whom, in which words, and warned of what.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from typing import Final

from tallystick.application.education.content import CONTENT, TERMS, TOPICS
from tallystick.application.education.service import READ
from tallystick.application.education.store import accepted_otherwise, informed
from tallystick.application.education.warnings import (
    Circumstances,
    to_acknowledge,
    warnings_of,
)
from tallystick.application.proving.service import PROVING
from tallystick.entry.proving.looking import Declared, Seen, declare, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.policy.facts import FOREVER
from tallystick.protocol.payments import PaymentKind

LEAST_INFORMED: Final = 95
"""Of a hundred active customers so many have read the guidance in force."""

_DECLARED: Final[tuple[Declared, ...]] = (
    ("lessons.read", CheckKind.TELEMETRY, ("MFS-7.3.6-01",),
     "95 of 100 active customers acknowledged the guidance in force"),
    ("lessons.warned", CheckKind.STATIC, ("MFS-7.3.6-03",),
     "every topic is told in every language, and a large first payment warns before consent"),
    ("lessons.terms", CheckKind.TELEMETRY, (part("MFS-7.3.6-04"),),
     "nobody pays without the terms in force, and what was accepted is their very text"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class LessonProbes:
    """Looks at what customers acknowledged, and at what the policy has them told.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "lessons.read": self.read,
            "lessons.warned": self.warned,
            "lessons.terms": self.terms,
        }
        declare(registry, _DECLARED, looks)

    def read(self, now: Instant) -> Seen:
        """How many active customers acknowledged the guidance in force, without probe customers.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        version = max(one.version for one in CONTENT.values())
        with self._site.reading() as reader:
            active, known = informed(reader, READ, version, besides=PROVING)
        if not active:
            return unknown("nobody is a customer yet")
        says = f"{known} of {active} active customers read version {version}"
        enough = known * 100 >= active * LEAST_INFORMED
        return judged(enough, says, says, numerator=known, denominator=active)

    def warned(self, now: Instant) -> Seen:
        """Whether each topic has words, and a large first payment to somebody new a warning.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        lacking = [
            f"{language.value}: {topic}"
            for language, told in CONTENT.items()
            for topic in TOPICS
            if topic not in {one.name for one in told.topics if one.text}
        ]
        rule = policy_in_force(self._site)[0].education
        if rule.large_minor == FOREVER:
            lacking.append("no payment is large")
        moment = Circumstances(
            kind=PaymentKind.P2P,
            amount_minor=rule.large_minor,
            payee_known=False,
            seen=("screen-shared", "remote-tool", "urgency"),
        )
        shown = warnings_of(moment, rule)
        agreed = to_acknowledge(shown, rule)
        return judged(
            not lacking,
            f"{len(TOPICS)} topics in {len(CONTENT)} languages, {len(shown)} warnings",
            f"lacking: {'; '.join(lacking[:4])}",
            topics=len(TOPICS),
            languages=len(CONTENT),
            warnings=len(shown),
            agreed=len(agreed),
        )

    def terms(self, now: Instant) -> Seen:
        """Whether the policy asks for the terms in force, and what was accepted is their text.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        versions = {one.terms_version for one in CONTENT.values()}
        version = max(versions)
        digests = tuple(one.digest for one in CONTENT.values())
        asked = policy_in_force(self._site)[0].education.terms
        if not asked:
            return unknown("the policy in force asks for no terms: nobody has to accept them")
        with self._site.reading() as reader:
            active, accepted = informed(reader, TERMS, version, besides=PROVING)
            other = accepted_otherwise(reader, TERMS, version, digests)
        wrong: list[str] = []
        if len(versions) > 1:
            wrong.append("languages have terms of different versions")
        if asked != version:
            wrong.append(f"the policy asks for version {asked}, in force is {version}")
        if other:
            wrong.append(f"{other} accepted another text of version {version}")
        return judged(
            not wrong,
            f"version {version} is asked for; {accepted} of {active} active customers accepted it",
            "; ".join(wrong),
            numerator=accepted,
            denominator=active,
            other=other,
        )
