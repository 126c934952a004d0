"""Clone detection: a device secret that changes with every session, and the rule that judges it.

The provider keeps one pair (counter, secret) for a device. The device remembers the pair it knows
to be in force and up to three it proposed without hearing back. Each handshake presents proofs of
all of them and proposes the next counter with a secret exported from this handshake. Two copies of
a keystore part ways at the first handshake of either; whoever comes second is behind.

    a handshake begun before the last one accepted   Overtaken        refused, begin anew
    a presented pair is in force, next proposed      Renewed          the proposed one is in force
    a presented pair is in force, zero proposed      Resynchronised   says which; gives no session
    none is, and a presented counter is behind       Spent            a copy is in use: suspend
    none is, and all are ahead                       Unrecognised     the provider lost a renewal

Why an honest device is never Spent: its list always has the last pair it heard of, and every pair
proposed since; when the list is full it asks (zero) instead of dropping one. A message that was
held back on the way and arrives after a later handshake is Overtaken, not Spent.

Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
"""

from collections.abc import Sequence
from itertools import pairwise

from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.envelope.schedule import renewal_proof
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted, Refused
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret
from tallystick.protocol.session import REMEMBERED_PAIRS

FIRST_COUNTER = 1
"""The counter that enrolment gives."""


class RenewalPair(Record, frozen=True, kw_only=True):
    """A counter and its 32 octet secret, as the device remembers it.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    counter: int
    secret: Secret[bytes]


class RenewalRecord(Record, frozen=True, kw_only=True):
    """The pair in force of a device, and when (ms) it was last accepted: a row of the provider.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    counter: int
    secret: Secret[bytes]
    accepted_at: int


class Presented(Record, frozen=True, kw_only=True):
    """A counter and the 32 octet proof of its secret, as they came.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    counter: int
    proof: bytes


class RenewalClaim(Record, frozen=True, kw_only=True):
    """What an authenticated device presents and proposes in one handshake.

    `secret` goes with `proposed`, `transcript` is T2, `begun_at` (ms) when m1 was answered.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    presented: tuple[Presented, ...]
    proposed: int
    secret: Secret[bytes]
    transcript: bytes
    begun_at: int


class Renewed(Record, frozen=True, kw_only=True):
    """The proposed pair is in force; store `record` in the commit that opens the session.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    record: RenewalRecord


class Resynchronised(Record, frozen=True, kw_only=True):
    """The pair in force is known to the device again; store `record`, open no session.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    record: RenewalRecord


class Overtaken(Record, frozen=True, kw_only=True):
    """A later handshake of this device was accepted first; refuse, change nothing.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """


class Spent(Record, frozen=True, kw_only=True):
    """Only pairs that are behind were presented: a copy is in use.

    Suspend the device and tell the customer; `newest` is the newest counter presented.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    newest: int


class Unrecognised(Record, frozen=True, kw_only=True):
    """Only unknown pairs ahead were presented: refuse; after a restore from a backup, enrol anew.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """


Judgement = Renewed | Resynchronised | Overtaken | Spent | Unrecognised


def check_claim(presented: Sequence[Presented], proposed: int) -> None:
    """Pass if one to four counters fall strictly and the proposal is the newest plus one, or zero.

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    counters = [pair.counter for pair in presented]
    falling = all(newer > older for newer, older in pairwise(counters))
    if not 1 <= len(counters) <= REMEMBERED_PAIRS or not falling or counters[-1] < FIRST_COUNTER:
        raise Malformed("one to four renewal pairs are presented, newest first")
    if proposed not in {0, counters[0] + 1}:
        raise Malformed("the proposed counter is the newest plus one, or zero")


def judge_renewal(record: RenewalRecord, claim: RenewalClaim, now: int) -> Judgement:
    """What a handshake means for the pair in force; pure, decided by whoever owns the record.

    `now` (ms) becomes the time of acceptance. Raises Malformed for a claim out of shape.
    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
    """
    check_claim(claim.presented, claim.proposed)
    if claim.begun_at <= record.accepted_at:
        return Overtaken()
    expected = renewal_proof(record.secret, record.counter, claim.transcript)
    for pair in claim.presented:
        if pair.counter == record.counter and equal(pair.proof, expected):
            return _accepted(record, claim, now)
    if claim.presented[-1].counter < record.counter:
        return Spent(newest=claim.presented[0].counter)
    return Unrecognised()


def _accepted(record: RenewalRecord, claim: RenewalClaim, now: int) -> Judgement:
    accepted_at = max(now, claim.begun_at)
    if claim.proposed == 0:
        return Resynchronised(
            record=RenewalRecord(
                counter=record.counter, secret=record.secret, accepted_at=accepted_at
            )
        )
    return Renewed(
        record=RenewalRecord(counter=claim.proposed, secret=claim.secret, accepted_at=accepted_at)
    )


def refusal_of(judgement: Overtaken | Spent | Unrecognised) -> Refused:
    """What a device is told whose handshake opens no session; Conflict means: begin anew.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if isinstance(judgement, Overtaken):
        return Conflict("a later handshake was accepted first", remedy="begin a new one")
    if isinstance(judgement, Spent):
        return NotPermitted("the device is suspended", remedy="ask the provider to enrol it anew")
    return NotAuthentic("the device is not recognised", remedy="enrol it anew")


def proposal(pairs: Sequence[RenewalPair]) -> int:
    """The counter that a device proposes: the newest plus one, or zero when its list is full.

    Raises Malformed for an empty list.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    if not pairs:
        raise Malformed("the device has no renewal pair", remedy="enrol it")
    return 0 if len(pairs) >= REMEMBERED_PAIRS else pairs[0].counter + 1


def settled(pairs: Sequence[RenewalPair], counter: int) -> tuple[RenewalPair, ...]:
    """The one pair that the provider confirmed to be in force, out of those remembered.

    Raises NotAuthentic if none has this counter.
    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    for pair in pairs:
        if pair.counter == counter:
            return (pair,)
    raise NotAuthentic("the provider confirmed a counter that the device never had")
