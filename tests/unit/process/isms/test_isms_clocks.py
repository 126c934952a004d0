"""Clocks run to the millisecond, the soonest first, and legal ones as the laws say."""

import pytest
from tests.unit.process.isms.kept import INCIDENT, NOW, TEXTS, kept, text

from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant
from tallystick.process.isms.breach import MONTH, deadlines, later
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal
from tallystick.process.isms.clocks import due
from tallystick.process.isms.reading import read_registers
from tallystick.process.yamltext.quantities import day_ms


def at(moment: str) -> Instant:
    day, _, time = moment.partition("T")
    hours, _, minutes = time.partition(":")
    return Instant(day_ms(day) + int(hours or 0) * HOUR_MS + int(minutes or 0) * 60_000)


def test_registers_in_order_have_nothing_overdue() -> None:
    assert not [one for one in due(kept(), NOW) if one.overdue]


def test_what_falls_due_comes_soonest_first_within_the_time_ahead() -> None:
    found = due(kept(), NOW, ahead_ms=400 * DAY_MS)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert {one.register for one in found} == set(TEXTS)
    assert len(found) > len(due(kept(), NOW)) == 2
    assert [one.entry for one in due(kept(), NOW)] == ["r-1", "autumn"]


CLOCKS = {
    "parties": ("telco", "security attestation", "2027-03-31"),
    "objectives": ("human-resources", "evidence of the objective", "2027-02-01"),
    "vendors": ("sms-house", "verification", "2027-06-01"),
    "people": ("ann", "training", "2027-03-01"),
    "documents": ("policy", "review", "2027-02-01"),
    "continuity": ("payments", "test", "2026-12-30"),
    "sites": ("office", "review of access", "2027-06-01"),
    "exceptions": ("e-1", "exception", "2027-02-01"),
    "requests": ("r-1", "answer", "2026-11-30T09:00"),
    "penetration-tests": ("autumn", "closing of findings", "2026-12-15"),
    "rogue-apps": ("free", "take-down of the look-alike", "2027-01-19T09:00"),
    "secure-devices": ("hsm-1", "inspection of the device", "2027-02-28"),
}


@pytest.mark.requirement("MFS-6.2.1-04", "MFS-6.2.1-10")
@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_of_each_register_is_overdue_from_its_millisecond_on(name: str) -> None:
    entry, what, day = CLOCKS[name]
    ends = at(day)

    def overdue(now: int) -> bool:
        found = due(kept(), Instant(now), ahead_ms=0)
        return any((one.register, one.entry, one.what) == (name, entry, what) for one in found)

    assert not overdue(ends - 1)
    assert overdue(ends)


@pytest.mark.requirement("MFS-6.2.1-04")
def test_every_register_is_reviewed_once_a_year() -> None:
    texts = {name: text(name, reviewed="2025-11-26") for name in TEXTS}
    late = [
        one
        for one in due(read_registers(texts), NOW)
        if one.overdue and one.what == "review of the register"
    ]
    assert {one.register for one in late} == set(TEXTS)
    assert not [one for one in due(read_registers(texts), Instant(NOW - 1)) if one.overdue]


@pytest.mark.requirement("MFS-6.2.1-03")
def test_an_answer_that_was_given_stops_its_clock() -> None:
    answered = TEXTS["requests"].replace("P10D}", 'P10D, answered: "2026-11-21T09:00Z"}')
    assert not due(kept(requests=answered), Instant(NOW + 10 * DAY_MS), ahead_ms=0)
    assert due(kept(), Instant(NOW + 10 * DAY_MS), ahead_ms=0)


def test_what_is_not_active_has_no_clock() -> None:
    gone = TEXTS["people"].replace("valid_for: P365D}", "valid_for: P1D, active: false}")
    assert not [one for one in due(kept(people=gone), NOW) if one.register == "people"]


