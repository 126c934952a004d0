"""What approvals do on their own: requests end in time, and push services wake devices.

A push service is told whom to wake and nothing else; the device then asks in its own session.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

import asyncio
import http.client
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.application.approvals import Approvals
from tallystick.application.asking import ApprovalAct, Approving
from tallystick.entry.assembly import Platform
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.protocol.approvals import Wake

EVERY_S = 1.0
WAKE_EVERY_S = 0.1
FILE = "push.json"
_TIMEOUT_S = 3.0
_AT_ONCE = 16


class PushService(Record, frozen=True, kw_only=True):
    """Where the push service takes names of devices to wake.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    url: str


_services = Decoder(PushService, limit=2048)


def push_url(folder: Path) -> str:
    """The address of the push service of the provider in `folder`, empty without one.

    Raises Malformed for a bare http address beyond loopback.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    file = folder / FILE
    if not file.is_file():
        return ""
    url = _services.decode(file.read_bytes()).url
    parts = urlsplit(url)
    near = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not near:
        raise Malformed("names of devices leave over https only", remedy="use an https address")
    return url


async def end_requests(platform: Platform, writer: WriterLoop) -> None:
    """End requests that are past their time, for ever.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    while True:
        await asyncio.sleep(EVERY_S)
        late = platform.desks.inboxes.overdue(platform.clock.now())
        if late:
            await writer.ask(Approving(_ending(platform.desks.approvals, late)))


def _ending(approvals: Approvals, late: list[str]) -> ApprovalAct:
    return lambda turn: approvals.expire(turn, late)


async def send_wakes(platform: Platform) -> None:
    """Wake devices, for ever; a wake that does not arrive is not tried again: devices also poll.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    url = push_url(platform.folder.root)
    wakes = platform.desks.approvals.kept.watching.wakes
    while True:
        await asyncio.sleep(WAKE_EVERY_S)
        if not url:
            wakes.clear()
            continue
        due = [wakes.popleft() for _ in range(min(_AT_ONCE, len(wakes)))]
        for name in due:
            await asyncio.to_thread(_post, url, encode(Wake(name=name)))


def _post(url: str, body: bytes) -> bool:
    parts = urlsplit(url)
    plain = parts.scheme == "http"
    kind = http.client.HTTPConnection if plain else http.client.HTTPSConnection
    link = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        link.request("POST", parts.path or "/", body, {"content-type": "application/json"})
        return 200 <= link.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
