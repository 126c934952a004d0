"""The writer's capabilities, joined: who needs whom, on one page.

Source: ISO/TS 12812-2:2017, 6.2.2
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.acts import Acts, More
from tallystick.application.approvals import Approvals, Kept, Staff
from tallystick.application.asking import ApprovalActs, Beginning, Offline, Reading
from tallystick.application.asking.offline import Crew as OfflineCrew
from tallystick.application.assisting import AgentBounds
from tallystick.application.attempts import Attempts
from tallystick.application.authentication import Access, Sessions
from tallystick.application.authentication.people import Keys, People
from tallystick.application.authenticators import Authenticators
from tallystick.application.book import LedgerBook
from tallystick.application.certification import Certification
from tallystick.application.core.settling import Settling
from tallystick.application.customers import Customers, Languages
from tallystick.application.daybook import DayBook
from tallystick.application.desk import Desk, acts_of_the_desk
from tallystick.application.desks import Desks
from tallystick.application.deviceacts import DeviceActs
from tallystick.application.devicelife import DeviceLife
from tallystick.application.devices import Attesting, Devices
from tallystick.application.education import Education
from tallystick.application.exemptions import Exemptions
from tallystick.application.guarding import Guarding
from tallystick.application.incentives import Incentives
from tallystick.application.lives import LifeActs
from tallystick.application.notices import Notices
from tallystick.application.operators import Operators
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.payments import Payments, Tariff
from tallystick.application.pins import Pins
from tallystick.application.policing import Officers, PolicyInForce, Seal
from tallystick.application.proving import Proving
from tallystick.application.quotekeys import QuoteKeys
from tallystick.application.quoting import Quoting, Terms
from tallystick.application.recovery import Assembly, OwnRecovery, Recovery
from tallystick.application.selfcare import Crew, SelfCare
from tallystick.application.signals import Signals
from tallystick.application.sims import Sims
from tallystick.application.webhooks import Webhooks
from tallystick.entry.desk_settings import DeskSettings
from tallystick.entry.desking import operators_desk
from tallystick.entry.living import own_devices, what_follows, wiping_of
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.settings import ProviderSettings
from tallystick.infrastructure.envelope.certificate import issue_certificate
from tallystick.infrastructure.keys.table import LoadedKeys
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.time import Clock
from tallystick.protocol.approvals import offline_header
from tallystick.protocol.enrolment import DeviceCertificate


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is kept in memory: rows of each kind, and hot session keys.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    rows: int = 12_000
    orders: int = 4_000
    hot_keys: int = 8_192


@dataclass(frozen=True, slots=True)
class Ground:
    """What every capability stands on.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    settings: ProviderSettings
    clock: Clock
    module: SoftModule
    keys: LoadedKeys
    reader: Connection
    size: Scale
    quote_keys: QuoteKeys
    quote_roots: BlockRoots
    registers: KeptRegisters
    network: bool
    desk: DeskSettings | None
    attesting: Attesting


@dataclass(frozen=True, slots=True)
class _Base:
    """What everything else leans on: people, their devices and sessions, and money."""

    policy: PolicyInForce
    customers: Customers
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


@dataclass(frozen=True, slots=True)
class _Asking:
    """Requests for approval: kept, begun, and answered without a network."""

    approvals: Approvals
    beginning: Beginning
    offline: Offline


