"""A customer who is erased stays erased, whatever the pass over subjects' keys does meanwhile."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.application.approvals.store import MIGRATION as APPROVALS
from tallystick.application.customers import Customer, CustomerKind, Customers, Profile
from tallystick.application.customers.store import MIGRATION as CUSTOMERS
from tallystick.application.payments import Payments
from tallystick.application.payments.store import MIGRATION as ORDERS
from tallystick.application.recovery.store import MIGRATION as RECOVERIES
from tallystick.application.subjectkeys import SubjectRenewal
from tallystick.application.subjectkeys.store import MIGRATION as PASSES
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.block import wrapped_under
from tallystick.infrastructure.modules.interface import AES_256_CCM, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.sealing import mechanism_of
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.artefacts import subject_groups
from tallystick.infrastructure.store.database import Database, Reader, batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import Instant, SimulatedClock

PURPOSES = (Purpose.SUBJECT, Purpose.ALIAS_INDEX, Purpose.SUBJECT_WRAP)
NUMBERS = b'{"new":"+254700000002","old":"+254700000001"}'


def module(*generations: bytes, seed: int) -> SoftModule:
    roots = MasterKey(MASTER).roots(PURPOSES).with_generations(generations)
    draw = random.Random(seed).randbytes
    return SoftModule(roots, SimulatedClock(Instant(9)), profile="test", entropy=draw)


def generation() -> bytes:
    maker = SoftModule(
        MasterKey(MASTER).roots((Purpose.SUBJECT_WRAP,)), SimulatedClock(Instant(5)),
        profile="test", entropy=random.Random(3).randbytes,
    )  # fmt: skip
    return maker.export_block(maker.generate(Purpose.SUBJECT_WRAP, mechanism=AES_256_CCM))


@dataclass
class Kept:
    """A store with some customers, and how a batch goes into it."""

    database: Database
    reader: Reader
    customers: Customers
    renewal: SubjectRenewal

    def turn(self, *acts: Callable[[Turn], object]) -> None:
        """One batch: every act sees what the ones before did, and the reader what was durable."""
        turn = Turn(now=Instant(10), first_event=0, provider="p", entropy=random.randbytes)
        for act in acts:
            act(turn)
        with batch(self.database):
            turn.changes.flush(self.database)

    def row(self, customer: str) -> tuple[str, bytes, bytes]:
        found = self.database.one(
            "SELECT status, subject, profile FROM customer WHERE id = ?", (customer,)
        )
        assert found is not None
        return str(found[0]), bytes(found[1]), bytes(found[2])


@pytest.fixture
def kept(place: Place):
    database = open_database(place)
    migrate(database, (CUSTOMERS, ORDERS, APPROVALS, RECOVERIES, PASSES), Instant(1))
    before = module(seed=1)
    alias = before.generate(Purpose.ALIAS_INDEX)
    reader = database.reader()
    opened = Customers(before, alias, reader, capacity=100)
    found = Kept(database, reader, opened, cast("SubjectRenewal", None))
    names = [f"+25470000000{one}" for one in range(4)]
    people: list[Customer] = []

    def add(turn: Turn) -> None:
        for number in names:
            profile = Profile(name="Ann", msisdn=number)
            people.append(
                opened.open(turn, profile, CustomerKind.PERSON, tier=1,
                            account=f"acc_{number[1:]}", opened_by="x")
            )  # fmt: skip
        for one in people:
            turn.changes.statement(
                "INSERT INTO recovery VALUES (?, ?, 'number', 'ended', '', '', '', '', '', ?, 1, 1,"
                " 1, 0, 0, 2, '', '', '', '')",
                (f"rec_{one.id}", one.id, opened.seal(one, NUMBERS)),
            )

    found.turn(add)
    after = module(generation(), seed=2)
    alias = after.import_block(before.export_block(alias))
    found.customers = Customers(after, alias, reader, capacity=100)
    found.renewal = SubjectRenewal(found.customers, cast("Payments", None), reader)
    yield found, [one.id for one in people], before
    reader.close()
    database.close()


def left(found: Kept) -> dict[str, int]:
    """What does not hang on the newest generation."""
    counts: dict[str, int] = {}
    for group in subject_groups(found.database):
        is_key = group.kind == "subject keys"
        moved = bool(wrapped_under(group.head)) if is_key else group.head[4] == 3
        counts[group.kind] = counts.get(group.kind, 0) + (0 if moved else group.count)
    return counts


def run(found: Kept, rows: int = 3) -> None:
    for _ in range(40):
        if found.renewal.done:
            return
        found.turn(lambda turn: found.renewal.anew(turn, rows))
    raise AssertionError("the pass does not end")


@pytest.mark.requirement("MFS-7.4.2-12")
def test_everything_moves_and_the_pass_is_not_begun_again(kept) -> None:
    found, people, before = kept
    blocks = {one: found.row(one)[1] for one in people}
    salts = {one: found.customers.commit_mac(found.customers.get(one))(b"e") for one in people}
    assert left(found) == {"subject keys": 4, "profiles": 4, "numbers of recoveries": 4}
    run(found)
    assert not any(left(found).values())
    for one in people:
        row = found.customers.get(one)
        assert mechanism_of(row.profile) == AES_256_CCM
        assert found.customers.profile(row).name == "Ann"
        assert found.customers.commit_mac(row)(b"e") == salts[one]
        sealed = found.database.one("SELECT numbers FROM recovery WHERE customer = ?", (one,))
        assert found.customers.open_sealed(row, bytes(sealed[0])) == NUMBERS
        assert before.mac(before.import_block(blocks[one]), b"e") == salts[one]
    again = SubjectRenewal(found.customers, cast("Payments", None), found.reader)
    assert again.done, "a pass that came to its end is begun again"


@pytest.mark.requirement("MFS-14.2.1-04")
@pytest.mark.parametrize("erased_first", [True, False])
def test_an_erasure_in_the_same_batch_wins(kept, erased_first: bool) -> None:
    """The reader still has the wrapped key: what is written is what the batch knows."""
    found, people, _ = kept
    gone = people[1]

    def erase(turn: Turn) -> None:
        found.customers.erase(turn, found.customers.get(gone))

    def move(turn: Turn) -> None:
        found.renewal.anew(turn, 10)

    found.turn(*((erase, move) if erased_first else (move, erase)))
    assert found.row(gone) == ("erased", b"", b""), "what was destroyed came back"
    run(found)
    assert found.row(gone) == ("erased", b"", b"")
    with pytest.raises(NotFound):
        found.customers.profile(found.customers.get(gone))
    assert not any(left(found).values()), "nobody waits for what nobody can open"
    for one in people:
        status, subject, _ = found.row(one)
        assert (status == "erased") == (one == gone) == (not subject)


def test_a_pass_that_is_cut_short_goes_on_where_it_was(kept) -> None:
    found, people, _ = kept
    found.turn(lambda turn: found.renewal.anew(turn, 2))
    moved = [one for one in people if wrapped_under(found.row(one)[1])]
    assert len(moved) == 2
    blocks = {one: found.row(one)[1] for one in moved}
    found.customers.reset()
    found.renewal = SubjectRenewal(found.customers, cast("Payments", None), found.reader)
    run(found)
    assert not any(left(found).values())
    assert {one: found.row(one)[1] for one in moved} == blocks, "it was done twice"
    turn = Turn(now=Instant(11), first_event=0, provider="p", entropy=random.randbytes)
    found.renewal.anew(turn, 2)
    assert turn.changes.is_empty()
