"""When a try may be made, and when a row of failures blocks: against a model written anew."""

import random

import pytest

from tallystick.application.attempts import AttemptRow
from tallystick.application.attempts.rules import SOURCE_SHARE, next_try_at, tried
from tallystick.kernel.time import Instant
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.language.model import AttemptRule

MINUTE = 60_000
RULE = AttemptRule(
    limit=5,
    block_ms=30 * MINUTE,
    activation_life_ms=MINUTE,
    activation_tries=5,
    backoff_ms=1_000,
    blocks=3,
)


def fresh(subject: str = "cus_x") -> AttemptRow:
    return AttemptRow(subject=subject, failures=0, tried_at=0, blocked_until=0, blocks=0, stopped=0)


@pytest.mark.requirement("MFS-7.3.2-02")
def test_waits_double_then_blocks_double_then_only_operators_unlock() -> None:
    row, now, waits = fresh(), 1_000_000, []
    while (at := next_try_at(row, RULE)) < FOREVER:
        waits.append(max(0, at - now))
        now = max(now, at)
        row = tried(row, Instant(now), RULE)
    one_row = [0, 0, 1_000, 2_000, 4_000]
    assert waits == [
        *one_row, 30 * MINUTE, *one_row[1:], 60 * MINUTE, *one_row[1:],
    ]  # fmt: skip
    assert (row.stopped, row.blocks) == (1, 3)


def test_without_words_for_it_there_is_no_wait_and_no_stop() -> None:
    plain = AttemptRule(limit=2, block_ms=MINUTE, activation_life_ms=1, activation_tries=1)
    row = fresh()
    for _ in range(40):
        row = tried(row, Instant(next_try_at(row, plain)), plain)
    assert row.stopped == 0
    assert row.blocks == 20
    assert next_try_at(row, plain) < FOREVER


@pytest.mark.requirement("MFS-7.3.2-02")
def test_nobody_who_obeys_the_times_ever_gets_more_than_the_limit_within_a_block() -> None:
    draws = random.Random(3)
    for _ in range(200):
        row, now, made = fresh(), 0, []
        for _ in range(60):
            now += draws.choice((1, 500, 1_000, 5_000, MINUTE, 31 * MINUTE))
            if now >= next_try_at(row, RULE):
                row = tried(row, Instant(now), RULE)
                made.append(now)
        for start in made:
            assert len([at for at in made if start <= at < start + 30 * MINUTE]) <= RULE.limit
        assert len(made) <= RULE.limit * RULE.blocks


def test_a_source_has_more_room_and_is_never_stopped() -> None:
    row = fresh("source:10.0.0.1")
    for _ in range(RULE.limit * SOURCE_SHARE - 1):
        row = tried(row, Instant(0), RULE)
        assert next_try_at(row, RULE) == 0
    row = tried(row, Instant(0), RULE)
    assert next_try_at(row, RULE) == 30 * MINUTE
    assert row.stopped == 0
