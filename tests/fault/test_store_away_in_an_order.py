"""A store that cannot be read while an order moves its money: the order is undone, not refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.replayed import submit

from tallystick.application.incentives import Incentives
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
from tallystick.kernel.errors import Broken, MfsError, Unavailable
from tallystick.kernel.time import Instant, SimulatedClock

FUNDS, PAID = 10_000, 100


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[tuple[ReplayProvider, list[Party]]]:
    clock = SimulatedClock(Instant(1_767_225_600_000))
    provider = ReplayProvider(ProviderFolder(tmp_path / "p"), clock)
    parties = [
        Party(f"+2547{index:08d}", f"Person {index}", "person", FUNDS, consents=True)
        for index in range(4)
    ]
    open_parties(provider, parties)
    fund_parties(provider, parties)
    peer = replay_peer(provider)
    enrol_devices(provider, peer, parties)
    clock.advance(1_000)
    establish_sessions(provider, peer, parties)
    yield provider, parties
    provider.platform.close()


def balances(provider: ReplayProvider, parties: list[Party]) -> list[int]:
    desks = provider.platform.desks
    return [desks.book.available(desks.customers.by_alias(one.number).account) for one in parties]


def stages(provider: ReplayProvider) -> list[str]:
    rows = provider.platform.reader.rows("SELECT stage FROM payment_order ORDER BY id")
    return [str(row[0]) for row in rows]


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("fault", [Unavailable("the store is away"), Broken("a row is damaged")])
@pytest.mark.parametrize("times", [1, 9])
def test_what_fails_behind_the_money_leaves_neither_a_movement_nor_a_refusal(
    ground: tuple[ReplayProvider, list[Party]],
    monkeypatch: pytest.MonkeyPatch,
    fault: MfsError,
    times: int,
) -> None:
    provider, parties = ground
    keep, left = Incentives.keep, [fault] * times

    def failing(*given, **named) -> None:
        if left:
            raise left.pop()
        keep(*given, **named)

    monkeypatch.setattr(Incentives, "keep", failing)
    told = [submit(provider, *parties[:2], PAID), submit(provider, *parties[2:], PAID)]
    provider.batch.run()
    settled = times == 1
    moved = PAID if settled else 0
    assert balances(provider, parties) == [FUNDS - moved, FUNDS + moved] * 2
    assert stages(provider) == (["settled"] * 2 if settled else [])
    assert all((status == [200]) is settled for status in told)
