"""A provider under every fault that can be thought of; and mistakes that the checker must find."""

import pytest
from simulators.faults.bugs import BUGS, Bug, planted
from simulators.faults.world import Plan, Report, simulate

SEEDS = range(1, 41)
"""How many seeds a planted mistake is given to show itself."""


def played(plan: Plan) -> Report:
    report = simulate(plan)
    assert not report.findings, (plan, report.findings)
    assert sum((report.faults or {}).values()) >= plan.faults * 0.98
    return report


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.parametrize("engine", ["file", "server"])
def test_nothing_is_lost_doubled_or_untrue_whatever_fails(engine: str) -> None:
    report = played(Plan(seed=2027, orders=32_000, faults=1_000, engine=engine))
    assert report.transfers > 50_000
    assert report.starts > 200
    assert report.reads > 1_000


@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("engine", ["file", "server"])
def test_a_hostile_core_and_failing_machines_agree_in_the_end(engine: str) -> None:
    report = played(Plan(seed=7, orders=3_000, faults=150, engine=engine, core=True))
    assert report.transfers > 8_000


def test_a_seed_gives_the_same_run_again() -> None:
    plan = Plan(seed=5, orders=600, faults=40)
    first, again = simulate(plan), simulate(plan)
    assert (first.orders, first.transfers, first.events) == (
        again.orders,
        again.transfers,
        again.events,
    )
    assert (first.faults, first.network, first.commits) == (
        again.faults,
        again.network,
        again.commits,
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_mistake_is_found(bug: Bug) -> None:
    for seed in SEEDS:
        plan = Plan(
            seed=seed,
            orders=400,
            faults=60,
            engine=bug.engine,
            core=bug.core,
            kinds=bug.kinds,
        )
        with planted(bug):
            report = simulate(plan)
        if report.findings:
            print(f"{bug.name}: seed {seed}: {report.findings[0]}")
            return
    pytest.fail(f"{bug.name} was not found")


def test_every_kind_of_fault_happens() -> None:
    for engine, kinds in (("file", 10), ("server", 15)):
        report = simulate(Plan(seed=1, orders=1_500, faults=150, engine=engine))
        assert len(report.faults or {}) == kinds


@pytest.mark.soak
@pytest.mark.requirement("MFS-7.3.3-06")
@pytest.mark.parametrize("engine", ["file", "server"])
@pytest.mark.parametrize("seed", range(100, 104))
def test_a_million_transfers_under_ten_thousand_faults(
    engine: str, seed: int, record_property
) -> None:
    """An eighth of them each."""
    report = played(Plan(seed=seed, orders=75_000, faults=1_250, engine=engine))
    for name in ("orders", "transfers", "commits", "starts", "reads"):
        record_property(name, getattr(report, name))
    assert report.transfers > 125_000
