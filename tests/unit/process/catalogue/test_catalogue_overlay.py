"""A holder's overlay: what it says, what it changes, and every way of getting it wrong."""

from pathlib import Path

import pytest

from tallystick.kernel.errors import Conflict, Malformed, NotFound, TooLarge, Unavailable
from tallystick.kernel.model import replace
from tallystick.process.catalogue import (
    Kind,
    Standing,
    apply_overlay,
    catalogue,
    load_overlay,
    read_overlay,
)

GOOD = """\
by: Example MFSP, compliance office
edition: ISO/TS 12812-2:2017
date: 2026-11-25
rows:
  MFS-7.3.3-01: confirmed
  MFS-7.3.3-02:
    standing: amended
    note: "no"
    iso_kind: recommendation
    iso_text_ref: 7.3.3, page 18, item b
  MFS-9.5-01: {standing: absent}
added:
  MFS-7.3.3-90: {clause: 7.3.3, title: A refund names its order., modality: shall}
"""


def test_the_standing_counts_every_row() -> None:
    overlaid = apply_overlay(catalogue(), read_overlay(GOOD, catalogue()))
    assert overlaid.standing() == (
        "confirmed 1 of 250 by Example MFSP, compliance office, amended 1, absent 1, added 1,"
        " reconstructed 247"
    )
    assert len(overlaid.rows) == 251


def test_without_an_overlay_every_row_is_reconstructed() -> None:
    overlaid = apply_overlay(catalogue(), None)
    assert overlaid.standing() == (
        "confirmed 0 of 250, amended 0, absent 0, added 0, reconstructed 250"
    )
    assert {one.standing for one in overlaid.rows.values()} == {Standing.RECONSTRUCTED}


def test_a_mark_replaces_the_inferred_kind_and_nothing_of_the_catalogue() -> None:
    overlaid = apply_overlay(catalogue(), read_overlay(GOOD, catalogue()))
    amended = overlaid.row("MFS-7.3.3-02")
    assert (amended.kind, amended.note) == (Kind.RECOMMENDATION, "no")
    assert amended.iso_text_ref == "7.3.3, page 18, item b"
    assert amended.text == catalogue().requirement("MFS-7.3.3-02").text
    assert overlaid.row("MFS-7.3.3-01").kind is catalogue().clause("7.3.3").kind
    added = overlaid.row("MFS-7.3.3-90")
    assert (added.standing, added.kind) == (Standing.ADDED, Kind.REQUIREMENT)
    assert list(overlaid.rows)[-1] == "MFS-7.3.3-90"
    with pytest.raises(NotFound):
        overlaid.row("MFS-7.3.3-91")


