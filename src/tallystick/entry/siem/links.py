"""The ways to a collector: a stream, datagrams, or requests over HTTP.

Source: RFC 5425, 4; RFC 5426, 3; RFC 6587, 3.4.1; OpenTelemetry Protocol 1.5, OTLP over HTTP
"""

import asyncio
import http.client
from collections.abc import Sequence
from typing import Protocol

from tallystick.entry.siem.destination import Destination, Way
from tallystick.entry.siem.otlp import log_request
from tallystick.entry.siem.syslog import Speaker, framed, message
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.time import Clock
from tallystick.protocol.security_events import SecurityEvent

TIMEOUT_S = 10.0
END_S = 1.0
_TRY_AGAIN = frozenset((429, 502, 503, 504))
_MOST_ANSWER = 64 * 1024


class Link(Protocol):
    """Carries events to one collector.

    Source: RFC 5424, 5
    """

    async def send(self, events: Sequence[SecurityEvent]) -> int:
        """Send `events`, all of them; gives how many of them the collector refused for good.

        Raises OSError, TimeoutError or Unavailable when they are to be sent again.
        Source: RFC 5424, 5
        """
        ...

    async def close(self) -> None:
        """Give the connection up.

        Source: RFC 5424, 5
        """
        ...


class StreamLink:
    """Syslog over TCP or TLS, each message behind its length.

    What the other end had not read when the connection broke is lost: syslog does not acknowledge.
    Source: RFC 5425, 4; RFC 6587, 3.4.1
    """

    def __init__(self, to: Destination, speaker: Speaker) -> None:
        self._to = to
        self._speaker = speaker
        self._number = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, events: Sequence[SecurityEvent]) -> int:
        """Write `events` and wait until the connection took them.

        Source: RFC 5425, 4.3
        """
        async with asyncio.timeout(TIMEOUT_S):
            writer = await self._writer()
            for event in events:
                self._number += 1
                writer.write(framed(message(event, self._speaker, self._number)))
            await writer.drain()
        return 0

    async def _writer(self) -> asyncio.StreamWriter:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._to.host, self._to.port, ssl=self._to.tls
            )
        return self._streams[1]

    async def close(self) -> None:
        """End the connection, and wait a moment for the other end's word that it ends.

        A connection that TLS has not ended yet must not outlive the loop.
        Source: RFC 5425, 4.4
        """
        if self._streams is None:
            return
        (_, writer), self._streams = self._streams, None
        writer.close()
        try:
            async with asyncio.timeout(END_S):
                await writer.wait_closed()
        except (OSError, TimeoutError):
            writer.transport.abort()


class DatagramLink:
    """Syslog over UDP, a message a datagram; nobody says what arrived.

    Source: RFC 5426, 3
    """

    def __init__(self, to: Destination, speaker: Speaker) -> None:
        self._to = to
        self._speaker = speaker
        self._number = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def send(self, events: Sequence[SecurityEvent]) -> int:
        """Send a datagram for each of `events`.

        Source: RFC 5426, 3.1
        """
        if self._transport is None:
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=(self._to.host, self._to.port)
            )
        for event in events:
            self._number += 1
            self._transport.sendto(message(event, self._speaker, self._number))
        return 0

    async def close(self) -> None:
        """Close the socket.

        Source: RFC 5426, 3
        """
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class OtlpLink:
    """OTLP over HTTP; the collector's answer says whether it has them.

    Source: OpenTelemetry Protocol 1.5, OTLP over HTTP
    """

    def __init__(self, to: Destination, speaker: Speaker, clock: Clock) -> None:
        self._to = to
        self._speaker = speaker
        self._clock = clock

    async def send(self, events: Sequence[SecurityEvent]) -> int:
        """Post `events`; what the collector cannot take at all is not sent again.

        Source: OpenTelemetry Protocol 1.5, Failures
        """
        body = log_request(events, self._speaker, self._clock.now())
        status = await asyncio.to_thread(self._post, body)
        if status in _TRY_AGAIN:
            raise Unavailable(f"the collector answered {status}")
        return 0 if 200 <= status < 300 else len(events)

    def _post(self, body: bytes) -> int:
        to = self._to
        if to.tls is None:
            connection = http.client.HTTPConnection(to.host, to.port, timeout=TIMEOUT_S)
        else:
            connection = http.client.HTTPSConnection(
                to.host, to.port, timeout=TIMEOUT_S, context=to.tls
            )
        try:
            connection.request("POST", to.path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            response.read(_MOST_ANSWER)
        except http.client.HTTPException as error:
            raise Unavailable("the collector speaks no HTTP") from error
        finally:
            connection.close()
        return response.status

    async def close(self) -> None:
        """Nothing is kept open between requests.

        Source: OpenTelemetry Protocol 1.5, OTLP over HTTP
        """


def link_to(to: Destination, speaker: Speaker, clock: Clock) -> Link:
    """The way to `to`.

    Source: RFC 5424, 5
    """
    if to.way in {Way.OTLP, Way.OTLPS}:
        return OtlpLink(to, speaker, clock)
    return DatagramLink(to, speaker) if to.way is Way.UDP else StreamLink(to, speaker)
