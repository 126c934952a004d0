"""What people decided and attested: the part of evidence that no program can observe.

A dossier is one file, kept by people: decisions that a requirement does not apply, exceptions with
their end, and documents with owner, scope and validity. A document counts only if the file that it
names is there and has the digest that the dossier says. Nobody's name belongs into it: `who` and
`owner` are roles.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Natural, Record, ShortText, length, pattern
from tallystick.process.catalogue.model import Catalogue, RequirementId, Service
from tallystick.process.conformance.checks import Check, CheckKind, Observation, check_of
from tallystick.process.conformance.findings import Decision, Exempted, Ground, check_ground

DOCUMENT: Final = "document"
_LIMIT: Final = 4 * 1024 * 1024

Reasoning = Annotated[str, length(1, 400)]
Sha256Hex = Annotated[str, pattern("^[0-9a-f]{64}$")]
FileName = Annotated[str, pattern(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class Decided(Record, frozen=True, kw_only=True):
    """A decision that `requirement` does not apply here; `until` 0 while it is not taken back.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    requirement: RequirementId
    who: ShortText
    why: Reasoning
    since: Natural
    until: Natural = 0


class Granted(Record, frozen=True, kw_only=True):
    """An exception from `requirement` that lapses at `until`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    requirement: RequirementId
    who: ShortText
    why: Reasoning
    since: Natural
    until: Natural


class Document(Record, frozen=True, kw_only=True):
    """A document that speaks for requirements: its file, digest, owner, scope and validity (ms).

    Source: ISO/TS 12812-2:2017, 9.1
    """

    file: FileName
    title: ShortText
    sha256: Sha256Hex
    requirements: tuple[RequirementId, ...]
    owner: ShortText
    scope: ShortText
    issued: Natural
    valid_until: Natural


class Dossier(Record, frozen=True, kw_only=True):
    """The whole file; `services` are those that the provider offers, all unless it says less.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """

    v: int = 1
    services: tuple[Service, ...] = tuple(Service)
    decisions: tuple[Decided, ...] = ()
    exceptions: tuple[Granted, ...] = ()
    documents: tuple[Document, ...] = ()

    def digest(self) -> str:
        """SHA-256 (hex) over its canonical form, by which the log names it.

        Source: RFC 8785
        """
        return sha256(encode_canonical(self)).hex()


_dossiers: Final = Decoder(Dossier, limit=_LIMIT)


def read_dossier(octets: bytes, found: Catalogue) -> Dossier:
    """The dossier in a file, whose every entry names rows of the catalogue `found`.

    Raises Malformed for another form, an unknown row, an entry without its end, or a document
    issued after it ends.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    dossier = _dossiers.decode(octets.strip())
    if dossier.v != 1 or not dossier.services:
        raise Malformed("a dossier is of version 1 and names at least one service")
    named = [one.requirement for one in dossier.decisions]
    named += [one.requirement for one in dossier.exceptions]
    named += [identifier for one in dossier.documents for identifier in one.requirements]
    unknown = sorted(set(named) - found.requirements.keys())
    if unknown:
        raise Malformed(f"the catalogue has no row {', '.join(unknown)}")
    for one in dossier.documents:
        if one.valid_until <= one.issued or not one.requirements:
            raise Malformed(f"{one.file}: say for which rows it speaks, and until when")
    check_ground(with_dossier(Ground(needs=(), history=()), dossier))
    return dossier


def not_asked_for(dossier: Dossier, offered: Iterable[Service]) -> tuple[Service, ...]:
    """The services that are `offered` and that `dossier` does not name: nobody asks for their rows.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    return tuple(one for one in offered if one not in dossier.services)


def with_dossier(ground: Ground, dossier: Dossier) -> Ground:
    """`ground` with the decisions and exceptions of `dossier`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return Ground(
        needs=ground.needs,
        history=ground.history,
        decisions=tuple(
            Decision(
                requirement=one.requirement,
                who=one.who,
                why=one.why,
                since=one.since,
                until=one.until,
            )
            for one in dossier.decisions
        ),
        exceptions=tuple(
            Exempted(
                requirement=one.requirement,
                who=one.who,
                why=one.why,
                since=one.since,
                until=one.until,
            )
            for one in dossier.exceptions
        ),
    )


def document_check(requirement: str) -> Check:
    """The check that a valid document speaks for `requirement`.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return check_of(
        f"{DOCUMENT}/{requirement}",
        CheckKind.ATTESTED,
        (requirement,),
        "a document in force, with owner and scope, speaks for it",
    )


def document_observations(
    dossier: Dossier, read: Callable[[str], bytes | None], *, now: int, environment: str
) -> tuple[Observation, ...]:
    """What each document of `dossier` says for each of its requirements.

    `read` gives the octets of a file, or None if it is not there. A document counts from its issue
    to its end; one whose file is absent is unknown, one that was changed fails.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return tuple(
        _attested(one, identifier, read(one.file), now, environment)
        for one in dossier.documents
        for identifier in one.requirements
    )


def _attested(
    document: Document, requirement: str, octets: bytes | None, now: int, environment: str
) -> Observation:
    verdict, summary = Verdict.PASS, f"{document.title}, {document.owner}, for {document.scope}"
    if octets is None:
        verdict, summary = Verdict.UNKNOWN, f"{document.file} is not there"
    elif sha256(octets).hex() != document.sha256:
        verdict, summary = Verdict.FAIL, f"{document.file} is not the one that was attested"
    check = document_check(requirement)
    evidence = Evidence(
        probe=check.id,
        requirements=(requirement,),
        verdict=verdict,
        observed_at=document.issued if verdict is Verdict.PASS else now,
        summary=summary,
        measured={"file": document.file, "sha256": document.sha256},
    )
    return Observation(
        check=check.id,
        kind=check.kind,
        attempts=False,
        requirements=check.requirements,
        verdict=verdict,
        observed_at=evidence.observed_at,
        fresh_until=document.valid_until,
        summary=summary,
        measured=evidence.measured,
        environment=environment,
    )