def test_words_that_yaml_1_1_would_bend_stay_words() -> None:
    overlay = read_overlay(GOOD.replace("Example MFSP, compliance office", "NO"), catalogue())
    assert overlay.by == "NO"
    assert overlay.date == "2026-11-25"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("MFS-7.3.3-01", "MFS-7.3.3-1", r"line 5, .* did you mean 'MFS-7\.3\.3-"),
        ("confirmed", "conformed", "line 5, .* standing .* did you mean 'confirmed'"),
        ("confirmed", "added", "line 5, .* standing cannot be 'added'; did you mean 'amended'"),
        ("confirmed", "reconstructed", "line 5, .* standing"),
        ("rows:", "row:", "line 4, .* no word 'row'; did you mean 'rows'"),
        ("    note:", "    notes:", "line 8, .* no word 'notes'; did you mean 'note'"),
        ("by: ", "#by: ", "overlay lacks 'by'"),
        ("date: 2026-11-25", "date: 2026-02-30", "line 3, .* there is no day"),
        ("date: 2026-11-25", "date: 25.11.2026", "line 3, .* date is a date such as"),
        ("date: 2026", "date: ٢٠٢٦", "line 3, .* date"),
        ("12812-2:2017", "27001:2022", "line 2, .* edition is an edition such as"),
        ("MFS-9.5-01", "MFS-7.3.3-02", r"line 11, .* stands twice, first at line 6"),
        ("{standing: absent}", "&x {standing: absent}", "line 11, .* anchors"),
        ("{standing: absent}", "[absent]", "line 11, .* is a mapping"),
        ("confirmed", "~", "line 5, .* an empty or null value"),
        ("confirmed", '""', "line 5, .* standing cannot be ''"),
        ("confirmed", "!!python/name:os.system x", "line 5, .* tags are not used"),
        ("confirmed", "{", r"line \d+, column \d+: "),
        ("clause: 7.3.3", "clause: 7.3.9", "line 13, .* clause cannot be '7.3.9'"),
        ("clause: 7.3.3", "clause: 7.3.4", "line 13, .* MFS-7.3.3-90 does not stand under"),
        ("MFS-7.3.3-90", "MFS-7.3.3-03", "line 13, .* MFS-7.3.3-03 is in the catalogue"),
        ("MFS-7.3.3-90", "7.3.3-90", "line 13, .* is not a requirement id"),
        ("modality: shall", "modality: must", "line 13, .* modality cannot be 'must'"),
        (", modality: shall", "", "line 13, .* lacks 'modality'"),
        ("iso_kind: rec", "iso_kind: requ", "line 9, .* iso_kind .* did you mean"),
        ("page 18, item b", "the gateway has to", "line 10, .* iso_text_ref is a place only"),
        (GOOD, "[]", "line 1, column 1: overlay is a mapping"),
        (GOOD, "", "the overlay is empty"),
        (GOOD, GOOD + "---\na: b\n", "the overlay is one document"),
        (GOOD, GOOD.replace("rows:", "rows: x\nq:"), "(?s)overlay rows is a mapping.*no word 'q'"),
        (GOOD, "a: \0", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(Malformed, match=said):
        read_overlay(GOOD.replace(before, after, 1), catalogue())


@pytest.mark.parametrize(
    ("field", "text"),
    [('note: "no"', "note: " + "x" * 281), ("title: A refund", "title: " + "x" * 121)],
)
def test_room_for_a_copy_of_the_text_is_refused(field: str, text: str) -> None:
    with pytest.raises(Malformed, match="the standard's text stays out of it"):
        read_overlay(GOOD.replace(field, text, 1), catalogue())
    shorter = GOOD.replace('note: "no"', "note: " + "x" * 280, 1)
    assert len(read_overlay(shorter, catalogue()).rows["MFS-7.3.3-02"].note) == 280


def test_an_amended_row_must_say_how() -> None:
    with pytest.raises(Malformed, match=r"line 5, column 3: MFS-7\.3\.3-01 is amended: say how"):
        read_overlay(GOOD.replace("confirmed", "amended"), catalogue())


def test_every_defect_is_said_at_once_in_the_order_of_the_file() -> None:
    wrong = GOOD.replace("date: 2026-11-25", "date: today").replace("confirmed", "conformed")
    with pytest.raises(Malformed) as caught:
        read_overlay(wrong.replace("modality: shall", "modality: must"), catalogue())
    lines = [line.partition(",")[0] for line in caught.value.detail.splitlines()]
    assert lines == ["line 3", "line 5", "line 13"]


def test_a_deep_or_long_file_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_overlay("a" * (256 * 1024 + 1), catalogue())
    with pytest.raises(Malformed):
        read_overlay("{a: " * 3_000, catalogue())
    with pytest.raises(Malformed):
        read_overlay("- " * 3_000, catalogue())


def test_an_overlay_made_by_hand_is_checked_too() -> None:
    overlay = read_overlay(GOOD, catalogue())
    mark = overlay.rows["MFS-7.3.3-01"]
    with pytest.raises(NotFound):
        apply_overlay(catalogue(), replace(overlay, rows={"MFS-7.3.3-99": mark}))
    row = overlay.added["MFS-7.3.3-90"]
    with pytest.raises(Conflict):
        apply_overlay(catalogue(), replace(overlay, added={"MFS-7.3.3-03": row}))


def test_the_file_is_read_from_where_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "confirmed.yaml"
    with pytest.raises(Unavailable):
        load_overlay(path, catalogue())
    path.write_bytes(b"by: \xff")
    with pytest.raises(Malformed, match="UTF-8"):
        load_overlay(path, catalogue())
    path.write_text(GOOD, encoding="utf-8")
    assert load_overlay(path, catalogue()) == read_overlay(GOOD, catalogue())


def test_the_example_of_the_how_to_is_read_as_the_page_says(repository: Path) -> None:
    page = (repository / "docs/how-to/confirm-against-the-standard.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    overlaid = apply_overlay(catalogue(), read_overlay(example, catalogue()))
    assert f"\n    {overlaid.standing()}\n" in page
    with pytest.raises(Malformed) as caught:
        read_overlay(example.replace("MFS-7.3.3-01", "MFS-7.3.3-1"), catalogue())
    assert f"\n    {caught.value}\n" in page
