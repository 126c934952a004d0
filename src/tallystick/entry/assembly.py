"""The composition root: from a provider's folder to a platform that runs; every wire on one page.

Source: ISO/TS 12812-2:2017, 6.2; 6.2.3
"""

from contextlib import suppress
from dataclasses import dataclass

from tallystick import __version__
from tallystick.application.commands import Command
from tallystick.application.desks import Desks
from tallystick.application.keylife import SeenKeys
from tallystick.application.keylife.store import every_key
from tallystick.application.notices import Notices
from tallystick.application.own_commands import InstallPolicy, InviteOperator
from tallystick.application.pins import PinVerifier
from tallystick.application.quotekeys import QuoteKeys
from tallystick.application.quoting import Quoting
from tallystick.application.webhooks import Webhooks
from tallystick.application.writer import Writer
from tallystick.entry.attesting import attesting_in
from tallystick.entry.desk_settings import desk_settings
from tallystick.entry.door_modules import cards_module, pin_module
from tallystick.entry.grounds import Ground, Scale
from tallystick.entry.joining import join_desks
from tallystick.entry.keykeeping import (
    door_keys,
    load_in_state,
    recall_states,
    seen_keys,
    state_keeper,
)
from tallystick.entry.mending import mended_in
from tallystick.entry.module_settings import open_module, owned_in
from tallystick.entry.paycrypt_settings import PaycryptSettings, paycrypt_settings
from tallystick.entry.pki.partnerlists import ListFiles
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.rehearsing import Rehearsal
from tallystick.entry.rewrapping import tag_of
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.entry.setup import SERVER_ROLES
from tallystick.entry.simstock import stock_sims
from tallystick.entry.trusting import Trust, believed, identity_of
from tallystick.entry.vendors.sources import sources_in
from tallystick.entry.verdictkeys import verdict_keys
from tallystick.infrastructure.envelope.cookie import CookieKeys
from tallystick.infrastructure.envelope.cose import ReplyNonces
from tallystick.infrastructure.envelope.handshake_server import ProviderIdentity
from tallystick.infrastructure.keys.table import LoadedKeys, purposes_of
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import CryptoModule, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.pin.wallet import PinCost
from tallystick.infrastructure.store.boots import next_boot
from tallystick.infrastructure.store.commit import GroupCommit
from tallystick.infrastructure.store.database import Connection, Database
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import open_database
from tallystick.infrastructure.store.starts import Start, note_end, note_start
from tallystick.infrastructure.tally.archive import Archive
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.kernel.errors import MfsError, UpgradeRequired
from tallystick.kernel.time import Clock, Instant
from tallystick.process.policy.asked import Names
from tallystick.protocol.keylist import KeyList


@dataclass(frozen=True, slots=True)
class Platform:
    """A provider's platform in one process: the writer, and what fronts use.

    `paycrypt` is the module of the payment cryptography door, where there is one, and `at_the_door`
    what is fixed of the door.
    `boot` is a number that no two starts share. `quote_roots` open the blocks of
    `quote_keys` and no others, for fronts in processes of their own; there are none where fronts
    check quotes at the module's process. `names` are what partners call facts who ask the policy.
    Source: ISO/TS 12812-2:2017, 6.2
    """

    settings: ProviderSettings
    clock: Clock
    module: CryptoModule
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
    trust: Trust
    cookies: CookieKeys
    nonces: ReplyNonces
    boot: int
    quote_roots: BlockRoots
    quote_keys: QuoteKeys
    keys: LoadedKeys
    names: Names
    folder: ProviderFolder
    registers: KeptRegisters
    list_files: ListFiles
    rehearsal: Rehearsal
    paycrypt: SoftModule | None = None
    at_the_door: PaycryptSettings | None = None

    @property
    def identity(self) -> ProviderIdentity:
        """Who answers handshakes now.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return self.trust.identity

    @property
    def key_list(self) -> str:
        """The list that is served now, with both signatures where the root has two halves.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.trust.key_list

    def classical_list(self) -> str:
        """The list with one signature, while it is served.

        Raises UpgradeRequired once the policy ended it.
        Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.8
        """
        if not self.trust.twice:
            return self.trust.key_list
        rule = self.desks.policy.base.policy.signatures
        if not self.trust.classical or not rule.serves_classical(self.clock.now()):
            raise UpgradeRequired(
                "the key list is signed twice here, and only so",
                remedy="use a version of the application that checks both signatures",
            )
        return self.trust.classical

    @property
    def key_list_ends(self) -> Instant:
        """When that list ends.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.trust.ends

    def seen_keys(self) -> SeenKeys:
        """Every key that there is now, those of the door too, as a command for the writer.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        rows = list(self.desks.payment_keys.keys.values())
        of_the_door = door_keys(rows, self.paycrypt, self.at_the_door)
        return seen_keys(self.folder, self.module, of_the_door)

    def close(self) -> None:
        """Store the last checkpoint and close the files.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        with suppress(MfsError):  # the next start signs what this one could not store
            self.writer.finish()
            note_end(self.database, self.boot, self.clock.now())
        self.rehearsal.close()
        self.reader.close()
        self.database.close()
        self.module.zeroise()
        if self.paycrypt is not None:
            self.paycrypt.zeroise()


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
    module = open_module(
        folder.root,
        folder.roots(master, purposes_of(SERVER_ROLES)),
        ticking,
        profile=settings.profile,
        entropy=entropy,
        serves=True,
    )
    migrate(database, MIGRATIONS, ticking.now())
    keys = _keys_in_state(folder, module, database, ticking)
    reader = database.reader()
    try:
        owner = module.random(16).hex()
        boot = next_boot(database, owner)
        database.fence(boot, owner)
        quote_keys = QuoteKeys(module, keys.handles[Purpose.QUOTE], folder.save_quote_blocks)
        roots = master.roots(() if owned_in(module) else (Purpose.QUOTE,))
        kept = KeptRegisters(folder.registers)
        asked = folder.mno() is not None
        sources_in(folder.root)  # a start with sources that say nothing would watch nothing
        opened = verdict_keys(settings, module, keys.every(Purpose.STORE))
        cards = cards_module(folder, master, ticking, entropy, database)
        ground = Ground(
            *(settings, ticking, module, keys, reader, size, quote_keys, roots, kept, asked),
            *(desk_settings(folder.root), attesting_in(folder.root, reader, opened)),
            state_keeper(module, folder, cards),
            {name: half.verify_key() for name, half in settings.officers.items()},
            mended_in(folder.root),
        )
        platform = _wire(folder, ground, database, boot, cards)
        _note_start(platform)
        _first_start(platform, folder)
        stock_sims(folder, platform.writer)
        platform.writer.run([platform.seen_keys()])
    except BaseException:
        reader.close()
        module.zeroise()
        raise
    return platform


def _keys_in_state(
    folder: ProviderFolder, module: CryptoModule, database: Database, clock: Clock
) -> LoadedKeys:
    """The service's keys, each in the state of the record; what has to be there is made anew."""
    rows = every_key(database)
    recall_states(module, rows)
    by_id = {one.id: one for one in rows}
    loaded = load_in_state(module, folder.blocks(), by_id, clock.now())
    for purpose in _MADE_ANEW:
        found = {one.id for one in loaded.handles.get(purpose, ())}
        if not any(module.states.of(one) is KeyState.ACTIVE for one in found):
            made = module.generate(purpose)
            folder.save_block(folder.free_name(purpose.value, found), module.export_block(made))
    return load_in_state(module, folder.blocks(), by_id, clock.now())


