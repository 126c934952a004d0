"""The master key opens with what it was sealed under and with nothing else."""

import json
import os
import random

import pytest

from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import (
    CEILING,
    FLOOR,
    MasterKey,
    PassphraseCost,
    read_secret,
    unseal_with_passphrase,
    unseal_with_secret,
    unseal_with_shares,
)
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    NotAuthentic,
    NotPermitted,
    Refused,
    Unavailable,
)
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret

CHEAP = PassphraseCost(memory_kib=8, passes=1, lanes=1)
PASSPHRASE = Secret("correct horse battery")
SECRET = Secret(b"\x07" * 32)


@pytest.fixture
def entropy():
    return random.Random(7).randbytes


@pytest.fixture
def master(entropy) -> MasterKey:
    return MasterKey.generate(entropy)


def same(one: MasterKey, two: MasterKey) -> bool:
    return one.roots(Purpose).to_octets() == two.roots(Purpose).to_octets()


def test_a_passphrase_opens_what_it_sealed(master, entropy) -> None:
    file = master.seal_under_passphrase(PASSPHRASE, entropy, profile="test", cost=CHEAP)
    assert same(unseal_with_passphrase(file, PASSPHRASE, profile="test"), master)
    for wrong in ("correct horse batterY", "", "correct horse battery "):
        with pytest.raises(NotAuthentic, match="check the passphrase"):
            unseal_with_passphrase(file, Secret(wrong), profile="test")


def test_the_floor_cost_works_in_production(master, entropy) -> None:
    file = master.seal_under_passphrase(PASSPHRASE, entropy, profile="production", cost=FLOOR)
    assert same(unseal_with_passphrase(file, PASSPHRASE, profile="production"), master)
    with pytest.raises(NotPermitted, match="does not serve"):
        unseal_with_passphrase(file, PASSPHRASE, profile="test")


@pytest.mark.requirement("MFS-7.4.2-04")
def test_one_custodian_cannot_open_what_several_can(master, entropy) -> None:
    file, shares = master.seal_under_shares(entropy, profile="test", threshold=3, shares=5)
    assert same(unseal_with_shares(file, shares[2:], profile="test"), master)
    for too_few in ([], shares[:1], shares[1:3], [shares[0]] * 3):
        with pytest.raises(Conflict):
            unseal_with_shares(file, too_few, profile="test")
    wrong = replace(shares[0], octets=bytes(32))
    with pytest.raises(NotAuthentic, match="shares belong"):
        unseal_with_shares(file, [wrong, *shares[1:3]], profile="test")
    _, others = master.seal_under_shares(entropy, profile="test", threshold=3, shares=5)
    with pytest.raises(NotAuthentic):
        unseal_with_shares(file, others, profile="test")


def test_a_secret_opens_what_it_sealed(master, entropy) -> None:
    file = master.seal_under_secret(SECRET, entropy, profile="test")
    assert same(unseal_with_secret(file, SECRET, profile="test"), master)
    with pytest.raises(NotAuthentic, match="descriptor"):
        unseal_with_secret(file, Secret(b"\x08" * 32), profile="test")
    with pytest.raises(NotPermitted, match="too short"):
        master.seal_under_secret(Secret(bytes(31)), entropy, profile="test")


def test_each_way_opens_its_own_file_only(master, entropy) -> None:
    by_phrase = master.seal_under_passphrase(PASSPHRASE, entropy, profile="test", cost=CHEAP)
    by_secret = master.seal_under_secret(SECRET, entropy, profile="test")
    _, shares = master.seal_under_shares(entropy, profile="test", threshold=2, shares=2)
    with pytest.raises(NotPermitted, match="opened by secret"):
        unseal_with_passphrase(by_secret, PASSPHRASE, profile="test")
    with pytest.raises(NotPermitted, match="opened by passphrase") as told:
        unseal_with_secret(by_phrase, SECRET, profile="test")
    assert "--master-passphrase-fd" in told.value.remedy
    with pytest.raises(NotPermitted):
        unseal_with_shares(by_phrase, shares, profile="test")


