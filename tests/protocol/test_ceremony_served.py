"""A provider with customers gets another master key from its operators, and its record says so."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.looking import leaves_of
from tests.support.served import served
from tests.support.stores import raw

from tallystick.application.own_commands import SealAnew
from tallystick.client.keyfile import KeyFile
from tallystick.client.operator import OperatorDesk
from tallystick.entry import rewrapping
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.ceremonies import masters
from tallystick.entry.ceremonies.holding import begin, hold, take_up
from tallystick.entry.ceremonies.planning import Wanted, make_plan
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.ceremonies.standing import verify_file
from tallystick.entry.cli.operators import OperatorKey
from tallystick.entry.cli.signing import signers_of
from tallystick.entry.recounting import recount
from tallystick.entry.resealing import reseal_under_secret
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import BlockHeader, BlockRoots, unwrap
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.opening import Custodians
from tallystick.infrastructure.modules.shamir import read_share
from tallystick.infrastructure.store.blocks import replace_blocks
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.opening import Place, open_database, open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Broken, NotAuthentic, NotFound, NotPermitted, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.ceremonies import script_called

TYPED = "ab" * 32


class People:
    """Everyone, each with a paper."""

    def __init__(self) -> None:
        self.papers: dict[str, str] = {}
        self.told: list[str] = []

    def ask(self, name: str, what: str) -> Secret[str]:
        if what == "passphrase of your key":
            return Secret(f"passphrase of {name}")
        return Secret(TYPED if what == "secret of the master key" else self.papers[name])

    def show(self, name: str, what: str, text: Secret[str]) -> None:
        self.papers[name] = text.reveal()

    def tell(self, text: str) -> None:
        self.told.append(text)


def kept_key(folder: Path, desk: OperatorDesk) -> str:
    """NAME=FILE of an operator's key, sealed as enrolment seals it."""
    name = desk._operator
    kept = OperatorKey(
        operator=name, role="security-officer", key=b64url(desk._signer.to_pkcs8().reveal())
    )
    path = folder / f"{name}.key"
    phrase = Secret(f"passphrase of {name}")
    KeyFile.create(path, phrase, operating_system).write(encode_canonical(kept))
    return f"{name}={path}"


def blocks_in(place: Place) -> list[bytes]:
    """Whatever looks like a key block, in every column of every table of the store."""
    with open_reader(place) as reader:
        tables = sorted({shape.table for shape in reader.shapes()})
    return [
        bytes(value)
        for table in tables
        for row in raw(place, f'SELECT * FROM "{table}"')
        for value in row
        if isinstance(value, bytes | memoryview) and bytes(value[:4]) in {b"TKB1", b"TKR1"}
    ]


