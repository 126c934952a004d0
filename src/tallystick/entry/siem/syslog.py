"""Security events as syslog messages, one line each, within 2,048 octets.

    <84>1 TIME HOST tallystick PID KIND [tallystick@32473 ...][origin ...][meta ...] text

32473 is the enterprise number that is set aside for documentation; an operator with a number of
their own maps it in the collector. Over a stream each message follows its length.

Source: RFC 5424, 6; RFC 6587, 3.4.1; RFC 5425, 4.3; RFC 5612
"""

from dataclasses import dataclass

from tallystick import __version__
from tallystick.kernel.time import iso_utc
from tallystick.protocol.security_events import SecurityEvent

ENTERPRISE = 32473
MOST_OCTETS = 2_048
_FACILITY = 10
"""Security and authorisation messages."""

_LONGEST_VALUE = 96
_LAST_SEQUENCE = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: provider, host name and process id.

    Source: RFC 5424, 6.2.4; 6.2.6
    """

    provider: str
    host: str
    process: int


def message(event: SecurityEvent, speaker: Speaker, number: int) -> bytes:
    """`event` as a syslog message, the `number`-th of this sender.

    Source: RFC 5424, 6
    """
    named = [("provider", speaker.provider)]
    named += [(name, str(value)) for name, value in event.details.items()]
    before = (
        f"<{_FACILITY * 8 + event.severity}>1 {iso_utc(event.at)} {_word(speaker.host, 255)}"
        f" tallystick {speaker.process} {_word(event.kind, 32)} "
    )
    after = _element("origin", [("software", "tallystick"), ("swVersion", __version__)])
    after += _element("meta", [("sequenceId", str((number - 1) % _LAST_SEQUENCE + 1))]) + " "
    details = _element(f"tallystick@{ENTERPRISE}", named)
    while len(before) + len(details) + len(after) > MOST_OCTETS:
        named.pop()
        details = _element(f"tallystick@{ENTERPRISE}", named)
    return (before + details + after + plain(event.says())).encode("ascii")[:MOST_OCTETS]


def framed(octets: bytes) -> bytes:
    """A message of a stream: its length, a space, itself.

    Source: RFC 6587, 3.4.1; RFC 5425, 4.3
    """
    return b"%d %b" % (len(octets), octets)


def plain(text: str) -> str:
    """`text` with a question mark for everything that is not a printable ASCII character.

    Source: RFC 5424, 8.2
    """
    return "".join(one if " " <= one <= "~" else "?" for one in text)


def _element(identifier: str, named: list[tuple[str, str]]) -> str:
    return (
        f"[{identifier}" + "".join(f' {name[:32]}="{_value(text)}"' for name, text in named) + "]"
    )


def _value(text: str) -> str:
    short = plain(text)[:_LONGEST_VALUE]
    return short.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _word(text: str, most: int) -> str:
    return "".join(one for one in text if "!" <= one <= "~")[:most] or "-"
