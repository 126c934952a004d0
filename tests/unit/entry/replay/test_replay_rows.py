"""Reading a PaySim recording: exact minor units, rounding that is known, defects by line."""

import pytest

from tallystick.entry.replay import read_rows
from tallystick.entry.replay.report import Answer, Comparison
from tallystick.kernel.errors import InsufficientFunds, Malformed, NotFound
from tallystick.protocol.payments import PaymentKind

HEAD = "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest\n"


@pytest.fixture
def read(tmp_path):
    def reading(*lines, most=0):
        file = tmp_path / "recording.csv"
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return read_rows(file, most)

    return reading


def test_amounts_are_exact_minor_units(read):
    (row,) = read("1,PAYMENT,0.07,C1,1.1,1.03,M1,0")
    assert (row.amount_minor, row.opening_minor, row.closing_minor) == (7, 110, 103)
    assert row.kind is PaymentKind.MERCHANT
    assert row.other_kind == "merchant"
    assert row.funded


def test_exponent_form_is_read_exactly_and_its_rounding_is_known(read):
    (row,) = read("1,TRANSFER,1.00E+07,C1,1.86E+07,8594065.09,C2,0")
    assert row.amount_minor == 1_000_000_000
    assert row.opening_minor == 1_860_000_000
    half_of_a_hundred_thousand = 50_000 * 100
    assert row.slack_minor == 1 + 2 * half_of_a_hundred_thousand
    assert row.agrees(row.opening_minor - row.amount_minor)
    assert not row.agrees(row.closing_minor + row.slack_minor + 1)


def test_a_plain_column_may_be_off_by_one_minor_unit_and_no_more(read):
    (row,) = read("1,PAYMENT,509.09,C1,6095.85,5586.77,M1,0")
    assert row.agrees(558_676)
    assert not row.agrees(558_675)


def test_the_columns_say_whether_there_was_money(read):
    rows = read(
        "1,CASH_OUT,10.01,C1,10,0,C2,0",
        "1,CASH_OUT,10,C3,10,0,C2,0",
        "1,CASH_IN,10,C4,0,10,C2,0",
    )
    assert [row.funded for row in rows] == [False, True, True]


def test_a_debit_goes_to_the_bank_whatever_its_column_says(read):
    (row,) = read("1,DEBIT,5,C1,10,5,C9,0")
    assert (row.other, row.other_kind) == ("bank settlement", "merchant")


def test_no_more_rows_than_asked_for(read):
    lines = [f"1,PAYMENT,1,C{number},2,1,M1,0" for number in range(5)]
    assert len(read(*lines, most=3)) == 3


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1,GIFT,1,C1,2,1,M1,0", "type"),
        ("1,PAYMENT,1.001,C1,2,1,M1,0", "two decimals"),
        ("1,PAYMENT,-1,C1,2,1,M1,0", "two decimals"),
        ("1,PAYMENT,NaN,C1,2,1,M1,0", "not a number"),
        ("1,PAYMENT,1E+99,C1,2,1,M1,0", "two decimals"),
        ("1,PAYMENT,1E+999999999,C1,2,1,M1,0", "two decimals"),
        ("1,PAYMENT,1.0000000000000000000000000000000001,C1,2,1,M1,0", "two decimals"),
        ("1,PAYMENT,1,,2,1,M1,0", "name"),
        ("1,PAYMENT,1,C1,much,1,M1,0", "not a number"),
        ("1,PAYMENT,0,C1,2,1,M1,0", "zero"),
        ("-1,PAYMENT,1,C1,2,1,M1,0", "hours"),
        ("1,PAYMENT,1,C1,2", "line 2"),
    ],
)
def test_a_defect_is_named_with_its_line(read, line, says):
    with pytest.raises(Malformed, match=says) as found:
        read(line)
    assert "line 2" in found.value.detail


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((), "no rows"),
        (("2,PAYMENT,1,C1,2,1,M1,0", "1,PAYMENT,1,C2,2,1,M1,0"), "line 3: the steps go back"),
        (("1,PAYMENT,1,C1,2,1,M1,0", "1,PAYMENT,1,C1,2,1,M1,0"), "twice"),
    ],
)
def test_a_recording_that_cannot_be_replayed_is_refused(read, lines, says):
    with pytest.raises(Malformed, match=says):
        read(*lines)


def test_another_file_is_refused(tmp_path):
    with pytest.raises(NotFound):
        read_rows(tmp_path / "nothing.csv")
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(Malformed, match="no column step"):
        read_rows(other)
    other.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Malformed, match="UTF-8"):
        read_rows(other)


SETTLED = Answer("", "", 7, 100)
SHORT = Answer(InsufficientFunds.code, "", 7, -1)


@pytest.mark.parametrize(
    ("line", "answer", "balance_minor", "counted"),
    [
        ("1,PAYMENT,1,C1,2,1,M1,0", SETTLED, 100, "exact"),
        ("1,PAYMENT,1,C1,2,1,M1,0", SETTLED, 101, "rounded"),
        ("1,PAYMENT,1,C1,2,1,M1,0", SETTLED, 102, "differ"),
        ("1,PAYMENT,1,C1,2,1,M1,0", SHORT, 200, "differ"),
        ("1,PAYMENT,3,C1,2,0,M1,0", SHORT, 200, "refused_funds"),
        ("1,PAYMENT,3,C1,2,0,M1,0", SHORT, 199, "differ"),
        ("1,PAYMENT,3,C1,2,0,M1,0", SETTLED, 0, "differ"),
        ("1,PAYMENT,3,C1,2,0,M1,0", Answer("limit-exceeded", "", 7, -1), 200, "differ"),
    ],
)
def test_every_answer_is_held_against_its_row(read, line, answer, balance_minor, counted):
    comparison = Comparison()
    (row,) = read(line)
    comparison.note(row, answer, balance_minor)
    kinds = ("exact", "rounded", "refused_funds", "differ")
    assert [name for name in kinds if getattr(comparison, name)] == [counted]
    assert bool(comparison.differences) == (counted == "differ")
