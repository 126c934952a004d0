"""The pictures: where marks stand, what they say, and that nothing of a programme is run."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from docs.generate import ladder_example
from tests.architecture.source_tree import ROOT
from tests.support.reported import course, material, report, rounds

from tallystick.kernel.errors import Broken
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.process.programme.layers import layer_rows
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import Bearer
from tallystick.process.reports.course import course_figure, course_picture
from tallystick.process.reports.deployment import clauses_figure, population_picture
from tallystick.process.reports.exceedance import losses_picture
from tallystick.process.reports.front import front_figure, front_picture
from tallystick.process.reports.ladders import WIDTH, ladder_picture, letter
from tallystick.process.reports.looped import loop_figure, loop_picture
from tallystick.process.reports.marks import linked, percent, spoken, spot, table
from tallystick.process.reports.matrix import corner, legs, matrix_picture
from tallystick.process.reports.model import Move, Stricter
from tallystick.process.reports.page import LIMIT, report_page
from tallystick.process.reports.scales import Scale, brief, decades, powers, steps
from tallystick.process.reports.sevenlayers import (
    protection_figure,
    protection_of,
    protection_picture,
)
from tallystick.process.reports.sourcing import ORIGINS

pytest.importorskip("highspy", reason="the extra risk is not installed")


def page(found=None) -> str:
    return report_page(found or report(), material().programme)


def test_equal_numbers_give_an_equal_page_that_is_small_enough() -> None:
    assert page() == page()
    assert len(page().encode()) < LIMIT


def test_the_page_fetches_nothing() -> None:
    text = page()
    assert not re.search(r'(?:src|href|action)="(?!#)', text)
    assert "default-src 'none'" in text
    assert "url(http" not in text
    assert "@import" not in text


def test_every_link_leads_somewhere_and_every_id_is_one() -> None:
    text = page()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'href="#([^"]+)"', text))
    assert wanted <= set(ids)
    assert {f"from-{one.name}" for one in ORIGINS} <= set(ids)


def test_what_the_programme_says_is_text() -> None:
    evil = "</script><script>alert(1)</script>\"'<b>"
    found = replace(
        report(),
        versions=replace(report().versions, owner=evil),
        trace=replace(
            report().trace,
            risks=tuple(replace(one, says=evil) for one in report().trace.risks),
        ),
    )
    assert "<script>alert" not in page(found)
    assert page(found).count("</script>") == page().count("</script>")


def pictures() -> dict[str, str]:
    found = report()
    return {
        "population": population_picture(found.population),
        "ladder": ladder_picture("one", found.ladders[0], 50, dict.fromkeys(_factors(), 0)),
        "matrix": matrix_picture(found.matrix, found.moves),
        "loss": losses_picture(found.losses),
        "front": front_picture(found.front, found.friction_budget),
        "course": course_picture(course(5), "declared"),
        "loop": loop_picture(rounds(9)),
        "course-strip": course_picture(course(5), "declared", rounds(9), stricter(9)),
        "loop-strip": loop_picture(rounds(9), stricter(9)),
        "loop-strip-of-one": loop_picture(rounds(1), stricter(1)),
    }


def stricter(count: int) -> tuple[Stricter, ...]:
    """Tightenings beside `rounds(count)`: for a cohort, beyond the caps, and for all."""
    first = rounds(count)[0].at
    made = (("low", "new", 60_000, 240_000, False), ("doubt", "", 90_000, 150_000, True),
            ("low", "", 150_000, 0, False))  # fmt: skip
    return tuple(
        Stricter(
            entry=entry, cohort=cohort, since=first + since, until=first + until if until else 0,
            ended="eased" if until else "", proposed=proposed, customers=7, of_customers=200,
            value_minor=12_345,
        )
        for entry, cohort, since, until, proposed in made
    )  # fmt: skip


def test_rounds_and_tightenings_stand_on_one_strip() -> None:
    root = ET.fromstring(loop_picture(rounds(9), stricter(9)))
    rects = [(str(one.get("class")), float(str(one.get("x")))) for one in root.iter("rect")]
    assert [kind for kind, _ in rects].count("held") == 2
    assert [kind for kind, _ in rects].count("waited") == 1
    assert sum(kind.startswith("round") for kind, _ in rects) == 9
    assert sum(kind == "round falls" for kind, _ in rects) == 4
    circles = sorted({float(str(one.get("cx"))) for one in root.iter("circle")})
    ticks = sorted(x + 1 for kind, x in rects if kind.startswith("round"))
    assert ticks == pytest.approx(circles), "the strip has the axis of the panels"
    held = [x for kind, x in rects if kind == "held"]
    assert held[0] == pytest.approx(circles[1])
    words = {"".join(one.itertext()) for one in root.iter("text")}
    assert {"low for new", "low", "doubt", "rounds"} <= words
    said = "".join("".join(one.itertext()) for one in root.iter("desc"))
    assert "2 tightenings of the service, 1 in force; 1 beyond their caps" in said
    figure = loop_figure(rounds(9), stricter(9), "EUR")
    assert "7 of 200" in figure
    assert "doubt (beyond its caps)" in figure
    assert "EUR 123.45" in figure
    assert "held" not in loop_picture(rounds(9)), "nothing was tightened"
    assert "in force" in loop_figure((), stricter(9), "EUR"), "also where the loop never ran"
    assert '"held"' in course_picture(course(5), "declared", rounds(9), stricter(9))


def _factors() -> list[str]:
    return [rung.factor for one in report().ladders for rung in one.rungs]


@pytest.mark.parametrize(
    "name",
    [
        "population",
        "ladder",
        "matrix",
        "loss",
        "front",
        "course",
        "loop",
        "course-strip",
        "loop-strip",
        "loop-strip-of-one",
    ],
)
def test_a_picture_is_well_formed_says_what_it_shows_and_stays_inside(name: str) -> None:
    root = ET.fromstring(pictures()[name])
    assert root.get("role") == "img"
    named = str(root.get("aria-labelledby")).split()
    assert [one.get("id") for one in root if one.tag in {"title", "desc"}] == named
    assert all("".join(one.itertext()).strip() for one in root if one.tag in {"title", "desc"})
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    for one in root.iter():
        for attribute, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            if attribute in one.attrib:
                assert 0 <= float(one.attrib[attribute]) <= most


def test_the_segments_of_a_ladder_are_as_long_as_its_points() -> None:
    one = report().ladders[0]
    root = ET.fromstring(ladder_picture("one", one, 50, dict.fromkeys(_factors(), 0)))
    segments = [rect for rect in root.iter("rect") if "seg" in str(rect.get("class"))]
    unit = (WIDTH - 46) / 50
    total = sum(float(str(rect.get("width"))) for rect in segments)
    assert total == pytest.approx(sum(one.points) * unit, abs=0.1 * len(segments))


def test_the_letters_of_a_tables_factors_differ() -> None:
    for scoring in material().pack.tables.values():
        letters = [letter(factor) for factor in scoring.factors]
        assert len(letters) == len(set(letters))


def test_a_legend_and_a_tile_tell_each_state_by_sign_and_word() -> None:
    found = report()
    text = clauses_figure(found.clauses, found.states, found.rows)
    assert text.count('<li class="tile') == 61
    inferred = sum(one.inferred for one in found.clauses)
    assert text.count('class="tile inferred"') == inferred
    assert f"{found.rows} of {found.rows}" in text
    assert "%" not in re.sub(r"<[^>]*>", "", text), "counts have denominators, never a percentage"


def test_legs_leave_out_what_stays_and_add_up_what_goes_alike() -> None:
    moves = [
        Move(inherent=(5, 5), designed=(1, 5), observed=(5, 5), places=3),
        Move(inherent=(5, 5), designed=(1, 5), observed=(1, 5), places=4),
        Move(inherent=(2, 2), designed=(2, 2), observed=(0, 0), places=9),
    ]
    assert legs(moves, 0) == [((5, 5), (1, 5), 7)]
    assert legs(moves, 1) == [((1, 5), (5, 5), 3)]


def test_a_higher_likelihood_stands_higher_and_a_higher_impact_to_the_right() -> None:
    assert corner((5, 1))[1] < corner((4, 1))[1]
    assert corner((1, 5))[0] > corner((1, 4))[0]


def test_one_observation_says_that_there_is_no_course_yet() -> None:
    assert "a course needs two" in course_figure(course(1), "declared")
    text = course_figure(course(6), "declared")
    assert "a course needs two" not in text
    strip = "bars for tightenings"
    assert strip not in text, "there is none to explain"
    assert strip in course_figure(course(6), "declared", rounds(6), stricter(6))
    assert text.count('class="version"') == 1


def test_one_set_says_that_there_is_no_trade() -> None:
    (chosen,) = [one for one in report().front if one.chosen]
    assert "there is no trade" in front_figure((chosen,), 40)


def test_a_scale_puts_its_ends_at_its_ends_and_what_is_outside_on_the_edge() -> None:
    scale = Scale(1, 1000, 10, 40, logarithmic=True)
    assert [round(scale.at(value), 6) for value in (1, 10, 1000)] == [10, 20, 40]
    assert (scale.at(0), scale.at(10**9)) == (10, 40)
    assert Scale(5, 5, 3, 9).at(5) == 3


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0), (3, 7), (190, 260), (0, 999_999)])
def test_steps_are_few_and_reach_around(low: int, high: int) -> None:
    found = steps(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert 2 <= len(found) <= 8
    assert len({after - before for before, after in pairwise(found)}) == 1


def test_decades_reach_around() -> None:
    assert decades(7, 4_200) == (1, 10_000)
    assert decades(0, 0) == (1, 10)
    assert list(powers(1, 1000)) == [1, 10, 100, 1000]


def test_numbers_are_written_alike() -> None:
    assert [spot(one) for one in (3, 3.04, -2.55, 0.0, 7.9999)] == ["3", "3", "-2.6", "0", "8"]
    assert brief(1_234_567_89, 2) == "1.2 M"
    assert brief(99_900, 2) == "999"
    assert spoken(Money(1_494_801_773_734, "KES")) == "KES 14.9 billion"
    assert spoken(Money(4_480_628, "EUR")) == "EUR 44,806.28"
    assert [percent(one) for one in ("0.55", "0.001", 1)] == ["55 %", "0.1 %", "100 %"]
    assert linked(12345, "counts").text == "12,345"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(Broken):
        table("numbers", ("one", "two"), [("1",)])


def test_the_picture_of_the_page_on_reading_is_that_of_the_code() -> None:
    file = ROOT / "docs" / "how-to" / "read-the-report.svg"
    assert file.read_text(encoding="utf-8") == ladder_example(), "python dev.py docs"
    root = ET.fromstring(file.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_loop_shows_what_fell_rose_was_proposed_and_flipped_on_one_axis() -> None:
    assert "has not run" in loop_figure(())
    assert "Nothing changed since" in loop_figure(rounds(1))
    drawn = loop_picture(rounds(3))
    root = ET.fromstring(drawn)
    words = ["".join(one.itertext()) for one in root.iter("text")]
    assert "files-mode" in words
    assert "files-mode back" in words
    assert "pin" in words
    assert "MFS-7.2.1-01" in words
    assert {"policy 1", "policy 2"} <= set(words)
    assert len([one for one in root.iter("path") if one.get("class") == "diamond"]) == 1
    dots = [one for one in root.iter("circle") if "dot" in str(one.get("class"))]
    by_x = {one.get("cx") for one in dots}
    assert len(dots) == 9
    assert len(by_x) == 3, "three panels share the axis"
    assert "files-mode failed" in loop_figure(rounds(3))


def bared() -> Programme:
    """The small programme with one more flow, which nothing protects on any layer."""
    programme = material().programme
    name, flow = next(iter(programme.flows.items()))
    bare = replace(flow, id=f"{name}-bare", bearer=Bearer.CODE, protocol="none", reads=())
    return replace(programme, flows={**programme.flows, bare.id: bare})


@pytest.mark.requirement("MFS-7.2.3-01")
def test_the_seven_layers_show_every_flow_and_count_with_a_denominator() -> None:
    rows = layer_rows(bared())
    protection = protection_of(bared())
    assert [one.flow for one in protection] == [one.flow for one in rows]
    assert protection[:-1] == report().protection
    drawn = protection_picture(protection)
    total = len(rows)
    squares = re.findall(r'class="bar (served|out|empty)"', drawn)
    assert len(squares) == 7 * total
    assert squares.count("served") == sum(len(one.layers) for one in rows)
    half = {5, 6, 7}, {2, 3, 4}
    bare = sum(3 for one in rows for part in half if not part & one.layers.keys())
    assert squares.count("out") == bare >= 6
    figure = protection_figure(protection)
    asked = sum(bool(one.gap) for one in rows)
    assert f">{asked} of {total}</a> flows" in figure
    for one in rows:
        assert f'<th scope="row">{one.flow}</th>' in figure
    ET.fromstring(re.sub(r"&(?!amp|lt|gt|quot|#)", "&amp;", drawn))
