"""The witness: cosigns what continues, and nothing else; what it saw outlives it."""

import base64
import stat
from pathlib import Path

import pytest
from tests.unit.infrastructure.tally.tally_fixture import (
    ORIGIN,
    Provider,
    payment_leaf,
    provider_with,
)

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.tally.checkpoint import (
    NoteKey,
    NoteKeyKind,
    NoteSigner,
    append_signatures,
)
from tallystick.infrastructure.tally.tiles import consistency_proof
from tallystick.infrastructure.tally.verify import verify_checkpoint, verify_cosignature
from tallystick.infrastructure.tally.witness import (
    AddCheckpoint,
    Cosigned,
    Inconsistent,
    OtherSize,
    Seen,
    Witness,
    parse_add_checkpoint,
)
from tallystick.infrastructure.tally.witness_files import FileWitnessStore
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    TooLarge,
    Unavailable,
)
from tallystick.kernel.time import Instant

NOW = Instant(1_800_000_000_500)
SIGNING = Ed25519SigningKey.generate()
SIGNER = NoteSigner.of("witness.example.com/1", SIGNING, NoteKeyKind.COSIGNATURE_V1)


@pytest.fixture
def provider() -> Provider:
    return provider_with(3, 4, 5)


@pytest.fixture
def store(tmp_path: Path):
    opened = FileWitnessStore(tmp_path / "witness")
    yield opened
    opened.close()


@pytest.fixture
def witness(provider: Provider, store: FileWitnessStore) -> Witness:
    return witness_of(provider, store)


def witness_of(provider: Provider, store) -> Witness:
    return Witness({ORIGIN: NoteKey(ORIGIN, provider.public)}, SIGNER, store)


def body(provider: Provider, old: int, number: int, proof: tuple | None = None) -> bytes:
    size, note = provider.store.notes[number]
    if proof is None:
        proof = consistency_proof(provider.store, old, size) if 0 < old < size else ()
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
    return f"old {old}\n{lines}\n{note}".encode()


def ask(witness: Witness, octets: bytes):
    return witness.add_checkpoint(parse_add_checkpoint(octets), NOW)


def test_each_checkpoint_that_continues_is_cosigned_with_the_time(provider, witness) -> None:
    old = 0
    for number, (size, note) in enumerate(provider.store.notes):
        outcome = ask(witness, body(provider, old, number))
        assert isinstance(outcome, Cosigned)
        cosigned = append_signatures(note, outcome.line)
        assert verify_cosignature(cosigned, NoteKey.parse(witness.verifier_key)) == 1_800_000_000
        assert verify_checkpoint(cosigned, provider.public, origin=ORIGIN).size == size
        assert isinstance(ask(witness, body(provider, size, number)), Cosigned)
        old = size


def test_a_log_that_asks_from_another_size_is_told_which(provider, witness) -> None:
    assert ask(witness, body(provider, 3, 1)) == OtherSize(size=0)
    ask(witness, body(provider, 0, 1))
    assert ask(witness, body(provider, 0, 2)) == OtherSize(size=7)
    assert ask(witness, body(provider, 3, 2)) == OtherSize(size=7)
    assert ask(witness, body(provider, 3, 0)) == OtherSize(size=7)
    assert isinstance(ask(witness, body(provider, 7, 2)), Cosigned)


@pytest.mark.threat("THR-INS-03")
@pytest.mark.requirement("MFS-7.3.3-07")
def test_a_second_history_is_never_cosigned(provider, witness, store) -> None:
    fork = Provider(signing=provider.signing)
    fork.record(3)
    fork.record_leaves([payment_leaf(900 + number)[0] for number in range(4)])
    fork.record_leaves([payment_leaf(950 + number)[0] for number in range(5)])
    ask(witness, body(provider, 0, 1))
    same_size = ask(witness, body(fork, 7, 1))
    assert isinstance(same_size, Inconsistent)
    assert same_size.fork
    assert same_size.seen.note == provider.store.notes[1][1]
    for proof in (None, (), (bytes(32),), consistency_proof(provider.store, 7, 12)):
        grown = ask(witness, body(fork, 7, 2, proof))
        assert isinstance(grown, Inconsistent)
        assert not grown.fork
    seen = store.latest(ORIGIN)
    assert seen is not None
    assert seen.note == provider.store.notes[1][1]
    assert isinstance(ask(witness, body(provider, 7, 2)), Cosigned)


@pytest.mark.threat("THR-INS-03")
def test_a_smaller_history_is_never_cosigned(provider, witness) -> None:
    ask(witness, body(provider, 0, 2))
    assert ask(witness, body(provider, 0, 1)) == OtherSize(size=12)
    with pytest.raises(Malformed):
        ask(witness, body(provider, 12, 1))


