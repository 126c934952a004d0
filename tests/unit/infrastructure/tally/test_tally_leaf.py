"""Leaves and commitments: what they hide, what opens them, what they refuse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.infrastructure.tally.tally_fixture import ORIGIN, event_id, mac_of, payment_leaf

from tallystick.infrastructure.tally.leaf import (
    Commitments,
    decode_leaf,
    encode_leaf,
    field_commitment,
    field_salt,
    open_commitment,
    restored_leaf,
)
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.protocol.receipt import Checkpoint, Disclosure, EventLeaf

ID = event_id(1)


def leaf_with(**changes) -> EventLeaf:
    leaf = EventLeaf(id=ID, at=1, kind="payment.settled", provider="P", policy=1, p={}, c={})
    return replace(leaf, **changes)


def altered(one: Disclosure, **changes) -> Disclosure:
    return Disclosure(**{"field": one.field, "salt": one.salt, "value": one.value} | changes)


def test_a_leaf_shows_no_committed_value() -> None:
    octets, _ = payment_leaf(41)
    assert b"acc-41" not in octets
    assert b"141" not in octets
    assert "shop" not in octets.decode()
    assert sorted(json.loads(octets)["c"]) == ["amount_minor", "payee", "payer"]


def test_each_disclosure_opens_only_its_own_field() -> None:
    octets, commitments = payment_leaf(41)
    leaf = decode_leaf(octets)
    shown = commitments.disclosures(frozenset({"payer", "amount_minor", "nothing"}))
    assert {one.field: open_commitment(leaf, one) for one in shown} == {
        "payer": "acc-41",
        "amount_minor": 141,
    }
    payer, amount = shown
    for wrong in (
        altered(payer, value="acc-42"),
        altered(payer, field="payee"),
        altered(payer, field="currency"),
        altered(payer, salt=amount.salt),
        altered(payer, salt="A"),
        altered(amount, value="141"),
        altered(amount, value=True),
        altered(amount, value=2**53),
    ):
        with pytest.raises(NotAuthentic):
            open_commitment(leaf, wrong)


def test_the_same_value_is_committed_differently_in_each_event_and_for_each_subject() -> None:
    seen = {
        field_commitment(field_salt(mac_of(subject), event, field), field, 100)
        for subject in ("a", "b")
        for event in (event_id(1), event_id(2))
        for field in ("amount_minor", "fee_minor")
    }
    assert len(seen) == 8


def test_a_neighbour_without_the_salt_cannot_confirm_a_guess() -> None:
    """Every amount there could be, tried with the salts that a neighbour knows: none fits."""
    leaf = decode_leaf(payment_leaf(41)[0])
    own = payment_leaf(40)[1].disclosures(frozenset({"amount_minor"}))[0]
    for salt in (own.salt, b64url(bytes(16))):
        for guess in range(100, 200):
            with pytest.raises(NotAuthentic):
                open_commitment(leaf, Disclosure(field="amount_minor", salt=salt, value=guess))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True),
        st.text(st.characters(codec="utf-8")) | st.integers(-(2**53) + 1, 2**53 - 1),
    ),
    st.dictionaries(
        st.from_regex(r"[A-Z]?[a-z][a-z0-9_]{0,10}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=20) | st.integers(0, 2**53 - 1),
        max_size=4,
    ),
)
def test_leaves_survive_encoding_and_are_plain_canonical_json(fields, public) -> None:
    commitments = Commitments(ID)
    commitments.commit(mac_of("x"), fields)
    public = {name: value for name, value in public.items() if name[0].islower()}
    public = {name: value for name, value in public.items() if name not in fields}
    leaf = leaf_with(p=public, c=commitments.texts())
    octets = encode_leaf(leaf)
    again = json.dumps(json.loads(octets), sort_keys=True, ensure_ascii=False)
    compact = json.dumps(
        json.loads(octets), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    assert compact.encode() == octets, again
    if len(octets) < 8192:
        assert decode_leaf(octets) == leaf
    for one in commitments.disclosures(frozenset(fields)):
        assert open_commitment(leaf, one) == fields[one.field]


def test_a_field_is_committed_once_and_is_not_also_public() -> None:
    commitments = Commitments(ID)
    commitments.commit(mac_of("x"), {"payer": "a"})
    with pytest.raises(Malformed):
        commitments.commit(mac_of("y"), {"payer": "a"})
    both = leaf_with(p={"payer": "a"}, c=commitments.texts())
    with pytest.raises(Malformed):
        encode_leaf(both)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"v":1', '"v":2'),
        lambda text: text.replace('"v":1', '"v":1,"x":1'),
        lambda text: text.replace('"stage":"settled",', ""),
        lambda text: text.replace(":", ": ", 1),
        lambda text: text.replace('"p":{"currency":"KES"}', '"p":{"Currency":"KES"}'),
        lambda text: text.replace('"p":{"currency":"KES"}', '"p":{"currency\\n":"KES"}'),
        lambda text: text.replace('"p":{"currency":"KES"}', '"p":{"currency":1.5}'),
        lambda text: text.replace('"p":{"currency":"KES"}', '"p":{"payer":"KES"}'),
        lambda text: text.replace("evt_", "EVT_"),
        lambda text: text.replace("payment.settled", "payment..settled"),
    ],
)
def test_a_leaf_of_another_form_is_refused(change) -> None:
    text = payment_leaf(1)[0].decode()
    assert change(text) != text
    with pytest.raises(Malformed):
        decode_leaf(change(text).encode())


def test_a_value_is_a_text_or_an_exact_integer() -> None:
    for wrong in (True, 2**53, -(2**53)):
        with pytest.raises(Malformed):
            field_commitment(bytes(16), "x", wrong)
    with pytest.raises(Malformed):
        field_commitment(bytes(15), "x", 1)


def test_a_restored_log_names_what_it_continues_and_takes_a_new_name() -> None:
    last = Checkpoint(origin=ORIGIN, size=9, root=bytes(32))
    given_ = {"event_id": ID, "at": 5, "provider": "P", "policy": 1, "last": last}
    leaf = decode_leaf(restored_leaf(origin="tally.example.com/2", **given_))
    assert leaf.kind == "tally.restored"
    assert leaf.p == {
        "new_origin": "tally.example.com/2",
        "old_origin": ORIGIN,
        "old_root": b64url(bytes(32)),
        "old_size": 9,
    }
    for wrong in (ORIGIN, "with space", ""):
        with pytest.raises(Malformed):
            restored_leaf(origin=wrong, **given_)