def held_events(platform: Platform) -> list[dict[str, object]]:
    with platform.database.reader() as reader:
        leaves = [TallyStore(reader).leaf(index) for index in range(platform.archive.size)]
    found = [decode_leaf(one) for one in leaves if one is not None]
    return [one.p for one in found if one.kind == "ceremony.held"]


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.requirement("MFS-7.4.2-10")
def test_operators_rotate_the_master_key_of_a_provider_with_customers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = People()
    with served(tmp_path / "p") as provider:
        folder = provider.folder
        provider.person("+254700000001", "Ann", funds=100_000)
        provider.open_customer("+254700000002", "Ben")
        desks = [one for group in provider.operators.values() for one in group][:4]
        signers = {one._operator: one._signer for one in desks}
        reseal_under_secret(folder, provider.secret, Secret(TYPED.encode()))
        lead, first, second, witness = signers
        wanted = Wanted(lead, (first, second), (witness,), threshold=2)
        script, clock = script_called("master-rotate"), SystemClock()
        files = [kept_key(tmp_path, one) for one in desks]
        plan = make_plan(folder, script, wanted, clock, operating_system)
        room = Room(folder, plan, people, clock, operating_system)
        opened = signers_of(plan, files, people)
        assert {name: key.public() for name, key in opened.items()} == {
            name: key.public() for name, key in signers.items()
        }
        with pytest.raises(NotPermitted, match=f"{witness} is not here"):
            signers_of(plan, files[:-1], people)
        with pytest.raises(Unavailable):
            hold(room, begin(folder, plan), signers)
        state = next((folder.root / "ceremonies").glob("*.state"))
        assert "ceremony.held" not in {decode_leaf(one).kind for one in leaves_of(provider)}
    state.unlink()
    before = folder.master(Secret(TYPED.encode())).roots(Purpose)
    kept = opened_all(blocks_in(folder.stored()), before)
    assert len(kept) >= 2
    with monkeypatch.context() as cut:
        cut.setattr(masters, "replace_blocks", cut_after(1))
        with pytest.raises(Broken, match="power"):
            hold(room, begin(folder, plan), signers)
    assert opened_all(blocks_in(folder.stored()), before) == kept, "all of the rows or none"
    with pytest.raises(NotAuthentic):  # keys in files are under the new one already
        open_platform(folder, Secret(TYPED.encode()))
    path = hold(room, take_up(folder, plan), signers)
    shares = Custodians((read_share(people.papers[first]), read_share(people.papers[second])))
    after = folder.master(shares).roots(Purpose)
    blocks = blocks_in(folder.stored())
    assert opened_all(blocks, after) == kept
    with pytest.raises(NotAuthentic):
        unwrap(before, blocks[0])
    assert not verify_file(path, folder).misfits
    for _ in range(2):
        platform = open_platform(folder, shares)
        try:
            (event,) = held_events(platform)
            assert event["script"] == "master-rotate"
            assert event["ceremony"] == plan.id
            assert event["people"] == 4
        finally:
            platform.close()
    assert "ceremony.held" in [one.what for one in recount(folder, Instant(0))]


@dataclass
class Alone:
    """What the step that wraps everything anew needs of a room."""

    folder: ProviderFolder
    draw: Callable[[int], bytes]


@pytest.mark.requirement("MFS-7.4.2-07")
def test_keys_under_a_generation_stay_where_they_are_when_the_master_key_changes(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "p") as provider:
        folder, secret = provider.folder, provider.secret
        ann = provider.person("+254700000001", "Ann", funds=100_000)
    clock = SystemClock()
    rewrapping.begin(folder, secret, "aes-256-ccm", clock, Purpose.SUBJECT_WRAP)
    platform = open_platform(folder, secret)
    try:
        while not platform.desks.seals.done:
            platform.writer.run([SealAnew(64)])
    finally:
        platform.close()
    sql = "SELECT subject FROM customer ORDER BY id"
    under = raw(folder.stored(), sql)
    assert all(bytes(one[0][:4]) == b"TKB2" for one in under)
    new = MasterKey.generate(operating_system)
    before, after = folder.master(secret).roots(Purpose), new.roots(Purpose)
    database = open_database(folder.stored())
    try:
        masters._rewrap(Alone(folder, operating_system), database, before, after)
        assert masters._check_all(folder, database, after) > len(under)
    finally:
        database.close()
    assert raw(folder.stored(), sql) == under, "a row of a customer was touched"
    other = Secret(b"another secret of thirty-two byt")
    folder.save_master(new.seal_under_secret(other, operating_system, profile="demo"))
    platform = open_platform(folder, other)
    try:
        customers = platform.desks.customers
        assert customers.profile(customers.get(ann.customer)).name == "Ann"
    finally:
        platform.close()


def opened_all(blocks: list[bytes], roots: BlockRoots) -> list[tuple[BlockHeader, bytes]]:
    return sorted((unwrap(roots, one) for one in blocks), key=lambda one: one[0].id)


def cut_after(count: int) -> Callable[[Database, Callable[[bytes], bytes]], int]:
    """Wrapping rows anew, which ends after `count` of them."""

    def replace(database: Database, renew: Callable[[bytes], bytes]) -> int:
        done: list[bytes] = []

        def short(block: bytes) -> bytes:
            if len(done) == count:
                raise Broken("the power is gone")
            done.append(renew(block))
            return done[-1]

        return replace_blocks(database, short)

    return replace


def test_there_is_no_ceremony_by_a_name_that_is_none() -> None:
    with pytest.raises(NotFound):
        script_called("master-guess")
