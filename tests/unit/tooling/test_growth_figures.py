"""The growth plan's figures: homes, costs, and the page that tells of them."""

import json
import random
from pathlib import Path

import pytest
from bench.growth import cost, tables
from bench.growth.assumptions import ASSUMED
from bench.growth.figures import Cpu
from bench.growth.homes import Place, bisected, cells_of, gravity, packed, regions
from bench.growth.workload import DECLARED, recorded_shape

CPU = Cpu(front=200, quote=100, local=100, hold=110, credit=80, capture=60, proof=20)
MEASURED = {"payment_bytes": 3000, "customer_bytes": 2000}
PLACES = regions(47, random.Random(1), skew=0.7)


def test_gravity_shares_all_and_prefers_what_is_near():
    near, here, far = (Place(x=x, y=0.5, weight=1.0) for x in (0.3, 0.2, 0.9))
    rows = gravity([here, near, far])
    assert [sum(row) for row in rows] == pytest.approx([1, 1, 1])
    assert rows[0][0] > rows[0][1] > rows[0][2]


@pytest.mark.parametrize("homes", [1, 2, 3, 6, 8, 16])
def test_the_map_is_cut_evenly_and_every_place_has_a_home(homes):
    cells = cells_of(PLACES, 1 / 128)
    assert max(cell.weight for cell in cells) <= 1 / 128 + 1e-12
    assert sum(cell.weight for cell in cells) == pytest.approx(1)
    found = bisected(cells, homes)
    weights = [0.0] * homes
    for cell, home in zip(cells, found, strict=True):
        weights[home] += cell.weight
    assert max(weights) * homes < 1.1
    assert set(packed(cells, homes)) == set(found) == set(range(homes))


@pytest.mark.parametrize("choice", cost.CHOICES)
@pytest.mark.parametrize("homes", [1, 4, 12])
def test_what_leaves_one_home_arrives_at_another(choice, homes):
    spread = cost.CHOICES[choice](homes)
    assert sum(spread.local) + sum(spread.outgoing) == pytest.approx(1)
    assert sum(spread.outgoing) == pytest.approx(sum(spread.incoming))
    assert sum(spread.customers) == pytest.approx(1)
    if choice == "hash":
        assert spread.crossing() == pytest.approx(1 - 1 / homes, abs=0.001)


def test_neighbours_in_one_home_cross_less_than_a_hash():
    assert cost.CHOICES["cell"](8).crossing() < 0.6 < cost.CHOICES["hash"](8).crossing()


def test_one_home_pays_for_local_payments_only():
    row = cost.partition_row(CPU, MEASURED, "cell", 1)
    assert row["busiest_writer"] == pytest.approx(12_000 * 100 / 1e6)
    assert not row["carries_the_peak"]
    assert row["crossing"] == 0
    assert row["front_cores"] == 8  # 12,000/s x (200 + 100 + 100 us of TLS) / 0.6


def test_each_side_of_a_crossing_payment_pays_its_own_steps():
    spread = cost.CHOICES["hash"](2)
    loads = cost.writer_loads(CPU, spread, 1e6)
    for home in (0, 1):
        assert loads[home] == pytest.approx(
            100 * spread.local[home] + 170 * spread.outgoing[home] + 80 * spread.incoming[home]
        )
    assert CPU.crossing() == 250


def test_more_homes_never_make_the_busiest_writer_busier_by_cell():
    busy = [cost.partition_row(CPU, MEASURED, "cell", homes) for homes in cost.COUNTS]
    found = [row["busiest_writer"] for row in busy]
    assert found == sorted(found, reverse=True)


def test_the_smallest_deployment_is_three_machines_with_room():
    small = cost.small_deployment(CPU, MEASURED)
    assert small["machines"] == 3
    assert small["peak_per_s"] < small["carries_per_s"]
    assert small["busy_at_peak_with_two_left"] < 0.6
    assert small["price_month"]["month 12"]["disk"] > small["price_month"]["month 1"]["disk"]


def test_without_a_recording_the_declared_shape_is_used(monkeypatch, tmp_path):
    monkeypatch.setenv("TALLYSTICK_TEST_DATA", str(tmp_path))
    assert recorded_shape() is DECLARED
    assert sum(DECLARED.shares.values()) == pytest.approx(1)


def test_the_recording_gives_shares_of_honest_rows(monkeypatch, tmp_path):
    folder = tmp_path / "mobile-money"
    folder.mkdir()
    rows = ["type,amount,isFraud", "PAYMENT,100.9,0", "TRANSFER,200,0", "TRANSFER,900,1"]
    (folder / "paysim_sample.csv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setenv("TALLYSTICK_TEST_DATA", str(tmp_path))
    shape = recorded_shape()
    assert shape.shares == {"merchant": 0.5, "p2p": 0.5}
    assert shape.amounts == (1_000, 2_000)


def test_every_assumption_is_used(repository: Path):
    text = (repository / "bench" / "growth" / "cost.py").read_text(encoding="utf-8")
    assert [name for name in ASSUMED if f'value("{name}")' not in text] == []


def test_the_page_shows_the_recorded_table(repository: Path):
    recorded = json.loads(
        (repository / "bench" / "results" / "growth.json").read_text(encoding="utf-8")
    )
    page = (repository / "docs" / "explanation" / "growth.md").read_text(encoding="utf-8")
    assert "\n".join(tables.page_table(recorded["partitions"])) in page
    said = " ".join(page.split())
    for figure in tables.page_figures(recorded):
        assert figure in said
    assert not recorded["simulated"]["findings"]
