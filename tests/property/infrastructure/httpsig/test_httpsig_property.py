"""Any change of what is covered is refused; what may change on the way changes nothing."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors.generate import http_signatures as made

from tallystick.infrastructure.httpsig import (
    Demand,
    Fields,
    PublicKey,
    RequestHead,
    verify_message,
)
from tallystick.infrastructure.httpsig.fields import (
    Date,
    DisplayText,
    InnerList,
    Item,
    Symbol,
    write_dictionary,
    write_list,
)
from tallystick.infrastructure.httpsig.reading import read_dictionary, read_list
from tallystick.kernel.errors import Malformed, MfsError
from tallystick.protocol.http_signatures import (
    PARTNER_AGE_MS,
    PARTNER_AHEAD_MS,
    PARTNER_COMPONENTS,
    PARTNER_TAG,
)

KEYS = {keyid: PublicKey(made.signer_of(keyid).public()) for keyid in (made.KEYID, made.OTHER)}
DEMAND = Demand(PARTNER_TAG, PARTNER_COMPONENTS, PARTNER_AGE_MS, PARTNER_AHEAD_MS)
GOOD = made.request()
NOW = made.NOW_S * 1000


def taken(head: RequestHead, body: bytes = made.MESSAGE) -> None:
    verify_message(head, body, KEYS, DEMAND, now=NOW)


def refused(head: RequestHead, body: bytes = made.MESSAGE) -> None:
    with pytest.raises(MfsError):
        taken(head, body)


def with_fields(fields: Fields) -> RequestHead:
    return RequestHead(GOOD.method, GOOD.scheme, GOOD.authority, GOOD.target, fields)


def flipped(text: str, at: int, bit: int) -> str:
    octets = bytearray(text.encode("latin-1"))
    octets[at] ^= 1 << bit
    return octets.decode("latin-1")


@given(st.integers(0, len(made.MESSAGE) - 1), st.integers(0, 7))
def test_any_other_body_is_refused(at: int, bit: int) -> None:
    body = bytearray(made.MESSAGE)
    body[at] ^= 1 << bit
    refused(GOOD, bytes(body))


@given(st.integers(0, 7), st.sampled_from(("method", "authority", "target")), st.data())
def test_any_other_control_data_is_refused(bit: int, part: str, data) -> None:
    given_text = getattr(GOOD, part)
    changed = flipped(given_text, data.draw(st.integers(0, len(given_text) - 1)), bit)
    parts = {name: getattr(GOOD, name) for name in ("method", "scheme", "authority", "target")}
    head = RequestHead(**(parts | {part: changed}), fields=GOOD.fields)
    if part == "authority" and changed.lower() == given_text:
        taken(head)
    else:
        refused(head)


@given(st.sampled_from(range(len(GOOD.fields))), st.integers(0, 7), st.data())
def test_any_other_octet_of_a_field_that_is_covered_or_signs_is_refused(
    which: int, bit: int, data
) -> None:
    name, value = GOOD.fields[which]
    changed = flipped(value, data.draw(st.integers(0, len(value) - 1)), bit)
    fields = tuple((one, changed if one == name else old) for one, old in GOOD.fields)
    if name.startswith("signature"):
        same = read_safely(changed) == read_dictionary(value)
        if same:
            taken(with_fields(fields))
            return
    refused(with_fields(fields))


def read_safely(text: str):
    try:
        return read_dictionary(text)
    except Malformed:
        return None


NAMES = st.text("abcdefgh-", min_size=1, max_size=8).filter(
    lambda name: name not in {one for one, _ in GOOD.fields}
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@given(st.permutations(GOOD.fields), st.lists(st.tuples(NAMES, VALUES), max_size=4), st.data())
def test_order_and_other_fields_change_nothing(shuffled, more, data) -> None:
    fields = list(shuffled)
    for one in more:
        fields.insert(data.draw(st.integers(0, len(fields))), one)
    taken(with_fields(tuple(fields)))


@given(st.sampled_from(["", " ", "\t ", "   "]), st.sampled_from(["", " ", "\t"]))
def test_white_space_around_a_value_changes_nothing(before: str, after: str) -> None:
    taken(with_fields(tuple((name, before + value + after) for name, value in GOOD.fields)))


@given(st.sampled_from(["content-type", "content-digest", "signature", "signature-input"]))
def test_a_signed_field_that_comes_twice_is_refused(name: str) -> None:
    twice = (*GOOD.fields, (name, dict(GOOD.fields)[name]))
    refused(with_fields(twice))


@given(st.integers(1, 64), st.binary(min_size=64, max_size=64))
def test_another_signature_is_refused(length: int, octets: bytes) -> None:
    mark = base64.b64encode(octets[:length]).decode()
    refused(made.changed(GOOD, "signature", f"{made.LABEL}=:{mark}:"))


bare = st.one_of(
    st.booleans(),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**11), 10**11, places=3, allow_nan=False, allow_infinity=False),
    VALUES,
    st.binary(max_size=20),
    st.builds(Symbol, st.from_regex(r"[A-Za-z*][a-z0-9/:]{0,5}", fullmatch=True)),
    st.builds(Date, st.integers(0, 10**12)),
    st.builds(DisplayText, st.text(max_size=10)),
)
parameters = st.dictionaries(
    st.from_regex(r"[a-z*][a-z0-9_]{0,3}", fullmatch=True), bare, max_size=3
)
items = st.builds(lambda value, rest: Item(value, tuple(rest.items())), bare, parameters)
inner = st.builds(
    lambda found, rest: InnerList(tuple(found), tuple(rest.items())),
    st.lists(items, max_size=3),
    parameters,
)
members = st.one_of(items, inner)


@given(st.lists(members, max_size=4))
def test_a_list_comes_back_as_it_was(found) -> None:
    assert read_list(write_list(found)) == tuple(found)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True), members, max_size=4))
def test_a_dictionary_comes_back_as_it_was(found) -> None:
    back = read_dictionary(write_dictionary(found))
    assert back == found
    assert write_dictionary(back) == write_dictionary(found)


@given(st.text(st.characters(max_codepoint=0xFF), max_size=60))
def test_any_text_is_read_or_refused_and_its_spelling_is_stable(text: str) -> None:
    found = read_safely(text)
    if found is not None:
        written = write_dictionary(found)
        assert write_dictionary(read_dictionary(written)) == written
