"""Everything that findings and documents follow from, in one file: whoever has it can do it again.

    runs      what probes saw, as each run was recorded in the log
    others    what a build and what documents said
    then      rows, checks, decisions and exceptions -> findings -> picture -> documents

Nothing in it is personal: checks count, and name policy rows and positions in the log.

Source: ISO/TS 12812-2:2017, 9.1; 14.2.1
"""

from enum import StrEnum
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.process.catalogue.model import Catalogue, Service
from tallystick.process.conformance.certified import Certified
from tallystick.process.conformance.checks import Check, CheckKind, LogPoint, Observation
from tallystick.process.conformance.dossier import Document
from tallystick.process.conformance.effectiveness import effectiveness
from tallystick.process.conformance.findings import (
    Decision,
    Exempted,
    Finding,
    Ground,
    check_ground,
    findings,
)
from tallystick.process.conformance.needs import needs
from tallystick.process.conformance.oscal.picture import Held, Picture, rows_for

LIMIT: Final = 64 * 1024 * 1024
VERSION: Final = 2
"""The version of the basis: the second has documents, certificates and the time stamp."""

RECORDED: Final = "conformance.recorded"
"""The kind of the event that records a run of probes."""


class Run(Record, frozen=True, kw_only=True):
    """One run of probes: its id, when (ms), the event that records it, and what they saw.

    `build` and `dossier` are the digests of the files that counted then, empty for none.
    Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
    """

    id: str
    at: int
    event: int
    build: str
    dossier: str
    observations: tuple[Observation, ...]

    def digest(self) -> str:
        """SHA-256 (hex) over what the probes saw; the event in the log has it.

        Source: RFC 8785
        """
        return observations_digest(self.observations)


def observations_digest(observations: tuple[Observation, ...]) -> str:
    """SHA-256 (hex) over the canonical form of `observations`.

    Source: RFC 8785
    """
    return sha256(encode_canonical(observations)).hex()


class HeldThen(Record, frozen=True, kw_only=True):
    """What was in force: versions, and digests in hex.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    policy_version: int
    policy: str
    catalogue: str
    dossier: str
    commit: str


class Stamping(StrEnum):
    """Whether a time stamp of an authority belongs to the bundle, and why not.

    Source: ISO/TS 12812-2:2017, 7.3.3; RFC 3161, 2.2
    """

    STAMPED = "stamped"
    NOT_ASKED = "not-asked"
    OUTAGE = "outage"


class Basis(Record, frozen=True, kw_only=True):
    """The whole file; `documents` and `certificates` are what people attested and had evaluated.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int = VERSION
    provider: str
    tool: str
    version: str
    environment: str
    made_at: int
    start: int
    services: tuple[Service, ...]
    held: HeldThen
    log: LogPoint
    checks: tuple[Check, ...]
    runs: tuple[Run, ...]
    others: tuple[Observation, ...]
    decisions: tuple[Decision, ...]
    exceptions: tuple[Exempted, ...]
    documents: tuple[Document, ...] = ()
    certificates: tuple[Certified, ...] = ()
    stamping: Stamping = Stamping.NOT_ASKED


_bases: Final = Decoder(Basis, limit=LIMIT)


def read_basis(octets: bytes) -> Basis:
    """The basis in `octets`, in its canonical form only.

    Raises Malformed, also for a period without length, a decision without a name, or a document
    of which something else was observed than it says.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    basis = _bases.decode_canonical(octets)
    if basis.v != VERSION or basis.made_at <= basis.start or not basis.services:
        raise Malformed("the basis is of another version, or of no period or service")
    check_ground(
        Ground(needs=(), history=(), decisions=basis.decisions, exceptions=basis.exceptions)
    )
    _check_documents(basis)
    return basis


def _check_documents(basis: Basis) -> None:
    """That whatever was observed of a document was observed of the one that is listed."""
    listed = {one.file: one.sha256 for one in basis.documents}
    if len(listed) != len(basis.documents):
        raise Malformed("a document is listed twice")
    for one in basis.others:
        name = one.measured.get("file")
        if one.kind is CheckKind.ATTESTED and listed.get(str(name)) != one.measured.get("sha256"):
            raise Malformed(f"{one.check}: the document is not listed, or with another digest")


def catalogue_digest(found: Catalogue) -> str:
    """SHA-256 (hex) over the rows of `found`, by which documents name the catalogue.

    Source: RFC 8785
    """
    return sha256(encode_canonical(tuple(found.requirements.values()))).hex()


def ground_of(basis: Basis, found: Catalogue) -> Ground:
    """What findings follow from, for the rows of `found` that apply.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    rows = [one.id for one in rows_for(found, basis.services)]
    seen = tuple(one for run in basis.runs for one in run.observations)
    return Ground(
        needs=needs(found, basis.checks, only=rows),
        history=(*seen, *basis.others),
        decisions=basis.decisions,
        exceptions=basis.exceptions,
    )


def findings_of(basis: Basis, found: Catalogue) -> tuple[Finding, ...]:
    """The findings as of the instant at which `basis` was made.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return findings(ground_of(basis, found), basis.made_at)


def picture_of(basis: Basis, found: Catalogue, *, file: str, digest: str) -> Picture:
    """The picture that the documents are written from; `file` with `digest` is the basis itself.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    ground = ground_of(basis, found)
    held = basis.held
    checks = {check.id: check for need in ground.needs for check in need.checks}
    return Picture(
        provider=basis.provider,
        tool=basis.tool,
        version=basis.version,
        environment=basis.environment,
        made_at=basis.made_at,
        start=basis.start,
        catalogue=found,
        services=basis.services,
        checks=tuple(checks.values()),
        findings=findings(ground, basis.made_at),
        effectiveness={
            one.requirement: one for one in effectiveness(ground, basis.start, basis.made_at)
        },
        held=Held(held.policy_version, held.policy, held.catalogue, held.dossier, held.commit),
        log=basis.log,
        evidence_file=file,
        evidence=digest,
        documents=basis.documents,
        certificates=basis.certificates,
        recorded={
            (one.check, one.observed_at): run.event
            for run in basis.runs
            for one in run.observations
        },
    )
