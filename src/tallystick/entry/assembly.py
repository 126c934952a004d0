"""The composition root: from a provider's folder to a platform that runs; every wire on one page.

Source: ISO/TS 12812-2:2017, 6.2; 6.2.3
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tallystick import __version__
from tallystick.application.acts import Acts
from tallystick.application.authentication import Access, Sessions
from tallystick.application.authentication.pins import PinCost, Pins, PinVerifier
from tallystick.application.authentication.service import Keys, People
from tallystick.application.book import LedgerBook
from tallystick.application.certification import Certification
from tallystick.application.commands import Command, InstallPolicy, InviteOperator
from tallystick.application.core.settling import Settling
from tallystick.application.customers import Customers, Languages
from tallystick.application.daybook import DayBook
from tallystick.application.desks import Desks
from tallystick.application.devices import Devices
from tallystick.application.notices import Notices
from tallystick.application.operators import Operators
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.payments import Payments, Tariff
from tallystick.application.policing import Officers, PolicyInForce, Seal
from tallystick.application.proving import Proving
from tallystick.application.quotekeys import QuoteKeys
from tallystick.application.quoting import Quoting, Terms
from tallystick.application.sims import Sims
from tallystick.application.webhooks import Webhooks
from tallystick.application.writer import Writer
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.entry.setup import SERVER_ROLES
from tallystick.entry.simstock import stock_sims
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.envelope.certificate import issue_certificate
from tallystick.infrastructure.envelope.cookie import CookieKeys
from tallystick.infrastructure.envelope.cose import ReplyNonces
from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.keys.table import LoadedKeys, load_for, purposes_of
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.boots import next_boot
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Connection, Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.infrastructure.store.starts import Start, note_end, note_start
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Clock, Instant
from tallystick.process.policy.asked import Names
from tallystick.protocol.enrolment import DeviceCertificate
from tallystick.protocol.keylist import KeyList


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is kept in memory: rows of each kind, and hot session keys.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    rows: int = 12_000
    orders: int = 4_000
    hot_keys: int = 8_192


@dataclass(frozen=True, slots=True)
class Platform:
    """A provider's platform in one process: the writer, and what fronts use.

    `boot` is a number that no two starts share. `quote_roots` open the blocks of
    `quote_keys` and no others, for fronts in processes of their own. `names` are what partners call
    facts who ask the policy.
    Source: ISO/TS 12812-2:2017, 6.2
    """

    settings: ProviderSettings
    clock: Clock
    module: SoftModule
    database: Database
    reader: Connection
    store: GroupCommit
    archive: Archive
    desks: Desks
    writer: Writer
    quoting: Quoting
    notices: Notices
    webhooks: Webhooks
    pin_verifier: PinVerifier
    identity: ProviderIdentity
    cookies: CookieKeys
    nonces: ReplyNonces
    boot: int
    quote_roots: BlockRoots
    quote_keys: QuoteKeys
    key_list: str
    key_list_ends: Instant
    keys: LoadedKeys
    names: Names

    def close(self) -> None:
        """Store the last checkpoint and close the files.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        with suppress(MfsError):  # the next start signs what this one could not store
            self.writer.finish()
            note_end(self.database, self.boot, self.clock.now())
        self.reader.close()
        self.database.close()
        self.module.zeroise()


def open_platform(
    folder: ProviderFolder,
    opener: Opener,
    clock: Clock | None = None,
    scale: Scale | None = None,
    entropy: Entropy | None = None,
    *,
    take_over: bool = False,
) -> Platform:
    """Open the provider in `folder` with what opens its master key.

    `take_over` ends a writer on a server that does not beat any more. A simulation passes its own
    `clock` and `entropy`. Raises NotFound, NotAuthentic (what opens
    it), Unavailable (another process has it), Broken.
    Source: ISO/TS 12812-2:2017, 6.2; 7.4.2
    """
    database = open_database(folder.place(), take_over=take_over)
    try:
        return assemble(folder, opener, database, clock=clock, scale=scale, entropy=entropy)
    except BaseException:
        database.close()
        raise


