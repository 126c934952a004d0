"""The evaluator of the alert rules, against cases that were computed by hand."""

import math

import pytest
from tests.support.prometheus import Prometheus, Rule, read_exposition, read_rules
from tests.support.promql import NotOfTheSubset, Samples, Vector, parse

HERE = frozenset({("job", "tallystick")})


def samples(*scrapes: tuple[float, str]) -> Samples:
    """Scrapes at some seconds, each an exposition."""
    found = Samples()
    for at, text in scrapes:
        found.add(at, read_exposition(text.replace("; ", "\n"), frozenset()))
    return found


def counted(*values: float | None, step: float = 15.0) -> Samples:
    """The counter `c`, scraped every `step` seconds from 0 on; None where it was not there."""
    shown = ((number * step, value) for number, value in enumerate(values))
    return samples(*((at, "" if value is None else f"c {value}") for at, value in shown))


def only(found: Vector) -> float:
    [value] = found.values()
    return value


def at(text: str, of: Samples, now: float) -> Vector:
    return parse(text).at(of, now)


def test_a_rate_is_stretched_to_the_ends_of_its_range_and_never_below_zero() -> None:
    # 5 samples in (0, 60] grow by 40 in 45 s; the first is 15 s after the range began, the last
    # at its end: 40 * (45 + 15 + 0) / 45 = 53.33, over 60 s.
    found = counted(1000, 1000, 1010, 1030, 1040)
    assert only(at("increase(c[1m])", found, 60)) == pytest.approx(40 * 60 / 45)
    assert only(at("rate(c[1m])", found, 60)) == pytest.approx(40 / 45)
    # From 0 it grew to 40: it was nothing before, so that nothing is added in front.
    assert only(at("increase(c[1m])", counted(0, 0, 10, 30, 40), 60)) == pytest.approx(40)
    # From 5 to 45 in 45 s: it was 0 for 45 * 5 / 40 = 5.625 s before the first sample.
    assert only(at("increase(c[1m])", counted(0, 5, 15, 35, 45), 60)) == pytest.approx(45)
    # Two samples at 0 and 15 in a range of 300 s: half a step in front, none behind.
    assert only(at("increase(c[5m])", counted(100, 130), 15)) == pytest.approx(30 * 22.5 / 15)


def test_a_counter_that_falls_began_anew() -> None:
    # 100 -> 110 -> 4 -> 10: it grew by 10, 4 and 6; a range that begins at the first sample - 15.
    assert only(at("increase(c[1m])", counted(90, 100, 110, 4, 10), 60)) == pytest.approx(
        20 * 60 / 45
    )


def test_one_sample_gives_no_rate_and_a_series_that_appears_shows_only_what_follows() -> None:
    assert at("rate(c[1m])", counted(None, None, 500), 30) == {}
    found = counted(None, None, 500, 500)
    assert only(at("increase(c[1m])", found, 45)) == 0


def test_what_is_gone_from_a_scrape_is_gone_at_once_and_what_is_old_after_five_minutes() -> None:
    assert at("c > 0", counted(1, None), 0) != {}
    assert at("c > 0", counted(1, None), 15) == {}
    assert at("c > 0", counted(1), 299) != {}
    assert at("c > 0", counted(1), 300) == {}


def test_a_quantile_is_read_off_between_two_bounds() -> None:
    # 100 answers: 90 up to 1 s, 98 up to 2.5 s, all up to 5 s. The 99th lies half way in the last
    # bucket but one: 2.5 + 2.5 * (99 - 98) / (100 - 98) = 3.75. The median: 1 * 50 / 90.
    text = (
        'h_bucket{le="1"} 90; h_bucket{le="2.5"} 98; h_bucket{le="5"} 100; h_bucket{le="+Inf"} 100'
    )
    found = samples((0, text))
    assert only(at("histogram_quantile(0.99, h_bucket)", found, 0)) == pytest.approx(3.75)
    assert only(at("histogram_quantile(0.5, h_bucket)", found, 0)) == pytest.approx(50 / 90)
    beyond = samples((0, 'h_bucket{le="1"} 1; h_bucket{le="5"} 1; h_bucket{le="+Inf"} 9'))
    assert only(at("histogram_quantile(0.99, h_bucket)", beyond, 0)) == 5
    nothing = samples((0, 'h_bucket{le="1"} 0; h_bucket{le="+Inf"} 0'))
    assert math.isnan(only(at("histogram_quantile(0.99, h_bucket)", nothing, 0)))
    assert at("histogram_quantile(0.99, h_bucket) > 2", nothing, 0) == {}


