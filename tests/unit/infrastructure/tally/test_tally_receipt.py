"""Receipts: verified offline, every change refused with a reason, erasure leaves them valid."""

import pytest
from tests.unit.infrastructure.tally.tally_fixture import (
    ORIGIN,
    Provider,
    payment_leaf,
    provider_with,
)

from tallystick.infrastructure.tally.log import TallyLog
from tallystick.infrastructure.tally.tiles import consistency_proof
from tallystick.infrastructure.tally.verify import (
    check_consistency,
    decode_proof,
    verify_checkpoint,
    verify_receipt,
)
from tallystick.kernel.codec import Decoder, b64url, encode
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.protocol.receipt import Checkpoint, Receipt

decoder = Decoder(Receipt)


@pytest.fixture(scope="module")
def provider() -> Provider:
    return provider_with(3, 9, 300)


@pytest.mark.requirement("MFS-7.3.3-07")
@pytest.mark.requirement("MFS-11.2.2-02")
def test_a_receipt_proves_offline_what_was_recorded_and_when(provider: Provider) -> None:
    for index in (0, 2, 5, 200, 311):
        receipt = decoder.decode(encode(provider.receipts[index]))
        verified = verify_receipt(receipt, provider.public, origin=ORIGIN)
        assert verified.event.kind == "payment.settled"
        assert verified.event.at == 1_767_225_600_000 + index
        assert verified.disclosed == {"payer": f"acc-{index}", "amount_minor": 100 + index}
        assert "payee" not in verified.disclosed
        assert "payee" in verified.event.c


@pytest.mark.requirement("MFS-7.3.3-07")
@pytest.mark.requirement("MFS-11.2.2-02")
@pytest.mark.threat("THR-KEY-04")
def test_every_changed_character_of_a_receipt_is_refused(provider: Provider) -> None:
    good = encode(provider.receipts[5]).decode()
    verify_receipt(decoder.decode(good.encode()), provider.public, origin=ORIGIN)
    accepted = []
    for at, old in enumerate(good):
        changed = good[:at] + ("7" if old != "7" else "8") + good[at + 1 :]
        try:
            verify_receipt(decoder.decode(changed.encode()), provider.public, origin=ORIGIN)
        except (Malformed, NotAuthentic):
            continue
        accepted.append((at, changed[at - 5 : at + 5]))
    assert accepted == []


def test_a_receipt_of_other_parts_is_refused_with_a_reason(provider: Provider) -> None:
    one, other = provider.receipts[5], provider.receipts[6]
    for wrong, reason in (
        (replace(one, leaf=other.leaf), "not in the provider's record"),
        (replace(one, index=6), "not in the provider's record"),
        (replace(one, proof=other.proof), "not in the provider's record"),
        (replace(one, proof=one.proof[:-1]), "right form"),
        (replace(one, proof="A" * 43 * 65), "right form"),
        (replace(one, checkpoint=provider.receipts[0].checkpoint), "not in the provider's record"),
        (replace(one, leaf=b64url(b"{}")), "right form"),
        (replace(one, disclosures=other.disclosures), "not the one that the provider recorded"),
        (replace(one, disclosures=one.disclosures * 2), "shows a field twice"),
    ):
        with pytest.raises(NotAuthentic, match=reason):
            verify_receipt(wrong, provider.public, origin=ORIGIN)


def test_a_receipt_without_disclosures_proves_the_event_and_tells_nothing(provider) -> None:
    bare = replace(provider.receipts[5], disclosures=())
    assert verify_receipt(bare, provider.public, origin=ORIGIN).disclosed == {}


def test_proofs_are_whole_hashes_and_at_most_64() -> None:
    assert decode_proof("") == ()
    assert decode_proof(b64url(bytes(64))) == (bytes(32), bytes(32))
    for wrong in (b64url(bytes(31)), b64url(bytes(32 * 65)), "A"):
        with pytest.raises(Malformed):
            decode_proof(wrong)


def test_a_customer_notices_a_log_that_does_not_continue(provider: Provider) -> None:
    notes = [note for _, note in provider.store.notes]
    first, second, third = (
        verify_checkpoint(note, provider.public, origin=ORIGIN) for note in notes
    )
    for old, new in ((first, second), (first, third), (second, third), (third, third)):
        check_consistency(old, new, consistency_proof(provider.store, old.size, new.size))
    proof = consistency_proof(provider.store, 3, 312)
    for old, new in (
        (replace(first, root=bytes(32)), third),
        (first, replace(third, root=bytes(32))),
        (third, first),
        (replace(first, origin="x"), third),
        (replace(first, size=0), third),
        (replace(first, size=4), third),
    ):
        with pytest.raises(NotAuthentic):
            check_consistency(old, new, proof)


def test_nothing_is_signed_before_it_is_asked_for_and_order_is_free(provider: Provider) -> None:
    """Two batches appended before the first is durable; signing follows the commits."""
    fresh = Provider()
    one = fresh.log.append([payment_leaf(0)[0]])
    two = fresh.log.append([payment_leaf(1)[0], payment_leaf(2)[0]])
    for appended in (one, two):
        note = fresh.log.sign(appended, fresh.signer)
        receipt = appended.receipt(0, note)
        verify_receipt(receipt, fresh.public, origin=ORIGIN)
    with pytest.raises(Broken):
        fresh.log.sign(one, fresh.signer)
    with pytest.raises(Malformed):
        TallyLog("another.example.com").sign_end(fresh.signer)
    with pytest.raises(Malformed):
        fresh.log.append([])


def test_a_log_goes_on_from_its_frontier(provider: Provider) -> None:
    last = verify_checkpoint(provider.store.notes[-1][1], provider.public, origin=ORIGIN)
    again = TallyLog(ORIGIN, provider.log.frontier, last)
    assert again.origin == ORIGIN
    appended = again.append([payment_leaf(312)[0]])
    assert (appended.first_index, appended.size) == (312, 313)
    note = again.sign(appended, provider.signer)
    new = verify_checkpoint(note, provider.public, origin=ORIGIN)
    kept = provider.copy().store
    kept.rows.append([312, b"", appended.leaf_hashes[0]])
    check_consistency(last, new, consistency_proof(kept, 312, 313))
    with pytest.raises(Broken):
        TallyLog(ORIGIN, None, last)
    assert TallyLog("tally.example.com/2", None, last).frontier.size == 0
    assert Checkpoint(origin=ORIGIN, size=312, root=provider.log.frontier.root()) == last
