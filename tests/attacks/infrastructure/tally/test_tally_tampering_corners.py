"""Less likely states of a stored tally: still named, and never taken for whole."""

import pytest
from tests.unit.infrastructure.tally.tally_fixture import (
    ORIGIN,
    MemoryTally,
    Provider,
    event_id,
    payment_leaf,
    provider_with,
)

from tallystick.infrastructure.tally.audit import audit
from tallystick.infrastructure.tally.findings import (
    Anchor,
    FindingKind,
    Projection,
    Report,
    checkpoint_anchor,
)
from tallystick.infrastructure.tally.leaf import encode_leaf
from tallystick.infrastructure.tally.merkle import leaf_hash
from tallystick.kernel.errors import Broken
from tallystick.protocol.receipt import EventLeaf

pytestmark = [pytest.mark.threat("THR-BE-03"), pytest.mark.threat("THR-INS-03")]


def look(provider: Provider, *anchors: Anchor, store=None) -> Report:
    return audit(
        store or provider.store,
        [provider.public],
        origin=ORIGIN,
        anchors=anchors,
        projections=provider.store.states,
    )


def kinds(report: Report) -> list[tuple[FindingKind, str]]:
    return [(one.kind, one.row) for one in report.findings]


def rewrite(provider: Provider, index: int) -> None:
    leaf = payment_leaf(index, amount=1)[0]
    provider.store.rows[index][1:] = [leaf, leaf_hash(leaf)]


def test_rows_read_out_of_turn_are_named() -> None:
    provider = provider_with(4)

    class OutOfTurn(MemoryTally):
        def leaves(self, start: int, end: int):
            return [tuple(row) for row in provider.store.rows for _ in range(2 - row[0] % 2)]

    store = OutOfTurn(notes=provider.store.notes)
    found = kinds(look(provider, store=store))
    assert (FindingKind.REORDERED, "event 0") in found
    assert (FindingKind.REORDERED, "event 2") in found


def test_a_long_batch_is_named_as_a_whole() -> None:
    provider = provider_with(10, 90, 10)
    rewrite(provider, 50)
    assert kinds(look(provider)) == [(FindingKind.EDITED, "events 10 to 99")]


def test_without_tiles_nothing_behind_a_lost_row_is_vouched_for() -> None:
    provider = provider_with(*[40] * 10)
    provider.store.tiles.clear()
    del provider.store.rows[5]
    report = look(provider)
    assert kinds(report) == [(FindingKind.DELETED, "event 5")]
    assert report.vouched == 0
    assert any("after number 0" in one for one in report.blind_spots)


def test_lost_rows_and_a_lost_end_are_both_named() -> None:
    provider = provider_with(*[40] * 10)
    del provider.store.rows[395:]
    del provider.store.rows[5]
    assert kinds(look(provider)) == [
        (FindingKind.DELETED, "event 5"),
        (FindingKind.TRUNCATED, "events 395 to 399"),
    ]


def test_the_audit_resumes_at_a_full_tile_exactly() -> None:
    provider = provider_with(*[64] * 8)
    rewrite(provider, 250)
    rewrite(provider, 300)
    assert kinds(look(provider)) == [
        (FindingKind.EDITED, "events 192 to 255"),
        (FindingKind.EDITED, "events 256 to 319"),
    ]


def test_an_undone_insertion_leaves_the_rest_to_be_judged() -> None:
    provider = provider_with(*[40] * 20)
    leaf = payment_leaf(5000)[0]
    provider.store.rows.insert(100, [0, leaf, leaf_hash(leaf)])
    provider.store.renumber()
    put_back = provider.store.rows[701]
    put_back[1] = payment_leaf(700, amount=1)[0]
    assert kinds(look(provider)) == [
        (FindingKind.INSERTED, "event 100"),
        (FindingKind.EDITED, "event 701"),
    ]


def test_a_signed_event_of_another_form_is_not_mistaken_for_tampering() -> None:
    provider = provider_with(2)
    other = EventLeaf(
        id=event_id(9),
        at=1,
        kind="note.kept",
        provider="P",
        policy=1,
        p={"about": "tally.restored"},
        c={},
    )
    provider.record_leaves([b"tally.restored, but no event", encode_leaf(other)])
    assert look(provider).intact()


def test_anchors_of_one_size_are_each_judged() -> None:
    provider = provider_with(3)
    fork = Provider(signing=provider.signing)
    fork.record(3)
    provider.record(4, sign=False)
    fork.record_leaves([payment_leaf(800 + number)[0] for number in range(4)])
    mine = provider.log.sign_end(provider.signer)
    anchors = [
        checkpoint_anchor(note, provider.public, origin=ORIGIN, name=name)
        for name, note in (("a", mine), ("b", mine), ("c", fork.store.notes[-1][1]))
    ]
    missing = (FindingKind.CHECKPOINT_MISSING, "events 3 to 6")
    assert kinds(look(provider, *anchors[:2])) == [missing]
    assert kinds(look(provider, *anchors)) == [
        (FindingKind.FORKED, "checkpoint 7"),
        missing,
    ]


def test_two_signed_roots_for_one_size_are_a_fork_wherever_they_lie() -> None:
    provider = provider_with(3, 4)
    fork = Provider(signing=provider.signing)
    fork.record_leaves([payment_leaf(800 + number)[0] for number in range(3)])
    provider.store.notes.insert(1, fork.store.notes[0])
    assert kinds(look(provider)) == [(FindingKind.FORKED, "checkpoint 3")]
    provider.store.notes[1] = provider.store.notes[0]
    assert look(provider).intact()
    provider.store.notes.reverse()
    with pytest.raises(Broken):
        look(provider)


def test_rows_of_state_without_a_readable_event_are_named() -> None:
    provider = provider_with(3)
    provider.record_leaves([b"no event"])

    def state(row: str, index: int, **more) -> Projection:
        return Projection(row=row, event_index=index, field="amount_minor", value=2**53, **more)

    provider.store.states = [
        state("below", -1),
        state("unopened", 0),
        state("too large", 1, salt=bytes(16)),
        state("no event", 3),
    ]
    assert kinds(look(provider)) == [
        (FindingKind.ROW_DIFFERS, row) for row in ("below", "unopened", "too large", "no event")
    ]


def test_an_empty_tally_is_whole_and_all_of_it_is_a_blind_spot() -> None:
    report = look(Provider())
    assert report.intact()
    assert (report.rows, report.checkpoints, report.vouched) == (0, 0, 0)
    assert len(report.blind_spots) == 3
