"""Security events as OTLP log records, in the JSON encoding.

Source: OpenTelemetry Protocol 1.5, JSON Protobuf Encoding; OpenTelemetry Logs Data Model
"""

from collections.abc import Sequence

from tallystick import __version__
from tallystick.entry.siem.syslog import Speaker
from tallystick.kernel.codec import encode
from tallystick.protocol.receipt import Scalar
from tallystick.protocol.security_events import SecurityEvent, Severity

_SEVERITIES = {
    Severity.ALERT: (19, "ALERT"),
    Severity.CRITICAL: (18, "CRITICAL"),
    Severity.ERROR: (17, "ERROR"),
    Severity.WARNING: (13, "WARNING"),
    Severity.NOTICE: (10, "NOTICE"),
    Severity.INFORMATIONAL: (9, "INFORMATIONAL"),
}


def log_request(events: Sequence[SecurityEvent], speaker: Speaker, now: int) -> bytes:
    """The body of an export request with `events`, observed at `now` (ms).

    Source: OpenTelemetry Protocol 1.5, JSON Protobuf Encoding
    """
    resource: dict[str, Scalar] = {
        "service.name": "tallystick",
        "service.version": __version__,
        "service.namespace": speaker.provider,
        "host.name": speaker.host,
        "process.pid": speaker.process,
    }
    logs = {
        "scope": {"name": "tallystick.security", "version": __version__},
        "logRecords": [_record(one, now) for one in events],
    }
    told = {"resource": {"attributes": _attributes(resource)}, "scopeLogs": [logs]}
    return encode({"resourceLogs": [told]})


def _record(event: SecurityEvent, now: int) -> dict[str, object]:
    number, text = _SEVERITIES[event.severity]
    return {
        "timeUnixNano": _nanoseconds(event.at),
        "observedTimeUnixNano": _nanoseconds(now),
        "severityNumber": number,
        "severityText": text,
        "eventName": f"tallystick.{event.kind}",
        "body": {"stringValue": event.says()},
        "attributes": _attributes({f"tallystick.{k}": v for k, v in event.details.items()}),
    }


def _attributes(named: dict[str, Scalar]) -> list[dict[str, object]]:
    return [{"key": name, "value": _value(value)} for name, value in named.items()]


def _value(value: Scalar) -> dict[str, str]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value}


def _nanoseconds(instant: int) -> str:
    return f"{instant}000000"
