"""What a provider leans on, close enough to fall silent when a test says so, and to come back."""

from dataclasses import dataclass, field
from pathlib import Path

from simulators.core_system import CoreSystem
from simulators.loopback import LoopbackServer, Request, Response

from tallystick.entry.auditing import listed_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.witnessing import WitnessEndpoint
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.checkpoint import NoteKey, NoteKeyKind, NoteSigner
from tallystick.infrastructure.tally.witness import (
    Cosigned,
    OtherSize,
    Seen,
    Witness,
    parse_add_checkpoint,
)
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.keylist import ListedPurpose

__all__ = ["FallingCore", "LocalWitness", "MovedClock"]


class MovedClock:
    """The machine's clock, and what somebody moved it by."""

    def __init__(self) -> None:
        self._machine: Clock = SystemClock()
        self.off_ms = 0

    def now(self) -> Instant:
        return Instant(self._machine.now() + self.off_ms)

    def not_at_the_end(self, of_ms: int, left_ms: int) -> None:
        """Go on to the next hour or day, of `of_ms`, where this one ends within `left_ms`.

        What a test does in one hour, or on one day, then happens in one.
        """
        left = of_ms - self.now() % of_ms
        if left < left_ms:
            self.off_ms += left


class FallingCore(CoreSystem):
    """A core system that does what it is asked, and says nothing of it while it is `silent`."""

    silent = False

    def __init__(self) -> None:
        self.heard: list[Request] = []
        super().__init__()

    def _handle(self, request: Request) -> Response | None:
        self.heard.append(request)
        answer = super()._handle(request)
        return None if self.silent else answer


@dataclass
class _Memory:
    seen: dict[str, Seen] = field(default_factory=dict)

    def latest(self, origin: str) -> Seen | None:
        return self.seen.get(origin)

    def advance(self, origin: str, before: Seen | None, after: Seen) -> None:
        assert self.latest(origin) == before
        self.seen[origin] = after


class LocalWitness:
    """A witness of the provider in `folder`; may be `silent`, or `doubting` what it is shown."""

    def __init__(self, folder: Path) -> None:
        signer = NoteSigner.of(
            "example.org/w", Ed25519SigningKey.generate(), NoteKeyKind.COSIGNATURE_V1
        )
        self.silent = self.doubting = False
        self._folder, self._signer = ProviderFolder(folder), signer
        self._memory = _Memory()
        self._server = LoopbackServer(self._handle)
        self.endpoint = WitnessEndpoint(self._server.url, signer.key)

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _handle(self, request: Request) -> Response | None:
        if self.silent:
            return None
        if self.doubting:
            return Response(422, b"this does not continue what was seen\n")
        witness = Witness(self._logs(), self._signer, self._memory)
        outcome = witness.add_checkpoint(parse_add_checkpoint(request.body), SystemClock().now())
        if isinstance(outcome, Cosigned):
            return Response(200, outcome.line.encode())
        if isinstance(outcome, OtherSize):
            return Response(409, b"%d\n" % outcome.size)
        return Response(422, b"this does not continue what was seen\n")

    def _logs(self) -> dict[str, NoteKey]:
        entries = listed_keys(self._folder).entries
        tally = next(one for one in entries if one.purpose == ListedPurpose.TALLY)
        origin = self._folder.settings().origin
        return {origin: NoteKey(origin, signature_key(tally))}
