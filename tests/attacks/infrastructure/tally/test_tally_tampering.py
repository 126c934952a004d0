"""Each way to falsify a stored tally is tried on a real one; the audit names what was done."""

import pytest
from tests.unit.infrastructure.tally.tally_fixture import (
    ORIGIN,
    Provider,
    event_id,
    mac_of,
    payment_leaf,
    provider_with,
)

from tallystick.infrastructure.tally.audit import audit
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.findings import (
    Anchor,
    FindingKind,
    Projection,
    Report,
    checkpoint_anchor,
    receipt_anchor,
)
from tallystick.infrastructure.tally.leaf import field_salt, restored_leaf
from tallystick.infrastructure.tally.log import TallyLog
from tallystick.infrastructure.tally.merkle import leaf_hash
from tallystick.infrastructure.tally.tiles import frontier_at
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.kernel.errors import Broken, NotAuthentic

BATCHES = (3, 1, 8, 5, 7, 8)
TOTAL = sum(BATCHES)

pytestmark = [
    pytest.mark.requirement("MFS-7.3.3-07"),
    pytest.mark.threat("THR-BE-03"),
    pytest.mark.threat("THR-INS-03"),
]


@pytest.fixture
def provider() -> Provider:
    return provider_with(*BATCHES)


def look(provider: Provider, *anchors: Anchor) -> Report:
    return audit(
        provider.store,
        [provider.public],
        origin=provider.log.origin,
        anchors=anchors,
        projections=provider.store.states,
    )


def kinds(report: Report) -> list[tuple[FindingKind, str]]:
    return [(one.kind, one.row) for one in report.findings]


def anchor_of(provider: Provider, note: str, name: str = "kept checkpoint") -> Anchor:
    return checkpoint_anchor(note, provider.public, origin=provider.log.origin, name=name)


def put(row: list, leaf: bytes) -> None:
    """Change a leaf as somebody who also recomputes the hash beside it."""
    row[1], row[2] = leaf, leaf_hash(leaf)


def test_an_untouched_tally_has_no_finding_and_says_what_it_cannot_see(provider) -> None:
    report = look(provider)
    assert report.intact()
    assert (report.rows, report.checkpoints, report.vouched) == (TOTAL, len(BATCHES), TOTAL)
    assert any("removed together with their checkpoints" in one for one in report.blind_spots)
    assert any("second history" in one for one in report.blind_spots)
    anchored = look(provider, anchor_of(provider, provider.store.notes[-1][1]))
    assert anchored.intact()
    assert not any("removed together" in one for one in anchored.blind_spots)
    receipt = receipt_anchor(provider.receipts[9], provider.public, origin=ORIGIN, name="receipt")
    assert look(provider, receipt).intact()


def test_an_edited_event_is_never_missed(provider) -> None:
    for index in range(TOTAL):
        tampered = provider.copy()
        tampered.store.rows[index][1] = payment_leaf(index, amount=999_999)[0]
        assert kinds(look(tampered)) == [(FindingKind.EDITED, f"event {index}")]


def test_an_edited_event_with_its_hash_recomputed_is_never_missed(provider) -> None:
    first = 0
    for count in BATCHES:
        tampered = provider.copy()
        put(tampered.store.rows[first], payment_leaf(first, amount=999_999)[0])
        report = look(tampered)
        name = f"event {first}" if count == 1 else f"events {first} to {first + count - 1}"
        assert kinds(report) == [(FindingKind.EDITED, name)]
        assert report.vouched == first
        first += count


def test_an_edited_hash_beside_an_event_is_named(provider) -> None:
    provider.store.rows[4][2] = bytes(32)
    report = look(provider)
    assert kinds(report) == [(FindingKind.EDITED, "event 4")]
    assert report.vouched == TOTAL


@pytest.mark.parametrize("index", [0, 3, 11, TOTAL - 2])
def test_a_deleted_event_is_never_missed(provider, index: int) -> None:
    del provider.store.rows[index]
    assert (FindingKind.DELETED, f"event {index}") in kinds(look(provider))