def test_sums_keep_the_labels_that_are_asked_for() -> None:
    found = samples((0, 'm{a="x",b="1"} 1; m{a="x",b="2"} 2; m{a="y",b="1"} 4'))
    assert at("sum(m)", found, 0) == {frozenset(): 7}
    by = at("sum by (a) (m)", found, 0)
    assert by == {frozenset({("a", "x")}): 3, frozenset({("a", "y")}): 4}
    assert at('sum(m{a="x",b="2"})', found, 0) == {frozenset(): 2}
    assert at('sum(m{a="z"})', found, 0) == {}


def test_two_vectors_are_compared_series_by_series_and_the_left_stays() -> None:
    found = samples((0, 'm{a="x"} 1; m{a="y"} 5; n{a="x"} 100; n{a="z"} 1'))
    assert at("m > 0.01 * n", found, 0) == {}
    assert list(at("m == 0.01 * n", found, 0).values()) == [1]
    assert list(at("m < n", found, 0).values()) == [1]
    assert list(at("n - time() > 30", found, 60).values()) == [40]


@pytest.mark.parametrize(
    "text",
    [
        "", "c >", "c >= 1", "c != 1", "c / 2", "c + 1", "-c", "c and c", "c or c", "c unless c",
        "avg(c)", "max by (a) (c)", "sum without (a) (c)", "rate(c)", "rate(c[5m:1m])", "c[5m]",
        "c offset 5m", 'c{a!="x"}', 'c{a=~"x"}', "irate(c[5m])", "rate(c[5d])", "c > bool 1",
        "1 > c", "time()", "1", "c - c", "histogram_quantile(c, c)", "abs(c)", "c @ 1", "c) > 1",
        'c{a="x"', "rate(sum(c)[5m])", "c == 1 == 1", "5m > 1", "c > 1d",
    ],
)  # fmt: skip
def test_whatever_is_not_of_the_subset_is_refused(text: str) -> None:
    with pytest.raises(NotOfTheSubset):
        at(text, samples((0, "c 1")), 0)


@pytest.mark.parametrize(
    "text", ["a", "a b", "a{b} 1", 'a{b="c"d="e"} 1', "a 1 2", 'a{b="c",} 1', "a 1; a 2"]
)
def test_an_exposition_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotOfTheSubset):
        read_exposition(text.replace("; ", "\n"), HERE)


@pytest.mark.parametrize(
    "rule", ["{record: a, expr: b}", "{alert: A, expr: b, keep_firing_for: 5m}", "{alert: A}"]
)
def test_rules_of_another_kind_are_refused(rule: str) -> None:
    with pytest.raises(NotOfTheSubset, match="not an alert"):
        read_rules(f"groups: [{{name: g, rules: [{rule}]}}]")


class Stepped:
    """A clock in steps, and a scraper that is given what it scrapes."""

    def __init__(self) -> None:
        self.off_ms = 0

    def now(self) -> int:
        return self.off_ms


def fired_at(rule: Rule, *values: float | None) -> float | None:
    """When `rule` fires on the gauge `g`, scraped every 15 s."""
    watching = Prometheus("", Stepped(), [rule])  # type: ignore[arg-type]
    for number, value in enumerate(values):
        watching.clock.off_ms = number * 15_000
        shown = {} if value is None else {("g", HERE): float(value)}
        watching.samples.add(watching.now, shown)
        watching._evaluate(watching.now)
    return watching.fired.get(rule.name)


def test_an_alert_waits_for_its_time_and_begins_anew_after_a_gap() -> None:
    at_once, later = Rule("A", parse("g > 1"), 0), Rule("A", parse("g > 1"), 60)
    assert fired_at(at_once, 0, 2) == 15
    assert fired_at(later, 0, 2, 2, 2, 2) is None
    assert fired_at(later, 0, 2, 2, 2, 2, 2) == 75
    assert fired_at(later, 0, 2, 2, 2, 0, 2, 2, 2, 2) is None
    assert fired_at(later, 0, 2, 2, None, 2, 2, 2, 2, 2) == 120
    assert fired_at(later, 0, 3, 4, 5, 6, 7) == 75, "another value is the same alert"
