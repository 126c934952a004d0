"""The provider's side: its newest checkpoint goes to each witness, and their lines are kept.

Payments never wait for a witness. What two witnesses signed lies beside the database in
`witnessed.note`: an anchor that the provider itself cannot have made.

Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 7.3.3
"""

import asyncio
import base64
import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.checkpoint import (
    NoteKey,
    append_signatures,
    parse_note,
    verify_note,
)
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, Unavailable

WITNESSED_NOTE = "witnessed.note"
EVERY_S = 5.0
_TIMEOUT_S = 5.0
_MOST_REPLY_BYTES = 4096
_ASKINGS = 3

Post = Callable[[str, bytes], tuple[int, str]]
"""Posts a body to a URL; gives status and text, or raises OSError."""


@dataclass(frozen=True, slots=True)
class WitnessEndpoint:
    """Where a witness answers, and the key that its lines must verify under.

    Source: C2SP tlog-witness
    """

    url: str
    key: NoteKey

    @classmethod
    def parse(cls, text: str) -> "WitnessEndpoint":
        """An endpoint written `URL=NAME+ID+KEY`.

        Raises Malformed for another form, or `http:` beyond loopback.
        Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 7.2.3
        """
        url, found, key = text.partition("=")
        parts = urlsplit(url)
        loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if not found or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
            raise Malformed(
                "a witness is written URL=NAME+ID+KEY",
                remedy="use https; http is for loopback only",
            )
        return cls(url.rstrip("/"), NoteKey.parse(key))


@dataclass(frozen=True, slots=True)
class Witnessing:
    """Which witnesses a provider asks, how often, and the file that keeps what they signed.

    Source: C2SP tlog-witness
    """

    endpoints: tuple[WitnessEndpoint, ...]
    file: Path
    every_s: float = EVERY_S


class Asker:
    """Asks one set of witnesses; what each saw last is remembered between askings.

    Source: C2SP tlog-witness
    """

    def __init__(
        self, archive: Archive, endpoints: Sequence[WitnessEndpoint], post: Post | None = None
    ) -> None:
        self._archive = archive
        self._endpoints = tuple(endpoints)
        self._post = post or _post
        self._seen: dict[str, int] = {}
        self.disagreeing: frozenset[str] = frozenset()

    async def ask(self) -> tuple[str, dict[str, str]]:
        """Ask all about the newest checkpoint: the note with their lines, and why by name if not.

        The note is empty where there is nothing to witness yet. `disagreeing` then names those who
        answered, and did not find that the log continues what they saw.
        Source: C2SP tlog-witness
        """
        note, size = self._archive.note, self._archive.durable_size
        if not note:
            return "", {}
        lines: list[str] = []
        failed: dict[str, str] = {}
        disagreeing: set[str] = set()
        for endpoint in self._endpoints:
            try:
                lines.append(await self._one(endpoint, note, size))
            except (MfsError, OSError, http.client.HTTPException) as error:
                failed[endpoint.key.name] = str(error)
                if isinstance(error, NotAuthentic):
                    disagreeing.add(endpoint.key.name)
        self.disagreeing = frozenset(disagreeing)
        return (append_signatures(note, *lines) if lines else ""), failed

    async def _one(self, endpoint: WitnessEndpoint, note: str, size: int) -> str:
        for _ in range(_ASKINGS):
            old = self._seen.get(endpoint.url, 0)
            if old > size:
                raise NotAuthentic(
                    f"the witness saw {old} events, the tally has {size}",
                    remedy="the tally was cut: restore it under a new origin",
                )
            body = self._request(old, size, note)
            status, text = await asyncio.to_thread(
                self._post, f"{endpoint.url}/add-checkpoint", body
            )
            if status == 200:
                _check_line(note, text, endpoint.key)
                self._seen[endpoint.url] = size
                return text
            if status >= 500:
                raise Unavailable(f"the witness answered {status}: {text.strip()[:80]}")
            if status != 409 or not text.strip().isdecimal():
                raise NotAuthentic(f"the witness answered {status}: {text.strip()[:80]}")
            if int(text) == old:
                raise NotAuthentic("the witness saw another tally of the same size")
            self._seen[endpoint.url] = int(text)
        raise NotAuthentic("the witness and the provider do not agree on a size")

    def _request(self, old: int, size: int, note: str) -> bytes:
        proof = self._archive.consistency(old, size) if 0 < old < size else ()
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof)]
        return ("\n".join(lines) + "\n\n" + note).encode()


async def ask_for_ever(
    asker: Asker,
    file: Path,
    tell: Callable[[str, str], None],
    report: Callable[[bool], None],
    *,
    every_s: float = EVERY_S,
) -> None:
    """Ask again and again; keep the newest countersigned note in `file`.

    `tell(witness, why)` is called when a witness did not sign, and `report` after each round at
    which there was something to sign: whether any witness signed.
    Source: C2SP tlog-witness
    """
    last = ""
    while True:
        note, failed = await asker.ask()
        for name, why in failed.items():
            tell(name, why)
        if note or failed:
            report(bool(note))
        if note and note != last:
            await asyncio.to_thread(replace_file, file, note.encode())
            last = note
        await asyncio.sleep(every_s)


def _check_line(note: str, line: str, key: NoteKey) -> None:
    """Pass if `line` is the countersignature of `key` on `note`; raises NotAuthentic."""
    verify_note(parse_note(append_signatures(note, line)), key)


def _post(url: str, body: bytes) -> tuple[int, str]:
    parts = urlsplit(url)
    link = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = link(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", parts.path, body, {"content-type": "text/plain"})
        response = connection.getresponse()
        return response.status, response.read(_MOST_REPLY_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()
