"""The shapes of clause numbers, requirement ids and threat ids."""

import pytest

from tallystick.kernel.clause import check_clause, check_threat, clause_of_requirement
from tallystick.kernel.errors import Malformed


@pytest.mark.parametrize("text", ["6", "6.1", "6.2.1", "7.3.3", "14.2.2", "3.25", "A", "D"])
def test_a_clause_number_passes(text: str) -> None:
    assert check_clause(text) == text


@pytest.mark.parametrize(
    "text", ["", "E", "AA", "7.", ".7", "7..3", "7.3.3.1.1", "777", "7.3.3\n", "a", " 7", "\u0667"]
)
def test_what_is_no_clause_number_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        check_clause(text)


@pytest.mark.parametrize(
    ("requirement", "clause"),
    [
        ("MFS-7.3.3-01", "7.3.3"),
        ("MFS-A-02", "A"),
        ("MFS-6.2-03", "6.2"),
        ("MFS-14.2.2-10", "14.2.2"),
    ],
)
def test_a_requirement_names_its_clause(requirement: str, clause: str) -> None:
    assert clause_of_requirement(requirement) == clause


@pytest.mark.parametrize(
    "text",
    ["", "7.3.3", "MFS-7.3.3", "MFS-7.3.3-1", "MFS-7.3.3-001", "MFS-E-01", "mfs-7.3.3-01",
     "MFS-7.3.3-01\n", "XMFS-7.3.3-01"],
)  # fmt: skip
def test_what_is_no_requirement_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        clause_of_requirement(text)


@pytest.mark.parametrize("text", ["THR-SMS-01", "THR-INS-05", "THR-PI-99", "THR-PHIS-10"])
def test_a_threat_id_passes(text: str) -> None:
    assert check_threat(text) == text


@pytest.mark.parametrize(
    "text", ["", "THR-SMS", "THR-S-01", "THR-SMSCX-01", "THR-sms-01", "THR-SMS-1", "THR-SMS-01\n"]
)
def test_what_is_no_threat_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        check_threat(text)


def test_a_refusal_quotes_no_more_than_a_few_characters() -> None:
    for check in (check_clause, check_threat, clause_of_requirement):
        with pytest.raises(Malformed) as caught:
            check("x" * 1000)
        assert len(str(caught.value)) < 80
