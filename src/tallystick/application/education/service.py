"""What customers accepted and read, as the writer keeps it.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.authentication import Sessions
from tallystick.application.customers import Customer, Customers, Languages
from tallystick.application.education.card import Steps, protection_card
from tallystick.application.education.content import CONTENT, TERMS
from tallystick.application.education.store import ACKNOWLEDGED, Acknowledged
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import Conflict, NotPermitted
from tallystick.process.policy.facts import Channel
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Acknowledge, Guidance, ProtectionCard
from tallystick.protocol.payments import Empty

READ = "topics"
"""The name under which the guidance is acknowledged."""


@dataclass(frozen=True, slots=True)
class InLesson:
    """What an app asks about education, inside a session.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    session: str
    sequence: int
    act: "LessonAct"


@dataclass(frozen=True, slots=True)
class DialledTerms:
    """Whoever dials accepts the terms in force.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    customer: str


StepsNow = Callable[[], Steps]
"""Gives the steps on which payments stand now."""


class Education:
    """Tells customers, and keeps what they acknowledged.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    def __init__(
        self,
        customers: Customers,
        languages: Languages,
        sessions: Sessions,
        policy: PolicyInForce,
        reader: Reader,
        *,
        steps_now: StepsNow,
        capacity: int,
    ) -> None:
        self._customers = customers
        self._languages = languages
        self._sessions = sessions
        self._policy = policy
        self._steps_now = steps_now
        self._rows = RowCache(ACKNOWLEDGED, Acknowledged, reader, capacity=capacity)

    def check_terms(self, customer: Customer) -> None:
        """Pass if `customer` accepted the terms that the policy asks for, or it asks for none.

        Raises NotPermitted.
        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        rule = self._policy.compiled.policy.education
        if rule.terms and self.version(customer.id, TERMS) < rule.terms:
            raise NotPermitted(
                "the terms were not accepted",
                because=f"terms: {rule.because}",
                remedy=f"accept version {rule.terms} of the terms, in the app or the menu",
            )

    def version(self, customer: str, what: str) -> int:
        """The version of `what` that `customer` acknowledged last, 0 for none.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        row = self._rows.get(f"{customer}|{what}")
        return 0 if row is None else row.version

    def read(self, turn: Turn, session: str, sequence: int, language: str) -> Outcome:
        """Everything that is told, in `language` or the customer's own.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        customer = self._who(turn, session, sequence)
        spoken = Language(language) if language else self._languages.of(customer.id)
        told = CONTENT[spoken]
        return Outcome(
            Guidance(
                language=spoken.value,
                version=told.version,
                topics=told.topics,
                never_contact=told.never_contact,
                complaints=told.complaints,
                terms_version=told.terms_version,
                terms=told.terms,
                digest=told.digest,
                accepted=self.version(customer.id, TERMS),
                known=self.version(customer.id, READ),
            )
        )

    def acknowledge(self, turn: Turn, session: str, sequence: int, asked: Acknowledge) -> Outcome:
        """Keep that the customer accepted the terms, or read the topics, of a version.

        Raises Conflict for a version or digest that is not the one in force.
        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        customer = self._who(turn, session, sequence)
        told = CONTENT[Language(asked.language)]
        terms = asked.what == TERMS
        version = told.terms_version if terms else told.version
        if asked.version != version or asked.digest != (told.digest if terms else ""):
            raise Conflict("another version is in force", remedy="read it, and accept that one")
        return self._keep(turn, customer, asked.what, Language(asked.language), Channel.APP)

    def accept_dialled(self, turn: Turn, customer: str) -> Outcome:
        """Keep that whoever dials accepted the terms in force, in the customer's language.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        known = self._customers.active(self._customers.get(customer))
        return self._keep(turn, known, TERMS, self._languages.of(customer), Channel.USSD)

    def card(self, turn: Turn, session: str, sequence: int) -> Outcome:
        """What protects the customer now, read off the policy in force.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        customer = self._who(turn, session, sequence)
        language = self._languages.of(customer.id)
        compiled = self._policy.compiled
        steps = self._steps_now()
        lines = protection_card(compiled, customer.tier, Channel.APP.value, language, steps)
        return Outcome(ProtectionCard(policy=self._policy.version, lines=lines))

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()

    def _who(self, turn: Turn, session: str, sequence: int) -> Customer:
        live = self._sessions.admit(turn, session, sequence)
        return self._customers.active(self._customers.get(live.customer))

    def _keep(
        self, turn: Turn, customer: Customer, what: str, language: Language, channel: Channel
    ) -> Outcome:
        told = CONTENT[language]
        terms = what == TERMS
        row = Acknowledged(
            id=f"{customer.id}|{what}",
            customer=customer.id,
            what=what,
            version=told.terms_version if terms else told.version,
            language=language.value,
            digest=told.digest if terms else "",
            at=turn.now,
        )
        self._rows.put(row.id, row, turn.changes)
        public: dict[str, str | int] = {
            "channel": channel.value,
            "digest": row.digest,
            "language": row.language,
            "version": row.version,
            "what": what,
        }
        index = turn.record_about(
            "education.acknowledged",
            policy=self._policy.version,
            mac=self._customers.commit_mac(customer),
            committed={"customer": customer.id},
            public=public,
        )
        return Outcome(Empty(), index)


LessonAct = Callable[[Education, Turn, str, int], Outcome]
"""What an app asks for: with the turn, the session and the request's number."""
