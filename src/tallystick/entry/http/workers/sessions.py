"""The sessions that a front serves: their keys, and the public halves that consents verify under.

Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.entry.http.workers import frames
from tallystick.infrastructure.crypto.signature import Es256VerifyKey, VerifyKey
from tallystick.infrastructure.envelope.schedule import SessionKeys, kid_of
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError, Unauthenticated
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import consent_header
from tallystick.protocol.problems import error_of

_HOT_SESSIONS = 16_384


@dataclass(frozen=True, slots=True)
class HotSession:
    """What a front knows of a session that it serves.

    Source: ISO/TS 12812-2:2017, 3.22
    """

    keys: SessionKeys
    header: str
    consent_key: VerifyKey


class SessionCache:
    """The sessions that this front serves; what it does not know it asks the writer for.

    Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
    """

    def __init__(self) -> None:
        self._hot: dict[str, HotSession] = {}
        self._asking: dict[str, list[Callable[[MfsError | None], None]]] = {}

    def __contains__(self, session: str) -> bool:
        return session in self._hot

    def keys(self, session: str, now: Instant) -> SessionKeys:
        """The keys of a session that is known here.

        Raises Unauthenticated.
        Source: ISO/TS 12812-2:2017, 3.22
        """
        del now
        return self.look(session).keys

    def look(self, session: str) -> HotSession:
        """A session that is known here.

        Raises Unauthenticated.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        found = self._hot.get(session)
        if found is None:
            raise Unauthenticated("there is no such session", remedy="establish a new session")
        return found

    def wait(self, session: str, resume: Callable[[MfsError | None], None]) -> bool:
        """Call `resume` once it is known what the writer says; True if it must be asked now.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        waiting = self._asking.setdefault(session, [])
        waiting.append(resume)
        return len(waiting) == 1

    @property
    def waiting(self) -> int:
        """How many sessions are being asked for.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return len(self._asking)

    def given(self, frame: frames.KeysGiven) -> None:
        """Keep what the writer gave and go on with what waited for it.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        if len(self._hot) >= _HOT_SESSIONS:
            for old in list(self._hot)[: _HOT_SESSIONS // 8]:
                del self._hot[old]
        self._hot[frame.session] = HotSession(
            keys=SessionKeys(kid_of(frame.session), frame.octets),
            header=b64url(consent_header(frame.device)),
            consent_key=Es256VerifyKey(frame.consent_key),
        )
        self._resume(frame.session, None)

    def refused(self, frame: frames.KeysRefused) -> None:
        """Refuse what waited for a session that there is not.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._resume(frame.session, error_of(frame.problem))

    def forget(self, session: str) -> None:
        """Forget the keys of a session that ended.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        self._hot.pop(session, None)

    def _resume(self, session: str, error: MfsError | None) -> None:
        for resume in self._asking.pop(session, ()):
            resume(error)
