"""The limit of a session holds over two fronts together, and one front gives all of it."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.protocol.test_workers import SEALED, links
from tests.support.processes import fronts
from tests.support.served import Person, Served, served

from tallystick.entry.buckets import UNTOLD_SHARE
from tallystick.entry.http.operations import operation
from tallystick.infrastructure.envelope.cose import seal_request

RATE = 20.0
BURST = 4 * RATE
READ = "account.read"
Links = list[http.client.HTTPConnection]


def ask(person: Person, link: http.client.HTTPConnection) -> tuple[int, str | None, bytes]:
    live = person.session._live
    live.sequence += 1
    body = seal_request(live.keys, READ, live.sequence, b"{}")
    link.request("POST", operation(READ).path, body, SEALED)
    reply = link.getresponse()
    octets = reply.read()
    return reply.status, reply.headers["retry-after"], octets[27:32]


def given(person: Person, connections: Links, tries: int) -> tuple[int, float]:
    """How many of `tries` requests were answered, over links in turn, and the seconds it took."""
    began, count = time.monotonic(), 0
    for number in range(tries):
        status, after, _ = ask(person, connections[number % len(connections)])
        assert status in {200, 429}
        assert status == 200 or int(after or 0) >= 1, "a refusal says when to come back"
        count += status == 200
    return count, time.monotonic() - began


@contextmanager
def one_at_each(provider: Served) -> Iterator[Links]:
    """A link to each front, found by somebody who is not measured.

    The system gives a connection to either front: there are as many as it takes to meet both.
    """
    finder = provider.person("+254700000031", "Finder")
    finder.session.establish()
    found: dict[bytes, http.client.HTTPConnection] = {}
    with ExitStack() as stack:
        while len(found) < 2:
            (link,) = stack.enter_context(links(provider.url, 1))
            status, _, prefix = ask(finder, link)
            assert status == 200
            found.setdefault(prefix, link)
        yield list(found.values())


@pytest.mark.requirement("MFS-6.2.3-04")
@pytest.mark.threat("THR-NET-04")
def test_the_limit_is_whole_at_one_front_and_no_more_at_two(tmp_path: Path) -> None:
    with (
        served(tmp_path / "p", workers=2, session_rate=RATE) as provider,
        one_at_each(provider) as each,
    ):
        single = provider.person("+254700000032", "Single")
        single.session.establish()
        count, seconds = given(single, each[:1], int(BURST * 2.5))
        whole = BURST + RATE * seconds
        assert BURST - 1 <= count <= whole + 1

        spread = provider.person("+254700000033", "Spread")
        spread.session.establish()
        count, seconds = given(spread, each, int(BURST * 2.5))
        whole = BURST + RATE * seconds
        assert BURST - 1 <= count <= whole + BURST * UNTOLD_SHARE + 1


def answers(provider: Served) -> bool:
    """Whether new connections are answered: none of them goes to a front that died."""
    try:
        with links(provider.url, 8) as connections:
            for link in connections:
                link.request("GET", "/health/live")
            return all(link.getresponse().status == 200 for link in connections)
    except (OSError, http.client.HTTPException):
        return False


def test_the_limit_stays_when_a_front_dies(tmp_path: Path) -> None:
    with served(tmp_path / "p", workers=2, session_rate=RATE) as provider:
        person = provider.person("+254700000034", "Ann")
        person.session.establish()
        victim = next(iter(fronts(os.getpid())))
        os.kill(victim, signal.SIGKILL)
        limit = time.monotonic() + 20
        while len(set(fronts(os.getpid())) - {victim}) < 2 or not answers(provider):
            assert time.monotonic() < limit
            time.sleep(0.05)
        with links(provider.url, 1) as connections:
            count, seconds = given(person, connections, int(BURST * 2))
        assert BURST - 1 <= count <= BURST + RATE * seconds + 1
