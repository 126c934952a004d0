"""Every command, and who executes it: one line each.

What reads the state of money is a command as well: it is answered once what it saw is durable.

A front builds a command only from what it verified; the writer executes it.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tallystick.application.appraisals import APPRAISAL_EXECUTORS, AppraisalCommand
from tallystick.application.asking import Approving
from tallystick.application.attempts import Subjects
from tallystick.application.consent import DeviceSigned, PinVerified
from tallystick.application.desk.model import (
    JoinWithPasskey,
    LinkSubject,
    RecordView,
    SawNotice,
    SignIn,
)
from tallystick.application.desks import Desks
from tallystick.application.devicelife import BlockByDialling, DeviceDue, HearWipe, LivesOn
from tallystick.application.education import DialledTerms, InLesson
from tallystick.application.key_uses import decide_use, note_return
from tallystick.application.keylife import SeenKeys
from tallystick.application.operators import SignedAct
from tallystick.application.own_commands import (
    ApproveTightening,
    BookAnswered,
    DeliveryTried,
    Ease,
    EquipProbe,
    Fall,
    InstallPolicy,
    InviteOperator,
    LapseProposal,
    NoteReturn,
    NoticeReceipt,
    NoticeTried,
    RecordEvidence,
    RehearseFor,
    Rise,
    SealAnew,
    SignalsSeen,
    StateApp,
    StateCertificate,
    Tighten,
    UseKeys,
)
from tallystick.application.paycrypt import InPaycrypt
from tallystick.application.recovery import DialledStop, InLife, RecoveryDue
from tallystick.application.simcommands import SIM_EXECUTORS, OrderBySim, SimCommand
from tallystick.application.telling import ListNotices, list_notices
from tallystick.application.tries import InSession, PinTried, RenewPin, TryEnded, TryPin
from tallystick.application.turn import Outcome, Turn
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.envelope.handshake_server import (
    AuthenticatedDevice,
    OpenedEnrolment,
)
from tallystick.kernel.errors import Broken
from tallystick.protocol.channels import Language
from tallystick.protocol.operators import EnrolOperator, OpenCustomer
from tallystick.protocol.payments import Empty


@dataclass(frozen=True, slots=True)
class EnrolDevice:
    """An enrolment whose two keys were proved, and the address that it came from.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    opened: OpenedEnrolment
    source: str = ""


@dataclass(frozen=True, slots=True)
class EstablishSession:
    """A handshake whose device signature verified.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    proved: AuthenticatedDevice


@dataclass(frozen=True, slots=True)
class EndSession:
    """A device that says good-bye.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    session: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """A device asks for its customer's balance; a read has its place in the order too.

    Source: ISO/TS 12812-2:2017, 12.3; 7.3.3
    """

    session: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """A device asks for the receipt of an order that its customer paid or received.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    session: str
    sequence: int
    order: str


class PlaceOrder(NamedTuple):
    """An order signed by a device, in its session.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    session: str
    sequence: int
    consented: DeviceSigned


@dataclass(frozen=True, slots=True)
class DialOrder:
    """An order confirmed by a PIN that was found right.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    customer: str
    consented: PinVerified


@dataclass(frozen=True, slots=True)
class DialBalance:
    """Somebody who dialled a right PIN asks for the balance.

    Source: ISO/TS 12812-2:2017, 12.3; 7.3.3
    """

    customer: str


@dataclass(frozen=True, slots=True)
class ChooseLanguage:
    """A customer's choice of the language to be spoken to in.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    customer: str
    language: Language


@dataclass(frozen=True, slots=True)
class SetPin:
    """A first PIN, chosen with an activation code; `verifier` is what is kept of it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    customer: str
    activation: str
    code: KeyedCode
    verifier: bytes


@dataclass(frozen=True, slots=True)
class AgentOpens:
    """An agent opens a customer over the agent's own session.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    session: str
    sequence: int
    request: OpenCustomer


@dataclass(frozen=True, slots=True)
class JoinOperator:
    """An invited operator enrols a key.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    request: EnrolOperator


@dataclass(frozen=True, slots=True)
class PerformAct:
    """A signed act of an operator.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    signed: SignedAct


