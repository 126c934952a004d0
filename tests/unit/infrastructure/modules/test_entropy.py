"""Random bytes: as many as asked for, and an end when the source repeats itself."""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.requirement("MFS-7.2.6-03")
@pytest.mark.parametrize("stuck", [bytes, lambda n: b"\xa5" * n])
def test_a_source_that_repeats_itself_is_found_at_once(stuck) -> None:
    source = WatchedEntropy(stuck)
    with pytest.raises(Broken, match="repeats"):
        source(32)


def test_a_source_that_failed_once_is_not_used_again() -> None:
    samples = iter([b"a" * 16, b"a" * 1040, b"b" * 20, b"c" * 20])
    source = WatchedEntropy(lambda _: next(samples))
    for _ in range(3):
        with pytest.raises(Broken):
            source(4)


def test_small_draws_share_a_draw_from_the_source_and_no_byte() -> None:
    asked: list[int] = []

    def counting(length: int) -> bytes:
        asked.append(length)
        return operating_system(length)

    source = WatchedEntropy(counting)
    draws = [source(28) for _ in range(100)]
    assert asked == [16, 1040, 1040, 1040], "36 draws of 28 bytes fit into 1,024"
    assert len(set(draws)) == 100
    assert len(source(65)) == 65
    assert asked[-1] == 81, "a large draw is made for itself"


def test_a_forked_process_draws_anew() -> None:
    source = WatchedEntropy()
    source(16)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, source(16))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 16)
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 16
    assert theirs != source(16)


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


@pytest.mark.requirement("MFS-7.2.6-03")
def test_threads_never_share_a_byte() -> None:
    """The position in the pool moves under a lock: a shared draw would be a nonce used twice."""
    source, before = WatchedEntropy(), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            draws = list(pool.map(lambda _: source(16), range(8_000)))
    finally:
        sys.setswitchinterval(before)
    assert len(set(draws)) == len(draws)


@pytest.mark.requirement("MFS-7.2.6-03")
@pytest.mark.parametrize("share", [8, 16, 18])
def test_a_source_that_prefers_a_byte_is_found(share: int) -> None:
    """About one byte in `share` is the same; of a random source one in 256."""
    draw = random.Random(share)

    def biased(length: int) -> bytes:
        return bytes(7 if draw.random() * share < 1 else draw.randrange(256) for _ in range(length))

    source = WatchedEntropy(biased)
    with pytest.raises(Broken, match="not random"):  # noqa: PT012
        for _ in range(64 * 300):  # of three hundred draws one begins with it
            source(16)


def test_a_source_that_sticks_for_nine_bytes_is_found_and_for_eight_is_not() -> None:
    draw = random.Random(9)

    def sticking(run: int):
        def source(length: int) -> bytes:
            octets = draw.randbytes(length)
            return octets if length < 1_000 else octets[:40] + b"\xee" * run + octets[40 + run :]

        return source

    with pytest.raises(Broken, match="not random"):
        WatchedEntropy(sticking(9))(16)
    assert len(WatchedEntropy(sticking(8))(16)) == 16


def test_a_source_that_is_random_is_not_accused() -> None:
    source = WatchedEntropy()
    for _ in range(20_000):
        source(64)
