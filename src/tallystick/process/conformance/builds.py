"""Evidence of a build: what the tagged tests of one commit said, kept in a file beside the release.

A provider's machine has no tests. Whoever builds writes the file once (`releases`); the provider
reads it and counts it like any other observation, with the commit and the instant of the run.

    other version or other source than what runs     says nothing
    a tree with changes that no commit has           says nothing: nobody can look again
    a signature that the provider asks for, absent   says nothing
    a tagged test that failed                        counts against, whatever else passed

Source: ISO/TS 12812-2:2017, 9.1; 7.3.1
"""

from typing import Annotated, Final

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Ed25519VerifyKey
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.model import Base64Url, Natural, Record, pattern
from tallystick.process.conformance.checks import (
    Check,
    CheckKind,
    Observation,
    check_of,
    observed,
)

BUILD: Final = "build"
_LIMIT: Final = 4 * 1024 * 1024
_LABEL: Final = b"tallystick build record v1\x00"

Commit = Annotated[str, pattern("^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class Tested(Record, frozen=True, kw_only=True):
    """The tagged tests of one requirement: how many passed, failed, did not run, and attack.

    `attempting` counts those that passed and attempt the forbidden act.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    requirement: str
    passed: Natural
    failed: Natural
    not_run: Natural
    attempting: Natural


class BuildRecord(Record, frozen=True, kw_only=True):
    """One run of the tests: version, commit, when (ms), totals, and each tagged requirement.

    `changed` says that the tree had changes which the commit has not; `source` is the digest of the
    package that was tested (`sources`), `python` and `system` name what it ran on; empty where the
    record does not say.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int
    version: str
    commit: Commit
    at: Natural
    passed: Natural
    failed: Natural
    requirements: tuple[Tested, ...]
    changed: bool = False
    source: str = ""
    python: str = ""
    system: str = ""


class Build(Record, frozen=True, kw_only=True):
    """A record as it was found, and the public key (hex) that signed it; empty for unsigned.

    Source: ISO/TS 12812-2:2017, 9.1; 9.3
    """

    record: BuildRecord
    signer: str = ""


class _Signed(Record, frozen=True, kw_only=True):
    record: BuildRecord
    public: Base64Url
    signature: Base64Url


class Running(Record, frozen=True, kw_only=True):
    """What runs here, for a record to be held against: version, and digest of the package.

    `signer` is the public key (hex) that a record has to be signed by; empty where any will do.
    Source: ISO/TS 12812-2:2017, 9.3
    """

    version: str
    source: str = ""
    signer: str = ""


_records: Final = Decoder(BuildRecord, limit=_LIMIT)
_signed: Final = Decoder(_Signed, limit=_LIMIT)


def read_build_record(octets: bytes) -> BuildRecord:
    """The record in a file that `releases.build_record` gave.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return _records.decode(octets.strip())


def sign_build(record: BuildRecord, signer: Ed25519SigningKey) -> bytes:
    """The file of `record` with a signature of whoever built.

    Source: ISO/TS 12812-2:2017, 9.3; RFC 8032
    """
    signature = signer.sign(_LABEL + encode_canonical(record))
    public = signer.public().octets()
    return encode_canonical(
        _Signed(record=record, public=b64url(public), signature=b64url(signature))
    )


def read_build(octets: bytes) -> Build:
    """The record in a file, signed or not.

    Raises Malformed for another form, NotAuthentic for a signature that does not verify.
    Source: ISO/TS 12812-2:2017, 9.1; 9.3
    """
    if b'"signature"' not in octets:
        return Build(record=read_build_record(octets))
    found = _signed.decode(octets.strip())
    public = b64url_decode(found.public)
    message = _LABEL + encode_canonical(found.record)
    Ed25519VerifyKey(public).verify(b64url_decode(found.signature), message)
    return Build(record=found.record, signer=public.hex())


def why_not(build: Build, running: Running) -> str:
    """Why `build` says nothing of what runs here; empty if it does.

    Source: ISO/TS 12812-2:2017, 9.1; 9.3
    """
    record = build.record
    if record.version != running.version:
        return f"the build is of version {record.version}, {running.version} is running"
    if running.source and record.source != running.source:
        return f"the build at {record.commit[:12]} tested other source than what runs here"
    if record.changed:
        return f"the tree at {record.commit[:12]} had changes that no commit has"
    if running.signer and build.signer != running.signer:
        return "the build is not signed by the key that this provider asks for"
    return ""


def build_check(requirement: str, *, attempting: bool = False) -> Check:
    """The check that tagged tests of `requirement` pass in the build that runs.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return check_of(
        f"{BUILD}/{requirement}",
        CheckKind.BUILD,
        (requirement,),
        "the tests that carry its tag passed in the build",
        attempts=attempting,
    )


def build_observations(
    build: Build, running: Running, *, environment: str
) -> tuple[Observation, ...]:
    """What `build` says of each requirement; nothing (unknown) where `why_not` has a reason.

    A failure counts even so, if the source is the same.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    reason = why_not(build, running)
    return tuple(
        _observation(build, one, environment, reason, running) for one in build.record.requirements
    )


def _observation(
    build: Build, tested: Tested, environment: str, reason: str, running: Running
) -> Observation:
    record = build.record
    verdict = Verdict.PASS if tested.passed else Verdict.UNKNOWN
    mark = "" if build.signer else ", unsigned"
    summary = f"{tested.passed} passed, {tested.failed} failed, {tested.not_run} did not run{mark}"
    if reason:
        verdict, summary = Verdict.UNKNOWN, reason
    same = record.version == running.version and record.source == (running.source or record.source)
    if tested.failed and same:
        verdict = Verdict.FAIL
        summary = f"{tested.failed} failed of {tested.passed + tested.failed} that ran{mark}"
    evidence = Evidence(
        probe=f"{BUILD}/{tested.requirement}",
        requirements=(tested.requirement,),
        verdict=verdict,
        observed_at=record.at,
        summary=summary,
        measured={
            "passed": tested.passed,
            "failed": tested.failed,
            "not_run": tested.not_run,
            "attempting": tested.attempting,
            "commit": record.commit,
            "version": record.version,
            "signer": build.signer or "unsigned",
        },
    )
    check = build_check(tested.requirement, attempting=tested.attempting > 0)
    return observed(check, evidence, environment=environment)
