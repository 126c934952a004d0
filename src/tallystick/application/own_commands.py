"""Commands that nobody sent: what the service tells its writer of what it did, saw or was handed.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.core import Finish, GiveToPeople
from tallystick.application.notices import NoticeRow
from tallystick.application.proving import Equipped
from tallystick.application.signals import Answers
from tallystick.application.webhooks import Delivery
from tallystick.infrastructure.modules.interface import Capabilities
from tallystick.process.conformance.basis import Run
from tallystick.process.policy.backends import KeyUse
from tallystick.process.policy.caps import Preview
from tallystick.process.policy.incentives import Counted
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.channels import SmsReceipt
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.statements import SignedStatement


@dataclass(frozen=True, slots=True)
class InstallPolicy:
    """The first policy, from the set-up; later ones are acts of operators.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    envelope: str


@dataclass(frozen=True, slots=True)
class InviteOperator:
    """An invitation made at set-up; only the hash of its code is known here.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    code_hash: str
    role: str


@dataclass(frozen=True, slots=True)
class RehearseFor:
    """What an act that waits would come to, asked for an operator who looks at it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: str
    operator: str


@dataclass(frozen=True, slots=True)
class NoticeTried:
    """One attempt to deliver a notice, and whether it arrived.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    notice: NoticeRow
    delivered: bool


@dataclass(frozen=True, slots=True)
class NoticeReceipt:
    """What the SMSC says became of a notice.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    receipt: SmsReceipt


@dataclass(frozen=True, slots=True)
class DeliveryTried:
    """One attempt to deliver an event to a core system, and whether it arrived.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    delivery: Delivery
    delivered: bool


@dataclass(frozen=True, slots=True)
class BookAnswered:
    """The core system ended an order, or people must find out.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
    """

    order: str
    ended: Finish | GiveToPeople


@dataclass(frozen=True, slots=True)
class Tighten:
    """A signal of an entry fails; from this process only, no operation leads here.

    `preview` is whom it would touch.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    entry: str
    seen: Seen
    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class ApproveTightening:
    """What two officers signed of a proposed tightening; from the provider's folder only.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    text: str


@dataclass(frozen=True, slots=True)
class SealAnew:
    """The next rows that are sealed under an earlier store key; from this process only.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    rows: int


@dataclass(frozen=True, slots=True)
class LapseProposal:
    """The time of a proposal is over, or its signal is well again; from this process only.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    proposal: str
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Ease:
    """A signal of an entry in force was well for its time; from this process only.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    entry: str
    seen: Seen


@dataclass(frozen=True, slots=True)
class Rise:
    """A subject of an incentive has the evidence for the next step; from this process only.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    ladder: str
    subject: str
    counted: Counted


@dataclass(frozen=True, slots=True)
class Fall:
    """A finding stands against a subject of an incentive; from this process only.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    ladder: str
    subject: str
    counted: Counted


@dataclass(frozen=True, slots=True)
class StateCertificate:
    """What officers signed about a certificate.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    statement: SignedStatement


@dataclass(frozen=True, slots=True)
class StateApp:
    """What officers signed about an application.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    statement: SignedStatement


@dataclass(frozen=True, slots=True)
class SignalsSeen:
    """What the mobile network said of a customer's SIM; from this process only.

    Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.5
    """

    customer: str
    answers: Answers


@dataclass(frozen=True, slots=True)
class RecordEvidence:
    """A run of probes to keep, and who ran it.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    run: Run
    by: str


@dataclass(frozen=True, slots=True)
class UseKeys:
    """What keys are wanted for, and what the module says of itself that would serve it.

    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2
    """

    use: KeyUse
    told: Capabilities


@dataclass(frozen=True, slots=True)
class NoteReturn:
    """The module's process was lost and another one serves: the how manieth, and how it ended.

    Source: ISO/TS 12812-2:2017, 8.2.3; 7.3.3
    """

    starts: int
    ended: str


@dataclass(frozen=True, slots=True)
class EquipProbe:
    """A probe customer to equip with a code; from this process only, no operation leads here.

    Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
    """

    asked: OpenCustomer
    tell: Callable[[Equipped], None]
