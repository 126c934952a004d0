"""The provider of a replay: real, in this process, without sockets.

Requests go in as octets and come out as octets, as over HTTP; commands that arrive together are one
batch of the writer, as they are under load.

Source: ISO/TS 12812-2:2017, 6.2; 7.3.3
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from tallystick.application.commands import (
    Command,
    EnrolDevice,
    EstablishSession,
    JoinOperator,
    PerformAct,
)
from tallystick.application.turn import Recorded
from tallystick.client.operator import OperatorDesk, Signed, enrol_operator
from tallystick.client.session import Reply
from tallystick.entry import handshakes
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.http.front import Front
from tallystick.entry.http.lane import LaneHandler
from tallystick.entry.http.operations import operation
from tallystick.entry.http.sealed import SealedOperations, sealed_handlers
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, set_up
from tallystick.entry.writing import WhenDurable
from tallystick.infrastructure.crypto.key_list import keys_in_force, signature_key, verify_key_list
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, encode, encode_canonical
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.model import Wire
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import SimulatedClock
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import ActReply, EnrolOperator, SignedRequest
from tallystick.protocol.session import SESSIONS_PATH

PROVIDER = "replay"
CURRENCY = "KES"
_ROLES = ("care-desk", "operations", "operations")
_PLENTY = 1e9
_requests = Decoder(SignedRequest, limit=64 * 1024)
_enrolments = Decoder(EnrolOperator, limit=4096)


class Batch:
    """Collects commands as a front submits them, and runs them as one batch of the writer.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._waiting: list[tuple[Command, WhenDurable]] = []

    def submit(self, command: Command, answer: WhenDurable) -> None:
        """Keep `command` for the next batch.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._waiting.append((command, answer))

    def run(self) -> None:
        """Execute what was submitted, durably, and answer.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        waiting, self._waiting = self._waiting, []
        recorded = self._platform.writer.run([command for command, _ in waiting])
        for (_, answer), one in zip(waiting, recorded, strict=True):
            answer(one)


class ReplayProvider:
    """A provider set up in an empty folder, with a care desk and two operators.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    def __init__(
        self, folder: ProviderFolder, clock: SimulatedClock, policy_text: str = ""
    ) -> None:
        """Set up and open; the policy, unless one is given, is the one made for replays.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.folder = folder
        self.clock = clock
        self.secret = Secret(operating_system(32))
        done = set_up(folder, _plan(policy_text or replay_policy()), self.secret, clock)
        self.platform = open_platform(folder, self.secret, clock)
        self.batch = Batch(self.platform)
        accounting = Accounting(clock, _unheard, session_rate=_PLENTY, source_rate=_PLENTY)
        platform = self.platform
        front = Front(platform.desks.sessions.keys, platform.nonces, clock, accounting)
        performers = SealedOperations(platform, self.batch).performers()
        self._handlers = sealed_handlers(front, performers)
        root = done.root.verify_key()
        listed = verify_key_list(self.platform.key_list, root, clock.now(), 0)
        self._keys = {
            purpose: {
                one.kid: signature_key(one) for one in keys_in_force(listed, purpose, clock.now())
            }
            for purpose in (ListedPurpose.SESSION_SIGNATURE, ListedPurpose.TALLY)
        }
        self.tally_key = next(iter(self._keys[ListedPurpose.TALLY].values()))
        desks = [self._join(invited.code) for invited in done.invited]
        self.care, self.first, self.second = desks

    def session_keys(self) -> Mapping[str, VerifyKey]:
        """The keys that sign handshakes, out of the list that the pinned root signed.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._keys[ListedPurpose.SESSION_SIGNATURE]

    def handler(self, name: str) -> LaneHandler:
        """What answers the sealed operation `name`.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self._handlers[operation(name).path]

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """Answer m1 of a handshake, or enrol an operator; the rest goes in batches.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        if path == SESSIONS_PATH:
            return Reply(200, handshakes.answer(self.platform, body).body, {})
        request = _enrolments.decode(body)
        (recorded,) = self.platform.writer.run((JoinOperator(request),))
        return Reply(200, encode(_reply(recorded)), {})

    def acts(self, signed: Sequence[Signed]) -> list[ActReply]:
        """Carry out signed acts as one batch.

        Raises what the first of them was refused with.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        commands: list[PerformAct] = []
        for one in signed:
            asked = _requests.decode(one.body)
            inner = encode_canonical(asked.body)
            commands.append(
                PerformAct(
                    self.platform.desks.operators.verify(
                        asked.jws, inner, one.name, self.clock.now()
                    )
                )
            )
        replies = [_reply(recorded) for recorded in self.platform.writer.run(commands)]
        return [reply for reply in replies if isinstance(reply, ActReply)]

    def enrol(self, proofs: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """m4 for each (session, m3) of an enrolment, as one batch.

        Raises what the first of them was refused with.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        opened = [handshakes.enrolment(self.platform, *one) for one in proofs]
        recorded = self.platform.writer.run([EnrolDevice(one) for one in opened])
        return [
            handshakes.accepted(self.platform, one, by.keys)
            for one, by in zip(recorded, opened, strict=True)
        ]

    def establish(self, proofs: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """m4 for each (session, m3) of a device, as one batch.

        Raises what the first of them was refused with.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        proved = [handshakes.proved(self.platform, *one) for one in proofs]
        recorded = self.platform.writer.run([EstablishSession(one) for one in proved])
        return [
            handshakes.accepted(self.platform, one, by.keys)
            for one, by in zip(recorded, proved, strict=True)
        ]

    def _join(self, code: Secret[str]) -> OperatorDesk:
        signer = Es256SigningKey.generate()
        enrolled = enrol_operator(self, code, "replay", signer)
        return OperatorDesk(self, enrolled.operator, signer, self.clock, operating_system)


def replay_policy() -> str:
    """The text of the policy made for replays.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    path = files("tallystick.process.policy").joinpath("defaults/replay.yaml")
    return path.read_text(encoding="utf-8")


def _plan(policy_text: str) -> Plan:
    return Plan(
        provider=PROVIDER,
        currency=CURRENCY,
        country="254",
        profile="demo",
        policy_text=policy_text,
        roles=_ROLES,
        officers=("throw-away-officer",),
    )


def _reply(recorded: Recorded) -> Wire:
    reply = recorded.outcome.reply
    if isinstance(reply, MfsError):
        raise reply
    if not isinstance(reply, Wire):
        raise Broken("this operation gives no receipt")
    return reply


def _unheard(octets: bytes) -> None:
    """Nobody reads the log of a replay."""