def assemble(
    folder: ProviderFolder,
    opener: Opener,
    database: Database,
    *,
    clock: Clock | None = None,
    scale: Scale | None = None,
    entropy: Entropy | None = None,
) -> Platform:
    """The provider in `folder` on a `database` that is open; a new start, under the next number.

    Raises what `open_platform` raises.
    Source: ISO/TS 12812-2:2017, 6.2; 7.4.2
    """
    ticking = clock or SystemClock()
    size = scale or Scale()
    settings = folder.settings()
    master = folder.master(opener)
    module = SoftModule(
        master.roots(purposes_of(SERVER_ROLES)), ticking, profile=settings.profile, entropy=entropy
    )
    keys = load_for(SERVER_ROLES, module, _blocks(folder, module, ticking), now=ticking.now())
    reader = database.reader()
    try:
        migrate(database, MIGRATIONS, ticking.now())
        owner = module.random(16).hex()
        boot = next_boot(database, owner)
        database.fence(boot, owner)
        quote_keys = QuoteKeys(module, keys.handles[Purpose.QUOTE], folder.save_quote_blocks)
        roots = master.roots((Purpose.QUOTE,))
        kept = KeptRegisters(folder.registers)
        ground = _Ground(settings, ticking, module, keys, reader, size, quote_keys, roots, kept)
        platform = _wire(folder, ground, database, boot)
        _note_start(platform)
        _first_start(platform, folder)
        stock_sims(folder, platform.writer)
    except BaseException:
        reader.close()
        module.zeroise()
        raise
    return platform


_MADE_HERE = (
    *(Purpose.QUOTE, Purpose.ACTIVATION, Purpose.RECEIPT_CODE, Purpose.WEBHOOK),
    Purpose.PARTNER_LINK,
)


