"""The signatures on tightenings: the service's on each measure, two officers' beyond the caps.

The server's key approves no policy. It signs a statement about an entry that officers signed, and
the statement counts only together with the proof that it loosens nothing, and with the caps.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; 7.4.2
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted
from tallystick.process.isms.signing import verify_statement
from tallystick.process.policy import Policy
from tallystick.process.policy.caps import counts_of, touched_by, why_beyond
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Measure, entry_of
from tallystick.protocol.measures import (
    APPROVED,
    MEASURE_HEADER,
    MeasureStatement,
    TighteningProposal,
    measure_statements,
    tightening_proposals,
)
from tallystick.protocol.statements import read_statement

_TWO: Final = "production"
"""Two officers sign beyond the caps, whatever profile the provider has."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs measures with the newest key of their purpose, and knows every public half of it.

    `signer` is None where the provider has no such key yet.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    signer: SigningKey | None = None
    known: tuple[VerifyKey, ...] = ()

    def sign(self, statement: MeasureStatement) -> str:
        """The statement as a compact JWS.

        Raises NotPermitted where there is no key.
        Source: RFC 7515, 7.1
        """
        if self.signer is None:
            raise NotPermitted(
                "this provider has no key that signs tightenings",
                remedy="make one: tallystick keys renew, and start the service again",
            )
        return sign_compact(self.signer, MEASURE_HEADER, encode_canonical(statement))


def verify_measure(file: str, known: Iterable[VerifyKey]) -> MeasureStatement:
    """The statement in `file`, if a key of the purpose signed it.

    Raises NotAuthentic, Malformed.
    Source: ISO/TS 12812-2:2017, 6.1; RFC 7515, 5.2
    """
    header, payload, signature, signing_input = split_compact(file)
    if header != MEASURE_HEADER:
        raise NotAuthentic("this is not signed as a tightening")
    for key in known:
        try:
            key.verify(signature, signing_input)
        except MfsError:
            continue
        return measure_statements.decode_canonical(payload)
    raise NotAuthentic("no key of this provider signed the tightening")


def verify_approval(
    text: str, officers: Mapping[str, VerifyKey], *, dual: bool = False
) -> TighteningProposal:
    """The proposal in `text`, if two of the `officers` signed it, with `dual` twice each.

    Raises NotPermitted, NotAuthentic, Malformed.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    statement = read_statement(text.encode())
    if statement.about != APPROVED:
        raise Malformed("this is not signed as an approved tightening")
    body = verify_statement(statement, officers, _TWO, dual=dual)
    return tightening_proposals.decode_canonical(body)


def check_measure(
    measure: Measure, base: Policy, digest: str, known: Iterable[VerifyKey], provider: str
) -> Tightening:
    """The entry that `measure` puts in force, if its statement fits the row and the policy file.

    Raises NotAuthentic for another signature or another row than was signed.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    stated = verify_measure(measure.file, known)
    entry = entry_of(base, measure.entry)
    if entry is None or stated != statement_of(measure, entry, digest, provider):
        raise NotAuthentic("a stored tightening is not what was signed", remedy="audit the store")
    if measure.cohort and measure.cohort not in {one.id for one in entry.cohorts}:
        raise NotAuthentic("the policy has no such cohort", remedy="audit the store")
    return entry


def check_caps(
    measure: Measure,
    base: Policy,
    digest: str,
    others: Iterable[Measure],
    officers: Mapping[str, VerifyKey],
) -> None:
    """Pass if `measure` is within the caps of `base`, or two officers signed that it goes beyond.

    `others` are all measures that are known; those that began before it count. Raises NotPermitted
    with the cap, NotAuthentic for an approval of something else.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    entry = entry_of(base, measure.entry)
    if entry is None:
        raise NotPermitted(f"the policy has no tightening {measure.entry!r}")
    if measure.approval:
        found = verify_approval(measure.approval, officers)
        signed = (found.version, found.policy, found.entry, found.cohort, found.touched)
        if signed != (
            measure.version, digest, measure.entry, measure.cohort, touched_by(measure)
        ) or not found.at <= measure.since < found.until:  # fmt: skip
            raise NotAuthentic("two officers approved another tightening")
        return
    earlier = [one for one in others if 0 <= one.event < measure.event]
    beyond = why_beyond(base, entry, touched_by(measure), earlier, measure.since)
    if beyond:
        raise NotPermitted(
            "a tightening is beyond its caps", because=beyond, remedy="two officers may sign it"
        )


def statement_of(
    measure: Measure, entry: Tightening, digest: str, provider: str
) -> MeasureStatement:
    """What the service signs for `measure` of the policy file with this `digest`.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    return MeasureStatement(
        v=1,
        provider=provider,
        measure=measure.id,
        version=measure.version,
        policy=digest,
        entry=measure.entry,
        since=measure.since,
        keep_until=measure.since + entry.keep_ms,
        evidence=measure.evidence,
        cohort=measure.cohort,
        touched=touched_by(measure),
        approval=file_digest(measure.approval) if measure.approval else "",
    )


def told_of(measure: Measure) -> dict[str, str | int]:
    """What an event says of a measure's cohort, of whom it touches, and of its approval.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    touched = touched_by(measure)
    found: dict[str, str | int] = {}
    if measure.cohort:
        found["cohort"] = measure.cohort
    if touched is not None:
        found |= counts_of(touched)
    if measure.approval:
        found["approval"] = file_digest(measure.approval)
    return found


def file_digest(text: str) -> str:
    """SHA-256 (base64url) of a signed file, as events name it.

    Source: FIPS 180-4
    """
    return b64url(sha256(text.encode()))
