"""What operators do about a whole service: suspend it at once, and together resume it.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
"""

from dataclasses import dataclass

from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.policing import PolicyInForce
from tallystick.application.suspensions import Suspension
from tallystick.application.turn import Turn
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.kernel.codec import Decoder
from tallystick.protocol.operators import ResumeService, SuspendService

_suspend = Decoder(SuspendService)
_resume = Decoder(ResumeService)


@dataclass(frozen=True, slots=True)
class ServiceActs:
    """Executes the acts about services as a whole.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    policy: PolicyInForce

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {"suspend-service": self._suspend, "resume-service": self._resume}

    def _suspend(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        asked = _suspend.decode(body)
        by = ",".join(_operator(one) for one in jws)
        row = self.policy.services.suspend(turn, asked.kind, asked.channel, asked.because, by)
        index = self._record(turn, "service.suspended", row, asked.because)
        return Acted(f"{row.what()}: the next payment is refused", index, row.id)

    def _resume(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("resume a service", jws, because="it was suspended for a reason")
        asked = _resume.decode(body)
        by = ",".join(_operator(one) for one in jws)
        row = self.policy.services.resume(turn, asked.kind, asked.channel, by)
        index = self._record(turn, "service.resumed", row, asked.because)
        return Acted(f"{row.what()}: payments are taken again", index, row.id)

    def _record(self, turn: Turn, kind: str, row: Suspension, because: str) -> int:
        return turn.record(
            kind,
            policy=self.policy.version,
            public={
                "because": because,
                "channel": row.channel,
                "kind": row.kind,
                "suspension": row.id,
            },
        )


def _operator(jws: str) -> str:
    return read_signature(jws).act.operator
