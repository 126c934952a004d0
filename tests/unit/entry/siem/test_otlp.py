"""The body of an export request is what the protocol's JSON encoding says."""

import json

import pytest

from tallystick.entry.siem.otlp import log_request
from tallystick.entry.siem.syslog import Speaker
from tallystick.protocol.security_events import SecurityEvent, Severity

US = Speaker("demo-wallet", "host.example", 4711)
EVENTS = [
    SecurityEvent(
        at=1_000 + severity, kind="front.gone", severity=severity, details={"front": 7, "why": "x"}
    )
    for severity in Severity
]


def test_records_have_times_severities_and_typed_attributes() -> None:
    told = json.loads(log_request(EVENTS, US, 5_000))["resourceLogs"]
    assert len(told) == 1
    resource = {one["key"]: one["value"] for one in told[0]["resource"]["attributes"]}
    assert resource["service.name"] == {"stringValue": "tallystick"}
    assert resource["process.pid"] == {"intValue": "4711"}
    records = told[0]["scopeLogs"][0]["logRecords"]
    assert [one["severityNumber"] for one in records] == [19, 18, 17, 13, 10, 9]
    assert records[0]["timeUnixNano"] == "1001000000"
    assert records[0]["observedTimeUnixNano"] == "5000000000"
    assert records[0]["eventName"] == "tallystick.front.gone"
    assert records[0]["attributes"] == [
        {"key": "tallystick.front", "value": {"intValue": "7"}},
        {"key": "tallystick.why", "value": {"stringValue": "x"}},
    ]


def test_the_protocol_s_own_reader_takes_it() -> None:
    service = pytest.importorskip("opentelemetry.proto.collector.logs.v1.logs_service_pb2")
    json_format = pytest.importorskip("google.protobuf.json_format")
    request = json_format.Parse(log_request(EVENTS, US, 5_000), service.ExportLogsServiceRequest())
    records = request.resource_logs[0].scope_logs[0].log_records
    assert len(records) == len(EVENTS)
    assert records[0].time_unix_nano == 1_001_000_000
    assert records[0].attributes[0].value.int_value == 7
