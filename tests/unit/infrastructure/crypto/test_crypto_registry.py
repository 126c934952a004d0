"""The registry: what it names exists, what it does not approve is refused."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.registry import (
    Status,
    ends_of,
    mechanism,
    mechanisms,
    require,
    require_for_checking,
    status_at,
)
from tallystick.infrastructure.modules.card_interface import CONSTRUCTIONS, EVERYTHING
from tallystick.infrastructure.modules.interface import (
    CARD_LENGTHS,
    CHECKING_ONLY,
    MECHANISMS,
    OPERATIONS,
    Purpose,
)
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.time import Instant, SimulatedClock, instant_of, iso_utc


def test_names_are_unique_and_found() -> None:
    names = [entry.name for entry in mechanisms()]
    assert len(set(names)) == len(names) > 50
    for entry in mechanisms():
        assert mechanism(entry.name) is entry
        assert entry.standard


@pytest.mark.requirement("MFS-C-01")
@pytest.mark.parametrize("entry", mechanisms(), ids=lambda entry: entry.name)
def test_what_is_not_approved_cannot_be_required(entry) -> None:
    if entry.status is Status.APPROVED:
        assert require(entry.name) is entry
    else:
        with pytest.raises(NotPermitted, match=entry.status.value):
            require(entry.name)


@pytest.mark.parametrize("name", ["", "AES-256-GCM", "aes-256-gcm ", "rot13", "x" * 10_000])
def test_what_is_not_in_the_table_does_not_exist(name: str) -> None:
    with pytest.raises(NotFound) as caught:
        require(name)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "name", ["md5", "sha-1", "des", "rc4", "none", "ocb2", "rsa-1024", "scp02"]
)
def test_broken_mechanisms_are_named_and_prohibited(name: str) -> None:
    assert mechanism(name).status is Status.PROHIBITED


@pytest.mark.requirement("MFS-C-02")
def test_approved_mechanisms_have_128_bits_and_legacy_ones_112() -> None:
    """Zero bits stands for mechanisms that are as strong as what they are given."""
    for entry in mechanisms():
        if entry.strength_bits and entry.status is Status.APPROVED:
            assert entry.strength_bits >= 128, entry.name
        if entry.strength_bits and entry.status is Status.LEGACY:
            assert entry.strength_bits >= 112, entry.name
        if 0 < entry.strength_bits < 112:
            assert entry.status in {Status.RESTRICTED, Status.PROHIBITED}, entry.name


def test_whatever_runs_is_registered_approved_and_has_a_known_answer() -> None:
    running = set(OPERATIONS) | {name for names in MECHANISMS.values() for name in names}
    assert {suite.value for suite in KemSuite} <= running
    running |= set(CONSTRUCTIONS)
    assert running == set(KNOWN_ANSWERS)
    for name in running:
        assert mechanism(name).implemented_by
    for purpose in CHECKING_ONLY:
        for name in MECHANISMS[purpose]:
            assert require_for_checking(name)
    makes = {
        name
        for purpose, names in MECHANISMS.items()
        if purpose not in CHECKING_ONLY
        for name in names
    }
    for name in makes:
        found = require(name, EVERYTHING.admitted)
        assert found.implemented_by
        assert found.status is Status.APPROVED or name in {*CARD_LENGTHS, *CONSTRUCTIONS}


@pytest.mark.parametrize("entry", mechanisms(), ids=lambda entry: entry.name)
def test_a_profile_admits_what_is_restricted_and_never_what_is_prohibited(entry) -> None:
    if entry.status is Status.PROHIBITED:
        with pytest.raises(NotPermitted, match="prohibited"):
            require(entry.name, frozenset({entry.name}))
    else:
        assert require(entry.name, frozenset({entry.name})) is entry


def day(text: str) -> Instant:
    return instant_of(f"{text}T00:00:00Z")


@pytest.mark.requirement("MFS-C-01")
@pytest.mark.parametrize(
    ("name", "before", "after", "status"),
    [
        ("ecdsa-p256-sha256", "2035-12-31", "2036-01-01", Status.LEGACY),
        ("x25519", "2035-12-31", "2036-01-01", Status.LEGACY),
        ("rsa-pss-2048", "2030-12-31", "2031-01-01", Status.PROHIBITED),
        ("hmac-sha1", "2030-12-31", "2031-01-01", Status.PROHIBITED),
    ],
)
def test_a_mechanism_ends_on_its_day(name: str, before: str, after: str, status: Status) -> None:
    entry = mechanism(name)
    assert status_at(entry, day(before)) is entry.status
    assert status_at(entry, day(after)) is status
    assert ends_of(entry)
    with pytest.raises(NotPermitted, match=status.value):
        require(name, now=day(after))
    if status is Status.LEGACY:
        assert require(name, now=day(before)) is entry
        assert require_for_checking(name, now=day(after)) is entry
    else:
        assert require_for_checking(name, now=day(before)) is entry
        with pytest.raises(NotPermitted, match="prohibited"):
            require_for_checking(name, now=day(after))
        with pytest.raises(NotPermitted, match="prohibited"):
            require(name, frozenset({name}), now=day(after))


def test_days_are_days_and_name_who_set_them() -> None:
    for one in mechanisms():
        days = (one.life.approved_from, one.life.legacy_from, one.life.prohibited_from)
        for text in filter(None, days):
            assert iso_utc(day(text))[:10] == text
        assert bool(any(days)) == bool(one.life.says), one.name
        assert 0 <= one.quantum_level <= 5


@pytest.mark.requirement("MFS-C-01")
def test_a_module_makes_no_key_of_a_mechanism_past_its_day() -> None:
    """What was made before still opens and checks; only new keys are refused."""
    clock = SimulatedClock(day("2035-12-31"))
    roots = MasterKey(MASTER).roots(tuple(Purpose))
    made = SoftModule(roots, clock, profile="test")
    wrapped = made.export_block(made.generate(Purpose.TALLY))
    late = SoftModule(roots, SimulatedClock(day("2036-01-01")), profile="test")
    with pytest.raises(NotPermitted, match="legacy"):
        late.generate(Purpose.TALLY)
    assert late.generate(Purpose.STORE).mechanism == "aes-256-gcm"
    assert len(late.sign(late.import_block(wrapped), b"m")) == 64
