"""The reader of key blocks meets anything and answers with an error of ours or the right key."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.ff1 import Ff1
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.kernel.errors import MfsError

AES_KEK = Wrapping(bytes(range(32)), is_aes=True)
TDEA_KEK = Wrapping(bytes(range(24)), is_aes=False)
GOOD = AES_KEK.seal(
    BlockFields(
        version="D", usage="P0", algorithm="A", mode="B",
        optional=(OptionalBlock(name="KS", text="00604B120F9292800000"),),
    ),
    bytes(16),
    bytes(46),
)  # fmt: skip
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)


def open_or_refuse(text: str) -> None:
    for wrapping in (AES_KEK, TDEA_KEK):
        try:
            wrapping.open(text, LEGACY)
        except MfsError:
            continue


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered_with_an_error_of_ours(text: str) -> None:
    open_or_refuse(text)


@settings(max_examples=800, deadline=None)
@given(
    version=st.sampled_from("ABCDE"),
    count=st.integers(0, 12),
    body=st.text(st.one_of(st.sampled_from("0123456789ABCDEFKSPBLT"), PRINTABLE), max_size=160),
)
def test_a_right_header_over_any_body_is_refused(version: str, count: int, body: str) -> None:
    head = f"{version}{16 + len(body):04d}P0AB00E{count:02d}00"
    open_or_refuse(head + body)


@settings(max_examples=600, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, len(GOOD)), PRINTABLE | st.just("")), max_size=4),
    fix=st.booleans(),
)
def test_a_block_with_letters_put_in_or_taken_out(cuts: list[tuple[int, str]], fix: bool) -> None:
    text = GOOD
    for at, letter in cuts:
        text = text[:at] + letter + text[at + 1 :]
    if fix:
        text = f"{text[:1]}{len(text):04d}{text[5:]}"
    try:
        _, octets = AES_KEK.open(text, LEGACY)
    except MfsError:
        return
    assert octets == bytes(16)


@settings(max_examples=200, deadline=None)
@given(
    octets=st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
    label=st.text(PRINTABLE, min_size=1, max_size=300),
    fill=st.binary(min_size=30, max_size=64),
)
def test_what_is_sealed_opens_to_the_same(octets: bytes, label: str, fill: bytes) -> None:
    fields = BlockFields(
        version="D", usage="C0", algorithm="A", mode="C",
        optional=(OptionalBlock(name="LB", text=label),),
    )  # fmt: skip
    found, material = AES_KEK.open(AES_KEK.seal(fields, octets, fill))
    assert material == octets
    assert found.text_of("LB") == label


@settings(max_examples=200, deadline=None)
@given(
    octets=st.binary(min_size=16, max_size=16),
    digits=st.text("0123456789", min_size=6, max_size=40),
    tweak=st.binary(max_size=64),
)
def test_tokens_lead_back(octets: bytes, digits: str, tweak: bytes) -> None:
    cipher = Ff1(Aes(octets))
    found = cipher.encrypt(digits, tweak)
    assert len(found) == len(digits)
    assert cipher.decrypt(found, tweak) == digits


def test_the_corpus_of_published_blocks_survives_cuts() -> None:
    data = Path(__file__).parents[3] / "vectors" / "data" / "tr31.json"
    for line in data.read_text(encoding="utf-8").splitlines():
        if '"key_block": "' in line:
            text = line.split('"key_block": "')[1].split('"')[0]
            for at in range(min(len(text), 120)):
                open_or_refuse(text[:at])
                open_or_refuse(text[:at] + text[at + 1 :])
