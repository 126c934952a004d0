"""What an app does about recovery and education, for its person or, as an agent, for another.

Every signature is the consent key's, behind user verification, over words that were shown.

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.1; 7.4.5
"""

from typing import TypeVar

from tallystick.client.keystore import DeviceKeystore
from tallystick.client.session import ClientSession
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Clock
from tallystick.protocol.devicelife import StopDevices
from tallystick.protocol.education import (
    Acknowledge,
    Guidance,
    OwnNotice,
    OwnNotices,
    ProtectionCard,
    ReadGuidance,
)
from tallystick.protocol.payments import Empty
from tallystick.protocol.recovery import (
    CancelOwnRecovery,
    Recoveries,
    RecoveryAct,
    RecoveryKind,
    RecoveryView,
    SignedRecovery,
    recovery_header,
)

T = TypeVar("T")

_empty = Decoder(Empty)
_views = Decoder(RecoveryView)
_listed = Decoder(Recoveries)
_guidance = Decoder(Guidance)
_cards = Decoder(ProtectionCard)
_notices = Decoder(OwnNotices)


class OwnLife:
    """Asks over one session; every method raises what the provider refuses with.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    def __init__(self, session: ClientSession, keystore: DeviceKeystore, clock: Clock) -> None:
        self._session = session
        self._keystore = keystore
        self._clock = clock

    def open(self, kind: RecoveryKind, *, lost: str = "", new_number: str = "") -> RecoveryView:
        """Open a recovery of one's own account; `lost` is a device of one's own that is gone.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        now = self._clock.now()
        return self.sign(
            RecoveryAct(does="open", kind=kind, lost=lost, new_number=new_number, at=now)
        )

    def finish(self, kind: RecoveryKind) -> RecoveryView:
        """Finish the recovery of one's own account.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return self.sign(RecoveryAct(does="finish", kind=kind, at=self._clock.now()))

    def assist(
        self, does: str, kind: RecoveryKind, number: str, *, zone: str, evidence: str = ""
    ) -> RecoveryView:
        """Open or finish (`does`) a recovery of whom one sees, as an agent who is in `zone`.

        `evidence` is the digest of what was seen, in base64url.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        now = self._clock.now()
        return self.sign(
            RecoveryAct(does=does, kind=kind, number=number, zone=zone, evidence=evidence, at=now)
        )

    def sign(self, act: RecoveryAct) -> RecoveryView:
        """Sign `act` and send it.

        Raises NotPermitted if the person declines.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        header = recovery_header(self._keystore.identity().device)
        signing_input = f"{b64url(header)}.{b64url(encode_canonical(act))}"
        of = act.number or "your own account"
        shown = f"{act.does} a recovery ({act.kind}) of {of}?"
        signature = self._keystore.consent_sign(signing_input.encode(), shown=shown)
        asked = SignedRecovery(act=f"{signing_input}.{b64url(signature)}")
        return self._ask("recovery.sign", "/v1/recoveries", asked, _views)

    def stop_devices(self, number: str, how: str, *, zone: str) -> None:
        """Suspend, as an agent in `zone`, the phones of whoever came and says it is lost or stolen.

        `how` is `lost` or `stolen`.
        Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.5
        """
        asked = StopDevices(number=number, how=how, zone=zone)
        self._ask("agent.stop-devices", "/v1/agent/devices/stop", asked, _empty)

    def recoveries(self) -> tuple[RecoveryView, ...]:
        """What runs on one's account, or ended lately.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        return self._ask("recovery.list", "/v1/recoveries/list", Empty(), _listed).recoveries

    def cancel(self, recovery: str) -> None:
        """Say no to a recovery of one's account.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        asked = CancelOwnRecovery(recovery=recovery)
        self._ask("recovery.cancel", "/v1/recoveries/cancel", asked, _empty)

    def guidance(self, language: str = "") -> Guidance:
        """Everything that customers are told, and the terms.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        asked = ReadGuidance(language=language)
        return self._ask("education.read", "/v1/education", asked, _guidance)

    def accept_terms(self, read: Guidance) -> None:
        """Accept the terms as they were `read`.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._acknowledge(
            Acknowledge(
                what="terms",
                version=read.terms_version,
                language=read.language,
                digest=read.digest,
            )
        )

    def acknowledge_topics(self, read: Guidance) -> None:
        """Say that the topics were `read`.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._acknowledge(Acknowledge(what="topics", version=read.version, language=read.language))

    def card(self) -> ProtectionCard:
        """What protects one's account, under the policy in force.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        return self._ask("protection.card", "/v1/protection", Empty(), _cards)

    def notices(self) -> tuple[OwnNotice, ...]:
        """The newest warnings to one's number, which somebody else may have now; newest first.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        return self._ask("notice.list", "/v1/notices", Empty(), _notices).notices

    def _acknowledge(self, asked: Acknowledge) -> None:
        self._ask("education.acknowledge", "/v1/education/acknowledge", asked, _empty)

    def _ask(self, operation: str, path: str, asked: Wire, decoder: Decoder[T]) -> T:
        return self._session.ask(operation, path, asked, decoder, resend=False)
