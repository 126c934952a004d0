"""Who is signed in at the desk; in memory only, so a restart signs everybody out.

A session ends after 15 minutes without a request and after 8 hours whatever happens. Its cookie is
random and never leaves the browser's own origin; only its hash is kept here.

Source: ISO/TS 12812-2:2017, 7.3.2; RFC 6265, 5.2
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tallystick.entry.http.console.challenges import Challenges
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import RateLimited
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, Instant
from tallystick.process.purposes import Purpose
from tallystick.protocol.desk import RehearsedAct
from tallystick.protocol.operators import Act, ActReply

IDLE_MS = 15 * MINUTE_MS
ABSOLUTE_MS = 8 * HOUR_MS
COOKIE = "__Host-desk"
MOST_SESSIONS = 4
FINDS, FINDS_MS = 30, 10 * MINUTE_MS
GLANCE_MS = MINUTE_MS // 2
_MOST_PREPARED = 20


@dataclass(slots=True)
class Prepared:
    """An act that waits for its signature: canonical act and body, and a code to show once.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    act: Act
    octets: bytes
    body: bytes
    code: Secret[str] | None = None


@dataclass(slots=True)
class DeskSession:
    """One sign-in: who, with what, and what was begun.

    `credential` is the passkey that opened it, if one did: the session ends with it.
    `purposes` are those chosen for a customer or order in this session, `rehearsed` what acts that
    wait would have come to when they were looked at, `glances` the same for the list of them.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    operator: str
    grade: str
    form_secret: Secret[str]
    opened_at: Instant
    seen_at: Instant
    credential: str = ""
    purposes: dict[str, Purpose] = field(default_factory=dict[str, Purpose])
    prepared: dict[str, Prepared] = field(default_factory=dict[str, Prepared])
    done: dict[str, tuple[ActReply, Secret[str] | None]] = field(
        default_factory=dict[str, tuple[ActReply, Secret[str] | None]]
    )
    rehearsed: dict[str, RehearsedAct] = field(default_factory=dict[str, RehearsedAct])
    glances: dict[str, tuple[Instant, RehearsedAct]] = field(
        default_factory=dict[str, tuple[Instant, RehearsedAct]]
    )

    def glance(self, act: str, now: Instant) -> RehearsedAct | None:
        """What the list of acts that wait showed of one half a minute ago at most, or nothing.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        at, found = self.glances.get(act, (now, None))
        return found if now - at < GLANCE_MS else None

    def glanced(self, outcome: RehearsedAct, now: Instant) -> None:
        """Keep what the list showed, so that loading it again and again tries nothing anew.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.glances[outcome.act] = (now, outcome)
        while len(self.glances) > _MOST_PREPARED:
            del self.glances[next(iter(self.glances))]

    def saw(self, outcome: RehearsedAct) -> None:
        """Keep what was shown of an act that waits.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self.rehearsed[outcome.act] = outcome
        while len(self.rehearsed) > _MOST_PREPARED:
            del self.rehearsed[next(iter(self.rehearsed))]

    def prepare(self, one: Prepared) -> None:
        """Keep an act until it is signed; the oldest give way.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.prepared[one.act.id] = one
        while len(self.prepared) > _MOST_PREPARED:
            del self.prepared[next(iter(self.prepared))]

    def finish(self, act: str, reply: ActReply, code: Secret[str] | None) -> None:
        """Keep what an act came to, to be shown; a code is shown once.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self.done[act] = (reply, code)
        while len(self.done) > _MOST_PREPARED:
            del self.done[next(iter(self.done))]

    def shown(self, act: str) -> tuple[ActReply, Secret[str] | None] | None:
        """What an act came to; its code is forgotten with this.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        found = self.done.get(act)
        if found is not None:
            self.done[act] = (found[0], None)
        return found


class DeskSessions:
    """All sessions, by the hash of their cookie.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._open: dict[bytes, DeskSession] = {}
        self._finds: dict[str, list[Instant]] = {}
        self.challenges = Challenges(entropy)

    def open(self, operator: str, grade: str, now: Instant, credential: str = "") -> Secret[str]:
        """A new session with a new cookie, whatever the browser sent before; gives the cookie.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._sweep(now)
        own = [name for name, one in self._open.items() if one.operator == operator]
        for name in own[: max(0, len(own) + 1 - MOST_SESSIONS)]:
            del self._open[name]
        cookie = b64url(self._entropy(32))
        self._open[_name(cookie)] = DeskSession(
            operator=operator,
            grade=grade,
            form_secret=Secret(b64url(self._entropy(32))),
            opened_at=now,
            seen_at=now,
            credential=credential,
        )
        return Secret(cookie)

    def find(self, cookie: str, now: Instant) -> DeskSession | None:
        """The live session of `cookie`, which lives on with this.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        found = self._open.get(_name(cookie))
        if found is None:
            return None
        if not _lives(found, now):
            del self._open[_name(cookie)]
            return None
        found.seen_at = now
        return found

    def close(self, cookie: str) -> None:
        """End the session of `cookie`.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._open.pop(_name(cookie), None)

    def count_find(self, operator: str, now: Instant) -> None:
        """Count a search for a person, found or not; over all sessions of `operator`.

        Raises RateLimited.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        recent = [one for one in self._finds.get(operator, ()) if now - one < FINDS_MS]
        if len(recent) >= FINDS:
            raise RateLimited(
                f"more than {FINDS} searches in ten minutes",
                remedy="wait a little; a security officer sees the count",
                retry_after_s=max(1, (recent[0] + FINDS_MS - now) // 1000),
            )
        self._finds[operator] = [*recent, now]

    def _sweep(self, now: Instant) -> None:
        for name in [name for name, one in self._open.items() if not _lives(one, now)]:
            del self._open[name]


def _name(cookie: str) -> bytes:
    return sha256(cookie.encode())


def _lives(one: DeskSession, now: Instant) -> bool:
    return now - one.seen_at < IDLE_MS and now - one.opened_at < ABSOLUTE_MS
