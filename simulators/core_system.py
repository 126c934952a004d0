"""A simulated core system over HTTP that answers as badly as real ones were seen to.

Its books are right: at most once per id, and `truth()` tells. Its answers are not: late, lost,
silent, 500 after the money moved, 200 about another account, two answers that differ, absent though
present. What it does to the n-th question about an id follows from the seed, so that runs repeat.

    python -m simulators.core_system --port 9400 --seed 7 --hostility 0.5

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from threading import Event, Lock
from typing import Self

from simulators.core_books import CoreBooks, absent
from simulators.loopback import LoopbackServer, Request, Response
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.model import Record, replace
from tallystick.protocol.core import PlaceTransfer, TransferStage, TransferState

TRANSFERS = "/v1/transfers"
_placings = Decoder(PlaceTransfer, limit=4096)


class Mood(StrEnum):
    """How a question is answered.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    RIGHT = "right"
    LATE = "late"
    SILENT = "applies, then closes without an answer"
    ERROR = "applies, then answers 500"
    OTHER = "answers 200 with another account's result"
    TWICE = "answers with one amount now and with another one later"
    LOST = "loses the question"
    STALE = "answers absent, once, though it has the transfer"
    FALSE_REFUSAL = "says refused though the money moved"


class Hostility(Record, frozen=True, kw_only=True):
    """The share of questions answered in each bad mood, 0 to 1; the rest is answered right.

    A false refusal repeats every field of the order, so that no single answer gives it away: it is
    left out of `even` and is for reconciliation to find.
    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    late: float = 0.0
    silent: float = 0.0
    error: float = 0.0
    other: float = 0.0
    twice: float = 0.0
    lost: float = 0.0
    stale: float = 0.0
    false_refusal: float = 0.0

    @classmethod
    def even(cls, share: float) -> "Hostility":
        """A hostility that spreads `share` evenly over all moods but the false refusal.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        each = share / 7
        return cls(
            late=each, silent=each, error=each, other=each, twice=each, lost=each, stale=each
        )

    def shares(self) -> tuple[tuple[Mood, float], ...]:
        """Each bad mood and its share.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        return (
            (Mood.LATE, self.late),
            (Mood.SILENT, self.silent),
            (Mood.ERROR, self.error),
            (Mood.OTHER, self.other),
            (Mood.TWICE, self.twice),
            (Mood.LOST, self.lost),
            (Mood.STALE, self.stale),
            (Mood.FALSE_REFUSAL, self.false_refusal),
        )


class CoreSystem:
    """The simulated core system; close it, or use it in a `with` statement.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    def __init__(
        self,
        hostility: Hostility | None = None,
        *,
        seed: int = 0,
        port: int = 0,
        late_ms: int = 200,
        opening: Mapping[str, int] | None = None,
        two_phase: frozenset[str] = frozenset(),
    ) -> None:
        """Listen at once; `opening` and `two_phase` as `CoreBooks` has them.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        self.books = CoreBooks(opening, two_phase=two_phase)
        self._hostility = hostility or Hostility()
        self._seed = seed
        self._late_ms = late_ms
        self._asked: Counter[str] = Counter()
        self._moods: Counter[Mood] = Counter()
        self._lock = Lock()
        self._closed = Event()
        self._server = LoopbackServer(self._handle, port=port)

    @property
    def url(self) -> str:
        """Where it listens.

        Source: RFC 9112
        """
        return self._server.url

    def truth(self) -> dict[str, TransferState]:
        """Every transfer by id, as it really is.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.books.truth()

    def moods(self) -> dict[Mood, int]:
        """How often it answered in which mood.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        with self._lock:
            return dict(self._moods)

    def close(self) -> None:
        """Stop listening.

        Source: RFC 9112, 9.6
        """
        self._closed.set()
        self._server.close()

    def wait(self) -> None:
        """Serve until closed.

        Source: RFC 9112
        """
        self._server.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _handle(self, request: Request) -> Response | None:
        if request.method == "POST" and request.path == TRANSFERS:
            try:
                placed = _placings.decode(request.body)
            except MfsError:
                return Response(400, b"{}")
            return self._place(placed)
        identifier, _, verb = request.path.removeprefix(f"{TRANSFERS}/").partition("/")
        if not request.path.startswith(f"{TRANSFERS}/"):
            return Response(404, b"{}")
        if request.method == "GET" and not verb:
            return self._tell(identifier, self.books.state(identifier), "inquire")
        if request.method == "POST" and verb in {"settle", "void"}:
            return self._end(identifier, settle=verb == "settle")
        return Response(404, b"{}")

    def _place(self, placed: PlaceTransfer) -> Response | None:
        mood = self._mood(placed.id, "place")
        if mood is Mood.LOST:
            return None
        return self._answer(mood, self.books.place(placed))

    def _end(self, identifier: str, *, settle: bool) -> Response | None:
        mood = self._mood(identifier, "end")
        if mood is Mood.LOST:
            return None
        return self._answer(mood, self.books.end(identifier, settle=settle))

    def _tell(self, identifier: str, state: TransferState, asked: str) -> Response | None:
        mood = self._mood(identifier, asked)
        return None if mood is Mood.LOST else self._answer(mood, state)

    def _answer(self, mood: Mood, state: TransferState) -> Response | None:
        if mood is Mood.SILENT:
            return None
        if mood is Mood.ERROR:
            return Response(500, b"{}")
        if mood is Mood.LATE:
            self._closed.wait(self._late_ms / 1000)
        return Response(200, encode_canonical(self._told(mood, state)))

    def _told(self, mood: Mood, state: TransferState) -> TransferState:
        if mood is Mood.OTHER:
            return self._another(state)
        if mood is Mood.TWICE:
            return replace(state, state=TransferStage.SETTLED, amount_minor=state.amount_minor + 1)
        if mood is Mood.STALE:
            return absent(state.id)
        if mood is Mood.FALSE_REFUSAL and state.state is TransferStage.SETTLED:
            return replace(state, state=TransferStage.REFUSED, reason="system error")
        return state

    def _another(self, state: TransferState) -> TransferState:
        """Another transfer's result if there is one; with our id on it every other time."""
        others = [one for one in self.books.truth().values() if one.id != state.id]
        other = others[-1] if others else replace(state, state=TransferStage.SETTLED)
        masked = replace(other, id=state.id, debit=f"{other.debit}9"[-64:])
        return masked if self._chance(state.id, "mask", 0) < 0.5 or not others else other

    def _mood(self, identifier: str, asked: str) -> Mood:
        with self._lock:
            turn = self._asked[f"{asked} {identifier}"]
            self._asked[f"{asked} {identifier}"] += 1
        drawn = self._chance(identifier, asked, turn)
        mood = Mood.RIGHT
        for one, share in self._hostility.shares():
            if drawn < share:
                mood = one
                break
            drawn -= share
        if mood is Mood.STALE and (asked != "inquire" or turn > 0):
            mood = Mood.RIGHT
        with self._lock:
            self._moods[mood] += 1
        return mood

    def _chance(self, identifier: str, asked: str, turn: int) -> float:
        """A number from 0 to 1 that the seed, the id and the question decide."""
        digest = hashlib.sha256(f"{self._seed}|{asked}|{identifier}|{turn}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    parser = argparse.ArgumentParser(description="A simulated, hostile core system on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hostility", type=float, default=0.0, help="share of bad answers, 0 to 1")
    chosen = parser.parse_args(arguments)
    core = CoreSystem(Hostility.even(chosen.hostility), seed=chosen.seed, port=chosen.port)
    sys.stdout.write(
        f"simulated core system at {core.url}, seed {chosen.seed}, hostility {chosen.hostility}\n"
    )
    sys.stdout.flush()
    try:
        core.wait()
    except KeyboardInterrupt:
        core.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
