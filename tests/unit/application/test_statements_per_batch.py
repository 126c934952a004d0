"""A batch costs the same few statements however many orders are in it, and whoever pays."""

from collections.abc import Iterator

import pytest
from tests.support.replayed import submit

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
from tallystick.infrastructure.store.fencing import EPOCH
from tallystick.kernel.time import Instant, SimulatedClock

SIZES = (1, 7, 64)
MOST = 12


@pytest.fixture(scope="module")
def ground(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ReplayProvider, list[Party]]]:
    clock = SimulatedClock(Instant(1_767_225_600_000))
    folder = ProviderFolder(tmp_path_factory.mktemp("statements") / "p")
    provider = ReplayProvider(folder, clock)
    parties = [
        Party(f"+2547{index:08d}", f"Person {index}", "person", 10_000, consents=True)
        for index in range(sum(SIZES) * 2)
    ]
    open_parties(provider, parties)
    fund_parties(provider, parties)
    peer = replay_peer(provider)
    enrol_devices(provider, peer, parties)
    clock.advance(1_000)
    establish_sessions(provider, peer, parties)
    yield provider, parties
    provider.platform.close()


def statements_of(
    provider: ReplayProvider, pairs: list[tuple[Party, Party]], *, cold: bool
) -> list[str]:
    platform = provider.platform
    provider.clock.advance(1_000)
    answered = [submit(provider, *pair) for pair in pairs]
    if cold:
        platform.desks.reset(platform.clock.now())
        platform.archive.reread()
    statements: list[str] = []
    for connection in (platform.database, platform.reader):
        connection.trace(statements.append)
    try:
        provider.batch.run()
    finally:
        for connection in (platform.database, platform.reader):
            connection.trace(None)
    assert answered == [[200]] * len(pairs)
    return statements


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_the_number_of_statements_does_not_grow(
    ground: tuple[ReplayProvider, list[Party]], cold: bool
) -> None:
    provider, parties = ground
    counted: dict[int, int] = {}
    start = 0
    for size in SIZES:
        payers = parties[start : start + size]
        payees = parties[start + size : start + 2 * size]
        start += 2 * size
        said = statements_of(provider, list(zip(payers, payees, strict=True)), cold=cold)
        # A batch begins with its fence and ends with its commit, whatever is in it.
        said = [one for one in said if not one.startswith(("BEGIN", "COMMIT", EPOCH))]
        counted[size] = len(said)
        shown = "\n".join(one[:90] for one in said)
        assert len(said) <= MOST, shown
    assert len(set(counted.values())) == 1, counted
