"""All that the eight documents speak of: who, when, which rows, which checks, what was found.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.process.catalogue.model import Catalogue, Requirement, Service
from tallystick.process.conformance.certified import Certified
from tallystick.process.conformance.checks import Check, LogPoint
from tallystick.process.conformance.dossier import Document
from tallystick.process.conformance.effectiveness import Effectiveness
from tallystick.process.conformance.findings import Finding


@dataclass(frozen=True, slots=True)
class Held:
    """What was in force: versions and digests (SHA-256, hex) that observations were made under.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    policy_version: int
    policy: str
    catalogue: str
    dossier: str
    commit: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to be said, at one instant, of one provider.

    `findings` are one for each row that applies to one of `services`; `evidence` is the digest of
    the file that holds the observations whole. `recorded` maps an observation, by its check and
    instant, to the event of the log that records its run.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    provider: str
    tool: str
    version: str
    environment: str
    made_at: int
    start: int
    catalogue: Catalogue
    services: tuple[Service, ...]
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    effectiveness: Mapping[str, Effectiveness] = field(default_factory=dict[str, Effectiveness])
    held: Held = field(default_factory=lambda: Held(0, "", "", "", ""))
    log: LogPoint | None = None
    evidence_file: str = ""
    evidence: str = ""
    documents: tuple[Document, ...] = ()
    certificates: tuple[Certified, ...] = ()
    recorded: Mapping[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    def rows(self) -> tuple[Requirement, ...]:
        """The rows that apply to one of the services, in the order of the catalogue.

        Source: ISO/TS 12812-2:2017, 10.1; 11.1; 12.1; 13.1
        """
        return rows_for(self.catalogue, self.services)


def rows_for(catalogue: Catalogue, services: tuple[Service, ...]) -> tuple[Requirement, ...]:
    """The rows of `catalogue` that apply to one of `services`.

    Source: ISO/TS 12812-2:2017, 10.1; 11.1; 12.1; 13.1
    """
    wanted = set(services)
    return tuple(one for one in catalogue.requirements.values() if wanted & set(one.services))
