"""Signed notes and cosignatures: what is signed, and every form that is refused."""

import pytest

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.tally.checkpoint import (
    NoteKey,
    NoteKeyKind,
    NoteSigner,
    append_signatures,
    parse_note,
    verify_note,
)
from tallystick.infrastructure.tally.verify import verify_checkpoint, verify_cosignature
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.protocol.receipt import (
    Checkpoint,
    check_origin,
    format_checkpoint,
    parse_checkpoint,
)

ORIGIN = "tally.example.com/1"
TEXT = format_checkpoint(Checkpoint(origin=ORIGIN, size=7, root=bytes(range(32))))
SIGNING = Ed25519SigningKey.generate()
NOTE = NoteSigner.of(ORIGIN, SIGNING).note(TEXT)


def test_a_note_verifies_under_its_key_and_name_only() -> None:
    parsed = parse_note(NOTE)
    assert parsed.text == TEXT
    assert verify_note(parsed, NoteKey(ORIGIN, SIGNING.public())) == 0
    assert verify_checkpoint(NOTE, SIGNING.public(), origin=ORIGIN).size == 7
    with pytest.raises(NotAuthentic):
        verify_note(parsed, NoteKey("another.example.com", SIGNING.public()))
    with pytest.raises(NotAuthentic):
        verify_note(parsed, NoteKey(ORIGIN, Ed25519SigningKey.generate().public()))
    with pytest.raises(NotAuthentic):
        verify_checkpoint(NOTE, SIGNING.public(), origin="another.example.com")


def test_no_changed_character_of_a_note_is_accepted() -> None:
    key = SIGNING.public()
    for at, old in enumerate(NOTE):
        changed = NOTE[:at] + ("B" if old == "A" else "A") + NOTE[at + 1 :]
        with pytest.raises(NotAuthentic):
            verify_checkpoint(changed, key, origin=ORIGIN)
    for cut in range(len(NOTE)):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(NOTE[:cut], key, origin=ORIGIN)


def test_foreign_signatures_are_passed_over_but_a_false_one_of_ours_is_not() -> None:
    other = NoteSigner.of("witness.example.com", Ed25519SigningKey.generate())
    longer = append_signatures(NOTE, other.line(TEXT).rstrip("\n"))
    assert verify_checkpoint(longer, SIGNING.public(), origin=ORIGIN).size == 7
    false = NoteSigner(NoteKey(ORIGIN, SIGNING.public()), lambda _: bytes(64))
    short = NoteSigner(NoteKey(ORIGIN, SIGNING.public()), lambda _: bytes(63))
    for signer in (false, short):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(
                append_signatures(NOTE, signer.line(TEXT)), SIGNING.public(), origin=ORIGIN
            )


def test_a_cosignature_states_a_time_and_is_no_signature_of_the_log() -> None:
    witness = NoteSigner.of("w.example.com", SIGNING, NoteKeyKind.COSIGNATURE_V1)
    note = append_signatures(NOTE, witness.line(TEXT, 1_800_000_000))
    assert verify_cosignature(note, witness.key) == 1_800_000_000
    assert verify_cosignature(note, NoteKey.parse(str(witness.key))) == 1_800_000_000
    with pytest.raises(NotAuthentic):
        verify_cosignature(NOTE, witness.key)
    with pytest.raises(NotAuthentic):
        verify_cosignature("nonsense", witness.key)
    plain = NoteKey("w.example.com", SIGNING.public())
    with pytest.raises(NotAuthentic):
        verify_cosignature(note, plain)
    for wrong in (0, -1, 2**63):
        with pytest.raises(Malformed):
            witness.line(TEXT, wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        TEXT,
        NOTE.rstrip("\n"),
        NOTE.replace("\n\n", "\n"),
        TEXT + "\n",
        NOTE + "\n",
        NOTE.replace("\u2014 ", "- "),
        NOTE.replace("tally", "ta\tlly"),
        NOTE.replace("tally", "ta\x00lly"),
        NOTE.replace("\u2014 tally", "\u2014 ta+lly"),
        TEXT + "\n\u2014 name AAAA\n",
        TEXT + "\n\u2014 name !!!!\n",
        TEXT + "\n\u2014 name\n",
        TEXT + "\n" + "\u2014 n AAAAAAAA\n" * 33,
        "x" * 20_000 + NOTE,
    ],
)
def test_what_is_no_note_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_note(text)
    with pytest.raises(NotAuthentic):
        verify_checkpoint(text, SIGNING.public(), origin=ORIGIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "o\n1\n" + "A" * 40 + "\n",
        "o\n1\n" + "A" * 43 + "=",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n9007199254740992\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\n\nextension\n",
    ],
)
def test_what_is_no_checkpoint_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(text)


def test_extension_lines_are_signed_but_not_read() -> None:
    checkpoint = parse_checkpoint(TEXT + "extension\n")
    assert format_checkpoint(checkpoint) == TEXT


def test_keys_are_ed25519_with_a_name_and_their_own_id() -> None:
    text = str(NoteKey(ORIGIN, SIGNING.public()))
    assert str(NoteKey.parse(text)) == text
    name, identifier, encoded = text.split("+", 2)
    other = "00000000" if identifier != "00000000" else "11111111"
    for wrong in (
        "",
        name,
        f"{name}+{identifier}",
        f"{name}+{other}+{encoded}",
        f"other+{identifier}+{encoded}",
        f"{name}+{identifier}+{encoded[:-4]}",
        f"{name}+{identifier}+/{encoded[1:]}",
    ):
        with pytest.raises(Malformed):
            NoteKey.parse(wrong)
    with pytest.raises(Malformed):
        NoteKey(ORIGIN, Es256SigningKey.generate().public())


def test_a_signer_signs_no_text_that_a_note_cannot_carry() -> None:
    signer = NoteSigner.of(ORIGIN, SIGNING)
    for wrong in ("no line feed", "tab\t\n"):
        with pytest.raises(Malformed):
            signer.note(wrong)


def test_a_log_name_cannot_break_a_note() -> None:
    assert check_origin(ORIGIN) == ORIGIN
    for wrong in ("", "a b", "a+b", "a\n", "a\u2028b", "x" * 201):
        with pytest.raises(Malformed):
            check_origin(wrong)
