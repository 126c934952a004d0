"""The gate of a release: what it is made of, who reviewed it, how its tests ended, who signed.

    release.yaml + bill + tests + scans + officers' statement -> checks, each passed or not, and why

Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import from_plain
from tallystick.kernel.model import Natural, Record, ShortText, pattern
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.certificates import EvaluationCertificate
from tallystick.process.isms.model import Registers
from tallystick.process.isms.sbom import read_bill, read_scan, read_tests
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes

REVIEW_COUNTS_MS = 30 * DAY_MS
"""A review that is older is of something else by now."""

_WORDS = (
    "component", "version", "artifact", "bill", "tests", "scans", "author", "reviewed_by",
    "reviewed",
)  # fmt: skip
Sha256Hex = Annotated[str, pattern("^[0-9a-f]{64}$")]


class ReleasePlan(Record, frozen=True, kw_only=True):
    """What the text of a release names: the files, beside it, and the people.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    component: str
    version: str
    artifact: str
    bill: str
    tests: str
    scans: tuple[str, ...]
    author: str
    reviewed_by: tuple[str, ...]
    reviewed: int


class Brought(Record, frozen=True, kw_only=True):
    """The octets of the files that a plan names.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    artifact: bytes
    bill: bytes
    tests: bytes
    scans: tuple[bytes, ...]


class ReleaseRecord(Record, frozen=True, kw_only=True):
    """What officers sign: a component, its version, and the SHA-256 of all that was looked at.

    Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
    """

    component: ShortText
    version: ShortText
    artifact: Sha256Hex
    bill: Sha256Hex
    tests: Sha256Hex
    scans: tuple[Sha256Hex, ...]
    author: ShortText
    reviewed_by: tuple[ShortText, ...]
    reviewed: Natural


class Check(Record, frozen=True, kw_only=True):
    """One thing that a release must have, whether it has it, and what was seen.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    what: str
    passed: bool
    says: str


def read_release(text: str) -> ReleasePlan:
    """The plan in `text`.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    defects = Defects(remedy="correct the release's file")
    part = Section(read_nodes(text, "release"), "release", defects, _WORDS)
    found = {word: part.text(word) for word in _WORDS[:5]}
    plan = ReleasePlan(
        **found,
        scans=_words(part, "scans"),
        author=part.text("author"),
        reviewed_by=_words(part, "reviewed_by"),
        reviewed=day(part, "reviewed"),
    )
    defects.refuse()
    return plan


def _words(part: Section, word: str) -> tuple[str, ...]:
    found = [one.value if isinstance(one, Scalar) else None for one in part.items(word)]
    if not all(isinstance(one, str) and one for one in found):
        part.defects.add(part.position(word), f"release {word} is a list of words")
    return tuple(str(one) for one in found)


def record_of(plan: ReleasePlan, brought: Brought) -> ReleaseRecord:
    """What officers sign for a release.

    Raises Malformed for a plan whose fields are too long.
    Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
    """
    return from_plain(
        {
            "component": plan.component,
            "version": plan.version,
            "artifact": sha256(brought.artifact).hex(),
            "bill": sha256(brought.bill).hex(),
            "tests": sha256(brought.tests).hex(),
            "scans": [sha256(one).hex() for one in brought.scans],
            "author": plan.author,
            "reviewed_by": list(plan.reviewed_by),
            "reviewed": plan.reviewed,
        },
        ReleaseRecord,
    )


def judge(
    plan: ReleasePlan,
    brought: Brought,
    now: Instant,
    *,
    signed: ReleaseRecord | None,
    registers: Registers,
    certificates: Sequence[EvaluationCertificate] = (),
) -> tuple[Check, ...]:
    """Every check of a release; `signed` is what officers signed, already verified.

    Raises Malformed for a file that is not what it should be.
    Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
    """
    return tuple(_checks(plan, brought, now, signed, registers, certificates))


def _checks(
    plan: ReleasePlan,
    brought: Brought,
    now: Instant,
    signed: ReleaseRecord | None,
    registers: Registers,
    certificates: Sequence[EvaluationCertificate],
) -> Iterator[Check]:
    digest = sha256(brought.artifact).hex()
    yield from _bill(plan, brought, digest)
    yield _review(plan, now)
    run = read_tests(brought.tests)
    yield Check(
        what="tests",
        passed=run.ran > 0 and not run.failed,
        says=f"{run.ran} ran, {run.failed} failed",
    )
    errors = [one for scan in brought.scans for one in read_scan(scan)]
    yield Check(
        what="scans",
        passed=bool(brought.scans) and not errors,
        says="; ".join(errors[:3]) or f"{len(brought.scans)} reports without an error",
    )
    yield _signature(plan, brought, signed)
    known = registers.entries("components").get(plan.component)
    yield Check(
        what="register",
        passed=known is not None,
        says="in register components" if known else "register components does not name it",
    )
    named = "" if known is None else known.text("certificate")
    evaluated = next((one for one in certificates if named and one.id == named), None)
    if evaluated is not None and evaluated.digests:
        same = digest in evaluated.digests
        yield Check(
            what="evaluation",
            passed=same,
            says=f"{'what' if same else 'not what'} {evaluated.id} evaluated",
        )


def _bill(plan: ReleasePlan, brought: Brought, digest: str) -> Iterator[Check]:
    bill = read_bill(brought.bill)
    same = (bill.product, bill.version) == (plan.component, plan.version)
    yield Check(
        what="bill of materials",
        passed=same and digest in bill.digests and not bill.unnamed and bill.parts > 0,
        says=(
            f"{bill.product} {bill.version}, {bill.parts} parts, {bill.unnamed} without name or"
            f" version, {'names' if digest in bill.digests else 'does not name'} this artifact"
        ),
    )
    yield Check(
        what="vulnerabilities",
        passed=not bill.open,
        says=", ".join(bill.open[:5]) or "no grave one is open",
    )


def _review(plan: ReleasePlan, now: Instant) -> Check:
    others = [one for one in plan.reviewed_by if one != plan.author]
    fresh = 0 <= now - plan.reviewed <= REVIEW_COUNTS_MS
    if not others:
        return Check(what="review", passed=False, says="nobody but its author looked at it")
    says = f"by {', '.join(others)}" + ("" if fresh else ", too long ago, or in the future")
    return Check(what="review", passed=fresh, says=says)


def _signature(plan: ReleasePlan, brought: Brought, signed: ReleaseRecord | None) -> Check:
    if signed is None:
        return Check(what="signature", passed=False, says="officers did not sign it")
    same = signed == record_of(plan, brought)
    says = "officers signed this" if same else "officers signed something else"
    return Check(what="signature", passed=same, says=says)
