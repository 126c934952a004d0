"""Key blocks: strict headers, optional blocks, one direction of writing, and every bit bound."""

import pytest

from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.keyblocks import wrapping
from tallystick.infrastructure.keyblocks.header import BlockFields, read_header, write_header
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.rules import check_use
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted, TooLarge
from tallystick.kernel.model import replace

KEK = Wrapping(bytes(range(32)), is_aes=True)
FIELDS = BlockFields(version="D", usage="P0", algorithm="A", mode="B", exportability="E")
FILL = bytes(46)


def block(name: str, text: str) -> OptionalBlock:
    return OptionalBlock(name=name, text=text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CT", "00" + "A" * 700), ("DA", "01P0AEE"), ("ET", "2027"), ("HM", "21"),
        ("IK", "1234567890123456"), ("KC", "01D77F0077"), ("KP", "0012331550BC"),
        ("KS", "00604B120F9292800000"), ("KV", "0100"), ("LB", "link to the processor"),
        ("TS", "20200818221218Z"), ("TS", "2018-06-18T20:42:39.22"), ("AL", "01E"),
        ("BI", "0012345678"), ("TC", "20200818221218Z"), ("10", "ours"), ("ZZ", ""),
    ],
)  # fmt: skip
def test_an_optional_block_comes_back_and_padding_fills_up(name: str, text: str) -> None:
    given = replace(FIELDS, optional=(block(name, text),))
    found, octets = KEK.open(KEK.seal(given, bytes(16), FILL))
    assert octets == bytes(16)
    assert found.text_of(name) == text
    assert [one.name for one in found.optional][1:] in ([], ["PB"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HM", "2"), ("HM", "zz"), ("IK", "12"), ("IK", "g" * 16), ("KC", "02D77F00"),
        ("KP", "01D7"), ("KS", "VM9A"), ("KS", "123"), ("KV", "01"), ("LB", ""), ("LB", "é"),
        ("LB", "a\n"), ("TS", "yesterday"), ("CT", "99AA"), ("PB", "0"), ("pb", "0"),
        ("0A", "x"), ("", "x"), ("ABC", "x"), ("ZZ", "a\x7f"), ("LB", "x" * 9001),
    ],
)  # fmt: skip
def test_an_optional_block_of_another_form_is_not_written(name: str, text: str) -> None:
    with pytest.raises(Malformed):
        KEK.seal(replace(FIELDS, optional=(block(name, text),)), bytes(16), FILL)


def test_an_optional_block_stands_once() -> None:
    with pytest.raises(Malformed, match="twice"):
        KEK.seal(replace(FIELDS, optional=(block("LB", "a"), block("LB", "b"))), bytes(16), FILL)
    twice = "D0000P0AB00E0200LB06abLB06ab" + "PB0400"
    text = f"D{len(twice):04d}{twice[5:]}"
    with pytest.raises(Malformed, match="twice"):
        read_header(text)