@pytest.mark.parametrize("index", [0, 3, 11, TOTAL - 2, TOTAL - 1])
def test_a_deleted_event_is_never_missed_when_the_rest_is_renumbered(provider, index) -> None:
    del provider.store.rows[index]
    provider.store.renumber()
    report = look(provider)
    assert [one.kind for one in report.findings] in (
        [FindingKind.DELETED],
        [FindingKind.TRUNCATED],
    )
    assert (report.findings[0].kind is FindingKind.TRUNCATED) == (index >= TOTAL - BATCHES[-1])


def test_the_last_events_cannot_vanish_under_their_checkpoint(provider) -> None:
    del provider.store.rows[-2:]
    assert kinds(look(provider)) == [(FindingKind.TRUNCATED, f"events {TOTAL - 2} to {TOTAL - 1}")]
    del provider.store.rows[10:]
    assert kinds(look(provider)) == [(FindingKind.TRUNCATED, f"events 10 to {TOTAL - 1}")]
    provider.store.rows.clear()
    assert kinds(look(provider)) == [(FindingKind.TRUNCATED, f"events 0 to {TOTAL - 1}")]


def test_a_rollback_needs_an_anchor_and_each_kind_of_anchor_shows_it(provider) -> None:
    newest = provider.store.notes[-1][1]
    receipt = provider.receipts[TOTAL - 1]
    anchors = (
        anchor_of(provider, newest),
        receipt_anchor(receipt, provider.public, origin=ORIGIN, name="receipt"),
    )
    del provider.store.rows[-BATCHES[-1] :]
    del provider.store.notes[-1]
    without = look(provider)
    assert without.intact()
    assert any("removed together with their checkpoints" in one for one in without.blind_spots)
    lost = f"events {TOTAL - BATCHES[-1]} to {TOTAL - 1}"
    for anchor in anchors:
        assert kinds(look(provider, anchor)) == [(FindingKind.ROLLED_BACK, lost)]


def test_everything_deleted_is_a_rollback_to_whoever_kept_a_checkpoint(provider) -> None:
    anchor = anchor_of(provider, provider.store.notes[0][1])
    provider.store.rows.clear()
    provider.store.notes.clear()
    assert look(provider).intact()
    assert kinds(look(provider, anchor)) == [(FindingKind.ROLLED_BACK, "events 0 to 2")]


def test_exchanged_events_are_named(provider) -> None:
    rows = provider.store.rows
    for one, other in ((4, 9), (12, 13), (0, 2)):
        tampered = provider.copy()
        mine = tampered.store.rows
        mine[one][1:], mine[other][1:] = rows[other][1:], rows[one][1:]
        assert kinds(look(tampered)) == [(FindingKind.REORDERED, f"events {one} and {other}")]


def test_a_moved_event_is_named(provider) -> None:
    moved = provider.store.rows.pop(4)
    provider.store.rows.insert(9, moved)
    provider.store.renumber()
    report = look(provider)
    assert kinds(report) == [(FindingKind.REORDERED, "event 9")]
    assert "recorded as event 4" in report.findings[0].detail


def test_events_exchanged_between_batches_are_never_missed(provider) -> None:
    rows = provider.store.rows
    rows[1][1:], rows[20][1:] = rows[20][1:], rows[1][1:]
    assert (FindingKind.EDITED, "events 0 to 2") in kinds(look(provider))


@pytest.mark.parametrize("index", [0, 5, 11, 12, TOTAL - 1, TOTAL])
def test_an_inserted_event_is_named(provider, index: int) -> None:
    leaf = payment_leaf(500)[0]
    provider.store.rows.insert(index, [0, leaf, leaf_hash(leaf)])
    provider.store.renumber()
    report = look(provider)
    if index == TOTAL:
        assert kinds(report) == [(FindingKind.CHECKPOINT_MISSING, f"event {TOTAL}")]
    else:
        assert kinds(report) == [(FindingKind.INSERTED, f"event {index}")]
        assert report.vouched == TOTAL


def test_two_inserted_events_are_never_missed(provider) -> None:
    for number in (500, 501):
        leaf = payment_leaf(number)[0]
        provider.store.rows.insert(5, [0, leaf, leaf_hash(leaf)])
    provider.store.renumber()
    assert (FindingKind.INSERTED, "events 4 to 11") in kinds(look(provider))


