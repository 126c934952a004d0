"""Random bytes: as many as asked for, and an end when the source repeats itself."""

import pytest

from tallystick.infrastructure.modules import entropy
from tallystick.infrastructure.modules.entropy import WatchedEntropy, operating_system
from tallystick.kernel.errors import Broken, Malformed, Unavailable


@pytest.mark.parametrize("length", [0, 1, 32, 1 << 20])
def test_as_many_bytes_as_asked_for(length: int) -> None:
    assert len(WatchedEntropy()(length)) == length


def test_draws_differ() -> None:
    source = WatchedEntropy()
    assert len({source(16) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("length", [-1, (1 << 20) + 1])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(Malformed):
        WatchedEntropy()(length)


@pytest.mark.parametrize("stuck", [bytes, lambda n: b"\xa5" * n])
def test_a_source_that_repeats_itself_is_found_at_once(stuck) -> None:
    source = WatchedEntropy(stuck)
    with pytest.raises(Broken, match="repeats"):
        source(32)


def test_a_source_that_failed_once_is_not_used_again() -> None:
    samples = iter([b"a" * 16, b"a" * 20, b"b" * 20, b"c" * 20])
    source = WatchedEntropy(lambda _: next(samples))
    for _ in range(3):
        with pytest.raises(Broken):
            source(4)


def test_a_source_that_gives_too_few_bytes_is_found() -> None:
    numbers = iter(range(100))
    source = WatchedEntropy(lambda n: bytes((next(numbers),)) * min(n, 20))
    with pytest.raises(Broken):
        source(32)


def test_a_system_without_a_source_is_named(monkeypatch) -> None:
    def refuse(_: int) -> bytes:
        raise OSError("no")

    monkeypatch.setattr(entropy.os, "urandom", refuse)
    with pytest.raises(Unavailable):
        operating_system(8)
