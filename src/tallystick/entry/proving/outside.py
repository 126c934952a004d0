"""Probes of the surface: which doors there are, what listens, how much a stranger may ask.

Source: ISO/TS 12812-2:2017, 6.2; 7.4.1; 12.1
"""

import http.client
import os
from typing import Final
from urllib.parse import urlsplit

from tallystick.client.http import HttpTransport
from tallystick.client.session import JSON_MEDIA_TYPE
from tallystick.entry.http.operations import OPERATIONS, Operation
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    declare,
    failed,
    judged,
    part,
    passed,
    unknown,
)
from tallystick.entry.proving.models import programme_of
from tallystick.entry.proving.site import Site
from tallystick.entry.surface import Difference, compare, discover
from tallystick.kernel.codec import Decoder, from_plain
from tallystick.kernel.errors import RateLimited
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry

MOST_TRIES: Final = 60
"""How often a stranger is refused before the probe gives up waiting for the limit."""

STRANGER: Final = "127.0.0.77"
"""Its own address, so that the other probes are not limited with it."""

_LEAST_PATHS: Final = 10
_ELSEWHERE: Final = (
    "/admin", "/console", "/docs", "/debug", "/v1", "/v1/ledger", "/v1/accounts", "/v1/keys/tally",
    "/v2/payments", "/tallystick.db", "/master.sealed", "/provider.json", "/../provider.json",
    "/v1/acts/move-money", "/%2e%2e/master.sealed",
)  # fmt: skip
_SURFACE: Final = frozenset({"listener", "link", "operation"})
_OPEN_PAGES: Final = frozenset({"/metrics", "/openapi.json"})
_documents: Final = Decoder(dict[str, object], limit=4 * 1024 * 1024)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("doors.undeclared", CheckKind.NEGATIVE, ("MFS-12.1-01", part("MFS-6.2.3-02")),
     "every operation has use case, protection and roles, and nothing else answers"),
    ("doors.surface", CheckKind.STATIC, ("MFS-6.2-03",),
     "what listens, what is joined and what answers is what the programme declares"),
    ("doors.throttled", CheckKind.NEGATIVE, (part("MFS-7.4.1-07"),),
     "who guesses enrolment codes is soon refused unheard"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class OutsideProbes:
    """Looks at the service from outside, and compares it with what is declared.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "doors.undeclared": self.undeclared,
            "doors.surface": self.surface,
            "doors.throttled": self.throttled,
        }
        declare(registry, _DECLARED, looks)

    def undeclared(self, now: Instant) -> Seen:
        """Compares the served paths with the table of operations, and asks for others.

        Source: ISO/TS 12812-2:2017, 12.1; 6.2.3
        """
        link = HttpTransport(self._site.url, ca_file=self._site.ca_file)
        try:
            document = _documents.decode(link.get("/openapi.json").body)
            paths = set(from_plain(document.get("paths", {}), dict[str, object]))
            open_doors = [one for one in _ELSEWHERE if link.get(one).status < 300]
            open_doors += [
                one for one in _ELSEWHERE if link.post(one, b"{}", JSON_MEDIA_TYPE).status < 300
            ]
        finally:
            link.close()
        declared = {one.path for one in OPERATIONS}
        bare = [one.name for one in OPERATIONS if not _is_tagged(one)]
        if len(paths) < _LEAST_PATHS:
            return unknown("the service does not say what it serves")
        wrong = [*open_doors, *sorted(paths - declared - _OPEN_PAGES), *bare]
        return judged(
            not wrong,
            f"{len(declared)} operations are declared whole; {2 * len(_ELSEWHERE)} others refused",
            f"answered, or not declared whole: {', '.join(wrong[:5])}",
            operations=len(declared),
            attempts=2 * len(_ELSEWHERE),
            answered=len(open_doors),
        )

    def surface(self, now: Instant) -> Seen:
        """Compares listeners, links and operations with the programme.

        Where the service runs elsewhere its listeners cannot be seen from here.
        Source: ISO/TS 12812-2:2017, 6.2
        """
        programme = programme_of(self._site)
        own = self._site.platform is not None
        found = discover(self._site.folder, os.getpid() if own else None)
        door = urlsplit(self._site.url).port or 0
        wrong = [one for one in compare(found, programme, door if own else 0) if _counts(one)]
        if not wrong and not own:
            return unknown("the listeners of the running service are not looked at from here")
        return judged(
            not wrong,
            f"{len(found.operations)} operations and every link are as declared",
            "; ".join(one.says for one in wrong[:3]),
            differences=len(wrong),
            operations=len(found.operations),
        )

    def throttled(self, now: Instant) -> Seen:
        """Guesses codes from an address of its own until nobody listens any more.

        Source: ISO/TS 12812-2:2017, 7.4.1; 6.2.3
        """
        parts = urlsplit(self._site.url)
        if parts.scheme != "http" or parts.hostname != "127.0.0.1":
            return unknown("only a service on loopback is asked so often")
        body = b'{"code":"AAAAA-AAAAA-AAAAA-AAAAA","name":"probe","public":"AA","proof":"AA"}'
        for tries in range(1, MOST_TRIES + 1):
            if _asked_as_stranger(parts.port or 80, body) == RateLimited.status:
                return passed(f"refused unheard from guess {tries} on", guesses=tries)
        return failed(f"{MOST_TRIES} guesses in a row were heard", guesses=MOST_TRIES)


def _counts(difference: Difference) -> bool:
    return difference.sort in _SURFACE


def _is_tagged(one: Operation) -> bool:
    return bool(one.use_case and one.clauses and one.roles and one.protection)


def _asked_as_stranger(port: int, body: bytes) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0, source_address=(STRANGER, 0))
    try:
        link.request("POST", "/v1/operators", body, {"content-type": JSON_MEDIA_TYPE})
        response = link.getresponse()
        response.read()
        return response.status
    finally:
        link.close()