def test_a_fork_needs_an_anchor_from_the_other_side(provider) -> None:
    """The provider itself, with the tally key, shows one history here and another there."""
    other = Provider(signing=provider.signing)
    for count in BATCHES[:-1]:
        other.record(count)
    other.record_leaves([payment_leaf(900 + number)[0] for number in range(BATCHES[-1])])
    assert look(other).intact()
    assert look(provider).intact()
    seen_there = anchor_of(other, other.store.notes[-1][1], "witness")
    assert kinds(look(provider, seen_there)) == [(FindingKind.FORKED, f"checkpoint {TOTAL}")]
    shared = anchor_of(other, other.store.notes[-2][1])
    assert look(provider, shared).intact()


def test_a_receipt_names_the_event_that_a_rewritten_history_lacks(provider) -> None:
    receipt = receipt_anchor(
        provider.receipts[6], provider.public, origin=ORIGIN, name="the payer's receipt"
    )
    rewritten = Provider(signing=provider.signing)
    rewritten.record_leaves([payment_leaf(number)[0] for number in range(6)])
    rewritten.record_leaves([payment_leaf(number, amount=1)[0] for number in range(6, TOTAL)])
    assert look(rewritten).intact()
    assert set(kinds(look(rewritten, receipt))) == {
        (FindingKind.EDITED, "event 6"),
        (FindingKind.FORKED, "checkpoint 12"),
    }


def test_missing_and_foreign_checkpoints_are_named(provider) -> None:
    thief = Provider()
    thief.record(TOTAL)
    provider.store.notes[-1] = thief.store.notes[0]
    report = look(provider)
    covered = TOTAL - BATCHES[-1]
    assert kinds(report) == [
        (FindingKind.CHECKPOINT_SIGNATURE, f"checkpoint {TOTAL}"),
        (FindingKind.CHECKPOINT_MISSING, f"events {covered} to {TOTAL - 1}"),
    ]
    provider.store.notes.clear()
    assert kinds(look(provider)) == [(FindingKind.CHECKPOINT_MISSING, f"events 0 to {TOTAL - 1}")]


def test_a_checkpoint_cannot_be_filed_under_another_size_or_broken(provider) -> None:
    provider.store.notes[1][0] = 2
    provider.store.notes[2][1] = "nonsense"
    assert kinds(look(provider)) == [
        (FindingKind.CHECKPOINT_SIGNATURE, "checkpoint 2"),
        (FindingKind.CHECKPOINT_SIGNATURE, "checkpoint 12"),
    ]


def test_a_checkpoint_of_another_log_of_the_same_key_is_refused(provider) -> None:
    other = Provider("tally.example.com/other", provider.signing)
    other.record(TOTAL)
    provider.store.notes[-1] = other.store.notes[0]
    found = kinds(look(provider))
    assert found == [
        (FindingKind.CHECKPOINT_SIGNATURE, f"checkpoint {TOTAL}"),
        (FindingKind.CHECKPOINT_MISSING, f"events {TOTAL - BATCHES[-1]} to {TOTAL - 1}"),
    ]


def test_an_anchor_that_the_log_did_not_sign_is_refused(provider) -> None:
    thief = Provider()
    thief.record(3)
    with pytest.raises(NotAuthentic):
        anchor_of(provider, thief.store.notes[0][1])
    thief = Provider()
    thief.record_leaves([payment_leaf(800 + number)[0] for number in range(3)])
    unknown = Anchor(
        name="other log",
        checkpoint=verify_checkpoint(thief.store.notes[0][1], thief.public, origin=ORIGIN),
    )
    assert kinds(look(provider, unknown)) == [(FindingKind.FORKED, "checkpoint 3")]


def test_a_tail_without_checkpoint_is_judged_by_an_anchor(provider) -> None:
    anchor = anchor_of(provider, provider.store.notes[-1][1])
    del provider.store.notes[-1]
    first = TOTAL - BATCHES[-1]
    missing = (FindingKind.CHECKPOINT_MISSING, f"events {first} to {TOTAL - 1}")
    assert kinds(look(provider, anchor)) == [missing]
    provider.store.rows[first + 1][1] = payment_leaf(first + 1, amount=1)[0]
    assert kinds(look(provider, anchor)) == [
        (FindingKind.EDITED, f"event {first + 1}"),
        missing,
    ]
    put(provider.store.rows[first + 1], payment_leaf(first + 1, amount=1)[0])
    assert kinds(look(provider)) == [missing]


