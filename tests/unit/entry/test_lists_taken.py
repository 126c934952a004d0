"""Lists that the writer takes over: when one becomes fresh, which is the same, what is told."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from simulators.keymint import SimulatedFactory
from simulators.vendor_lists import roots_list, status_list
from tests.support.partners import MovedClock
from tests.support.stores import new_store

from tallystick.application.appraisals import ChangeAppraisal, ForgetBases, TakeList
from tallystick.application.appraisals.lists import bases
from tallystick.application.appraisals.store import forget_bases, kept_basis, kept_lists, listed_at
from tallystick.application.devices import Attesting
from tallystick.application.devices.store import VERDICT
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.doctor import State
from tallystick.entry.doctor.vendors import look_at_vendors
from tallystick.entry.restoring import back_up
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.entry.vendors.byhand import REVOKED
from tallystick.entry.vendors.reading import ReadList, read_list
from tallystick.entry.vendors.sources import FILE, Source, save_sources, sources_in
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.attestation.lists import ListName

SECRET = Secret(b"what opens the master key of a try")
LIST = status_list({"ab": "REVOKED"})
OTHER = status_list({"ab": "REVOKED", "cd": "REVOKED"})


@dataclass
class Place:
    folder: ProviderFolder
    clock: MovedClock = field(default_factory=MovedClock)
    platform: Platform = field(init=False)

    def __post_init__(self) -> None:
        self.platform = open_platform(self.folder, SECRET, self.clock)

    def opened_again(self) -> None:
        self.platform.close()
        self.platform = open_platform(self.folder, SECRET, self.clock)

    @property
    def attesting(self) -> Attesting:
        return self.platform.desks.devices.attesting

    def read(self, octets: bytes, at: int) -> ReadList:
        where = "https://lists.example"
        return read_list(ListName.REVOKED, octets, self.folder.root, where, Instant(at))

    def take(self, octets: bytes) -> ReadList:
        found = self.read(octets, self.clock.now())
        self.run(TakeList(*found, self.attesting.known.list_digest))
        return found

    def still(self, found: ReadList, at: int, after: str) -> object:
        return self.run(TakeList(replace(found.listed, at=at), None, after))

    def run(self, command: TakeList) -> object:
        (recorded,) = self.platform.writer.run([command])
        return recorded.outcome.reply


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder, clock = ProviderFolder(tmp_path / "p"), MovedClock()
    plan = Plan(
        provider="try", currency="KES", country="254", profile="demo", policy_text=demo_policy(),
        roles=("security-officer",), sms_url="http://127.0.0.1:9/", pin_memory_kib=8 * 1024,
        pin_passes=1, store=new_store(),
    )  # fmt: skip
    set_up(folder, plan, SECRET, clock)
    found = Place(folder, clock)
    yield found
    found.platform.close()


def test_an_answer_that_was_looked_at_before_the_list_was_too_old_and_counts_after_it(
    place: Place,
) -> None:
    found = place.take(LIST)
    looked_at = found.listed.at + place.attesting.policy.list_age_ms
    place.clock.off_ms = place.attesting.policy.list_age_ms - 60_000
    place.still(found, looked_at - 1000, found.listed.digest)
    assert place.attesting.fresh_since == 0, "it was never too old"
    place.clock.off_ms = 2 * place.attesting.policy.list_age_ms + 60_000
    before = place.attesting.basis
    place.still(found, looked_at, found.listed.digest)
    assert place.attesting.fresh_since == looked_at
    assert place.attesting.basis != before, "devices that came meanwhile are judged anew"


def test_the_same_list_put_in_while_nothing_ran_is_fresh_from_the_start(place: Place) -> None:
    found = place.take(LIST)
    before, at = place.attesting.basis, found.listed.at // 1000 * 1000 + 3_600_000
    file = place.folder.root / REVOKED
    file.write_bytes(LIST)
    os.utime(file, (at // 1000, at // 1000))
    place.opened_again()
    assert place.attesting.known.list_digest == found.listed.digest
    assert place.attesting.fresh_since == at
    assert place.attesting.basis != before


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_start_is_refused_while_the_sources_say_nothing(place: Place) -> None:
    file = place.folder.root / FILE
    place.platform.close()
    file.write_text('{"v":1,"lists":{"android-revoked":{"url":"https://lists.example/s"}}')
    with pytest.raises(Malformed, match=r"vendors\.json: ") as refused:
        open_platform(place.folder, SECRET, place.clock)
    assert "correct vendors.json" in refused.value.remedy
    file.write_text('{"v":1,"lists":{"android-revoked":{"url":"https://lists.example/s"}}}')
    place.platform = open_platform(place.folder, SECRET, place.clock)


def test_only_the_list_in_force_is_still_the_same(place: Place) -> None:
    first = place.take(LIST)
    second = place.take(OTHER)
    refused = place.still(first, place.clock.now(), second.listed.digest)
    assert isinstance(refused, Conflict)
    known = place.attesting.known
    assert known.list_digest == second.listed.digest
    assert set(known.revoked) == {"ab", "cd"}


def test_the_doctor_says_which_file_cannot_be_read_where_roots_are_listed(place: Place) -> None:
    pem = roots_list(SimulatedFactory(place.clock.now()).root_pem())
    at = place.clock.now()
    place.run(TakeList(*read_list(ListName.ROOTS, pem, place.folder.root, "folder", at), ""))
    save_sources(place.folder.root, {ListName.REVOKED: Source(url="https://lists.example/")})
    (place.folder.root / REVOKED).write_text("<html>Please log in</html>")
    found = {one.what: one for one in look_at_vendors(place.folder, at)}
    assert found["roots of vendors"].state is State.WRONG


def test_the_same_list_again_writes_when_it_was_said_and_not_the_list(place: Place) -> None:
    found = place.take(status_list({f"{one:x}": "REVOKED" for one in range(500)}))
    digest, now = found.listed.digest, place.clock.now()
    kept = kept_basis(place.platform.reader, digest)
    assert kept
    place.still(found, now + 5_000, digest)
    assert place.attesting.known.list_at == now + 5_000
    assert listed_at(place.platform.reader, digest) == now + 5_000
    assert kept_basis(place.platform.reader, digest) == kept, "it has the time of then in it"


def test_past_lists_go_once_no_stored_verdict_rests_on_one(place: Place) -> None:
    place.run(ChangeAppraisal())
    first, was = place.take(LIST).listed.digest, place.attesting.basis
    second = place.take(OTHER).listed.digest
    reader, attesting = place.platform.reader, place.attesting

    def forget(rests_on: str) -> None:
        changes = ChangeSet()
        changes.upsert(VERDICT, "dev_of_somebody", ("dev_of_somebody", rests_on))
        forget_bases(changes, bases(attesting), attesting.basis)
        changes.statement("DELETE FROM device_verdict")
        place.platform.store.run(changes)

    forget(was)
    assert kept_basis(reader, first), "a stored verdict rests on it"
    forget(attesting.basis)
    assert kept_basis(reader, first) is None
    assert listed_at(reader, first) == 0
    assert kept_basis(reader, second)
    assert kept_basis(reader, attesting.policy_digest)
    place.take(LIST)
    assert kept_basis(reader, first), "it is in force again, and kept again"
    place.run(ForgetBases())
    assert kept_basis(reader, second) is None


def test_devices_under_a_list_of_many_serials_are_found_with_one_statement(place: Place) -> None:
    statements: list[str] = []
    place.platform.reader.trace(statements.append)
    try:
        place.take(status_list({f"{one:x}": "REVOKED" for one in range(2_000)}))
    finally:
        place.platform.reader.trace(None)
    assert len(place.attesting.known.revoked) == 2_000
    assert sum("device_link" in one for one in statements) == 1


def test_a_backup_has_the_sources_and_the_policy_and_no_file_that_would_look_young(
    place: Place, tmp_path: Path
) -> None:
    found = place.take(LIST)
    save_sources(place.folder.root, {ListName.REVOKED: Source(url="https://lists.example/")})
    for name in ("attestation.yaml", "attestation.json", "attestation-models.pem", REVOKED):
        (place.folder.root / name).write_text(f"of {name}\n")
    back_up(place.folder, tmp_path / "b", place.clock.now())
    assert sources_in(tmp_path / "b") == sources_in(place.folder.root)
    copied = {one.name for one in (tmp_path / "b").glob("attestation*")}
    assert copied == {"attestation.yaml", "attestation.json", "attestation-models.pem"}
    with open_reader(ProviderFolder(tmp_path / "b").database_file) as reader:
        assert kept_lists(reader)[ListName.REVOKED].digest == found.listed.digest
