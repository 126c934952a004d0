"""The same batches on both engines: one root, one state, octet by octet."""

import random
import shutil
from pathlib import Path

import pytest
from tests.support.postgres import fresh_schema
from tests.support.replayed import submit

from tallystick.application.commands import Command
from tallystick.application.writer import Writer
from tallystick.entry.assembly import MIGRATIONS, Platform, open_platform
from tallystick.entry.moving import proof_of, prove_same
from tallystick.entry.replay import provider as replaying
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    establish_sessions,
    fund_parties,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.copying import copy_rows
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import Instant, SimulatedClock

START = Instant(1_767_225_600_000)


class Source:
    """Random bytes that start anew with each batch, so that only the batches decide them."""

    def __init__(self) -> None:
        self.restart(0)

    def restart(self, number: int) -> None:
        self._dice = random.Random(number)

    def __call__(self, length: int) -> bytes:
        return self._dice.randbytes(length)


SOURCE = Source()


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A provider on a file, a copy of its folder for a server, and what its writer was given."""
    log: list[tuple[int, list[Command]]] = []
    copied = tmp_path / "copy"

    def opened(folder: ProviderFolder, secret, clock) -> Platform:
        shutil.copytree(folder.root, copied)
        return open_platform(folder, secret, clock, entropy=SOURCE)

    run = Writer.run

    def logged(writer: Writer, commands):
        log.append((writer._clock.now(), list(commands)))
        SOURCE.restart(len(log))
        return run(writer, commands)

    SOURCE.restart(0)
    monkeypatch.setattr(replaying, "open_platform", opened)
    monkeypatch.setattr(Writer, "run", logged)
    provider = ReplayProvider(ProviderFolder(tmp_path / "p"), SimulatedClock(START))
    yield provider, ProviderFolder(copied), log
    monkeypatch.setattr(Writer, "run", run)
    provider.platform.close()


@pytest.mark.requirement("MFS-7.3.3-07")
def test_the_same_batches_give_the_same_root_and_the_same_state(ground) -> None:
    provider, copied, log = ground
    parties = [
        Party(f"+2547{index:08d}", f"Person {index}", "person", 10_000, consents=True)
        for index in range(24)
    ]
    open_parties(provider, parties)
    fund_parties(provider, parties)
    peer = replay_peer(provider)
    enrol_devices(provider, peer, parties)
    provider.clock.advance(1_000)
    establish_sessions(provider, peer, parties)
    dice = random.Random(12)
    answers = []
    for _ in range(12):
        provider.clock.advance(997)
        payers = dice.sample(parties, 12)
        rest = [one for one in parties if one not in payers]
        answers += [
            submit(provider, payer, payee, dice.choice((100, 250, 99_999)))
            for payer, payee in zip(payers, rest, strict=True)
        ]
        provider.batch.run()
    assert {status for (status,) in answers} > {200}, "some are refused too"
    provider.platform.writer.finish()

    with fresh_schema() as address:
        copied.save_place(address)
        clock = SimulatedClock(START)
        batches = list(log)
        log.clear()
        other = open_platform(copied, provider.secret, clock, entropy=SOURCE)
        for at, commands in batches[2:]:  # the first two were those of the first start
            clock.advance(at - clock.now())
            other.writer.run(commands)
        other.writer.finish()
        assert [at for at, _ in log] == [at for at, _ in batches]
        with provider.platform.database.reader() as mine, other.database.reader() as theirs:
            proof = prove_same_but_certificates(mine, theirs)
        other.close()
    assert proof.events > 200
    assert provider.platform.archive.note == other.archive.note


def prove_same_but_certificates(mine, theirs):
    """Equal in all but what a random signature is part of: the rows of devices."""
    left, right = proof_of(mine), proof_of(theirs)
    assert (left.events, left.root, left.accounts) == (right.events, right.root, right.accounts)
    differ = {name for name in left.digests if left.digests[name] != right.digests[name]}
    assert differ <= {"device", "boot"}, differ
    return left


def test_a_copy_that_differs_is_never_called_the_same(ground) -> None:
    provider, _, _ = ground
    with fresh_schema() as address, open_database(address) as target:
        migrate(target, MIGRATIONS, START)
        source = provider.platform.database
        done = copy_rows(source, target)
        assert done.rows >= done.written > 0, "what a step of the schema wrote is there already"
        again = copy_rows(source, target)
        assert (again.rows, again.written, again.deleted) == (done.rows, 0, 0)
        assert prove_same(source, target) == proof_of(source)
        target.execute("UPDATE operator SET role = 'other'")
        with pytest.raises(Broken, match="differs from its source in operator"):
            prove_same(source, target)
        target.execute("DELETE FROM operator")
        target.execute("INSERT INTO alias (alias, customer) VALUES ('x', 'y')")
        mended = copy_rows(source, target)
        assert mended.deleted == 1
        assert mended.written > 0
        assert prove_same(source, target) == proof_of(source)
        target.execute("UPDATE event SET leaf_hash = ? WHERE idx = 0", (bytes(32),))
        with pytest.raises(Broken, match="not what it goes on from"):
            prove_same(source, target)