def _blocks(folder: ProviderFolder, module: SoftModule, clock: Clock) -> list[bytes]:
    """The service's keys; a quote key that is past its day is replaced by a new one."""
    probe = load_for(SERVER_ROLES, module, folder.blocks(), now=clock.now())
    for purpose in _MADE_HERE:
        if not probe.handles.get(purpose):
            folder.save_block(purpose.value, module.export_block(module.generate(purpose)))
    return folder.blocks()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every capability stands on."""

    settings: ProviderSettings
    clock: Clock
    module: SoftModule
    keys: LoadedKeys
    reader: Connection
    size: Scale
    quote_keys: QuoteKeys
    quote_roots: BlockRoots
    registers: KeptRegisters


def _desks(on: _Ground) -> tuple[Desks, Quoting, Webhooks]:
    """The capabilities, joined."""
    module, reader, rows = on.module, on.reader, on.size.rows
    officers = {name: half.verify_key() for name, half in on.settings.officers.items()}
    policy = PolicyInForce(_believed(on), reader, _seal(on))
    policy.load()
    store_key = on.keys.newest(Purpose.STORE)
    codes = on.keys.newest(Purpose.ACTIVATION)
    aliases, told = on.keys.newest(Purpose.ALIAS_INDEX), on.settings.sim_changes is not None
    customers = Customers(module, aliases, reader, capacity=rows)
    devices = Devices(module, store_key, _authority(on), reader, capacity=rows)
    sessions = Sessions(module, hot_keys=on.size.hot_keys)
    notices = Notices(reader)
    book = LedgerBook(
        reader, on.settings.currency, elsewhere=bool(on.settings.core_url), capacity=rows
    )
    people = People(customers, devices, sessions, notices, policy)
    access = Access(Keys(module, codes), people, reader, capacity=rows)
    payments = Payments(
        *(customers, book, policy, notices, reader),
        started_at=on.clock.now(),
        capacity=on.size.orders,
    )
    quoting = Quoting(customers, policy, on.quote_keys, module.random, _terms(on.settings))
    operators = Operators(
        module, codes, store_key, policy, reader, untrained=on.registers.why_untrained
    )
    webhooks = Webhooks(reader)
    acts = Acts(
        access=access,
        book=book,
        customers=customers,
        days=DayBook(reader, on.settings.currency),
        devices=devices,
        operators=operators,
        payments=payments,
        policy=policy,
        quoting=quoting,
        webhooks=webhooks,
    )
    desks = Desks(
        policy=policy,
        customers=customers,
        languages=Languages(reader, on.settings.language, capacity=rows),
        sims=Sims(module, aliases, reader, capacity=rows, signalled=told),
        order_codes=OrderCodes(module, codes, notices, policy, reader, capacity=rows),
        devices=devices,
        sessions=sessions,
        access=access,
        pins=Pins(customers, notices, policy),
        book=book,
        payments=payments,
        operators=operators,
        acts=acts,
        notices=notices,
        webhooks=webhooks,
        settling=Settling(payments, customers, book, policy),
        certification=Certification(officers, on.settings.profile, policy, reader),
        proving=Proving(access, acts, customers, policy, reader),
    )
    return desks, quoting, webhooks


def _believed(on: _Ground) -> Officers:
    """Whose signatures put a policy into force."""
    halves = on.settings.officers.items()
    officers = {name: half.verify_key() for name, half in halves}
    return Officers(officers, on.settings.profile, on.settings.provider)


def _seal(on: _Ground) -> Seal:
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


def _authority(on: _Ground) -> Callable[[DeviceCertificate], str]:
    """Signs device certificates as the device CA."""
    handle = on.keys.newest(Purpose.DEVICE_CA)
    signer = ModuleSigner(on.module, handle)
    return lambda certificate: issue_certificate(signer, handle.id, certificate)


def _identity(on: _Ground, listed: KeyList) -> ProviderIdentity:
    """Who answers handshakes, as the signed key list says."""
    signature_key = on.keys.newest(Purpose.SESSION_SIGNATURE)
    module = on.module
    return ProviderIdentity(
        provider=on.settings.provider,
        kid=signature_key.id,
        sign=lambda message: module.sign(signature_key, message),
        key_list_version=listed.version,
    )


def _wire(folder: ProviderFolder, on: _Ground, database: Database, boot: int) -> Platform:
    desks, quoting, webhooks = _desks(on)
    settings, module = on.settings, on.module
    tally_key = ModuleSigner(module, on.keys.newest(Purpose.TALLY))
    signer = NoteSigner.of(settings.origin, tally_key)
    archive = Archive(on.reader, signer, settings.origin)
    store = GroupCommit(database)
    key_list = folder.key_list_file.read_text(encoding="utf-8")
    listed = verify_key_list(key_list, settings.root.verify_key(), on.clock.now(), 0)
    pepper = on.keys.newest(Purpose.PIN_PEPPER)
    return Platform(
        settings=settings,
        clock=on.clock,
        module=module,
        database=database,
        reader=on.reader,
        store=store,
        archive=archive,
        desks=desks,
        writer=Writer(desks, archive, store, on.clock, module.random, settings.provider),
        quoting=quoting,
        notices=desks.notices,
        webhooks=webhooks,
        pin_verifier=PinVerifier(
            module, pepper, PinCost(settings.pin_memory_kib, settings.pin_passes)
        ),
        identity=_identity(on, listed),
        cookies=CookieKeys(module.random(32)),
        nonces=ReplyNonces(iv_prefix(boot, 0)),
        boot=boot,
        quote_roots=on.quote_roots,
        quote_keys=on.quote_keys,
        key_list=key_list,
        key_list_ends=Instant(listed.expires_at),
        keys=on.keys,
        names=folder.names(),
    )


def iv_prefix(boot: int, front: int) -> bytes:
    """The prefix of the reply IVs of front number `front` (0 to 255) of one start: 5 octets.

    Front 0 is the process of the writer itself.
    Source: NIST SP 800-38D, 8.2.1
    """
    return boot.to_bytes(4, "big") + bytes((front,))


def _note_start(platform: Platform) -> None:
    start = Start(
        boot=platform.boot,
        started_at=platform.clock.now(),
        ended_at=0,
        version=__version__,
        key_list=platform.identity.key_list_version,
    )
    note_start(platform.database, start)


def _first_start(platform: Platform, folder: ProviderFolder) -> None:
    """Open the provider's own accounts, and put the first policy and invitations in place."""
    if platform.desks.policy.version:
        return
    platform.desks.book.open_own_accounts(platform.clock.now())
    commands: list[Command] = [
        InstallPolicy(folder.policy_file.read_text(encoding="utf-8")),
        *(InviteOperator(one.code_hash, one.role) for one in platform.settings.invitations),
    ]
    for recorded in platform.writer.run(commands):
        if isinstance(recorded.outcome.reply, Exception):
            raise recorded.outcome.reply
