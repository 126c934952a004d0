"""Each alert rests on a metric that is exposed, and leads to a paragraph that exists."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.support.served import Served, served

ROOT = Path(__file__).resolve().parents[2]
RULES = YAML(typ="safe").load(
    (ROOT / "deploy" / "prometheus" / "tallystick.rules.yaml").read_text()
)
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PAGE = (ROOT / "docs" / "how-to" / "alerts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    with served(tmp_path_factory.mktemp("alerts") / "p", workers=2) as provider:
        provider.person("+254700000001", "Ann")
        return metrics(provider)


def metrics(provider: Served) -> str:
    return provider.transport.get("/metrics").body.decode()


def names(exposition: str) -> set[str]:
    return set(re.findall(r"^(tallystick_\w+)", exposition, re.MULTILINE))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_rests_on_what_is_exposed_and_says_where_to_read(alert, exposed: str) -> None:
    used = set(re.findall(r"tallystick_\w+", alert["expr"]))
    assert used <= names(exposed)
    assert used or "up{" in alert["expr"]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/how-to/alerts.md"
    assert f"\n## {alert['alert']}\n" in PAGE
    assert anchor == alert["alert"].lower()


def test_every_metric_is_on_the_page_and_no_other(exposed: str) -> None:
    assert set(re.findall(r"`(tallystick_\w+)`", PAGE)) == names(exposed)


def test_the_exposition_has_the_form_that_prometheus_reads(exposed: str) -> None:
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", exposed, re.MULTILINE))
    assert set(types) == names(exposed)
    for name, kind in types.items():
        assert kind == ("counter" if name.endswith("_total") else "gauge"), name
    for line in exposed.splitlines():
        assert line.startswith("#") or re.fullmatch(
            r'tallystick_\w+(?:\{(?:\w+="[^"\\\n]*",?)+\})? \d+', line
        ), line


def test_a_working_writer_and_the_end_of_the_key_list_are_told(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False) as provider:
        assert "tallystick_writes_stopped 0" in metrics(provider)
        shown = metrics(provider)
        ends = re.search(r"^tallystick_key_list_ends_seconds (\d+)$", shown, re.MULTILINE)
        assert ends
        assert int(ends.group(1)) > provider.clock.now() // 1000
