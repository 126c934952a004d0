"""Reads what a release is made of (CycloneDX), how its tests ended (JUnit), what scans say (SARIF).

Only what the gate needs is taken; a file of another form is refused, never passed over.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.2.5
"""

import json
import re
from collections.abc import Iterator
from typing import cast
from xml.etree import ElementTree as ET

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.model import Record

MOST_BYTES = 64 * 1024 * 1024
_SPEC = re.compile(r"^1\.(?:[4-9]|1[0-9])$")
_CLOSED = frozenset({"resolved", "resolved_with_pedigree", "false_positive", "not_affected"})
_GRAVE = frozenset({"critical", "high"})


class Bill(Record, frozen=True, kw_only=True):
    """What a CycloneDX bill says: of which product, of how many parts, and what is open in them.

    `digests` are the product's SHA-256; `unnamed` counts parts without a name or version; `open`
    are grave vulnerabilities that are neither resolved nor found not to matter.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    product: str
    version: str
    digests: tuple[str, ...]
    parts: int
    unnamed: int
    open: tuple[str, ...]


class JunitRun(Record, frozen=True, kw_only=True):
    """How many tests ran, and how many of them failed.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    ran: int
    failed: int


def read_bill(octets: bytes) -> Bill:
    """The bill of materials in `octets`: CycloneDX JSON, 1.4 or later.

    Raises TooLarge, Malformed.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    root = _json(octets, "bill of materials")
    if root.get("bomFormat") != "CycloneDX" or not _SPEC.match(str(root.get("specVersion", ""))):
        raise Malformed("the bill of materials is not CycloneDX JSON of version 1.4 or later")
    product = _dict(_dict(root.get("metadata")).get("component"))
    parts = list(_parts(root.get("components")))
    return Bill(
        product=str(product.get("name", "")),
        version=str(product.get("version", "")),
        digests=tuple(
            str(one.get("content", "")).lower()
            for one in _dicts(product.get("hashes"))
            if one.get("alg") == "SHA-256"
        ),
        parts=len(parts),
        unnamed=sum(not (one.get("name") and one.get("version")) for one in parts),
        open=tuple(_open(root)),
    )


def read_tests(octets: bytes) -> JunitRun:
    """How the tests of a JUnit report ended.

    Raises TooLarge, Malformed, also for a document that declares entities.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    _bounded(octets, "test report")
    if b"<!" in octets.replace(b"<![CDATA[", b"").replace(b"<!--", b""):
        raise Malformed("the test report has declarations")
    try:
        root = ET.fromstring(octets)  # noqa: S314 - declarations were refused above
    except ET.ParseError as error:
        raise Malformed("the test report is not XML") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise Malformed("the test report is not a JUnit report")
    ran = failed = 0
    for case in root.iter("testcase"):
        kinds = {child.tag for child in case}
        ran += "skipped" not in kinds
        failed += bool(kinds & {"failure", "error"})
    return JunitRun(ran=ran, failed=failed)


def read_scan(octets: bytes) -> tuple[str, ...]:
    """The errors that a SARIF report names and nobody suppressed: rule and text, shortened.

    Raises TooLarge, Malformed.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    root = _json(octets, "scan")
    if root.get("version") != "2.1.0" or not isinstance(root.get("runs"), list):
        raise Malformed("the scan is not SARIF 2.1.0")
    return tuple(
        f"{one.get('ruleId', '?')}: {str(_dict(one.get('message')).get('text', ''))[:80]}"
        for run in _dicts(root.get("runs"))
        for one in _dicts(run.get("results"))
        if one.get("level") == "error" and not one.get("suppressions")
    )


def _open(root: dict[str, object]) -> Iterator[str]:
    for one in _dicts(root.get("vulnerabilities")):
        grave = any(
            str(rating.get("severity", "")).lower() in _GRAVE
            for rating in _dicts(one.get("ratings"))
        )
        unrated = not list(_dicts(one.get("ratings")))
        if (grave or unrated) and _dict(one.get("analysis")).get("state") not in _CLOSED:
            yield str(one.get("id", "?"))


def _parts(value: object) -> Iterator[dict[str, object]]:
    """Components and, at any depth, what they are made of."""
    waiting = list(_dicts(value))
    while waiting:
        one = waiting.pop()
        yield one
        waiting += _dicts(one.get("components"))


def _json(octets: bytes, what: str) -> dict[str, object]:
    _bounded(octets, what)
    try:
        found: object = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the {what} is not JSON") from error
    if not isinstance(found, dict):
        raise Malformed(f"the {what} is not a JSON object")
    return cast("dict[str, object]", found)


def _bounded(octets: bytes, what: str) -> None:
    if len(octets) > MOST_BYTES:
        raise TooLarge(f"the {what} is larger than 64 MiB")


def _dict(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _dicts(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, list):
        for one in cast("list[object]", value):
            if isinstance(one, dict):
                yield cast("dict[str, object]", one)
