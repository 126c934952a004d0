"""The quote key is replaced twice a day; what the one before proved still counts for a while."""

from pathlib import Path

import pytest

from tallystick.application.quotekeys import IN_USE_MS, QuoteKeys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.keys.table import KEY_TABLE, end_of_life
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotAuthentic, Unavailable
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock

NOW = Instant(1_767_225_600_000)
QUOTE = b"tallystick quote v1\x00" + bytes(32)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def module(clock: SimulatedClock) -> SoftModule:
    return SoftModule(BlockRoots.derive(bytes(32), [Purpose.QUOTE]), clock)


@pytest.fixture
def folder(tmp_path: Path) -> ProviderFolder:
    return ProviderFolder(tmp_path)


@pytest.fixture
def keys(module: SoftModule, folder: ProviderFolder) -> QuoteKeys:
    handle = module.generate(Purpose.QUOTE)
    folder.save_block("quote", module.export_block(handle))
    return QuoteKeys(module, [handle], folder.save_quote_blocks)


@pytest.mark.requirement("MFS-7.4.2-07")
def test_no_key_outlives_the_day_that_the_table_gives(
    keys: QuoteKeys, module: SoftModule, clock: SimulatedClock
) -> None:
    assert KEY_TABLE[Purpose.QUOTE].max_life_ms == DAY_MS
    for _ in range(30):
        clock.advance(IN_USE_MS // 4)
        keys.renew(clock.now())
        assert all(clock.now() < end_of_life(one) for one in module.handles())
        assert 1 <= len(module.handles()) <= 2


def test_a_quote_survives_one_change_and_not_two(keys: QuoteKeys, clock: SimulatedClock) -> None:
    tag = keys.mac(QUOTE)
    assert not keys.renew(clock.now()), "its half day is not over"
    clock.advance(IN_USE_MS)
    assert keys.renew(clock.now())
    keys.check(QUOTE, tag)
    assert keys.mac(QUOTE) != tag
    clock.advance(IN_USE_MS)
    assert keys.renew(clock.now())
    with pytest.raises(NotAuthentic):
        keys.check(QUOTE, tag)


def test_a_restart_finds_both_keys(
    keys: QuoteKeys, module: SoftModule, folder: ProviderFolder, clock: SimulatedClock
) -> None:
    tag = keys.mac(QUOTE)
    clock.advance(IN_USE_MS)
    keys.renew(clock.now())
    newer = keys.mac(QUOTE)
    assert len(folder.blocks()) == 2
    again = SoftModule(BlockRoots.derive(bytes(32), [Purpose.QUOTE]), clock)
    handles = sorted(map(again.import_block, folder.blocks()), key=lambda one: -one.created_at)
    found = QuoteKeys(again, handles, folder.save_quote_blocks)
    found.check(QUOTE, tag)
    found.check(QUOTE, newer)
    assert found.mac(QUOTE) == newer


def test_a_change_that_cannot_be_stored_is_not_used(
    module: SoftModule, clock: SimulatedClock
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    keys = QuoteKeys(module, [module.generate(Purpose.QUOTE)], full)
    tag = keys.mac(QUOTE)
    clock.advance(IN_USE_MS)
    with pytest.raises(Unavailable, match="cannot be stored"):
        keys.renew(clock.now())
    assert keys.mac(QUOTE) == tag
    assert len(module.handles()) == 1
