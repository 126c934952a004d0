"""The writer's capabilities, joined: who needs whom, on one page.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tallystick.application.acts import Acts, More
from tallystick.application.approvals import Approvals, Kept, Staff
from tallystick.application.apps import Applications
from tallystick.application.asking import ApprovalActs, Beginning, Offline, Reading
from tallystick.application.asking.offline import Crew as OfflineCrew
from tallystick.application.assisting import AgentBounds
from tallystick.application.attempts import Attempts
from tallystick.application.authentication import Access, Sessions
from tallystick.application.authentication.people import Keys, People
from tallystick.application.authenticators import Authenticators
from tallystick.application.book import LedgerBook
from tallystick.application.core.settling import Settling
from tallystick.application.customers import Customers, Languages
from tallystick.application.daybook import DayBook
from tallystick.application.desk import Desk, acts_of_the_desk
from tallystick.application.desks import Desks
from tallystick.application.deviceacts import DeviceActs
from tallystick.application.devicelife import DeviceLife, Wiping
from tallystick.application.deviceproofs import Asking, DeviceProofs
from tallystick.application.devices import Devices
from tallystick.application.education import Education
from tallystick.application.exemptions import Exemptions
from tallystick.application.guarding import Guarding
from tallystick.application.incentives import Incentives
from tallystick.application.keylife import Custody, KeyLife
from tallystick.application.lives import LifeActs
from tallystick.application.notices import Notices
from tallystick.application.operatoracts import OperatorActs
from tallystick.application.operators import Operators, Performer
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.paycrypt import PaymentKeys
from tallystick.application.payments import Payments
from tallystick.application.pins import Pins
from tallystick.application.policing import PolicyInForce
from tallystick.application.proving import Proving
from tallystick.application.quoting import Quoting
from tallystick.application.recovery import Assembly, OwnRecovery, Recovery
from tallystick.application.sealing import SealRenewal
from tallystick.application.selfcare import Crew, SelfCare
from tallystick.application.serviceacts import ServiceActs
from tallystick.application.signals import Signals
from tallystick.application.sims import Sims
from tallystick.application.subjectkeys.service import SubjectRenewal
from tallystick.application.surrogates.domains import SurrogateActs
from tallystick.application.tiers import TierActs
from tallystick.application.webhooks import Webhooks
from tallystick.entry.desking import operators_desk
from tallystick.entry.grounds import (
    Ground,
    applications,
    authenticators_of,
    authority,
    certification,
    policy_in_force,
    recording,
    session_signing,
    sims_of,
    store_seals,
    terms,
)
from tallystick.entry.living import own_devices, wake_the_warned, what_follows
from tallystick.infrastructure.modules.interface import Purpose


@dataclass(frozen=True, slots=True)
class _Base:
    """What everything else leans on: people, their devices and sessions, and money."""

    policy: PolicyInForce
    customers: Customers
    languages: Languages
    education: Education
    devices: Devices
    sessions: Sessions
    access: Access
    life: DeviceLife
    attempts: Attempts
    exemptions: Exemptions
    book: LedgerBook
    payments: Payments
    notices: Notices
    signals: Signals
    sims: Sims
    apps: Applications


@dataclass(frozen=True, slots=True)
class _Asking:
    """Requests for approval: kept, begun, and answered without a network."""

    approvals: Approvals
    beginning: Beginning
    offline: Offline


@dataclass(frozen=True, slots=True)
class _Working:
    """What is done with people and money: by themselves, by agents, and by operators."""

    quoting: Quoting
    operators: Operators
    desk: Desk
    webhooks: Webhooks
    authenticators: Authenticators
    pins: Pins
    selfcare: SelfCare
    proofs: DeviceProofs
    asking: _Asking
    recovery: Recovery
    bounds: AgentBounds
    order_codes: OrderCodes
    keylife: KeyLife
    custody: Custody
    payment_keys: PaymentKeys
    acts: Acts


def join_desks(on: Ground, live: Desks | None = None) -> tuple[Desks, Quoting, Webhooks]:
    """The capabilities, joined; or a second copy of the `live` ones, with their sessions and watch.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    ground = _people_and_money(on, live)
    work = _working(on, ground)
    policy, reader = ground.policy, on.reader
    desks = Desks(
        policy=policy,
        customers=ground.customers,
        languages=ground.languages,
        sims=ground.sims,
        order_codes=work.order_codes,
        devices=ground.devices,
        proofs=work.proofs,
        sessions=ground.sessions,
        access=ground.access,
        pins=work.pins,
        attempts=ground.attempts,
        authenticators=work.authenticators,
        exemptions=ground.exemptions,
        selfcare=work.selfcare,
        book=ground.book,
        payments=ground.payments,
        operators=work.operators,
        acts=work.acts,
        notices=ground.notices,
        webhooks=work.webhooks,
        signals=ground.signals,
        settling=Settling(ground.payments, ground.customers, ground.book, policy),
        certification=certification(on, policy),
        apps=ground.apps,
        proving=Proving(
            ground.access, ground.attempts, work.acts, ground.customers, policy, reader
        ),
        desk=work.desk,
        approvals=work.asking.approvals,
        beginning=work.asking.beginning,
        offline=work.asking.offline,
        inboxes=Reading(work.asking.approvals.kept),
        recovery=work.recovery,
        own_recovery=OwnRecovery(work.recovery, work.bounds),
        bounds=work.bounds,
        keylife=work.keylife,
        custody=work.custody,
        life=ground.life,
        own_devices=own_devices(
            *(ground.life, work.selfcare, work.pins, (work.bounds, work.proofs), reader),
            ground.languages.of,
        ),
        wiping=Wiping(ground.life, session_signing(on)),
        education=ground.education,
        seals=SealRenewal(
            *(store_seals(on), reader, work.operators, ground.devices, work.desk),
            SubjectRenewal(ground.customers, ground.payments, reader),
        ),
        payment_keys=work.payment_keys,
    )
    return desks, work.quoting, work.webhooks


