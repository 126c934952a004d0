"""An answer that comes in the moment in which it is waited for no longer is not lost."""

import asyncio
import socket
from collections.abc import Callable

from tallystick.entry.smpp.link import Pace, SmppLink
from tallystick.entry.smpp.pdus import Command, Pdu, ShortMessage, Status
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.secret import Secret

PACE = Pace(answer_s=0.05)
MESSAGE = ShortMessage(source="38457", destination="254722000001", text=Secret(b"Done."))
TAKEN = Pdu(Command.SUBMIT_SM_RESP, Status.OK, 1, b"id-1\x00").octets()

Arrives = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], object]
"""Lets the answer arrive, once the time for it is over but nobody was told so."""


async def submitted(arrives: Arrives) -> tuple[str | Unavailable, list[tuple[str, str]]]:
    """What a message came to, and of which ones it was told afterwards that they were taken."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    reader, late = asyncio.StreamReader(), list[tuple[str, str]]()

    async def heard(_: ShortMessage) -> int:
        return Status.OK

    def at_once() -> None:
        over = loop.time() + 2 * PACE.answer_s
        while loop.time() < over:
            pass
        arrives(loop, lambda: reader.feed_data(TAKEN))

    link = SmppLink((reader, writer), PACE, heard, lambda *one: late.append(one))
    running = asyncio.create_task(link.run())
    waiting = asyncio.create_task(link.submit(MESSAGE, "notice-1"))
    with theirs:
        await asyncio.sleep(0)  # both have begun: the message is written and waited for
        loop.call_soon(at_once)
        try:
            found: str | Unavailable = await waiting
        except Unavailable as error:
            found = error
        await asyncio.sleep(0)
        reader.feed_eof()
        await running
        await writer.wait_closed()
    return found, late


def test_an_answer_that_was_read_before_the_time_was_over_is_the_answer() -> None:
    found, late = asyncio.run(submitted(lambda _, feed: feed()))
    assert found == "id-1"
    assert late == []


def test_an_answer_that_is_read_as_the_time_ends_tells_that_the_message_was_taken() -> None:
    found, late = asyncio.run(submitted(lambda loop, feed: loop.call_soon(feed)))
    assert isinstance(found, Unavailable)
    assert late == [("notice-1", "id-1")], "the notice would be sent a second time"
