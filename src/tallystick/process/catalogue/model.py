"""The rows of the catalogue: clauses, requirements and threats, and the words they may use.

The rows are an own-words reconstruction, aligned with ISO/TS 12812-2:2017; each says where it comes
from (`Origin`) and how sure it is (`Confidence`). With `overlay`, a holder of
the standard corrects it.

Source: ISO/TS 12812-2:2017, 5; 7.3.1
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record, ShortText, pattern

RequirementId = Annotated[str, pattern(r"^MFS-(?:[0-9]{1,2}(?:\.[0-9]){0,2}|[A-D])-[0-9]{2}$")]
ThreatId = Annotated[str, pattern(r"^THR-[A-Z]{2,4}-[0-9]{2}$")]
ClauseNumber = Annotated[str, pattern(r"^(?:[0-9]{1,2}(?:\.[0-9]){0,2}|[A-D])$")]

T = TypeVar("T")


class Kind(StrEnum):
    """The technical nature of a clause; inferred unless the row says that it is certain.

    Source: ISO/TS 12812-2:2017, 5
    """

    REQUIREMENT = "requirement"
    RECOMMENDATION = "recommendation"
    DESCRIPTIVE = "descriptive"
    GENERAL = "general"
    INFORMATIVE_ANNEX = "informative-annex"


class Modality(StrEnum):
    """How strongly this product asks for a row; the clause's own status may be lower.

    Source: ISO/TS 12812-2:2017, 5
    """

    SHALL = "shall"
    SHOULD = "should"


class Origin(StrEnum):
    """Where a row comes from: read in the public sample, deduced from it, or from other sources.

    Source: ISO/TS 12812-2:2017, 5
    """

    STATED = "stated"
    DEDUCED = "deduced"
    RECONSTRUCTED = "reconstructed"


class Confidence(StrEnum):
    """How likely it is that the clause contains an equivalent demand.

    Source: ISO/TS 12812-2:2017, 5
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Layer(StrEnum):
    """The layer of the three-layer model on which a requirement is met.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    PROCESS = "process"
    APPLICATION = "application"
    INFRASTRUCTURE = "infrastructure"


class Service(StrEnum):
    """A mobile financial service to which a requirement applies.

    Source: ISO/TS 12812-2:2017, 10.1; 11.1; 12.1; 13.1
    """

    REMOTE_PAYMENT = "remote-payment"
    PROXIMATE_PAYMENT = "proximate-payment"
    MOBILE_BANKING = "mobile-banking"
    E_MONEY = "e-money"


class VerificationClass(StrEnum):
    """How a row is verified: by a probe of the running system, a test, or a signed document.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    PROBE = "probe"
    TEST = "test"
    DOCUMENT = "document"


class VerificationDepth(StrEnum):
    """What a verification really sees, from the control at work to another party's word.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    BEHAVIOUR = "behaviour"
    TELEMETRY = "telemetry"
    RECORD = "record"
    THIRD_PARTY = "third-party"


class Party(StrEnum):
    """Who takes part in the programme; `EVERY_PARTY` is each of them except the customer.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    MFSP = "mfsp"
    MNO = "mno"
    TSM = "tsm"
    SE_PROVIDER = "se-provider"
    OEM = "oem"
    VENDOR = "vendor"
    AGENT = "agent"
    CUSTOMER = "customer"
    EVERY_PARTY = "every-party"


class Channel(StrEnum):
    """Where a threat arrives.

    Source: ISO/TS 12812-2:2017, D
    """

    SMS = "sms"
    USSD_STK = "ussd-stk"
    CELLULAR = "cellular"
    SIM = "sim"
    INTERNET = "internet"
    BLUETOOTH = "bluetooth"
    NFC = "nfc"
    CODE = "code"
    MALWARE = "malware"
    DEVICE = "device"
    APP = "app"
    OTA_TSM = "ota-tsm"
    CLOUD_HCE = "cloud-hce"
    BACK_END = "back-end"
    INSIDER = "insider"
    AGENT_MERCHANT = "agent-merchant"
    SOCIAL_ENGINEERING = "social-engineering"
    E_MONEY = "e-money"
    CRYPTOGRAPHY = "cryptography"
    PRIVACY = "privacy"


class Clause(Record, frozen=True, kw_only=True):
    """A clause that has rows: what kind it is, what of it is public, what had to be reconstructed.

    `table_1_title` is the title in the standard's Table 1 where the contents list has another.
    Source: ISO/TS 12812-2:2017, 5
    """

    number: ClauseNumber
    title: ShortText
    pages: str
    kind: Kind
    kind_certain: bool
    kind_note: str
    table_1_title: str = ""
    seen: str
    reconstructed_from: str


