"""Witnesses as processes of their own: they countersign one history, whatever the provider says."""

import asyncio
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from simulators.cast import Cast
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.stores import new_store, raw
from tests.unit.infrastructure.tally.tally_fixture import Provider, payment_leaf, provider_with

from tallystick.entry.auditing import audit_provider, believed, listed_keys, read_anchor
from tallystick.entry.witnessing import WITNESSED_NOTE, Asker, WitnessEndpoint
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.checkpoint import NoteKey, parse_note, verify_note
from tallystick.infrastructure.tally.tiles import consistency_proof
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.receipt import parse_checkpoint

CLI = (sys.executable, "-m", "tallystick.entry.cli")
NAME = "example.org/wit1"


def witness_key(folder: Path) -> str:
    done = subprocess.run(
        [*CLI, "witness", "key", str(folder), "--name", NAME],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def witness_process(folder: Path, log: NoteKey):
    key = witness_key(folder)
    process = subprocess.Popen(
        [*CLI, "witness", "serve", str(folder), "--name", NAME, "--log", str(log), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        yield process, WitnessEndpoint.parse(f"{url}={key}")
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


class Told:
    """What an asker needs of an archive: the history as a provider chooses to tell it."""

    def __init__(self, provider: Provider, number: int = -1) -> None:
        self._provider = provider
        self.durable_size, self.note = provider.store.notes[number]

    def consistency(self, old: int, new: int):
        return consistency_proof(self._provider.store, old, new)


def ask(told: Told, endpoint: WitnessEndpoint) -> tuple[str, dict[str, str]]:
    return asyncio.run(Asker(told, [endpoint]).ask())


def note_key(provider: Provider) -> NoteKey:
    return provider.signer.key


def test_what_continues_is_countersigned_also_after_a_kill(tmp_path):
    provider = provider_with(3, 4)
    folder = tmp_path / "witness"
    with witness_process(folder, note_key(provider)) as (process, endpoint):
        note, failed = ask(Told(provider, 0), endpoint)
        assert not failed
        assert verify_note(parse_note(note), endpoint.key) > 1_700_000_000
        process.kill()
        process.wait(timeout=20)
    with witness_process(folder, note_key(provider)) as (_, endpoint):
        note, failed = ask(Told(provider), endpoint)
        assert not failed
        assert parse_checkpoint(parse_note(note).text).size == 7


@pytest.mark.threat("THR-BE-03")
def test_a_second_history_is_never_countersigned_and_kept_as_evidence(tmp_path):
    provider = provider_with(3, 4)
    fork = Provider(signing=provider.signing)
    fork.record(3)
    fork.record_leaves([payment_leaf(number, amount=1)[0] for number in range(3, 7)])
    longer = fork.copy()
    longer.record(2)
    with witness_process(tmp_path / "w", note_key(provider)) as (_, endpoint):
        assert ask(Told(provider), endpoint)[0]
        note, failed = ask(Told(fork), endpoint)
        assert not note
        assert "another tally of the same size" in failed[NAME]
        note, failed = ask(Told(longer), endpoint)
        assert not note
        assert "422" in failed[NAME]
    evidence = list((tmp_path / "w").glob("evidence-*.txt"))
    assert len(evidence) == 2
    text = evidence[0].read_text()
    assert provider.store.notes[-1][1] in text


@pytest.mark.threat("THR-BE-03")
def test_a_shortened_history_is_never_countersigned(tmp_path):
    provider = provider_with(3, 4)
    with witness_process(tmp_path / "w", note_key(provider)) as (_, endpoint):
        assert ask(Told(provider), endpoint)[0]
        note, failed = ask(Told(provider, 0), endpoint)
        assert not note
        assert "saw 7 events, the tally has 3" in failed[NAME]


def test_an_unknown_log_and_a_witness_that_is_away_are_named(tmp_path):
    provider, other = provider_with(2), Provider("other/tally/1")
    with witness_process(tmp_path / "w", note_key(other)) as (_, endpoint):
        assert "404" in ask(Told(provider), endpoint)[1][NAME]
    assert ask(Told(provider), endpoint)[1][NAME]


def test_an_answer_that_another_key_signed_does_not_count(tmp_path):
    provider = provider_with(2)
    other = WitnessEndpoint.parse(f"http://127.0.0.1:1={witness_key(tmp_path / 'other')}").key
    with witness_process(tmp_path / "w", note_key(provider)) as (_, endpoint):
        note, failed = ask(Told(provider), WitnessEndpoint(endpoint.url, other))
        assert not note
        assert failed


def test_the_way_to_a_witness_is_protected():
    for text in ("http://example.org=x", "nothing", "ftp://127.0.0.1=x"):
        with pytest.raises(Malformed):
            WitnessEndpoint.parse(text)


@pytest.mark.threat("THR-BE-03")
def test_what_a_witness_signed_shows_that_a_served_tally_was_cut(tmp_path):
    smsc = Smsc()
    provider = TourProvider(tmp_path, Es256SigningKey.generate(), smsc, new_store())
    codes = provider.set_up()
    settings = provider.folder.settings()
    listed = listed_keys(provider.folder).entries
    tally = next(one for one in listed if one.purpose == ListedPurpose.TALLY)
    log = NoteKey(settings.origin, signature_key(tally))
    with witness_process(tmp_path / "w", log) as (_, endpoint):
        url = provider.serve(0, "--witness", f"{endpoint.url}={endpoint.key}")
        cast = Cast(
            url, settings.provider, settings.origin, settings.root.verify_key(), smsc,
            SystemClock(),
        )  # fmt: skip
        for role, code in codes:
            cast.join(role, Secret(code))
        cast.open_customer("+254700000001", "Ann")
        file = provider.folder.root / WITNESSED_NOTE
        limit = time.monotonic() + 30
        while time.monotonic() < limit and (not file.exists() or _size(file) < 8):
            time.sleep(0.1)
        cast.close()
        provider.stop()
    smsc.close()
    anchor = read_anchor(file, believed(provider.folder))
    assert not audit_provider(provider.folder, [anchor]).findings
    raw(
        provider.folder.stored(),
        "DELETE FROM checkpoint",
        "DELETE FROM tally_state",
        "DELETE FROM event WHERE idx >= 7",
    )
    alone = audit_provider(provider.folder).findings
    found = audit_provider(provider.folder, [anchor]).findings
    assert len(found) > len(alone)
    assert any(file.name in one.detail or file.name in one.row for one in found)


def _size(file: Path) -> int:
    return parse_checkpoint(parse_note(file.read_text()).text).size
