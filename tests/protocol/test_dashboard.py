"""The dashboard shows every metric that is exposed and none that is not, and fits its grid."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.metrics import exposition, series, watched_provider

from tallystick.entry.http.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "tallystick.json").read_text())
PANELS = DASHBOARD["panels"]
KINDS = {"row", "stat", "timeseries", "table", "heatmap"}
COLUMNS = 24


def queries() -> Iterator[str]:
    """Every expression of the dashboard."""
    for panel in PANELS:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (one["expr"] for one in DASHBOARD["annotations"]["list"])
    yield from (one["definition"] for one in DASHBOARD["templating"]["list"] if "definition" in one)


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    with watched_provider(tmp_path_factory.mktemp("dashboard") / "p") as provider:
        return exposition(provider)


def test_the_dashboard_shows_what_is_exposed_and_all_of_it(exposed: str) -> None:
    known = series(exposed)
    used = {name for query in queries() for name in re.findall(r"tallystick_\w+", query)}
    assert used <= set(known)
    assert {known[name] for name in used} == set(known.values())


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_is_balanced_and_names_labels_and_operations_that_there_are(
    query: str, exposed: str
) -> None:
    assert query.count("(") == query.count(")")
    assert query.count("{") == query.count("}")
    labels = {"job", *re.findall(r'(\w+)="', exposed)}
    for selector in re.findall(r"\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)(?:=~|!=|=)", selector)) <= labels
    for by in re.findall(r"by \(([^)]*)\)", query):
        assert set(re.split(r",\s*", by)) <= labels
    names = {one.name for one in OPERATIONS}
    assert set(re.findall(r'operation="([^"]+)"', query)) <= names


def test_panels_have_ids_titles_sources_and_say_what_they_are_for() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["type"] in KINDS
        assert panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["description"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [one["refId"] for one in panel["targets"]] == list("ABCD"[: len(panel["targets"])])
        for one in panel["targets"]:
            assert 'job=~"$job"' in one["expr"] or "up{" in one["expr"], panel["title"]


def test_panels_fit_the_grid_and_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        at: dict[str, Any] = panel["gridPos"]
        assert at["x"] >= 0
        assert at["x"] + at["w"] <= COLUMNS
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, (panel["title"], taken.get((x, y)))
                taken[x, y] = panel["title"]


def test_thresholds_rise_and_the_first_has_no_value() -> None:
    for panel in PANELS:
        steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps")
        if steps:
            assert steps[0]["value"] is None
            values = [one["value"] for one in steps[1:]]
            assert values == sorted(values)


def test_the_first_screen_says_whether_it_is_up_what_waits_and_what_ends() -> None:
    first = " ".join(
        target["expr"]
        for panel in PANELS
        if panel["gridPos"]["y"] < 13
        for target in panel.get("targets", ())
    )
    for name in (
        "up{",
        "writes_stopped",
        "commands_waiting",
        "key_list_ends",
        "disk_free",
        "fronts",
    ):
        assert name in first