def join_desks(on: Ground) -> tuple[Desks, Quoting, Webhooks]:
    """The capabilities, joined.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    ground = _people_and_money(on)
    policy, customers, payments = ground.policy, ground.customers, ground.payments
    module, reader, rows = on.module, on.reader, on.size.rows
    quoting = _quoting(on, ground)
    asked = module, on.keys, customers, policy, reader, on.registers, on.desk
    operators, desk = operators_desk(*asked)
    webhooks = Webhooks(reader)
    attempts, sessions = ground.attempts, ground.sessions
    authenticators = _authenticators(on, policy)
    pins = Pins(customers, attempts, policy)
    crew = attempts, authenticators, customers, ground.devices, payments, pins, policy, sessions
    selfcare = SelfCare(Crew(*crew, ground.life))
    asking = _asking(on, ground, quoting, authenticators)
    guarded = attempts, authenticators, customers, ground.exemptions, policy, selfcare, sessions
    languages = Languages(reader, on.settings.language, capacity=rows)
    recovery = _recovery(on, ground)
    bounds = AgentBounds(customers, policy, reader, capacity=rows)
    order_codes = _order_codes(on, ground)
    what_follows(ground.life, asking.approvals, order_codes, authenticators)
    more = _more(ground, desk, asking, Guarding(*guarded), LifeActs(recovery, bounds, ground.book))
    acts = _acts(on, ground, operators, quoting, webhooks, more)
    desks = Desks(
        policy=policy,
        customers=customers,
        languages=languages,
        signals=ground.signals,
        sims=ground.sims,
        order_codes=order_codes,
        devices=ground.devices,
        sessions=sessions,
        access=ground.access,
        attempts=attempts,
        exemptions=ground.exemptions,
        book=ground.book,
        payments=payments,
        notices=ground.notices,
        pins=pins,
        authenticators=authenticators,
        selfcare=selfcare,
        operators=operators,
        acts=acts,
        webhooks=webhooks,
        settling=Settling(payments, customers, ground.book, policy),
        certification=_certification(on, policy),
        proving=Proving(ground.access, attempts, acts, customers, policy, reader),
        desk=desk,
        approvals=asking.approvals,
        beginning=asking.beginning,
        offline=asking.offline,
        inboxes=Reading(asking.approvals.kept),
        recovery=recovery,
        own_recovery=OwnRecovery(recovery, bounds),
        bounds=bounds,
        life=ground.life,
        own_devices=own_devices(ground.life, selfcare, pins, reader),
        wiping=wiping_of(module, on.keys, ground.life),
        education=Education(customers, languages, sessions, policy, reader, capacity=rows),
    )
    return desks, quoting, webhooks


def _more(ground: _Base, desk: Desk, asking: _Asking, guarding: Guarding, lives: LifeActs) -> More:
    """The acts of operators that capabilities of their own do."""
    return {
        **acts_of_the_desk(desk),
        **ApprovalActs(asking.approvals, asking.beginning, ground.customers).acts(),
        **guarding.acts(),
        **lives.acts(),
        **DeviceActs(ground.life, desk.emergencies.running).acts(),
    }


def _people_and_money(on: Ground) -> _Base:
    module, reader, rows = on.module, on.reader, on.size.rows
    policy = PolicyInForce(_believed(on), reader, _seal(on))
    policy.load()
    store_key = on.keys.newest(Purpose.STORE)
    codes = on.keys.newest(Purpose.ACTIVATION)
    customers = Customers(module, on.keys.newest(Purpose.ALIAS_INDEX), reader, capacity=rows)
    devices = Devices(
        *(module, store_key, _authority(on), reader), capacity=rows, attesting=on.attesting
    )
    sessions = Sessions(module, hot_keys=on.size.hot_keys)
    notices = Notices(reader)
    book = LedgerBook(
        reader, on.settings.currency, elsewhere=bool(on.settings.core_url), capacity=rows
    )
    attempts = Attempts(customers, notices, policy, reader, capacity=rows)
    exemptions = Exemptions(policy, reader, capacity=rows)
    sims = _sims(on)
    told = customers, notices, policy, sims, reader
    signals = Signals(*told, connected=on.network, capacity=rows)
    life = DeviceLife(customers, devices, notices, policy, reader, capacity=rows)
    people = People(customers, devices, sessions, notices, policy, signals, attempts, life)
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
    return _Base(
        policy,
        customers,
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
    )


def _quoting(on: Ground, ground: _Base) -> Quoting:
    terms, knows = _terms(on.settings), ground.payments.knows
    draw = on.module.random
    return Quoting(ground.customers, ground.policy, on.quote_keys, draw, terms, knows)


def _authenticators(on: Ground, policy: PolicyInForce) -> Authenticators:
    seeds = on.keys.handles.get(Purpose.OTP_TRANSPORT, ())
    return Authenticators(on.module, seeds, policy, on.reader, capacity=on.size.rows)


def _approvals(on: Ground, ground: _Base) -> Approvals:
    kept = Kept(ground.customers, ground.policy, on.reader, capacity=on.size.rows)
    staff = Staff(
        ground.attempts,
        ground.customers,
        ground.devices,
        ground.notices,
        ground.payments,
        ground.sessions,
    )
    return Approvals(staff, kept)


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
        webhooks=webhooks,
        more=more,
    )


def _asking(on: Ground, ground: _Base, quoting: Quoting, authenticators: Authenticators) -> _Asking:
    approvals = _approvals(on, ground)
    beginning = Beginning(
        approvals.kept, ground.customers, ground.devices, quoting, ground.sessions
    )
    return _Asking(approvals, beginning, _offline(on, ground, authenticators, approvals))


def _offline(
    on: Ground, ground: _Base, authenticators: Authenticators, approvals: Approvals
) -> Offline:
    """Signs requests for devices without a network with the key that answers handshakes."""
    handle = on.keys.newest(Purpose.SESSION_SIGNATURE)
    signer = ModuleSigner(on.module, handle)
    crew = OfflineCrew(
        ground.attempts,
        authenticators,
        ground.customers,
        ground.payments,
        signer,
        offline_header(signer.algorithm, handle.id),
    )
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


def _sims(on: Ground) -> Sims:
    aliases, told = on.keys.newest(Purpose.ALIAS_INDEX), on.settings.sim_changes is not None
    return Sims(on.module, aliases, on.reader, capacity=on.size.rows, signalled=told)


def _order_codes(on: Ground, base: _Base) -> OrderCodes:
    codes = on.keys.newest(Purpose.ACTIVATION)
    return OrderCodes(on.module, codes, base.notices, base.policy, on.reader, capacity=on.size.rows)


def _certification(on: Ground, policy: PolicyInForce) -> Certification:
    officers = {name: half.verify_key() for name, half in on.settings.officers.items()}
    return Certification(officers, on.settings.profile, policy, on.reader)


def _believed(on: Ground) -> Officers:
    """Whose signatures put a policy into force."""
    halves = on.settings.officers.items()
    officers = {name: half.verify_key() for name, half in halves}
    return Officers(officers, on.settings.profile, on.settings.provider)


def _seal(on: Ground) -> Seal:
    """Signs tightenings with the newest key that the settings know; verifies with all of them."""
    known = tuple(half.verify_key() for half in on.settings.tightening)
    octets = {key.octets() for key in known}
    for handle in on.keys.handles.get(Purpose.TIGHTENING, ()):
        signer = ModuleSigner(on.module, handle)
        if signer.public().octets() in octets:
            return Seal(signer, known)
    return Seal(None, known)


def _terms(settings: ProviderSettings) -> Terms:
    tariff = Tariff(flat_minor=settings.fees_flat_minor, basis_points=settings.fees_basis_points)
    return Terms(settings.provider, settings.currency, tariff)


def _authority(on: Ground) -> Callable[[DeviceCertificate], str]:
    """Signs device certificates as the device CA."""
    handle = on.keys.newest(Purpose.DEVICE_CA)
    signer = ModuleSigner(on.module, handle)
    return lambda certificate: issue_certificate(signer, handle.id, certificate)
