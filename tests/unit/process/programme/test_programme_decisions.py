"""Decisions: read with positions, four eyes, two signatures, an end; a standard envelope."""

import base64
import json

import pytest
from tests.unit.process.programme.programmes import NOW, programme

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted, TooLarge
from tallystick.kernel.model import replace
from tallystick.process.programme.decisions import (
    read_decisions,
    sign_decisions,
    verify_decisions,
)
from tallystick.process.programme.gate import minimum_set, start_gate
from tallystick.process.programme.model import DecisionKind
from tallystick.process.yamltext.quantities import day_ms
from tallystick.protocol.decisions_file import (
    PAYLOAD_TYPE,
    read_envelope,
    signed_message,
    write_envelope,
)

TEXT = """\
decisions: "1.0"
programme: pocket-wallet
version: 3
entries:
  late-notices:
    kind: exception
    subject: MFS-7.3.3-08
    who: operations
    approved_by: chief-security
    why: the sender of notices is delivered in spring
    since: 2026-11-01
    until: 2027-03-31
  budget:
    kind: approval
    subject: budget-2027
    who: chief-security
    approved_by: board
    why: the board has seen the analysis of November
    since: 2026-11-01
    until: 2029-11-01
"""
ONE, TWO = Es256SigningKey.generate(), Ed25519SigningKey.generate()
OFFICERS = {"one": ONE.public(), "two": TWO.public()}


def signed(text: str = TEXT):
    return sign_decisions(text, "two", TWO, sign_decisions(text, "one", ONE))


def test_decisions_are_read_and_end() -> None:
    found = read_decisions(TEXT, programme())
    assert found.version == 3
    late = found.decisions["late-notices"]
    assert late.kind is DecisionKind.EXCEPTION
    assert [one.id for one in found.holding_at(NOW)] == ["late-notices", "budget"]
    assert [one.id for one in found.holding_at(day_ms("2027-03-31"))] == ["budget"]
    assert not found.holding_at(day_ms("2026-11-01") - 1)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: exception", "kind: exeption", 6, "did you mean 'exception'?"),
        ("subject: MFS-7.3.3-08", "subject: MFS-7.3.3-80", 7, "no requirement 'MFS-7.3.3-80'"),
        ("who: operations", "who: operation", 8, "did you mean 'operations'?"),
        ("approved_by: chief-security", "approved_by: operations", 9, "four eyes"),
        ("why: the sender of notices is delivered in spring", "why: later", 10, "a reason of"),
        ("until: 2027-03-31", "until: 2026-10-01", 12, "end before it begins"),
        ("until: 2027-03-31", "until: 2028-11-01", 12, "366 days at most"),
        ("programme: pocket-wallet", "programme: other", 2, "the programme is pocket-wallet"),
        ('decisions: "1.0"', 'decisions: "2.0"', 1, "form"),
        ("version: 3", "version: 0", 3, "an integer"),
        ("  budget:", "  Budget:", 13, "small letters"),
    ],
)
@pytest.mark.requirement("MFS-7.3.1-01")
def test_a_defect_is_found_where_it_stands(old: str, new: str, line: int, says: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(Malformed) as caught:
        read_decisions(TEXT.replace(old, new), programme())
    assert [
        one for one in caught.value.detail.splitlines() if says in one and f"line {line}," in one
    ]


def test_two_officers_sign_what_loosens() -> None:
    envelope = read_envelope(write_envelope(signed()))
    found = verify_decisions(envelope, OFFICERS, programme())
    assert list(found.decisions) == ["late-notices", "budget"]
    with pytest.raises(NotPermitted, match="signatures of 2 officers"):
        verify_decisions(sign_decisions(TEXT, "one", ONE), OFFICERS)
    start, end = TEXT.index("  late-notices"), TEXT.index("  budget")
    alone = sign_decisions(TEXT[:start] + TEXT[end:], "one", ONE)
    assert verify_decisions(alone, OFFICERS).signatures_wanted() == 1


def test_one_officer_is_not_two() -> None:
    once = sign_decisions(TEXT, "one", ONE)
    with pytest.raises(Conflict, match="signed already"):
        sign_decisions(TEXT, "one", ONE, once)
    twice = replace(once, signatures=once.signatures * 2)
    with pytest.raises(NotPermitted, match="twice"):
        verify_decisions(twice, OFFICERS)
    alias = sign_decisions(TEXT, "also-one", ONE, once)
    with pytest.raises(NotPermitted, match="twice"):
        verify_decisions(alias, OFFICERS | {"also-one": ONE.public()})


def test_nothing_of_a_signed_file_can_be_changed() -> None:
    envelope = signed()
    with pytest.raises(Conflict, match="another text"):
        sign_decisions(
            TEXT.replace("spring", "summer"), "two", TWO, sign_decisions(TEXT, "one", ONE)
        )
    other = base64.b64encode(TEXT.replace("2027-03-31", "2027-09-30").encode()).decode()
    with pytest.raises(NotAuthentic):
        verify_decisions(replace(envelope, payload=other), OFFICERS)
    with pytest.raises(NotPermitted, match="does not know"):
        verify_decisions(envelope, {"one": ONE.public()})
    swapped = {"one": TWO.public(), "two": ONE.public()}
    with pytest.raises(NotAuthentic):
        verify_decisions(envelope, swapped)
    broken = replace(envelope.signatures[0], sig="AAA")
    with pytest.raises(NotAuthentic):
        verify_decisions(replace(envelope, signatures=(broken, envelope.signatures[1])), OFFICERS)


def test_an_older_file_does_not_come_back() -> None:
    verify_decisions(signed(), OFFICERS, last_version=3)
    with pytest.raises(Conflict, match="below 4"):
        verify_decisions(signed(), OFFICERS, last_version=4)


def test_the_envelope_is_the_standard_one() -> None:
    document = json.loads(write_envelope(signed()))
    assert set(document) == {"payload", "payloadType", "signatures"}
    assert base64.b64decode(document["payload"], validate=True).decode() == TEXT
    body = TEXT.encode()
    kind = document["payloadType"].encode()
    encoded = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(body)).encode(), body])
    assert signed_message(TEXT) == encoded
    for one in document["signatures"]:
        OFFICERS[one["keyid"]].verify(base64.b64decode(one["sig"]), encoded)


def test_another_envelope_is_refused() -> None:
    document = json.loads(write_envelope(signed()))
    with pytest.raises(Malformed, match="holds no decisions"):
        read_envelope(json.dumps(document | {"payloadType": "text/plain"}).encode())
    with pytest.raises(Malformed):
        read_envelope(json.dumps(document | {"more": 1}).encode())
    with pytest.raises(TooLarge):
        read_envelope(b" " * (512 * 1024 + 1))
    odd = base64.b64encode(b"\xff\xfe").decode()
    envelope = read_envelope(json.dumps(document | {"payload": odd}).encode())
    with pytest.raises(Malformed, match="not UTF-8"):
        verify_decisions(envelope, OFFICERS)
    assert document["payloadType"] == PAYLOAD_TYPE


@pytest.mark.requirement("MFS-7.3.1-01")
def test_a_verified_exception_opens_the_gate_until_it_ends() -> None:
    found = verify_decisions(signed(), OFFICERS, programme())
    chosen = {
        f"for-{one.id}": (one.id,) for one in minimum_set(programme()) if one.id != "MFS-7.3.3-08"
    }
    decisions = tuple(found.decisions.values())
    assert start_gate(programme(), decisions, chosen, NOW).opens
    assert not start_gate(programme(), decisions, chosen, day_ms("2027-03-31")).opens