Command = (
    InstallPolicy
    | InviteOperator
    | EnrolDevice
    | EstablishSession
    | EndSession
    | ReadAccount
    | ReadReceipt
    | PlaceOrder
    | TryPin
    | TryEnded
    | InSession
    | Approving
    | InLife
    | LivesOn
    | BlockByDialling
    | DeviceDue
    | HearWipe
    | DialledStop
    | RecoveryDue
    | InLesson
    | ListNotices
    | DialledTerms
    | PinTried
    | RenewPin
    | DialOrder
    | DialBalance
    | ChooseLanguage
    | SetPin
    | AgentOpens
    | JoinOperator
    | JoinWithPasskey
    | SignIn
    | LinkSubject
    | RecordView
    | SawNotice
    | PerformAct
    | RehearseFor
    | StateCertificate
    | StateApp
    | Tighten
    | ApproveTightening
    | LapseProposal
    | SealAnew
    | Ease
    | Rise
    | Fall
    | NoticeTried
    | NoticeReceipt
    | DeliveryTried
    | BookAnswered
    | SignalsSeen
    | RecordEvidence
    | EquipProbe
    | SimCommand
    | UseKeys
    | NoteReturn
    | SeenKeys
    | InPaycrypt
    | AppraisalCommand
)

EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    **SIM_EXECUTORS,
    **APPRAISAL_EXECUTORS,
    InstallPolicy: lambda desks, turn, one: desks.install_policy(turn, one.envelope),
    InviteOperator: lambda desks, turn, one: desks.invite(turn, one.code_hash, one.role),
    EnrolDevice: lambda desks, turn, one: desks.access.enrol(turn, one.opened, one.source),
    EstablishSession: lambda desks, turn, one: desks.access.establish(turn, one.proved),
    EndSession: lambda desks, turn, one: desks.end_session(turn, one.session, one.sequence),
    ReadAccount: lambda desks, turn, one: desks.read_account(turn, one.session, one.sequence),
    ReadReceipt: lambda desks, turn, one: desks.read_receipt(
        turn, one.session, one.sequence, one.order
    ),
    PlaceOrder: lambda desks, turn, one: desks.place(
        turn, one.session, one.sequence, one.consented
    ),
    TryPin: lambda desks, turn, one: desks.pins.count_try(
        turn, Subjects(one.customer, receipt=one.receipt)
    ),
    TryEnded: lambda desks, turn, one: desks.try_ended(
        turn, Subjects(one.customer, receipt=one.receipt), right=one.right, held=one.held
    ),
    InSession: lambda desks, turn, one: one.act(desks.selfcare, turn, one.session, one.sequence),
    Approving: lambda _, turn, one: one.act(turn),
    InLife: lambda desks, turn, one: one.act(desks.own_recovery, turn, one.session, one.sequence),
    LivesOn: lambda desks, turn, one: one.act(desks.own_devices, turn, one.session, one.sequence),
    BlockByDialling: lambda desks, turn, one: desks.own_devices.block(turn, one.customer),
    HearWipe: lambda desks, turn, one: desks.wiping.hear(turn, one.word),
    DeviceDue: lambda desks, turn, one: desks.life.tend(turn, one.device),
    DialledStop: lambda desks, turn, one: desks.recovery.cancel_dialled(turn, one.customer),
    ListNotices: list_notices,
    InLesson: lambda desks, turn, one: one.act(desks.education, turn, one.session, one.sequence),
    DialledTerms: lambda desks, turn, one: desks.education.accept_dialled(turn, one.customer),
    RecoveryDue: lambda desks, turn, one: desks.recovery.tend(turn, one.recovery),
    PinTried: lambda desks, turn, one: desks.pin_tried(
        turn, one.session, right=one.right, held=one.held
    ),
    RenewPin: lambda desks, turn, one: desks.pins.renew(
        turn, one.customer, one.before, one.verifier
    ),
    DialOrder: lambda desks, turn, one: desks.dial(turn, one.customer, one.consented),
    DialBalance: lambda desks, turn, one: desks.dial_balance(turn, one.customer),
    ChooseLanguage: lambda desks, turn, one: desks.languages.choose(
        turn, one.customer, one.language
    ),
    SetPin: lambda desks, turn, one: desks.set_pin(
        turn, one.customer, one.activation, one.code, one.verifier
    ),
    AgentOpens: lambda desks, turn, one: desks.agent_opens(
        turn, one.session, one.sequence, one.request
    ),
    JoinOperator: lambda desks, turn, one: desks.operators.enrol(turn, one.request),
    JoinWithPasskey: lambda desks, turn, one: desks.operators.enrol_passkey(turn, one.new),
    SignIn: lambda desks, turn, one: desks.operators.sign_in(
        turn, one.operator, one.credential, one.counter
    ),
    LinkSubject: lambda desks, turn, one: desks.desk.views.link(
        turn, one.issuer, one.subject, one.operator
    ),
    RecordView: lambda desks, turn, one: desks.desk.views.record(turn, one.view),
    SawNotice: lambda desks, turn, one: desks.desk.views.saw(turn, one.notice, one.operator),
    NoticeTried: lambda desks, turn, one: desks.notices.tried(
        turn, one.notice, delivered=one.delivered
    ),
    NoticeReceipt: lambda desks, turn, one: desks.notices.told(turn, one.receipt),
    DeliveryTried: lambda desks, turn, one: desks.webhooks.tried(
        turn, one.delivery, delivered=one.delivered
    ),
    BookAnswered: lambda desks, turn, one: desks.settling.answered(turn, one.order, one.ended),
    InPaycrypt: lambda desks, turn, one: desks.payment_keys.perform(turn, one),
    StateCertificate: lambda desks, turn, one: desks.certification.state(turn, one.statement),
    StateApp: lambda desks, turn, one: desks.apps.state(turn, one.statement),
    PerformAct: lambda desks, turn, one: desks.operators.act(turn, one.signed, desks.acts.perform),
    RehearseFor: lambda desks, turn, one: Outcome(
        desks.operators.rehearsed(turn, one.act, one.operator)
    ),
    Tighten: lambda desks, turn, one: desks.tighten(turn, one.entry, one.seen, one.preview),
    ApproveTightening: lambda desks, turn, one: desks.approve_tightening(turn, one.text),
    SealAnew: lambda desks, turn, one: desks.seals.anew(turn, one.rows),
    LapseProposal: lambda desks, turn, one: desks.lapse_proposal(turn, one.proposal, one.seen),
    Ease: lambda desks, turn, one: desks.ease(turn, one.entry, one.seen),
    SignalsSeen: lambda desks, turn, one: desks.signals.seen(turn, one.customer, one.answers),
    Rise: lambda desks, turn, one: Outcome(
        Empty(), desks.incentives.rise(turn, one.ladder, one.subject, one.counted)
    ),
    Fall: lambda desks, turn, one: Outcome(
        Empty(), desks.incentives.fall(turn, one.ladder, one.subject, one.counted)
    ),
    RecordEvidence: lambda desks, turn, one: desks.proving.record(turn, one.run, one.by),
    EquipProbe: lambda desks, turn, one: desks.proving.equip(turn, one.asked, one.tell),
    UseKeys: lambda desks, turn, one: decide_use(turn, desks.policy.version, one.use, one.told),
    NoteReturn: lambda desks, turn, one: note_return(turn, desks.policy.version, one),
    SeenKeys: lambda desks, turn, one: desks.keylife.seen(turn, one.keys, one.ceremonies),
}


def execute(desks: Desks, turn: Turn, command: Command) -> Outcome:
    """What `command` comes to.

    Raises the refusal, or Broken for a command that nobody executes.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    executor = EXECUTORS.get(type(command))
    if executor is None:
        raise Broken("nobody executes this command")
    return executor(desks, turn, command)


def prefetch(desks: Desks, commands: Sequence[Command]) -> None:
    """Bring what `commands` will ask for into memory, set by set.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    orders = (one for one in commands if isinstance(one, PlaceOrder | DialOrder | OrderBySim))
    consents = [one.consented.consent for one in orders]
    if consents:
        desks.prefetch(consents)