def test_a_register_that_cannot_be_read_is_overdue_and_stands_first() -> None:
    registers = read_registers({"vendors": "{", "requests": text("requests")})
    first = due(registers, NOW)[0]
    assert (first.register, first.what, first.overdue) == ("vendors", "cannot be read", True)


@pytest.mark.requirement("MFS-9.1-01")
def test_certificates_run_beside_the_registers_until_they_are_withdrawn() -> None:
    one = EvaluationCertificate(
        id="CMVP-4711", component="hsm", scheme="fips-140-3", level="3",
        valid_from=0, valid_to=NOW,
    )  # fmt: skip
    gone = Withdrawal(certificate=one.id, at=NOW, because="revoked")
    found = due(kept(), NOW, certificates=[one], ahead_ms=0)
    assert [(one.register, one.entry) for one in found] == [("certificates", "CMVP-4711")]
    assert not due(kept(), NOW, certificates=[one], withdrawn=[gone], ahead_ms=0)


def incident(*lines: str, regimes: str = "[gdpr, dora]"):
    body = INCIDENT.replace("[gdpr, dora]", regimes) + "".join(f"    {one}\n" for one in lines)
    return kept(incidents=body).entries("incidents")["outage"]


def clocks(now: str, *lines: str, regimes: str = "[gdpr, dora]"):
    return {
        (one.regime, one.what.partition(" ")[0]): (one.due, one.late)
        for one in deadlines(incident(*lines, regimes=regimes), at(now))
    }


def test_the_legal_clocks_run_from_awareness() -> None:
    found = clocks("2026-11-20T23:00")
    assert found["gdpr", "notification"] == (at("2026-11-23"), False)
    assert found["dora", "initial"] == (at("2026-11-21"), False)
    assert found["dora", "intermediate"] == (at("2026-11-24"), False)
    assert found["dora", "final"] == (at("2026-12-24"), False)
    assert clocks("2026-11-20T23:00", regimes="[uganda]") == {
        ("uganda", "notification"): (at("2026-11-21"), False)
    }


@pytest.mark.parametrize(
    ("classified", "expected"),
    [
        ("2026-11-20T02:00Z", "2026-11-20T06:00"),
        ("2026-11-20T23:00Z", "2026-11-21"),
        ("2026-11-25T10:00Z", "2026-11-25T14:00"),
    ],
)
def test_four_hours_from_the_classification_but_a_day_at_most(classified, expected) -> None:
    found = clocks("2026-11-20T01:00", f'classified: "{classified}"')
    assert found["dora", "initial"][0] == at(expected)


def test_reports_count_from_the_one_before_and_a_late_one_stays_late() -> None:
    told = ('initial: "2026-11-21T12:00Z"', 'intermediate: "2026-11-22T00:00Z"')
    found = clocks("2026-12-22T00:00", *told)
    assert found["dora", "initial"][1], "half a day late"
    assert found["dora", "intermediate"] == (at("2026-11-24T12:00"), False)
    assert found["dora", "final"] == (at("2026-12-22"), False)
    assert clocks("2026-12-22T00:01", *told)["dora", "final"][1]


def test_what_was_not_told_in_time_is_overdue_and_what_was_told_is_not_due() -> None:
    late = due(kept(incidents=INCIDENT), at("2026-11-23"), ahead_ms=0)
    assert [one.what for one in late] == [
        "dora: initial notification", "gdpr: notification to the data protection authority",
    ]  # fmt: skip
    assert {one.owner for one in late} == {"ciso"}
    told = INCIDENT + '    authority: "2026-11-21T00:00Z"\n    initial: "2026-11-20T05:00Z"\n'
    assert not due(kept(incidents=told), at("2026-11-23"), ahead_ms=0)


def test_a_month_ends_on_the_same_day_or_the_last_one() -> None:
    for start, end in (
        ("2026-01-31", "2026-02-28"),
        ("2028-01-30", "2028-02-29"),
        ("2026-12-31", "2027-01-31"),
        ("2026-11-20T05:30", "2026-12-20T05:30"),
    ):
        assert later(at(start), MONTH) == at(end)
