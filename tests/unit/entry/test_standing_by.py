"""When whoever stands by takes the place: by how long it is free, however long a look takes."""

import pytest
from tests.support.postgres import fresh_schema, run_sql

from tallystick.entry.standing_by import FREE_S, STILL_S, Candidate
from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.opening import open_database

BEAT = "UPDATE writer_beat SET number = number + 1"


class Watch:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def place():
    with fresh_schema() as address:
        run_sql(
            address,
            "CREATE TABLE writer_beat (id int8 PRIMARY KEY, number int8)",
            "INSERT INTO writer_beat VALUES (1, 5)",
        )
        yield address


def looks(place: Address, watch: Watch, every_s: float, most: int) -> tuple[bool | None, float]:
    """What the looks came to, and the seconds until then, from the first one on."""
    candidate = Candidate(place, watch)
    began = watch.seconds
    for _ in range(most):
        found = candidate.look()
        if found is not None:
            return found, watch.seconds - began
        watch.seconds += every_s
    return None, watch.seconds - began


@pytest.mark.parametrize("every_s", [0.25, 3.25, 20.0])
def test_a_free_place_is_taken_by_time_and_not_by_looks(place: Address, every_s: float) -> None:
    """A node that stands still makes each look wait until it is given up."""
    taken, after = looks(place, Watch(), every_s, 40)
    assert taken is False
    assert FREE_S <= after < FREE_S + every_s


@pytest.mark.parametrize("every_s", [0.25, 3.25])
def test_a_beat_that_stands_still_is_taken_by_force(place: Address, every_s: float) -> None:
    with open_database(place):
        taken, after = looks(place, Watch(), every_s, 60)
    assert taken is True
    assert STILL_S <= after < STILL_S + 2 * every_s


def test_a_writer_that_beats_keeps_its_place(place: Address) -> None:
    watch = Watch()
    with open_database(place):
        candidate = Candidate(place, watch)
        for _ in range(10):
            run_sql(place, BEAT)
            watch.seconds += STILL_S - 1
            assert candidate.look() is None


def test_a_writer_that_comes_back_in_time_keeps_its_place(place: Address) -> None:
    watch = Watch()
    candidate = Candidate(place, watch)
    assert candidate.look() is None
    watch.seconds += FREE_S - 0.5
    with open_database(place):
        assert candidate.look() is None
    watch.seconds += 1
    run_sql(place, BEAT)
    assert candidate.look() is None, "it is free anew, and counted anew"
    watch.seconds += FREE_S
    assert candidate.look() is False


def test_a_writer_that_has_ended_is_followed_at_once(place: Address) -> None:
    run_sql(place, "UPDATE writer_beat SET number = 0")
    assert Candidate(place, Watch()).look() is False