def _working(on: Ground, ground: _Base) -> _Working:
    policy, customers, payments = ground.policy, ground.customers, ground.payments
    module, reader, rows = on.module, on.reader, on.size.rows
    quoting = _quoting(on, ground)
    asked = module, on.keys, customers, policy, reader, on.registers, on.desk
    operators, desk = operators_desk(*asked)
    webhooks, attempts, sessions = Webhooks(reader), ground.attempts, ground.sessions
    authenticators, pins = authenticators_of(on, policy), Pins(customers, attempts, policy)
    crew = attempts, authenticators, customers, ground.devices, payments, pins, policy, sessions
    kept = Kept(customers, policy, reader, capacity=rows)
    asks = Asking(ground.devices, policy, kept.score)
    proofs = DeviceProofs(reader, capacity=rows, asking=asks)
    selfcare = SelfCare(Crew(*crew, ground.life, proofs))
    recovery = _recovery(on, ground)
    approvals = Approvals(_staff(ground, proofs, recovery), kept)
    offline = _offline(on, ground, authenticators, approvals, recovery)
    asking = _asking(ground, quoting, approvals, offline)
    guarded = attempts, authenticators, customers, ground.exemptions, policy, selfcare, sessions
    bounds = AgentBounds(customers, policy, reader, capacity=rows)
    order_codes = _order_codes(on, ground)
    what_follows(ground.life, asking.approvals, order_codes, authenticators)
    wake_the_warned(ground.notices, asking.approvals)
    keylife = KeyLife(policy, reader, on.apply_state, lambda: recording(on))
    asked_for = ApprovalActs(asking.approvals, asking.beginning, customers)
    guarding, lives = Guarding(*guarded), LifeActs(recovery, bounds, ground.book)
    custody, steps = Custody(policy, reader), DeviceActs(ground.life, desk.emergencies.running)
    payment_keys = PaymentKeys(policy, reader)
    keylife.follow = payment_keys.stepped
    domains = SurrogateActs(payment_keys.surrogates)
    tiers = TierActs(customers, ground.book, ground.notices, policy)
    services, staff = ServiceActs(policy), OperatorActs(operators, policy, reader)
    others = _acts_of(
        (keylife, custody, asked_for, guarding, lives, steps, domains, tiers, services, staff)
    )
    acts = _acts(on, ground, operators, quoting, webhooks, {**acts_of_the_desk(desk), **others})
    return _Working(
        quoting,
        operators,
        desk,
        webhooks,
        authenticators,
        pins,
        selfcare,
        proofs,
        asking,
        recovery,
        bounds,
        order_codes,
        keylife,
        custody,
        payment_keys,
        acts,
    )


class _Acting(Protocol):
    """Does acts of operators."""

    def acts(self) -> Mapping[str, Performer]: ...


def _acts_of(others: Iterable[_Acting]) -> dict[str, Performer]:
    return {name: performer for one in others for name, performer in one.acts().items()}


