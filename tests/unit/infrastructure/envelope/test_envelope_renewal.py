"""The rule that tells a copied keystore from a device whose messages were lost: each verdict."""

import pytest

from tallystick.infrastructure.envelope.renewal import (
    Judgement,
    Overtaken,
    Presented,
    RenewalClaim,
    RenewalPair,
    RenewalRecord,
    Renewed,
    Resynchronised,
    Spent,
    Unrecognised,
    judge_renewal,
    proposal,
    refusal_of,
    settled,
)
from tallystick.infrastructure.envelope.schedule import renewal_proof
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

T2 = b"t" * 32
RECORD = RenewalRecord(counter=5, secret=Secret(b"5" * 32), accepted_at=1000)


def shown(counter: int, secret: bytes | None = None, transcript: bytes = T2) -> Presented:
    known = Secret(secret if secret is not None else str(counter).encode() * 32)
    return Presented(counter=counter, proof=renewal_proof(known, counter, transcript))


def judged(*presented: Presented, proposed: int | None = None, begun_at: int = 1001) -> Judgement:
    claim = RenewalClaim(
        presented=presented,
        proposed=presented[0].counter + 1 if proposed is None else proposed,
        secret=Secret(b"n" * 32),
        transcript=T2,
        begun_at=begun_at,
    )
    return judge_renewal(RECORD, claim, 1002)


def test_the_pair_in_force_renews_wherever_it_stands_in_the_list() -> None:
    for presented in ([5], [6, 5], [8, 7, 6, 5], [7, 5]):
        verdict = judged(*(shown(counter) for counter in presented))
        assert isinstance(verdict, Renewed)
        assert verdict.record == RenewalRecord(
            counter=presented[0] + 1, secret=Secret(b"n" * 32), accepted_at=1002
        )


def test_zero_proposed_says_which_is_in_force_and_bars_what_was_begun_before() -> None:
    verdict = judged(shown(8), shown(7), shown(6), shown(5), proposed=0)
    assert isinstance(verdict, Resynchronised)
    assert (verdict.record.counter, verdict.record.secret) == (5, Secret(b"5" * 32))
    assert verdict.record.accepted_at == 1002


@pytest.mark.requirement("MFS-7.3.5-05")
def test_only_pairs_behind_are_a_copy() -> None:
    assert judged(shown(4)) == Spent(newest=4)
    assert judged(shown(4), shown(3)) == Spent(newest=4)
    assert judged(shown(6), shown(4)) == Spent(newest=6)
    assert judged(shown(5, b"x" * 32), shown(4)) == Spent(newest=5)
    assert judged(shown(4), proposed=0) == Spent(newest=4)


def test_a_handshake_begun_before_the_last_acceptance_changes_nothing() -> None:
    for begun_at in (999, 1000):
        assert judged(shown(4), begun_at=begun_at) == Overtaken()
        assert judged(shown(5), begun_at=begun_at) == Overtaken()


def test_unknown_pairs_ahead_are_not_recognised_and_not_held_against_the_device() -> None:
    assert judged(shown(7), shown(6)) == Unrecognised()
    assert judged(shown(5, b"x" * 32)) == Unrecognised()
    assert judged(shown(5, transcript=b"u" * 32)) == Unrecognised()


@pytest.mark.parametrize(
    ("counters", "proposed"),
    [
        ([], 1),
        ([5, 5], 6),
        ([4, 5], 6),
        ([9, 8, 7, 6, 5], 10),
        ([1, 0], 2),
        ([5], 7),
        ([5], 5),
        ([5], 1),
    ],
)
def test_a_claim_out_of_shape_is_malformed(counters: list[int], proposed: int) -> None:
    with pytest.raises(Malformed):
        judged(*(shown(counter) for counter in counters), proposed=proposed)


def test_what_the_device_is_told() -> None:
    assert type(refusal_of(Overtaken())) is Conflict
    assert type(refusal_of(Spent(newest=4))) is NotPermitted
    assert type(refusal_of(Unrecognised())) is NotAuthentic


def test_what_the_device_proposes_and_keeps() -> None:
    pairs = tuple(RenewalPair(counter=n, secret=Secret(b"s" * 32)) for n in (8, 7, 6, 5))
    assert proposal(pairs[3:]) == 6
    assert proposal(pairs[1:]) == 8
    assert proposal(pairs) == 0
    with pytest.raises(Malformed):
        proposal(())
    assert settled(pairs, 6) == (pairs[2],)
    with pytest.raises(NotAuthentic):
        settled(pairs, 9)
