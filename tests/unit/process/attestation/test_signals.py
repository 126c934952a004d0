"""Run-time signals: weights, sources, time; no source alone makes people wait."""

import itertools

import pytest
from simulators.keymint import changed
from tests.support.attested import Bench

from tallystick.kernel.time import DAY_MS
from tallystick.process.attestation.model import Appraised
from tallystick.process.attestation.signals import (
    ALONE,
    MOST,
    WEIGHTS,
    Signal,
    score,
    shown_by,
    standing,
)

SUBSETS = [
    frozenset(some) for n in range(len(Signal) + 1) for some in itertools.combinations(Signal, n)
]


def test_every_signal_has_a_weight() -> None:
    assert set(WEIGHTS) == set(Signal)
    assert all(0 < one <= MOST for one in WEIGHTS.values())


@pytest.mark.requirement("MFS-8.1.3-01")
def test_no_source_is_trusted_alone() -> None:
    assert ALONE == 599
    for some in SUBSETS:
        assert score(some, ()) <= ALONE
        assert score((), some) <= ALONE
        assert bool(score(some, ())) == bool(some)


def test_two_that_agree_go_beyond_and_more_is_never_less() -> None:
    assert score({Signal.ROOTED}, {Signal.ROOTED}) == 900
    assert score(Signal, Signal) == MOST
    for some in SUBSETS:
        for one in Signal:
            assert score({*some, one}, ()) >= score(some, ())
            assert score({*some, one}, {Signal.ROOTED}) >= score(some, {Signal.ROOTED})
            assert score(some, {Signal.ROOTED, one}) >= score(some, {Signal.ROOTED})


def test_the_app_s_own_word_weighs_half() -> None:
    for one, weight in WEIGHTS.items():
        assert score({one}, ()) == min(ALONE, weight // 2)
        assert score((), {one}) == min(ALONE, weight)


def test_a_report_counts_for_a_day() -> None:
    told = {"rooted": 1_000, "hooked": 1_000 + DAY_MS}
    assert standing(told, 1_000) == {Signal.ROOTED}
    assert standing(told, 1_000 + DAY_MS) == {Signal.ROOTED, Signal.HOOKED}
    assert standing(told, 1_001 + DAY_MS) == {Signal.HOOKED}


@pytest.mark.parametrize(
    ("wrong", "signal"),
    [
        ({"locked": False}, Signal.ROOTED),
        ({"package": "example.evil"}, Signal.REPACKAGED),
        ({"os_patch": 202001}, Signal.OUTDATED),
        ({"level": 0, "key_level": 0}, Signal.EMULATED),
    ],
)
def test_evidence_shows_what_the_phone_does_not_say(
    wrong: dict[str, object], signal: Signal
) -> None:
    bench = Bench()
    evidence = bench.evidence(bench.chain(changed(bench.factory.phone(), **wrong)))
    verdict = bench.verdict(changed(bench.factory.phone(), **wrong))
    one = Appraised(evidence=evidence, subject=bench.subject(), verdict=verdict)
    assert signal in shown_by((one,))
    good = Appraised(
        evidence=evidence, subject=bench.subject(), verdict=bench.verdict(bench.factory.phone())
    )
    assert shown_by((good,)) == frozenset()