def _people_and_money(on: Ground, live: Desks | None) -> _Base:
    module, reader, rows = on.module, on.reader, on.size.rows
    policy = policy_in_force(on, None if live is None else live.policy)
    seals = store_seals(on)
    codes = on.keys.newest(Purpose.ACTIVATION)
    customers = Customers(module, on.keys.newest(Purpose.ALIAS_INDEX), reader, capacity=rows)
    devices = Devices(
        *(module, seals, authority(on), reader), capacity=rows, attesting=on.attesting
    )
    sessions = Sessions(module, hot_keys=on.size.hot_keys) if live is None else live.sessions
    notices = Notices(reader)
    book = _book(on, holds=live is None)
    attempts = Attempts(customers, notices, policy, reader, capacity=rows)
    exemptions = Exemptions(policy, reader, capacity=rows)
    sims = sims_of(on)
    told = customers, notices, policy, sims, reader
    signals = Signals(*told, connected=on.network, capacity=rows)
    apps = applications(on, policy)
    life = DeviceLife(customers, devices, notices, policy, reader, capacity=rows)
    people = People(customers, devices, sessions, notices, policy, signals, attempts, apps, life)
    access = Access(Keys(module, codes), people, reader, capacity=rows)
    payments = Payments(
        customers,
        book,
        policy,
        notices,
        exemptions,
        Incentives(policy, reader, capacity=on.size.orders),
        reader,
        started_at=on.clock.now(),
        capacity=on.size.orders,
    )
    languages = Languages(reader, on.settings.language, capacity=rows)
    education = Education(
        *(customers, languages, sessions, policy, reader),
        steps_now=payments.incentives.steps_now,
        capacity=rows,
    )
    return _Base(
        policy,
        customers,
        languages,
        education,
        devices,
        sessions,
        access,
        life,
        attempts,
        exemptions,
        book,
        payments,
        notices,
        signals,
        sims,
        apps,
    )


def _book(on: Ground, *, holds: bool) -> LedgerBook:
    elsewhere = bool(on.settings.core_url)
    return LedgerBook(
        *(on.reader, on.settings.currency),
        elsewhere=elsewhere,
        capacity=on.size.rows,
        holds=holds,
    )


def _quoting(on: Ground, ground: _Base) -> Quoting:
    said, knows = terms(on.settings), ground.payments.knows
    draw = on.module.random
    return Quoting(ground.customers, ground.policy, on.quote_keys, draw, said, knows)


def _staff(ground: _Base, proofs: DeviceProofs, recovery: Recovery) -> Staff:
    people = ground.apps, ground.attempts, ground.customers, ground.devices, ground.education
    notices, payments, policy = ground.notices, ground.payments, ground.policy
    return Staff(*people, notices, payments, policy, proofs, recovery, ground.sessions)


def _acts(
    on: Ground,
    ground: _Base,
    operators: Operators,
    quoting: Quoting,
    webhooks: Webhooks,
    more: More,
) -> Acts:
    return Acts(
        access=ground.access,
        book=ground.book,
        customers=ground.customers,
        days=DayBook(on.reader, on.settings.currency),
        operators=operators,
        payments=ground.payments,
        policy=ground.policy,
        quoting=quoting,
        sims=ground.sims,
        webhooks=webhooks,
        more=more,
    )


def _asking(ground: _Base, quoting: Quoting, approvals: Approvals, offline: Offline) -> _Asking:
    beginning = Beginning(
        approvals.kept, ground.customers, ground.devices, quoting, ground.sessions
    )
    return _Asking(approvals, beginning, offline)


def _offline(
    on: Ground,
    ground: _Base,
    authenticators: Authenticators,
    approvals: Approvals,
    recovery: Recovery,
) -> Offline:
    """Signs requests for devices without a network with the key that answers handshakes."""
    people = ground.attempts, authenticators, ground.customers, ground.education
    crew = OfflineCrew(*people, ground.payments, ground.policy, recovery, session_signing(on))
    return Offline(crew, approvals)


def _recovery(on: Ground, ground: _Base) -> Recovery:
    """Recovery, told of every activation code that was redeemed."""
    parts = Assembly(
        access=ground.access,
        customers=ground.customers,
        devices=ground.devices,
        life=ground.life,
        notices=ground.notices,
        policy=ground.policy,
        sessions=ground.sessions,
        signals=ground.signals,
    )
    recovery = Recovery(parts, on.reader, on.clock.now())
    ground.access.when_redeemed.append(recovery.redeemed)
    return recovery


def _order_codes(on: Ground, base: _Base) -> OrderCodes:
    codes = on.keys.newest(Purpose.ACTIVATION)
    return OrderCodes(on.module, codes, base.notices, base.policy, on.reader, capacity=on.size.rows)