class Heading(Record, frozen=True, kw_only=True):
    """A clause that only carries others, or the front matter: a number and a title.

    Source: ISO/TS 12812-2:2017, 5
    """

    number: ClauseNumber
    title: ShortText


class Verification(Record, frozen=True, kw_only=True):
    """One way to see that a requirement holds.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    by: VerificationClass
    check: str


class Requirement(Record, frozen=True, kw_only=True):
    """One checkable demand, who answers for it, who carries it out and how it is verified.

    `prohibition` is true when the text forbids something anywhere in it: then only a test that
    attempts the forbidden act proves it.
    Source: ISO/TS 12812-2:2017, 7.3.1; 6.2.1
    """

    id: RequirementId
    clause: ClauseNumber
    modality: Modality
    prohibition: bool
    origin: Origin
    confidence: Confidence
    layers: tuple[Layer, ...]
    services: tuple[Service, ...]
    accountable: Party
    performers: tuple[Party, ...]
    text: str
    component: str
    capability: str
    verification: tuple[Verification, ...]
    depth: VerificationDepth
    references: tuple[str, ...]
    threats: tuple[ThreatId, ...]

    def performed_by(self, party: Party) -> bool:
        """Whether `party` carries out this requirement, alone or with others.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        everybody = Party.EVERY_PARTY in self.performers and party is not Party.CUSTOMER
        return everybody or party in self.performers

    def verified_by(self, class_: VerificationClass) -> bool:
        """Whether one of its verifications is of `class_`.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        return any(one.by is class_ for one in self.verification)


class Threat(Record, frozen=True, kw_only=True):
    """One way to attack, the requirements that mitigate it, and how the attack is simulated.

    Source: ISO/TS 12812-2:2017, D
    """

    id: ThreatId
    channel: Channel
    text: str
    references: tuple[str, ...]
    mitigations: tuple[RequirementId, ...]
    simulation: str


class Catalogue(Record, frozen=True, kw_only=True):
    """Every clause, requirement and threat by its id, in the order of the standard.

    Source: ISO/TS 12812-2:2017, 5; 7.3.1
    """

    clauses: Mapping[str, Clause]
    headings: Mapping[str, Heading]
    requirements: Mapping[str, Requirement]
    threats: Mapping[str, Threat]

    def clause(self, number: str) -> Clause:
        """The clause `number`; raises NotFound, also for a heading that has no rows.

        Source: ISO/TS 12812-2:2017, 5
        """
        return _row(self.clauses, number, "clause")

    def requirement(self, identifier: str) -> Requirement:
        """The requirement `identifier`; raises NotFound.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        return _row(self.requirements, identifier, "requirement")

    def threat(self, identifier: str) -> Threat:
        """The threat `identifier`; raises NotFound.

        Source: ISO/TS 12812-2:2017, D
        """
        return _row(self.threats, identifier, "threat")

    def by_clause(self, number: str) -> tuple[Requirement, ...]:
        """The requirements of `number` and of the clauses below it; raises NotFound.

        Source: ISO/TS 12812-2:2017, 5
        """
        if number not in self.headings:
            self.clause(number)
        inside = f"{number}."
        return tuple(
            one
            for one in self.requirements.values()
            if one.clause == number or one.clause.startswith(inside)
        )

    def on_layer(self, layer: Layer) -> tuple[Requirement, ...]:
        """The requirements that are met on `layer`.

        Source: ISO/TS 12812-2:2017, 6.2
        """
        return tuple(one for one in self.requirements.values() if layer in one.layers)

    def for_service(self, service: Service) -> tuple[Requirement, ...]:
        """The requirements that apply to `service`.

        Source: ISO/TS 12812-2:2017, 10.1; 11.1; 12.1; 13.1
        """
        return tuple(one for one in self.requirements.values() if service in one.services)

    def mitigated_by(self, requirement: str) -> tuple[Threat, ...]:
        """The threats that `requirement` mitigates; raises NotFound.

        Source: ISO/TS 12812-2:2017, D
        """
        return tuple(self.threat(one) for one in self.requirement(requirement).threats)

    def knows_clause(self, number: str) -> bool:
        """Whether the standard has a clause or a heading `number` (definitions are in glossary).

        Source: ISO/TS 12812-2:2017, 5
        """
        return number in self.clauses or number in self.headings


def _row(rows: Mapping[str, T], identifier: str, what: str) -> T:
    found = rows.get(identifier)
    if found is None:
        raise NotFound(f"the catalogue has no {what} {identifier[:20]!r}")
    return found
