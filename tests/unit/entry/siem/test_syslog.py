"""Every event is a syslog message by the letter of the grammar, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rfc5424 import NotSyslog, frames, parse

from tallystick import __version__
from tallystick.entry.siem.syslog import MOST_OCTETS, Speaker, framed, message, plain
from tallystick.kernel.classification import INTERNAL, Classification
from tallystick.protocol.security_events import SecurityEvent, Severity

US = Speaker("demo-wallet", "host.example", 4711)
HOSTILE = 'a"b\\c]d[e\r\n<34>1 - - - - - - forged\x00\x1b[31mÄ\u202e'


def event(severity: Severity = Severity.NOTICE, kind: str = "policy.activated", **details):
    return SecurityEvent(at=1_767_225_600_123, kind=kind, severity=severity, details=details)


def test_a_message_says_when_who_what_and_the_details() -> None:
    octets = message(event(index=17, operator="opr_1"), US, 3)
    found = parse(octets)
    assert (found.facility, found.severity) == (10, 5)
    assert found.timestamp == "2026-01-01T00:00:00.123Z"
    assert (found.hostname, found.app_name, found.process) == ("host.example", "tallystick", "4711")
    assert found.kind == "policy.activated"
    ours = {"provider": "demo-wallet", "index": "17", "operator": "opr_1"}
    assert found.elements["tallystick@32473"] == ours
    assert found.elements["origin"] == {"software": "tallystick", "swVersion": __version__}
    assert found.elements["meta"] == {"sequenceId": "3"}
    assert found.text == "policy.activated index=17 operator=opr_1"


@pytest.mark.parametrize("severity", list(Severity))
def test_the_severity_is_that_of_the_event(severity: Severity) -> None:
    assert parse(message(event(severity), US, 1)).severity == severity


@pytest.mark.threat("THR-BE-01")
def test_no_value_ends_the_message_or_begins_another() -> None:
    octets = message(event(why=HOSTILE), US, 1)
    found = parse(octets)
    assert found.elements["tallystick@32473"]["why"] == plain(HOSTILE)
    assert all(0x20 <= one <= 0x7E for one in octets)


names = st.from_regex(r"\A[a-z][a-z0-9_]{0,39}\Z")
values = st.one_of(st.text(max_size=4_000), st.integers(-(2**53), 2**53))


@given(details=st.dictionaries(names, values, max_size=30), host=st.text(max_size=400))
def test_whatever_the_details_the_message_is_one_and_within_its_bound(details, host: str) -> None:
    octets = message(event(**details), Speaker("demo-wallet", host, 1), 1)
    assert len(octets) <= MOST_OCTETS
    found = parse(octets)
    assert found.elements["tallystick@32473"]["provider"] == "demo-wallet"
    assert frames(framed(octets) * 2) == ([octets, octets], b"")


def test_sequence_numbers_begin_again_after_the_last_that_the_grammar_has() -> None:
    assert parse(message(event(), US, 2**31 - 1)).elements["meta"]["sequenceId"] == "2147483647"
    assert parse(message(event(), US, 2**31)).elements["meta"]["sequenceId"] == "1"


def test_no_field_of_an_event_is_more_than_internal() -> None:
    for name in SecurityEvent.__struct_fields__:
        marked = SecurityEvent.__annotations__[name].__metadata__
        marks = [one for one in marked if isinstance(one, Classification)]
        assert len(marks) == 1
        assert marks[0] <= INTERNAL


@pytest.mark.parametrize(
    "octets",
    [
        b"<192>1 - - - - - -",
        b"<034>1 - - - - - -",
        b"<34>2 - - - - - -",
        b"<34>1 2026-13-01T00:00:00Z - - - - -",
        b"<34>1 2026-01-01T00:00:00.1234567Z - - - - -",
        b"<34>1 2026-01-01T00:00:00 - - - - -",
        b"<34>1 - - - - - ",
        b"<34>1 - - - - - [a b=c]",
        b'<34>1 - - - - - [a b="]"]',
        b'<34>1 - - - - - [a b="c"][a b="c"]',
        b'<34>1 - - - - - [a@b c="d"]',
        b'<34>1 - - - - - [a b="c"]x',
        b"<34>1 - a\xff - - - -",
    ],
)
def test_the_reader_refuses_what_the_grammar_does_not_know(octets: bytes) -> None:
    with pytest.raises(NotSyslog):
        parse(octets)


def test_the_reader_takes_the_examples_of_the_text() -> None:
    found = parse(
        b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473"
        b' iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]'
    )
    assert (found.facility, found.severity, found.text) == (20, 5, "")
    assert found.elements["exampleSDID@32473"]["eventSource"] == "Application"
    assert parse(b"<34>1 - - su - ID47 - 'su root' failed").text == "'su root' failed"
    with pytest.raises(NotSyslog):
        frames(b"x 1")
    assert frames(b"3 abc4 de") == ([b"abc"], b"4 de")
