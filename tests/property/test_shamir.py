"""Shares: any k restore the secret, fewer are refused and tell nothing, typing errors are found."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.infrastructure.modules.shamir import (
    Share,
    combine,
    read_share,
    split,
    write_share,
)
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import replace

SECRET = bytes(range(32))


def seeded(seed: int = 12812):
    return random.Random(seed).randbytes


def russian_peasant(a: int, b: int) -> int:
    """Multiplication in GF(256) bit by bit: another way than the tables of the code."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a: int) -> int:
    return next(b for b in range(1, 256) if russian_peasant(a, b) == 1)


def lagrange_by_hand(points: list[tuple[int, int]]) -> int:
    """The value at 0 of the polynomial through `points`."""
    total = 0
    for i, (x, value) in enumerate(points):
        y = value
        for j, (other, _) in enumerate(points):
            if i != j:
                y = russian_peasant(y, russian_peasant(other, inverse(other ^ x)))
        total ^= y
    return total


@given(
    secret=st.binary(min_size=1, max_size=48),
    numbers=st.tuples(st.integers(2, 7), st.integers(0, 5)),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_any_threshold_of_shares_restores_the_secret(secret, numbers, seed, data) -> None:
    threshold, spare = numbers
    shares = split(secret, threshold=threshold, shares=threshold + spare, entropy=seeded(seed))
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert combine(chosen).reveal() == secret
    assert combine(chosen[::-1]).reveal() == secret
    with pytest.raises(Conflict):
        combine(chosen[: threshold - 1])


@given(secret=st.binary(min_size=1, max_size=8), seed=st.integers(0, 2**32))
def test_another_way_of_computing_restores_the_same(secret: bytes, seed: int) -> None:
    shares = split(secret, threshold=3, shares=5, entropy=seeded(seed))
    for chosen in itertools.combinations(shares, 3):
        for place, byte in enumerate(secret):
            points = [(share.number, share.octets[place]) for share in chosen]
            assert lagrange_by_hand(points) == byte


def test_a_published_polynomial_gives_the_published_shares() -> None:
    """f(x) = 0x53 + 0xCA x: 0x53 * 0xCA = 1 in the AES field (FIPS 197), so f(0x53) = 0x52."""
    shares = split(b"\x53", threshold=2, shares=255, entropy=lambda n: b"\xca" * n)
    values = {share.number: share.octets[0] for share in shares}
    assert values[1] == 0x53 ^ 0xCA
    assert values[0x53] == 0x52
    assert sorted(values.values()) == sorted(set(range(256)) - {0x53})


@pytest.mark.requirement("MFS-8.2.2-02")
def test_one_share_less_leaves_every_secret_equally_likely() -> None:
    """Two of three: over all coefficients one share takes every value once, whatever the secret."""
    for secret in (0x00, 0x53, 0xFF):
        for number in range(3):
            seen = {
                split(
                    bytes((secret,)), threshold=2, shares=3, entropy=lambda n, c=c: bytes((c,)) * n
                )[number].octets
                for c in range(256)
            }
            assert len(seen) == 256


def test_the_same_share_twice_counts_once() -> None:
    first, *_ = split(SECRET, threshold=2, shares=3, entropy=seeded())
    with pytest.raises(Conflict, match="1 of 2"):
        combine([first, first])


def test_shares_of_several_sets_do_not_mix() -> None:
    entropy = seeded()
    one = split(SECRET, threshold=2, shares=3, entropy=entropy)
    two = split(SECRET, threshold=2, shares=3, entropy=entropy)
    with pytest.raises(Conflict, match="one set"):
        combine([one[0], two[1]])
    with pytest.raises(Conflict):
        combine([])
    with pytest.raises(Malformed):
        combine([one[0], replace(one[1], octets=b"short")])
    with pytest.raises(Malformed):
        combine([one[0], replace(one[1], number=0)])


def test_a_wrong_share_gives_a_wrong_secret() -> None:
    one, two, _ = split(SECRET, threshold=2, shares=3, entropy=seeded())
    wrong = replace(two, octets=bytes(32))
    assert combine([one, wrong]).reveal() != SECRET


@pytest.mark.parametrize(
    ("threshold", "shares"), [(0, 3), (1, 3), (4, 3), (2, 256), (-1, 2), (2, 1)]
)
def test_other_numbers_are_refused(threshold: int, shares: int) -> None:
    with pytest.raises(Malformed):
        split(SECRET, threshold=threshold, shares=shares, entropy=seeded())
    with pytest.raises(Malformed):
        split(b"", threshold=2, shares=3, entropy=seeded())


@given(seed=st.integers(0, 2**32))
def test_a_share_survives_paper(seed: int) -> None:
    for share in split(SECRET, threshold=2, shares=3, entropy=seeded(seed)):
        text = write_share(share).reveal()
        assert read_share(text) == share
        assert read_share(f"  {text.upper().replace('-', ' ')}\n") == share


def test_every_wrong_digit_is_found() -> None:
    text = write_share(split(SECRET, threshold=2, shares=3, entropy=seeded())[0]).reveal()
    for place, character in enumerate(text):
        if character == "-":
            continue
        other = "0" if character != "0" else "1"
        with pytest.raises(Malformed):
            read_share(text[:place] + other + text[place + 1 :])
    for wrong in ("", "tks1", text[:-1], text + "00", "x" * 80, "tks1-é"):
        with pytest.raises(Malformed):
            read_share(wrong)


def test_a_share_does_not_print_itself() -> None:
    share = Share(set_id=b"abcd", threshold=2, number=1, octets=SECRET)
    assert SECRET.hex() not in repr(share)
    assert repr(SECRET) not in repr(share)
    assert str(write_share(share)) == "Secret(***)"
