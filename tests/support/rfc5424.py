"""A strict reader of syslog messages, written from the grammar of RFC 5424, 6, and of RFC 6587's
octet counting. It knows nothing of what writes them.
"""

import re
from dataclasses import dataclass

__all__ = ["NotSyslog", "Parsed", "frames", "parse"]

_PRI = re.compile(r"<(0|[1-9][0-9]{0,2})>")
_VERSION = re.compile(r"[1-9][0-9]{0,2}")
_TIMESTAMP = re.compile(
    r"-|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_PRINTABLE = r"[\x21-\x7e]"
_SD_NAME = re.compile(r"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}")
_HEADER_FIELDS = (("hostname", 255), ("app_name", 48), ("process", 128), ("kind", 32))


class NotSyslog(Exception):
    """The octets do not follow the grammar."""


@dataclass
class Parsed:
    """One message: priority as facility and severity, header, structured data by id, text."""

    facility: int
    severity: int
    timestamp: str
    hostname: str
    app_name: str
    process: str
    kind: str
    elements: dict[str, dict[str, str]]
    text: str


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise NotSyslog(f"{what} at {self.at}")
        self.at = found.end()
        return found[0]

    def expect(self, literal: str) -> None:
        if not self.text.startswith(literal, self.at):
            raise NotSyslog(f"{literal!r} expected at {self.at}")
        self.at += len(literal)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]


def parse(octets: bytes) -> Parsed:
    """The message in `octets`; raises NotSyslog."""
    try:
        scanner = _Scanner(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotSyslog("text is not UTF-8") from error
    priority = int(scanner.take(_PRI, "PRI")[1:-1])
    if priority > 191:
        raise NotSyslog("PRI is larger than 191")
    if scanner.take(_VERSION, "VERSION") != "1":
        raise NotSyslog("another version")
    scanner.expect(" ")
    timestamp = scanner.take(_TIMESTAMP, "TIMESTAMP")
    header = {}
    for name, most in _HEADER_FIELDS:
        scanner.expect(" ")
        header[name] = scanner.take(re.compile(_PRINTABLE + f"{{1,{most}}}"), name)
    scanner.expect(" ")
    elements = _elements(scanner)
    text = ""
    if scanner.peek():
        scanner.expect(" ")
        text = scanner.text[scanner.at :]
    return Parsed(priority // 8, priority % 8, timestamp, **header, elements=elements, text=text)


def _elements(scanner: _Scanner) -> dict[str, dict[str, str]]:
    if scanner.peek() == "-":
        scanner.expect("-")
        return {}
    found: dict[str, dict[str, str]] = {}
    while scanner.peek() == "[":
        scanner.expect("[")
        identifier = scanner.take(_SD_NAME, "SD-ID")
        if identifier in found:
            raise NotSyslog(f"{identifier} twice")
        if "@" in identifier and not re.fullmatch(r"[^@]+@[0-9]+(\.[0-9]+)*", identifier):
            raise NotSyslog(f"{identifier} names no enterprise")
        parameters: dict[str, str] = {}
        while scanner.peek() == " ":
            scanner.expect(" ")
            name = scanner.take(_SD_NAME, "PARAM-NAME")
            scanner.expect('="')
            parameters[name] = _value(scanner)
        scanner.expect("]")
        found[identifier] = parameters
    if not found:
        raise NotSyslog("no STRUCTURED-DATA")
    return found


def _value(scanner: _Scanner) -> str:
    value = ""
    while True:
        one = scanner.peek()
        scanner.at += 1
        if one == '"':
            return value
        if one in {"", "]"}:
            raise NotSyslog("PARAM-VALUE ends too soon, or has a bare bracket")
        if one == "\\" and scanner.peek() in {'"', "\\", "]"}:
            one = scanner.peek()
            scanner.at += 1
        value += one


def frames(stream: bytes) -> tuple[list[bytes], bytes]:
    """The whole frames of an octet-counted stream, and what is left; raises NotSyslog."""
    found = []
    while stream:
        head = re.match(rb"([1-9][0-9]{0,5}) ", stream)
        if not head:
            if re.fullmatch(rb"[1-9][0-9]{0,5}", stream):
                break
            raise NotSyslog("no MSG-LEN")
        end = head.end() + int(head[1])
        if len(stream) < end:
            break
        found.append(stream[head.end() : end])
        stream = stream[end:]
    return found, stream
