"""Whatever arrives, a decoder gives a value or an error of the tree; what it gives has one form."""

import importlib
import pkgutil
import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tallystick.protocol
from tallystick.infrastructure.crypto.jws import split_compact, split_under
from tallystick.infrastructure.envelope.cose import peek
from tallystick.infrastructure.tally.checkpoint import NoteKey, parse_note
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.witness import parse_add_checkpoint
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.model import Wire
from tallystick.process.policy import read_policy
from tallystick.protocol.receipt import parse_checkpoint


def wires() -> list[type[Wire]]:
    """Every message of the protocol."""
    found: list[type[Wire]] = []
    for module in pkgutil.walk_packages(tallystick.protocol.__path__, "tallystick.protocol."):
        names = vars(importlib.import_module(module.name)).values()
        found += [
            one
            for one in names
            if isinstance(one, type)
            and issubclass(one, Wire)
            and one is not Wire
            and one.__module__ == module.name
        ]
    return sorted(set(found), key=lambda one: one.__name__)


def some_json() -> st.SearchStrategy[object]:
    leaf = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=30)
    return st.recursive(
        leaf | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
        ),
        max_leaves=12,
    )


def near(wire: type[Wire]) -> st.SearchStrategy[bytes]:
    """Objects with the right names and anything in them, plain JSON, and noise."""
    names = [name for name in typing.get_type_hints(wire) if not name.startswith("_")]
    shaped = st.fixed_dictionaries({name: some_json() for name in names})
    return shaped.map(encoded) | some_json().map(encoded) | st.binary(max_size=80)


def encoded(value: object) -> bytes:
    return msgspec.json.encode(value)


@pytest.mark.parametrize("wire", wires(), ids=lambda one: one.__name__)
def test_a_decoder_raises_errors_of_the_tree_only(wire):
    decoder = Decoder(wire)

    @settings(max_examples=60, deadline=None, database=None)
    @given(octets=near(wire))
    def fuzz(octets):
        for decode in (decoder.decode, decoder.decode_canonical):
            try:
                value = decode(octets)
            except MfsError:
                continue
            assert decoder.decode_canonical(encode_canonical(value)) == value

    fuzz()


def octets_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


PARSERS = {
    "sealed request": peek,
    "event leaf": decode_leaf,
    "witness request": parse_add_checkpoint,
    "note": lambda octets: parse_note(octets.decode("latin-1")),
    "note key": lambda octets: NoteKey.parse(octets.decode("latin-1")),
    "checkpoint": lambda octets: parse_checkpoint(octets.decode("latin-1")),
    "base64url": lambda octets: b64url_decode(octets.decode("latin-1")),
    "compact JWS": lambda octets: split_compact(octets.decode("latin-1")),
    "device's JWS": lambda octets: split_under(octets.decode("latin-1"), "abc"),
    "policy": lambda octets: read_policy(octets.decode("latin-1")),
}


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_raises_errors_of_the_tree_only(name):
    parse = PARSERS[name]
    pieces = st.sampled_from(
        [b"old 1", b"\n", b"\n\n", b"abc.", b".", b"+", b"\xe2\x80\x94 ", b"a/tally/1", b"16",
         b"{", b'{"v":1}', b"policy:", b"  a: [", b"\xd0\x83\x58\x1c\xa4", b"=", b"AAAA"]
    )  # fmt: skip
    noise = st.binary(max_size=60) | st.lists(pieces, max_size=12).map(b"".join)

    @settings(max_examples=300, deadline=None, database=None)
    @given(octets=noise)
    def fuzz(octets):
        try:
            parse(octets)
        except MfsError:
            return

    fuzz()
