"""The probe sees what a node may not read, in every form in which it could stand there."""

import base64
import json

import pytest

from tallystick.entry.http.operations import OPERATIONS
from tallystick.entry.paycrypt.door import CONTROL, DATA, ON_A_KEY, SURROGATES
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.flow import Node
from tallystick.kernel.time import Instant
from tallystick.process.conformance import FlowProbe
from tallystick.protocol.flows import FLOW, FLOWS

NOW = Instant(1_767_225_600_000)
NUMBER = "+254700000001"
FIELDS = {"payee": NUMBER, "amount_minor": 12}


@pytest.fixture
def probe() -> FlowProbe:
    return FlowProbe(FLOW)


FORMS = {
    "as it is": NUMBER.encode(),
    "in JSON": json.dumps({"a": NUMBER}).encode(),
    "base64": base64.b64encode(NUMBER.encode()),
    "base64, one off": base64.b64encode(b"x" + NUMBER.encode() + b"yz"),
    "base64url, two off": b64url(b"xx" + NUMBER.encode() + b"y").encode(),
}


@pytest.mark.requirement("MFS-7.1-01")
@pytest.mark.parametrize("form", FORMS)
def test_a_field_is_seen_in_each_form(probe: FlowProbe, form: str) -> None:
    octets = b"\x00" + FORMS[form] + b"\xff"
    (found,) = probe.saw("payment.quote", Node.TLS_TERMINATOR, octets, FIELDS)
    assert (found.flow, found.field) == ("payment.quote", "payee")
    evidence = probe.observe(NOW)
    assert evidence.verdict is Verdict.FAIL
    assert "payment.quote.payee at tls-terminator" in evidence.summary
    assert NUMBER not in evidence.summary


def test_who_may_read_exposes_nothing(probe: FlowProbe) -> None:
    octets = NUMBER.encode()
    assert probe.saw("payment.quote", Node.WRITER, octets, FIELDS) == []
    assert probe.saw("ussd.message", Node.USSD_GATEWAY, octets, {"msisdn": NUMBER}) == []
    assert probe.observe(NOW).verdict is Verdict.UNKNOWN, "nothing could have been exposed"


def test_what_is_not_there_passes(probe: FlowProbe) -> None:
    assert probe.saw("payment.quote", Node.TLS_TERMINATOR, bytes(4096), FIELDS) == []
    evidence = probe.observe(NOW)
    assert evidence.verdict is Verdict.PASS
    assert evidence.measured == {"messages": 1, "fields": 1, "exposed": 0}


def test_an_undeclared_flow_is_named(probe: FlowProbe) -> None:
    with pytest.raises(NotFound, match=r"protocol/flows\.py"):
        probe.saw("payment.elsewhere", Node.FRONT, b"", {})


def test_every_operation_has_one_flow_and_no_flow_is_idle() -> None:
    named = [flow.name for flow in FLOWS]
    assert len(set(named)) == len(named)
    beyond = {
        *("sms.message", "core.transfer", "webhook.delivery", "witness.checkpoint"),
        *("smpp.menu", "smpp.message", "sim.packet"),
    }
    door = {
        f"paycrypt.{call.name}"
        for calls in (CONTROL, DATA, ON_A_KEY, SURROGATES)
        for call in calls.values()
    }
    assert len(door) == 41
    assert set(named) == {one.name for one in OPERATIONS} | beyond | door


@pytest.mark.requirement("MFS-7.1-01")
def test_the_writer_may_not_read_a_value_that_has_a_surrogate(probe: FlowProbe) -> None:
    value = {"value": "4111111111111111", "domain": "merchants"}
    (found,) = probe.saw("paycrypt.Tokenise", Node.WRITER, b"merchants 4111111111111111", value)
    assert found.field == "value"
    assert probe.saw("paycrypt.Tokenise", Node.MODULE, b"4111111111111111", value) == []
    assert probe.saw("paycrypt.VerifyPinData", Node.WRITER, b"4111111111111111", value)


def test_a_flow_that_ends_at_its_end_is_read_by_nobody_between() -> None:
    for flow in FLOWS:
        if flow.end_to_end:
            between = set(flow.via) - {Node.FRONT}
            assert not between & flow.reads.keys(), flow.name
