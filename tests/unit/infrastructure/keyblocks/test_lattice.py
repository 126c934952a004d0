"""Which key wraps which is one table; each pair of it is tried, and a damaged table is refused."""

import itertools
import json
from importlib.resources import files

import pytest
from tests.unit.infrastructure.modules.module_under_test import build
from tests.unit.infrastructure.modules.test_key_separation import key_of

from tallystick.infrastructure import keyblocks
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.lattice import (
    PAIR,
    check_lattice,
    kind_of,
    lattice,
    read_lattice,
)
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Broken, Malformed, MfsError, NotPermitted
from tallystick.process.isms.cryptography_page import keys_page

SHIPPED = (files(keyblocks) / "lattice.json").read_bytes()
KINDS = lattice().kinds
OUTER = {
    "tdea-2key": (16, False), "tdea-3key": (24, False),
    "aes-128": (16, True), "aes-192": (24, True), "aes-256": (32, True),
}  # fmt: skip
INNER = [name for name, kind in KINDS.items() if kind.algorithm != "RSA"]
USAGE = {"A": ("P0", "B"), "T": ("P0", "B"), "H": ("M7", "G")}
FILL = bytes(600)


def fields_of(version: str, algorithm: str) -> BlockFields:
    usage, mode = USAGE[algorithm]
    return BlockFields(version=version, usage=usage, algorithm=algorithm, mode=mode)


@pytest.mark.requirement("MFS-7.4.2-05")
@pytest.mark.parametrize(("outer", "inner"), list(itertools.product(OUTER, INNER)))
def test_each_pair_is_wrapped_and_opened_only_where_the_table_says_so(
    outer: str, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    length, is_aes = OUTER[outer]
    wrapping, kind = Wrapping(bytes(range(length)), is_aes=is_aes), KINDS[inner]
    fields = fields_of("D" if is_aes else "B", kind.algorithm)
    said = inner in lattice().wraps[outer]
    assert said == (KINDS[outer].bits >= kind.bits)
    for size in {kind.least, min(kind.most, 64)}:
        key = bytes(range(size))
        if said:
            assert wrapping.open(wrapping.seal(fields, key, FILL), LEGACY)[1] == key
            continue
        with pytest.raises(NotPermitted, match=f"{outer} does not wrap one of {inner}") as refused:
            wrapping.seal(fields, key, FILL)
        assert refused.value.because == "key-strength"
        with monkeypatch.context() as careless:
            careless.setattr(
                "tallystick.infrastructure.keyblocks.wrapping.check_lattice", lambda *_: None
            )
            block = wrapping.seal(fields, key, FILL)
        with pytest.raises(NotPermitted, match=f"{outer} does not wrap one of {inner}"):
            wrapping.open(block, LEGACY)


@pytest.mark.requirement("MFS-7.4.2-05")
@pytest.mark.parametrize("outer", ["rsa-3072", "rsa-4096"])
def test_a_pair_brings_in_no_key_that_is_stronger(outer: str) -> None:
    for inner in KINDS:
        if inner in lattice().wraps[outer]:
            check_lattice(outer, inner)
            assert KINDS[inner].bits <= KINDS[outer].bits
        else:
            with pytest.raises(NotPermitted, match="does not wrap"):
                check_lattice(outer, inner)


def test_what_wraps_nothing_in_the_table_wraps_nothing() -> None:
    for outer in [*(one for one in KINDS if one not in lattice().wraps), "aes-512", ""]:
        for inner in KINDS:
            with pytest.raises(NotPermitted):
                check_lattice(outer, inner)
    assert {one for one in KINDS if one not in lattice().wraps} == {
        one for one in KINDS if one.startswith("hmac-")
    }


def test_each_length_is_of_one_kind_or_of_none() -> None:
    for algorithm, length in itertools.product([*"ATHD", "RSA", ""], range(600)):
        fit = [
            name
            for name, kind in KINDS.items()
            if kind.algorithm == algorithm and kind.least <= length <= kind.most
        ]
        assert len(fit) <= 1
        if fit:
            assert kind_of(algorithm, length) == fit[0]
        else:
            with pytest.raises(NotPermitted) as refused:
                kind_of(algorithm, length)
            assert refused.value.because == "key-strength"


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("algorithm", ["R", "E", "S"])
def test_a_pair_comes_out_of_a_block_and_into_no_module(algorithm: str) -> None:
    octets = bytes(range(32))
    fields = BlockFields(version="D", usage="S0", algorithm=algorithm, mode="S")
    block = Wrapping(octets, is_aes=True).seal(fields, bytes(range(200)), FILL)
    assert Wrapping(octets, is_aes=True).open(block)[1] == bytes(range(200))
    module = build()
    wrap = key_of(module, Purpose.KEY_WRAP, "aes-256", octets)
    with pytest.raises(NotPermitted, match="usage S0"):
        module.key_blocks.import_key(wrap, block)
    with pytest.raises(NotPermitted):
        check_lattice("hmac-256", PAIR)


def changed(change) -> bytes:
    found = json.loads(SHIPPED)
    change(found)
    return json.dumps(found).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one["wraps"]["aes-128"].append("aes-256"), "aes-128 is weaker than"),
        (lambda one: one["wraps"]["aes-256"].remove("aes-192"), "does not wrap aes-192"),
        (lambda one: one["wraps"]["aes-256"].append("aes-512"), "no kind of it"),
        (lambda one: one["kinds"]["hmac-128"].update(least=14), "are the same keys"),
        (lambda one: one["kinds"]["tdea-3key"].update(bits=168), "is weaker than"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change, says: str) -> None:
    read_lattice(SHIPPED)
    with pytest.raises(Broken, match=says):
        read_lattice(changed(change))


def test_a_table_of_another_form_is_refused() -> None:
    for octets in (b"{}", b"[]", changed(lambda one: one["kinds"]["aes-128"].pop("bits"))):
        with pytest.raises(Malformed):
            read_lattice(octets)


def test_the_page_shows_every_pair() -> None:
    page = keys_page().partition("## Which key wraps which")[2]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(INNER)
    for name, row in zip(INNER, rows, strict=True):
        count = sum(name in inner for inner in lattice().wraps.values())
        assert row.count("yes") == count
        assert name in row


def test_the_module_asks_the_table_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    module = build()
    wrap = key_of(module, Purpose.KEY_WRAP, "aes-256", bytes(range(32)))
    key = key_of(module, Purpose.PIN_ENCRYPTION, "aes-128", bytes(range(16)))
    block = module.key_blocks.export_key(wrap, key)
    narrow = read_lattice(
        changed(lambda one: [inner.remove("aes-128") for inner in one["wraps"].values()
                             if "aes-128" in inner])
    )  # fmt: skip
    monkeypatch.setattr("tallystick.infrastructure.keyblocks.lattice.lattice", lambda: narrow)
    for act in (
        lambda: module.key_blocks.export_key(wrap, key),
        lambda: module.key_blocks.import_key(wrap, block),
    ):
        with pytest.raises(MfsError, match="aes-256 does not wrap one of aes-128"):
            act()
