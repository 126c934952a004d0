"""A stored verdict made again from what was kept: the same octets, or what differs.

    attester   the device           evidence   kept with it, parsed
    verifier   this appraisal       policy     kept under the digest that the verdict names
    relying    every decision       list       kept in the same way

Source: RFC 9334, 3; 8.4; ISO/TS 12812-2:2017, 7.2.6; 7.3.3
"""

from typing import Final

from tallystick.application.appraisals.store import kept_basis, listed_at
from tallystick.infrastructure.attestation.evidence import digest_of
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import Record, replace
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, appraise
from tallystick.process.attestation.model import (
    AppraisalPolicy,
    Appraised,
    Known,
    Verdict,
    known_name,
    read_appraisals,
)

_POLICIES: Final = Decoder(AppraisalPolicy, limit=1024 * 1024)
_KNOWN: Final = Decoder(Known, limit=32 * 1024 * 1024)


class Replayed(Record, frozen=True, kw_only=True):
    """One verdict as stored and as made again; `again` is None where `why` says what is lacking.

    Source: RFC 9334, 8.4
    """

    stored: Verdict
    again: Verdict | None
    why: str = ""

    @property
    def same(self) -> bool:
        """Whether both have the same octets.

        Source: RFC 8785; RFC 9334, 8.4
        """
        return self.again is not None and self.again.octets() == self.stored.octets()


def replayed(reader: Reader, attestation: bytes) -> tuple[Replayed, ...]:
    """Each verdict in the kept `attestation` of a device, made again.

    Raises Malformed where nothing of that form was kept.
    Source: RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.3.3
    """
    return tuple(_again(reader, one) for one in read_appraisals(attestation))


def _again(reader: Reader, one: Appraised) -> Replayed:
    verdict = one.verdict
    if digest_of(one.evidence) != verdict.evidence:
        return Replayed(stored=verdict, again=None, why="the evidence is not the one it names")
    policy = kept_basis(reader, verdict.policy)
    if policy is None:
        return Replayed(stored=verdict, again=None, why="its policy was not kept")
    read = _POLICIES.decode_canonical(policy)
    if read.digest() != verdict.policy:
        return Replayed(stored=verdict, again=None, why="the kept policy is another one")
    known = NOTHING_KNOWN
    name = known_name(verdict.revocations, verdict.models)
    if name:
        listed = kept_basis(reader, name)
        if listed is None:
            return Replayed(stored=verdict, again=None, why="its list is kept no longer")
        read_known = _KNOWN.decode_canonical(listed)
        known = replace(read_known, list_at=max(read_known.list_at, listed_at(reader, name)))
    again = appraise(one.evidence, one.subject, read, known, policy_digest=verdict.policy)
    return Replayed(stored=verdict, again=again)
