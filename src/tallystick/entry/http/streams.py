"""Streams of requests: server-sent events over a session, every item sealed for its device.

    POST, sealed: after which cursor      text/event-stream: id: cursor, data: base64url(COSE)

Each item is a reply to the one request that opened the stream, under a nonce of its own; what is in
it counts up, so that a device sees what was left out or came twice. A stream ends with its session.

Source: WHATWG HTML, 9.2; RFC 9052, 5.2; ISO/TS 12812-2:2017, 7.2.7; 7.3.3
"""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.asked import (
    asked_for,
    body_of,
    count_answer,
)
from tallystick.infrastructure.envelope.cose import open_request, peek, seal_reply
from tallystick.infrastructure.envelope.schedule import SessionKeys, session_of
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError
from tallystick.protocol.approvals import STREAM, Inbox, InboxAsked
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.problems import problem_of

KEEP_ALIVE_S = 10.0
_LIMIT = 2048
_COST = 0.2
_asked = Decoder(InboxAsked, limit=64)
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class StreamDoor:
    """Opens streams to devices, and sends what changes.

    Source: WHATWG HTML, 9.2; ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, platform: Platform, accounting: Accounting) -> None:
        self._platform = platform
        self._accounting = accounting

    async def stream(self, request: Request) -> Response:
        """A stream for the session that sealed the request.

        Raises in clear what a sealed request is refused with before its session is known.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        asked_for(request, STREAM)
        if not request.headers.get("content-type", "").startswith("application/cose"):
            raise Malformed("send content-type: application/cose")
        now = self._platform.clock.now()
        body = await body_of(request, self._accounting, now, cost=_COST, limit=_LIMIT)
        header = peek(body)
        session = session_of(header.kid)
        keys = self._platform.desks.sessions.keys(session, now)
        sequence, content = open_request(keys, STREAM, body, header)
        self._accounting.admit(session, now)
        try:
            flow, after = self._flow(keys, sequence, session, content)
        except MfsError as error:
            count_answer(self._accounting, request, error.status, error.code)
            told = encode_canonical(problem_of(error))
            iv = self._platform.nonces.draw()
            sealed = seal_reply(keys, iv, STREAM, sequence, error.status, told)
            return Response(sealed, error.status, media_type=SEALED_MEDIA_TYPE)
        count_answer(self._accounting, request, 200, "")
        return StreamingResponse(
            flow.items(after), media_type="text/event-stream", headers=_HEADERS
        )

    def _flow(
        self, keys: SessionKeys, sequence: int, session: str, content: bytes
    ) -> tuple["_Flow", int]:
        """The stream that a session asks for, and after which cursor."""
        asked = _asked.decode_canonical(content)
        live = self._platform.desks.sessions.touch(session, sequence, self._platform.clock.now())
        self._platform.desks.devices.active(live.device)
        flow = _Flow(self._platform, session, live.customer, live.device, keys, sequence)
        return flow, asked.after


class _Flow:
    """One stream: what it is sealed for, and what it waits for."""

    def __init__(
        self,
        platform: Platform,
        session: str,
        customer: str,
        device: str,
        keys: SessionKeys,
        sequence: int,
    ) -> None:
        self._platform = platform
        self._session = session
        self._customer = customer
        self._device = device
        self._keys = keys
        self._sequence = sequence
        self._news = asyncio.Event()
        self._watching = platform.desks.approvals.kept.watching
        self._stop = self._watching.wait(customer, self._news.set)

    async def items(self, cursor: int) -> AsyncIterator[bytes]:
        """Every change after `cursor`, until the session ends."""
        spoke = monotonic()
        try:
            while self._lives():
                found = self._platform.desks.inboxes.inbox(self._customer, cursor)
                for item in found.items:
                    cursor, spoke = item.cursor, monotonic()
                    yield self._sealed(Inbox(items=(item,), cursor=cursor))
                if found.items:
                    continue
                if monotonic() - spoke >= KEEP_ALIVE_S:
                    spoke = monotonic()
                    yield b": still here\n\n"
                await self._wait()
        finally:
            self._stop()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), 1.0)
        except TimeoutError:
            return
        self._news.clear()
        self._stop = self._watching.wait(self._customer, self._news.set)

    def _lives(self) -> bool:
        desks = self._platform.desks
        try:
            desks.sessions.look(self._session, self._platform.clock.now())
            desks.devices.active(self._device)
        except MfsError:
            return False
        return True

    def _sealed(self, inbox: Inbox) -> bytes:
        sealed = seal_reply(
            self._keys,
            self._platform.nonces.draw(),
            STREAM,
            self._sequence,
            200,
            encode_canonical(inbox),
        )
        return f"id: {inbox.cursor}\ndata: {b64url(sealed)}\n\n".encode()
