"""When a dependency counts as failing, from when on, and what ends it."""

from itertools import pairwise

import pytest

from tallystick.application.policing import Change, DependencyWatch
from tallystick.application.policing.watch import FAILURES, FOR_MS
from tallystick.kernel.time import Instant

START = Instant(1_800_000_000_000)


def watch(name: str, *after_ms: int) -> tuple[DependencyWatch, list[Change]]:
    """A watch that was told of a failure of `name` at each of these times."""
    found, changes = DependencyWatch(), []
    found.listeners.append(changes.append)
    for one in after_ms:
        found.failed(name, Instant(START + one))
    return found, changes


@pytest.mark.parametrize(
    ("after_ms", "failing"),
    [
        ((0,), False),
        ((0, FOR_MS), False),
        ((0, 1, 2, 3, 4, FOR_MS - 1), False),
        ((0, 1, FOR_MS), True),
        ((0, FOR_MS, 3 * FOR_MS), True),
        ((0, -FOR_MS, -2 * FOR_MS), False),
    ],
)
def test_it_fails_after_enough_failures_over_enough_time(
    after_ms: tuple[int, ...], failing: bool
) -> None:
    found, changes = watch("core", *after_ms)
    assert found.is_failing("core") is failing
    assert len(changes) == failing
    now = Instant(START + 10 * FOR_MS)
    assert found.degraded(now) == ((("core", 10 * FOR_MS),) if failing else ())


def test_an_answer_between_begins_the_count_anew() -> None:
    found, changes = watch("core", 0, 1)
    found.answered("core", Instant(START + 2))
    for one in range(FAILURES - 1):
        found.failed("core", Instant(START + FOR_MS + one))
    assert not found.is_failing("core")
    assert changes == []


def test_one_refusal_of_a_module_is_enough() -> None:
    found, changes = watch("module", 0)
    assert found.degraded(START) == (("module", 0),)
    assert [one.failing for one in changes] == [True]


def test_the_first_answer_ends_it_and_each_change_is_told_once() -> None:
    found, changes = watch("sms", *range(0, 6 * FOR_MS, FOR_MS))
    found.answered("sms", Instant(START + 7 * FOR_MS))
    found.answered("sms", Instant(START + 8 * FOR_MS))
    assert found.degraded(Instant(START + 9 * FOR_MS)) == ()
    assert [(one.failing, one.since) for one in changes] == [(True, START), (False, START)]
    assert [one.at - START for one in changes] == [2 * FOR_MS, 7 * FOR_MS]
    assert all(one.failing != other.failing for one, other in pairwise(changes))


def test_a_clock_that_is_set_back_makes_no_negative_age() -> None:
    found, _ = watch("core", 0, 1, FOR_MS)
    assert found.degraded(Instant(START - FOR_MS)) == (("core", 0),)


def test_what_is_asked_has_a_state_and_what_is_not_has_none_unless_it_was_reported() -> None:
    found, _ = watch("sms", 0)
    found.connect("core")
    assert found.states() == {"core": 0, "sms": 0}
    found.answered("sms", START)
    assert found.states() == {"core": 0}
    assert found.degraded(START) == ()
