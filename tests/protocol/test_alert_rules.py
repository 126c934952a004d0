"""Each alert rests on a metric that is exposed, and leads to a paragraph that exists."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.support.collectors import until
from tests.support.metrics import exposition, families, series, watched_provider
from tests.support.served import served

from tallystick.entry.durations import BOUNDS_S
from tallystick.entry.notes import Note
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

ROOT = Path(__file__).resolve().parents[2]
RULES = YAML(typ="safe").load(
    (ROOT / "deploy" / "prometheus" / "tallystick.rules.yaml").read_text()
)
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PAGE = (ROOT / "docs" / "how-to" / "alerts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    with watched_provider(tmp_path_factory.mktemp("alerts") / "p") as provider:
        return exposition(provider)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_rests_on_what_is_exposed_and_says_where_to_read(alert, exposed: str) -> None:
    used = set(re.findall(r"tallystick_\w+", alert["expr"]))
    assert used <= set(series(exposed))
    assert used or "up{" in alert["expr"]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/how-to/alerts.md"
    assert f"\n## {alert['alert']}\n" in PAGE
    assert anchor == alert["alert"].lower()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_on_a_note_names_one_that_there_is(alert) -> None:
    for message in re.findall(r'message="([^"]+)"', alert["expr"]):
        assert Note(message)


def test_every_metric_is_on_the_page_and_no_other(exposed: str) -> None:
    assert set(re.findall(r"`(tallystick_\w+)`", PAGE)) == set(families(exposed))


def test_the_exposition_has_the_form_that_prometheus_reads(exposed: str) -> None:
    types, known = families(exposed), series(exposed)
    assert set(known) >= set(re.findall(r"^(tallystick_\w+)", exposed, re.MULTILINE))
    for name, kind in types.items():
        assert kind == ("counter" if name.endswith("_total") else kind), name
        assert kind in {"counter", "gauge", "histogram"}
    for line in exposed.splitlines():
        assert line.startswith("#") or re.fullmatch(
            r'tallystick_\w+(?:\{(?:\w+="[^"\\\n]*",?)+\})? -?\d+(?:\.\d{6})?', line
        ), line


def test_a_working_writer_and_the_end_of_the_key_list_are_told(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False) as provider:
        shown = exposition(provider)
        assert "tallystick_writes_stopped 0" in shown
        ends = re.search(r"^tallystick_key_list_ends_seconds (\d+)$", shown, re.MULTILINE)
        assert ends
        assert int(ends.group(1)) > provider.clock.now() // 1000


@pytest.mark.parametrize("workers", [1, 2])
def test_each_answer_is_in_one_bucket_of_its_operation(tmp_path: Path, workers: int) -> None:
    with served(tmp_path / "p", workers=workers) as provider:
        payer = provider.person("+254700000001", "Ann")
        payee = provider.person("+254700000002", "Ben")
        provider.fund(payer.number, 100_000)
        for _ in range(3):
            payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
        asked = {"payment.order": 3, "session.establish": 1, "fund-account": 2}

        def reported() -> bool:
            """Each front reports a few times a second, and each at its own time."""
            return all(count(exposition(provider), one) >= n for one, n in asked.items())

        until(reported)
        shown = exposition(provider)
    assert count(shown, "payment.order") == 3
    for operation in asked:
        answered = re.findall(
            rf'^tallystick_answers_total{{operation="{operation}",.*}} (\d+)$', shown, re.MULTILINE
        )
        assert count(shown, operation) == sum(map(int, answered)) > 0
        bounds = buckets(shown, operation)
        assert [bound for bound, _ in bounds] == [*(f"{one:g}" for one in BOUNDS_S), "+Inf"]
        reached = [number for _, number in bounds]
        assert reached == sorted(reached)
        assert reached[-1] == count(shown, operation)
    total = re.search(r'answer_seconds_sum{operation="payment.order"} (\S+)$', shown, re.MULTILINE)
    assert total
    assert 0 < float(total[1]) < 30


def buckets(shown: str, operation: str) -> list[tuple[str, int]]:
    """Upper end and count of each bucket."""
    return [
        (bound, int(number))
        for bound, number in re.findall(
            rf'answer_seconds_bucket{{operation="{operation}",le="(\S+)"}} (\d+)', shown
        )
    ]


def count(shown: str, operation: str) -> int:
    """How many answers of `operation` were timed."""
    found = re.search(rf'answer_seconds_count{{operation="{operation}"}} (\d+)', shown)
    return int(found[1]) if found else 0


def test_a_refusal_at_a_door_is_counted_under_its_operation(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False) as provider:
        provider.transport.post("/v1/acts/fund-account", b"{}", "application/json")
        provider.transport.post("/v1/nothing", b"{}", "application/json")
        shown = exposition(provider)
    assert 'answers_total{operation="fund-account",status="400",refusal="malformed"} 1' in shown
    assert 'answers_total{operation="open",status="404",refusal="not-found"} 1' in shown
    assert count(shown, "fund-account") == 1
    assert count(shown, "open") == 0