@pytest.mark.parametrize(
    "change",
    [
        {"usage": "p0"}, {"usage": "P"}, {"algorithm": "a"}, {"algorithm": ""}, {"mode": "BB"},
        {"version_number": "0"}, {"version_number": "é0"}, {"exportability": "X"},
    ],
)  # fmt: skip
def test_a_field_of_another_form_is_not_written(change: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        KEK.seal(replace(FIELDS, **change), bytes(16), FILL)


@pytest.mark.parametrize(
    "text",
    [
        "", "D", "D0016P0AB00E00", "F0016P0AB00E0000", "D0017P0AB00E0000", "D001xP0AB00E0000",
        "D0016P0AB00E0001", "D0016P0AB00E0100", "D0016P0AB00Ex000", "D0020P0AB00E0100LB04",
        "D0024P0AB00E0100LB99aaaa", "D0024P0AB00E0100LB00zzzz", "D0024P0AB00E0100LB0009zz",
        "D0024P0AB00E0100LB03aaaa", "D0032P0AB00E0100LB1\u0660aaaaaaaaaaaa",
    ],
)  # fmt: skip
def test_a_header_of_another_form_is_not_read(text: str) -> None:
    with pytest.raises(Malformed):
        read_header(text)


def test_blocks_have_a_greatest_length() -> None:
    with pytest.raises(TooLarge):
        read_header("D" * 10_000)
    with pytest.raises(TooLarge):
        write_header(FIELDS, 9_990)
    for material in (b"", bytes(4001)):
        with pytest.raises(Malformed):
            KEK.seal(FIELDS, material, FILL)
    with pytest.raises(Malformed, match="random"):
        KEK.seal(FIELDS, bytes(16), b"")


@pytest.mark.requirement("MFS-7.4.2-03")
def test_every_changed_character_is_refused() -> None:
    text = KEK.seal(replace(FIELDS, optional=(block("LB", "link"),)), bytes(range(16)), FILL)
    KEK.open(text)
    for at, one in enumerate(text):
        for other in ("0" if one != "0" else "1", "A" if one != "A" else "B"):
            with pytest.raises((Malformed, NotAuthentic, NotPermitted)):
                KEK.open(text[:at] + other + text[at + 1 :], LEGACY)


def test_the_length_of_the_key_does_not_show() -> None:
    lengths = {len(KEK.seal(FIELDS, bytes(n), FILL)) for n in (16, 24, 32)}
    assert lengths == {144}


def test_a_block_of_version_b_is_written_under_tdea_and_opens() -> None:
    old = Wrapping(bytes(range(24)), is_aes=False)
    fields, octets = replace(FIELDS, version="B", algorithm="T"), bytes(range(16))
    block = old.seal(fields, octets, FILL)
    with pytest.raises(NotPermitted):
        old.open(block)
    told, found = old.open(block, LEGACY)
    assert (told.version, found) == ("B", octets)
    with pytest.raises(NotAuthentic):
        old.open(block[:-1] + ("0" if block[-1] != "0" else "1"), LEGACY)


def test_only_version_d_under_aes_and_b_under_tdea_are_written() -> None:
    old = Wrapping(bytes(range(24)), is_aes=False)
    for outer, version in ((KEK, "B"), (KEK, "E"), (old, "D"), (old, "A"), (old, "C")):
        with pytest.raises(NotPermitted, match="version D under AES"):
            outer.seal(replace(FIELDS, version=version), bytes(16), FILL)
    text = KEK.seal(FIELDS, bytes(16), FILL)
    with pytest.raises(NotPermitted, match="another kind"):
        old.open(text)
    for version in "ABC":
        with pytest.raises(NotPermitted):
            KEK.open(version + text[1:], LEGACY)


@pytest.mark.parametrize("length", [15, 17, 0, 33])
def test_a_wrapping_key_has_the_length_of_its_algorithm(length: int) -> None:
    for is_aes in (True, False):
        with pytest.raises(Malformed):
            Wrapping(bytes(length), is_aes=is_aes)


def test_a_block_in_which_a_weak_key_wraps_a_strong_one_is_not_opened(monkeypatch) -> None:
    small = Wrapping(bytes(range(16)), is_aes=True)
    with monkeypatch.context() as patched:
        patched.setattr(wrapping, "check_lattice", lambda *_: None)
        text = small.seal(FIELDS, bytes(32), FILL)
    with pytest.raises(NotPermitted, match="does not wrap"):
        small.open(text)


def test_a_usage_goes_with_its_algorithms_and_modes() -> None:
    check_use(FIELDS)
    for change in ({"usage": "Q7"}, {"algorithm": "R"}, {"mode": "X"}):
        with pytest.raises(NotPermitted):
            check_use(replace(FIELDS, **change))


def test_nothing_of_a_key_is_printed_or_pickled() -> None:
    for one in (KEK, Aes(bytes(16)), Tdea(bytes(range(16)))):
        assert "***" in repr(one)
        with pytest.raises(TypeError):
            one.__reduce__()


def test_every_refusal_is_one_of_ours() -> None:
    for text in ("D0112" + "Z" * 107, "D0016P0AE00E0000", "E0048P0AE00E0000" + "0" * 32):
        with pytest.raises(MfsError):
            KEK.open(text)
