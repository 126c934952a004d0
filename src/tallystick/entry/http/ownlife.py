"""Sealed operations about recovery and education, inside a session.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1; 7.4.5
"""

from collections.abc import Callable

from tallystick.application.devicelife import Act, LivesOn, OwnDevices
from tallystick.application.devicelife.own import OwnAct
from tallystick.application.education import Education, InLesson
from tallystick.application.education.service import LessonAct
from tallystick.application.recovery import InLife, OwnRecovery
from tallystick.application.recovery.insession import LifeAct
from tallystick.application.telling import ListNotices
from tallystick.application.turn import Outcome, Turn
from tallystick.entry.answering import Done, answer_of
from tallystick.entry.assembly import Platform
from tallystick.entry.http.front import Opened, Perform
from tallystick.entry.writing import Submits
from tallystick.infrastructure.crypto.jws import split_under
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.time import Instant
from tallystick.protocol.devicelife import SteerDevice, StopDevices
from tallystick.protocol.education import Acknowledge, ReadGuidance
from tallystick.protocol.payments import Empty
from tallystick.protocol.recovery import (
    CancelOwnRecovery,
    RecoveryAct,
    SignedRecovery,
    recovery_header,
)

Learns = Callable[[bytes], LessonAct]
"""What the content of a request asks about education."""

Steers = Callable[[bytes], OwnAct]
"""What the content of a request asks about devices."""

_empty = Decoder(Empty, limit=16)
_steered = Decoder(SteerDevice, limit=256)
_stopped = Decoder(StopDevices, limit=512)
_signed = Decoder(SignedRecovery, limit=8192)
_acts = Decoder(RecoveryAct, limit=2048)
_cancels = Decoder(CancelOwnRecovery, limit=128)
_reads = Decoder(ReadGuidance, limit=64)
_acknowledged = Decoder(Acknowledge, limit=512)


class OwnLife:
    """Understands what customers and agents ask about recovery and education.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    def __init__(self, platform: Platform, writer: Submits) -> None:
        self._desks = platform.desks
        self._writer = writer

    def performers(self) -> dict[str, Perform]:
        """What carries out each operation, by name.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        return {
            "recovery.sign": self._signs,
            "recovery.list": self._living(_lists),
            "recovery.cancel": self._living(_cancelled),
            "device.list": self._steering(_lists_devices),
            "device.steer": self._steering(_steers),
            "agent.stop-devices": self._steering(_stops),
            "education.read": self._learning(_read),
            "education.acknowledge": self._learning(_acknowledges),
            "protection.card": self._learning(_card),
            "notice.list": self._lists_notices,
        }

    def _signs(self, opened: Opened, now: Instant, done: Done) -> None:
        """What the session's own device signed with its consent key."""
        compact = _signed.decode_canonical(opened.content).act
        live = self._desks.sessions.look(opened.session, now)
        key = Es256VerifyKey(self._desks.devices.get(live.device).consent)
        header = b64url(recovery_header(live.device))
        payload, signature, signing_input = split_under(compact, header)
        key.verify(signature, signing_input)
        act = _acts.decode_canonical(payload)

        def does(own: OwnRecovery, turn: Turn, session: str, sequence: int) -> Outcome:
            return own.signed(turn, session, sequence, act, compact)

        self._submit(InLife(opened.session, opened.sequence, does), done)

    def _living(self, understand: Callable[[bytes], LifeAct]) -> Perform:
        def perform(opened: Opened, now: Instant, done: Done) -> None:
            del now
            act = understand(opened.content)
            self._submit(InLife(opened.session, opened.sequence, act), done)

        return perform

    def _steering(self, understand: Steers) -> Perform:
        def perform(opened: Opened, now: Instant, done: Done) -> None:
            del now
            act = understand(opened.content)
            self._submit(LivesOn(opened.session, opened.sequence, act), done)

        return perform

    def _learning(self, understand: Learns) -> Perform:
        def perform(opened: Opened, now: Instant, done: Done) -> None:
            del now
            act = understand(opened.content)
            self._submit(InLesson(opened.session, opened.sequence, act), done)

        return perform

    def _lists_notices(self, opened: Opened, now: Instant, done: Done) -> None:
        del now
        _empty.decode(opened.content)
        self._submit(ListNotices(opened.session, opened.sequence), done)

    def _submit(self, command: InLife | InLesson | LivesOn | ListNotices, done: Done) -> None:
        self._writer.submit(command, lambda recorded: done(answer_of(recorded)))


def _lists(content: bytes) -> LifeAct:
    _empty.decode(content)
    return OwnRecovery.listed


def _lists_devices(content: bytes) -> OwnAct:
    _empty.decode(content)
    return OwnDevices.listed


def _steers(content: bytes) -> OwnAct:
    asked = _steered.decode_canonical(content)

    def act(own: OwnDevices, turn: Turn, session: str, sequence: int) -> Outcome:
        return own.steer(turn, session, sequence, asked.device, Act(asked.act))

    return act


def _stops(content: bytes) -> OwnAct:
    asked = _stopped.decode_canonical(content)

    def act(own: OwnDevices, turn: Turn, session: str, sequence: int) -> Outcome:
        return own.stop_for(turn, session, sequence, asked)

    return act


def _cancelled(content: bytes) -> LifeAct:
    recovery = _cancels.decode_canonical(content).recovery

    def act(own: OwnRecovery, turn: Turn, session: str, sequence: int) -> Outcome:
        return own.cancel(turn, session, sequence, recovery)

    return act


def _read(content: bytes) -> LessonAct:
    language = _reads.decode_canonical(content).language

    def act(taught: Education, turn: Turn, session: str, sequence: int) -> Outcome:
        return taught.read(turn, session, sequence, language)

    return act


def _acknowledges(content: bytes) -> LessonAct:
    asked = _acknowledged.decode_canonical(content)

    def act(taught: Education, turn: Turn, session: str, sequence: int) -> Outcome:
        return taught.acknowledge(turn, session, sequence, asked)

    return act


def _card(content: bytes) -> LessonAct:
    _empty.decode(content)
    return Education.card