@pytest.mark.parametrize("profile", ["production", "staging", ""])
@pytest.mark.parametrize(
    "change",
    [
        {"memory_kib": FLOOR.memory_kib - 1},
        {"passes": FLOOR.passes - 1},
        {"lanes": 0},
        {"memory_kib": CEILING.memory_kib + 1},
        {"passes": CEILING.passes + 1},
        {"lanes": CEILING.lanes + 1},
    ],
)
def test_no_other_profile_than_test_goes_below_the_floor(master, entropy, profile, change) -> None:
    with pytest.raises(NotPermitted, match="cost"):
        master.seal_under_passphrase(
            PASSPHRASE, entropy, profile=profile, cost=replace(FLOOR, **change)
        )


def test_a_cheap_file_renamed_to_production_is_refused_before_any_work(master, entropy) -> None:
    file = json.loads(master.seal_under_passphrase(PASSPHRASE, entropy, profile="test", cost=CHEAP))
    forged = json.dumps(file | {"profile": "production"}, sort_keys=True, separators=(",", ":"))
    with pytest.raises(NotPermitted, match="cost"):
        unseal_with_passphrase(forged.encode(), PASSPHRASE, profile="production")


def test_a_short_passphrase_is_for_tests_only(master, entropy) -> None:
    with pytest.raises(NotPermitted, match="too short"):
        master.seal_under_passphrase(
            Secret("elevenchars"), entropy, profile="production", cost=FLOOR
        )
    file = master.seal_under_passphrase(Secret("a"), entropy, profile="test", cost=CHEAP)
    assert same(unseal_with_passphrase(file, Secret("a"), profile="test"), master)


def test_every_changed_byte_of_the_file_is_refused(master, entropy) -> None:
    file = master.seal_under_secret(SECRET, entropy, profile="test")
    for place in range(len(file)):
        for mask in (0x01, 0x20, 0x80):
            changed = bytearray(file)
            changed[place] ^= mask
            with pytest.raises(Refused):
                unseal_with_secret(bytes(changed), SECRET, profile="test")


def test_two_files_of_one_key_share_nothing(master, entropy) -> None:
    one = json.loads(master.seal_under_secret(SECRET, entropy, profile="test"))
    two = json.loads(master.seal_under_secret(SECRET, entropy, profile="test"))
    assert {name for name in one if one[name] == two[name]} == {
        "v", "unlock", "profile", "cost", "threshold",
    }  # fmt: skip


@pytest.mark.parametrize("octets", [b"", b"{}", b"[]", b"\xff", b"passphrase"])
def test_another_file_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed, match="not a master key file"):
        unseal_with_secret(octets, SECRET, profile="test")


def test_the_master_key_does_not_print_or_travel(master) -> None:
    assert repr(master) == "MasterKey(***)"
    with pytest.raises(TypeError):
        master.__reduce__()
    with pytest.raises(Malformed):
        MasterKey(bytes(31))


def piped(octets: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, octets)
    os.close(writing)
    return reading


def test_a_secret_is_read_from_a_descriptor_that_is_closed_then() -> None:
    secret = bytes(range(1, 33))
    for ending in (b"", b"\n", b"\r\n"):
        descriptor = piped(secret + ending)
        assert read_secret(descriptor).reveal() == secret
        with pytest.raises(Unavailable):
            read_secret(descriptor)


@pytest.mark.parametrize("length", [0, 1, 31, 4097, 5000])
def test_a_secret_has_32_to_4096_bytes(length: int) -> None:
    with pytest.raises(Malformed, match="32 to 4096"):
        read_secret(piped(b"x" * length))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b"\n\n"])
def test_a_random_secret_that_ends_like_a_line_is_whole(end: bytes) -> None:
    secret = bytes(range(64, 96))[: 32 - len(end)] + end
    assert read_secret(piped(secret)).reveal() == secret
    assert read_secret(piped(secret + b"\n")).reveal() == secret