def test_the_audit_goes_on_behind_a_fault_when_tiles_let_it() -> None:
    provider = provider_with(*[40] * 20)
    for index in (5, 700):
        put(provider.store.rows[index], payment_leaf(index, amount=1)[0])
    report = look(provider)
    assert kinds(report) == [
        (FindingKind.EDITED, "events 0 to 39"),
        (FindingKind.EDITED, "events 680 to 719"),
    ]
    provider.store.tiles[0][2] = bytes(32)
    report = look(provider)
    assert kinds(report) == [(FindingKind.EDITED, "events 0 to 39")]
    assert any("Changes to events recorded after number 0" in one for one in report.blind_spots)


def test_the_audit_goes_on_behind_a_gap_and_keeps_what_it_undid() -> None:
    provider = provider_with(*[40] * 20)
    rows = provider.store.rows
    saved = rows[523][1:]
    rows[523][1:], rows[524][1:] = rows[524][1:], saved
    del rows[300]
    report = look(provider)
    assert kinds(report) == [
        (FindingKind.DELETED, "event 300"),
        (FindingKind.REORDERED, "events 523 and 524"),
    ] or kinds(report) == [
        (FindingKind.DELETED, "event 300"),
        (FindingKind.EDITED, "events 520 to 559"),
    ]


def test_a_changed_tile_is_named() -> None:
    provider = provider_with(200, 200)
    provider.store.tiles[0][2] = bytes(32)
    assert kinds(look(provider)) == [(FindingKind.TILE_DIFFERS, "tile 1/0")]


def test_a_row_of_state_that_differs_from_its_event_is_named(provider) -> None:
    def amount(index: int, value: int) -> Projection:
        salt = field_salt(mac_of(f"payer {index}"), event_id(index), "amount_minor")
        return Projection(
            row=f"order {index}",
            event_index=index,
            field="amount_minor",
            value=value,
            salt=salt,
        )

    provider.store.states = [amount(index, 100 + index) for index in range(TOTAL)]
    provider.store.states[3:3] = [
        Projection(row="order 2", event_index=2, field=name, value=value)
        for name, value in (("currency", "KES"), ("stage", "settled"), ("policy", 3))
    ]
    assert look(provider).intact()
    provider.store.states[0] = amount(0, 1_000_000)
    provider.store.states[-1] = Projection(
        row="order x", event_index=TOTAL - 1, field="currency", value="USD"
    )
    provider.store.states.append(
        Projection(row="order y", event_index=TOTAL + 5, field="currency", value="KES")
    )
    assert kinds(look(provider)) == [
        (FindingKind.ROW_DIFFERS, "order 0"),
        (FindingKind.ROW_DIFFERS, "order x"),
        (FindingKind.ROW_DIFFERS, "order y"),
    ]
    provider.store.states.reverse()
    with pytest.raises(Broken):
        look(provider)


def restored(provider: Provider, size: int) -> Provider:
    """The same tally, brought back from a backup of `size` events under a new name."""
    again = Provider("tally.example.com/2", provider.signing)
    again.store.rows = provider.store.rows[:size]
    again.store.notes = [note for note in provider.store.notes if note[0] <= size]
    last = verify_checkpoint(provider.store.notes[-1][1], provider.public, origin=ORIGIN)
    again.log = TallyLog("tally.example.com/2", frontier_at(again.store, size), signed=last)
    first = restored_leaf(
        event_id=event_id(700),
        at=5,
        provider="Example Pay",
        policy=3,
        origin="tally.example.com/2",
        last=last,
    )
    again.record_leaves([first])
    again.record(5)
    return again


def test_a_restored_log_says_under_its_new_name_what_was_lost(provider) -> None:
    size = TOTAL - BATCHES[-1]
    newest = anchor_of(provider, provider.store.notes[-1][1], "newest")
    older = anchor_of(provider, provider.store.notes[1][1], "older")
    again = restored(provider, size)
    lost = (FindingKind.ROLLED_BACK, f"events {size} to {TOTAL - 1}")
    assert kinds(look(again)) == [lost]
    assert set(kinds(look(again, newest, older))) == {lost}
    whole = restored(provider, TOTAL)
    assert look(whole, newest, older).intact()
    new = anchor_of(whole, whole.store.notes[-1][1])
    assert look(whole, new).intact()
    assert kinds(audit(whole.store, [whole.public], origin=ORIGIN)) == [
        (FindingKind.FORKED, "the log")
    ]
    again.store.rows[4][1] = payment_leaf(4, amount=1)[0]
    assert (FindingKind.EDITED, "event 4") in kinds(look(again))