def test_what_was_seen_outlives_the_process(provider, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    first = FileWitnessStore(folder)
    ask(witness_of(provider, first), body(provider, 0, 1))
    with pytest.raises(Unavailable):
        FileWitnessStore(folder)
    first.close()
    second = FileWitnessStore(folder)
    assert ask(witness_of(provider, second), body(provider, 0, 0)) == OtherSize(size=7)
    files = sorted(folder.iterdir())
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert not list(folder.glob("*.new"))
    second.close()


def test_nothing_is_signed_when_it_cannot_be_recorded(provider) -> None:
    signed: list[bytes] = []

    class Full:
        def latest(self, origin: str) -> None:
            return None

        def advance(self, origin: str, before: Seen | None, after: Seen) -> None:
            raise Unavailable("disk full")

    signer = NoteSigner(SIGNER.key, lambda message: signed.append(message) or SIGNING.sign(message))
    full = Witness({ORIGIN: NoteKey(ORIGIN, provider.public)}, signer, Full())
    with pytest.raises(Unavailable):
        ask(full, body(provider, 0, 0))
    assert signed == []


def test_two_requests_at_once_do_not_overtake_each_other(provider, store) -> None:
    """The second one read the state before the first one wrote it."""
    seen = Seen(size=3, root=bytes(32), note="x")
    store.advance(ORIGIN, None, seen)
    with pytest.raises(Conflict):
        store.advance(ORIGIN, None, seen)
    assert store.latest(ORIGIN) == seen
    assert store.latest("another") is None


def test_a_damaged_file_is_not_taken_for_a_new_log(provider, store, tmp_path: Path) -> None:
    store.advance(ORIGIN, None, Seen(size=3, root=bytes(32), note="x"))
    store.advance("another", None, Seen(size=3, root=bytes(32), note="x"))
    one, other = sorted((tmp_path / "witness").glob("*.json"))
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(b"")
    for origin in (ORIGIN, "another"):
        with pytest.raises(Broken):
            store.latest(origin)


def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        FileWitnessStore(tmp_path / "file" / "below")
    store = FileWitnessStore(tmp_path / "witness")
    path = store._file(ORIGIN)
    path.mkdir()
    with pytest.raises(Unavailable):
        store.latest(ORIGIN)
    path.rmdir()
    path.with_suffix(".new").mkdir()
    with pytest.raises(Unavailable):
        store.advance(ORIGIN, None, Seen(size=3, root=bytes(32), note="x"))
    store.close()


def test_unknown_logs_and_foreign_signatures_are_refused(provider, witness) -> None:
    stranger = Provider("tally.example.org/9")
    stranger.record(2)
    with pytest.raises(NotFound):
        ask(witness, body(stranger, 0, 0))
    thief = provider_with(3)
    with pytest.raises(NotAuthentic):
        ask(witness, body(thief, 0, 0))
    with pytest.raises(Malformed):
        Witness({}, NoteSigner.of("w", SIGNING), None)


def test_a_proof_of_nothing_and_an_empty_log_are_malformed(provider, witness) -> None:
    with pytest.raises(Malformed):
        ask(witness, body(provider, 0, 0, (bytes(32),)))
    empty = Provider(signing=provider.signing)
    note = empty.log.sign_end(empty.signer)
    with pytest.raises(Malformed):
        ask(witness, f"old 0\n\n{note}".encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda octets: octets.replace(b"old ", b"old  "),
        lambda octets: octets.replace(b"old 3", b"old 03"),
        lambda octets: octets.replace(b"old 3", b"old -3"),
        lambda octets: octets.replace(b"old 3", b"new 3"),
        lambda octets: octets.replace(b"\n\n", b"\n"),
        lambda octets: octets.replace(b"old 3\n", b"old 3\nAAAA\n"),
        lambda octets: octets.replace(b"old 3\n", b"old 3\n" + b"A" * 43 + b"\n"),
        lambda octets: octets.replace(b"old 3\n", b"old 3\n" + (b"A" * 43 + b"=\n") * 64),
        lambda octets: octets + b"\xff",
        lambda octets: b"",
    ],
)
def test_a_request_of_another_form_is_malformed(provider, witness, change) -> None:
    good = body(provider, 3, 1)
    assert parse_add_checkpoint(good) == AddCheckpoint(
        old_size=3,
        proof=consistency_proof(provider.store, 3, 7),
        note=provider.store.notes[1][1],
    )
    with pytest.raises(Malformed):
        ask(witness, change(good))


def test_an_oversize_request_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        parse_add_checkpoint(bytes(32 * 1024 + 1))