_MADE_ANEW = (
    Purpose.QUOTE, Purpose.ACTIVATION, Purpose.RECEIPT_CODE, Purpose.WEBHOOK, Purpose.OTP_TRANSPORT,
    Purpose.PARTNER_LINK,
)  # fmt: skip
"""Keys that a start makes where none is in force."""


def _identity(on: Ground, listed: KeyList) -> ProviderIdentity:
    """Who answers handshakes, as the signed key list says."""
    handle = on.keys.newest(Purpose.SESSION_SIGNATURE)
    return identity_of(on.module, handle, on.settings.provider, listed.version)


def _wire(
    folder: ProviderFolder, on: Ground, database: Database, boot: int, cards: SoftModule | None
) -> Platform:
    desks, quoting, webhooks = join_desks(on)
    rehearsal = Rehearsal(on, desks, database.reader)
    desks.operators.rehearse = rehearsal.rehearse
    settings, module = on.settings, on.module
    tally_key = ModuleSigner(module, on.keys.newest(Purpose.TALLY))
    signer = NoteSigner.of(settings.origin, tally_key)
    archive = Archive(on.reader, signer, settings.origin)
    store = GroupCommit(database)
    listed, root, key_list, classical = believed(
        folder, settings.root.verify_key(), on.clock.now(), 0
    )
    pepper, *peppers = on.keys.every(Purpose.PIN_PEPPER)
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
            module,
            pin_module(module, on),
            pepper,
            PinCost(settings.pin_memory_kib, settings.pin_passes),
            tuple(peppers),
        ),
        trust=Trust(_identity(on, listed), key_list, Instant(listed.expires_at), root, classical),
        cookies=CookieKeys(module.random(32)),
        nonces=ReplyNonces(iv_prefix(boot, 0)),
        boot=boot,
        quote_roots=on.quote_roots,
        quote_keys=on.quote_keys,
        keys=on.keys,
        names=folder.names(),
        folder=folder,
        registers=on.registers,
        list_files=ListFiles(folder.root),
        rehearsal=rehearsal,
        paycrypt=cards,
        at_the_door=paycrypt_settings(folder.root),
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
    note_start(platform.database, start, _tags(platform))


def _tags(platform: Platform) -> dict[str, str]:
    """Which of the keys that get successors this start uses, by purpose, until it ends."""
    newest = (Purpose.STORE, Purpose.PIN_PEPPER)
    tags = {one.value: tag_of(platform.keys.newest(one).id) for one in newest}
    return tags | {Purpose.SUBJECT_WRAP.value: platform.desks.customers.wrapping}


def _first_start(platform: Platform, folder: ProviderFolder) -> None:
    """Open the provider's own accounts, and put the first policy and invitations in place.

    Of a later start: put the mended policy in place of one that grants acts which are gone.
    """
    policy, commands = platform.desks.policy, list[Command]()
    if policy.mending:
        commands = [InstallPolicy(policy.mended)]
    elif not policy.version:
        platform.desks.book.open_own_accounts(platform.clock.now())
        commands = [
            InstallPolicy(folder.policy_file.read_text(encoding="utf-8")),
            *(InviteOperator(one.code_hash, one.role) for one in platform.settings.invitations),
        ]
    for recorded in platform.writer.run(commands):
        if isinstance(recorded.outcome.reply, Exception):
            raise recorded.outcome.reply