def test_each_anchor_is_judged_by_the_name_that_the_log_had_then(provider) -> None:
    """Only the newest checkpoint is left: all rows are judged at once, after the renaming."""
    older = anchor_of(provider, provider.store.notes[1][1], "older")
    again = restored(provider, TOTAL)
    again.store.notes = again.store.notes[-1:]
    assert look(again, older).intact()
    assert look(again, older).anchors == ("older",)
    put(again.store.rows[2], payment_leaf(2, amount=1)[0])
    assert not look(again, older).intact()


def test_a_log_that_silently_took_another_name_lost_its_history(provider) -> None:
    anchor = anchor_of(provider, provider.store.notes[-1][1])
    fresh = Provider("tally.example.com/9", provider.signing)
    fresh.record(TOTAL + 5)
    assert kinds(look(fresh, anchor)) == [(FindingKind.ROLLED_BACK, f"events 0 to {TOTAL - 1}")]


def test_a_second_key_of_the_tally_is_accepted_only_when_named(provider) -> None:
    after = Provider()
    after.log, after.store = provider.log, provider.store
    after.record(4)
    both = audit(after.store, [provider.public, after.public], origin=ORIGIN)
    assert both.intact()
    assert (FindingKind.CHECKPOINT_SIGNATURE, f"checkpoint {TOTAL + 4}") in kinds(look(provider))


def test_no_random_tampering_is_missed(provider, seeded_bytes) -> None:
    """Several changes at once, at random places; the kept checkpoint is the anchor."""

    def draw(low: int, high: int) -> int:
        return low + int.from_bytes(seeded_bytes(4), "big") % (high - low)

    acts = ["edit", "edit both", "delete", "insert", "swap", "note"]
    anchor = anchor_of(provider, provider.store.notes[-1][1])
    for _ in range(150):
        tampered = provider.copy()
        rows = tampered.store.rows
        for _ in range(draw(1, 4)):
            at = draw(0, len(rows))
            act = acts[draw(0, len(acts))]
            if act == "edit":
                rows[at][1] = payment_leaf(at, amount=draw(10**6, 10**9))[0]
            elif act == "edit both":
                put(rows[at], payment_leaf(at, amount=draw(10**6, 10**9))[0])
            elif act == "delete":
                del rows[at]
            elif act == "insert":
                leaf = payment_leaf(draw(1000, 9999))[0]
                rows.insert(at, [0, leaf, leaf_hash(leaf)])
            elif act == "swap":
                there = (at + 1) % len(rows)
                rows[at][1:], rows[there][1:] = rows[there][1:], rows[at][1:]
            else:
                del tampered.store.notes[-1:]
        tampered.store.renumber()
        same = [row[1:] for row in rows] == [row[1:] for row in provider.store.rows]
        same = same and len(tampered.store.notes) == len(provider.store.notes)
        assert look(tampered, anchor).intact() == same


def test_a_signer_of_the_log_never_signs_a_fork(provider) -> None:
    """The guard in the writer itself: one root per size, never a smaller size."""
    signer: NoteSigner = provider.signer
    log = provider.log
    last = verify_checkpoint(provider.store.notes[-1][1], provider.public, origin=ORIGIN)
    assert log.sign_end(signer) == provider.store.notes[-1][1]
    for wrong in (
        last.__class__(origin=ORIGIN, size=last.size - 1, root=last.root),
        last.__class__(origin=ORIGIN, size=last.size, root=bytes(32)),
        last.__class__(origin=ORIGIN, size=last.size + 1, root=last.root),
        last.__class__(origin="x", size=last.size, root=last.root),
    ):
        with pytest.raises(Broken):
            log.sign_checkpoint(wrong, signer)
    with pytest.raises(Broken):
        TallyLog(ORIGIN, signed=last)
