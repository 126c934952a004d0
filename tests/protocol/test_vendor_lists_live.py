"""A vendor's list server at its real interface, and a provider with two fronts fed by it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from simulators.cast import Person
from simulators.keymint import SimulatedFactory
from simulators.vendor_lists import (
    MODELS,
    REVOKED,
    ROOTS,
    Fault,
    ListServer,
    models_file,
    roots_list,
    status_list,
)
from tests.protocol.test_appraisal_live import (
    DOUBTED,
    PAYEE,
    WITHIN_S,
    allowed_after,
    events,
    notes,
    pay,
    put,
    refused_after,
)
from tests.support.collectors import until
from tests.support.metrics import exposition
from tests.support.partners import MovedClock
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.appraisals.store import kept_basis, kept_lists
from tallystick.client.wallet import Refusal
from tallystick.entry import feeding
from tallystick.entry.assembly import open_platform
from tallystick.entry.setup import demo_policy
from tallystick.entry.vendors import rounds
from tallystick.entry.vendors.sources import Source, save_sources
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import OutOfReach
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.attestation.model import read_appraisals

PERIOD_S = 1
AAGUID = "00112233445566778899aabbccddeeff"
OTHERS = {f"ab{number:02x}": "REVOKED" for number in range(40)}
NOW = SystemClock().now()


@pytest.fixture(scope="module")
def lists() -> Iterator[ListServer]:
    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW - DAY_MS)
        yield server


@pytest.fixture(scope="module")
def factory() -> SimulatedFactory:
    return SimulatedFactory(NOW)


@pytest.fixture(scope="module")
def provider(
    factory: SimulatedFactory, lists: ListServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fed") / "provider"
    strict = demo_policy().replace("  - id: person-attested\n", DOUBTED, 1)
    options = {"appraisal": factory.policy_text(), "policy_text": strict}
    with (
        pytest.MonkeyPatch.context() as patch,
        served(folder, workers=2, before=lambda to, _: feed(to.root, lists), **options) as found,
    ):
        patch.setattr(rounds, "DEADLINE_S", 1.0)
        found.factory = factory
        found.open_customer(PAYEE, "Payee")
        yield found


@pytest.fixture(scope="module")
def ann(provider: Served) -> Person:
    person = provider.person("+254700000001", "Ann", funds=5_000_000)
    person.session.establish()
    return person


def feed(root: Path, lists: ListServer, *names: str, every_s: int = PERIOD_S) -> None:
    paths = {"android-revoked": REVOKED, "android-roots": ROOTS, "fido-models": MODELS}
    sources = {
        name: Source(url=lists.url + paths[name], every_s=every_s, oldest_s=3600)
        for name in names or ("android-revoked",)
    }
    save_sources(root, sources)


def attested_serial(provider: Served, person: Person) -> str:
    row = provider.platform.desks.devices.get(person.keystore.identity().device)
    return read_appraisals(row.attestation)[0].evidence.chain[1].serial


def basis(provider: Served) -> str:
    return provider.platform.desks.devices.attesting.basis


def imported(provider: Served) -> list[dict[str, Any]]:
    """Every record of a list that was taken over."""
    return events(provider, "vendor-list.imported")


def in_force(provider: Served) -> str:
    return provider.platform.desks.devices.attesting.known.list_digest


def changed(provider: Served, change: Callable[[], object]) -> None:
    """Make the `change`, and wait until another list is in force."""
    before = in_force(provider)
    change()
    until(lambda: in_force(provider) != before)


@pytest.mark.requirement("MFS-7.2.6-02", "MFS-7.3.5-01")
def test_what_the_vendor_revokes_is_refused_on_every_front_within_a_period_and_five_seconds(
    provider: Served, ann: Person, lists: ListServer
) -> None:
    until(lambda: in_force(provider))
    pay(ann)
    serial = attested_serial(provider, ann)
    revoked = status_list({**OTHERS, serial: "REVOKED"})
    took = refused_after(ann, lambda: lists.publish(REVOKED, revoked, NOW - HOUR_MS))
    assert took <= PERIOD_S + WITHIN_S, took

    said = imported(provider)[-1]
    known = provider.platform.desks.devices.attesting.known
    assert said["list"] == "android-revoked"
    assert said["origin"] == lists.url + REVOKED
    assert said["digest"] == known.list_digest
    assert said["before"]
    assert said["members"] == len(OTHERS) + 1
    assert events(provider, "appraisal.changed")[-1]["touched"] == 1
    allowed_after(ann, lambda: lists.publish(REVOKED, status_list(OTHERS), NOW - MINUTE_MS))


def test_a_list_that_did_not_change_is_asked_for_by_its_tag_and_is_of_now(
    provider: Served, lists: ListServer
) -> None:
    until(lambda: lists.heard[-1].status == 304)
    asked = lists.heard[-1].fields
    assert asked["if-none-match"] == lists.lists[REVOKED].tag()
    assert asked["if-modified-since"]
    assert asked["accept-encoding"] == "identity"
    at = provider.platform.desks.devices.attesting.known.list_at
    recorded = len(imported(provider))
    until(lambda: provider.platform.desks.devices.attesting.known.list_at > at)
    assert len(imported(provider)) == recorded


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.NONE])
def test_no_fault_of_the_server_changes_what_is_in_force_or_holds_anybody_up(
    provider: Served, ann: Person, lists: ListServer, fault: Fault
) -> None:
    until(lambda: lists.heard[-1].status == 304)
    before, asked = basis(provider), len(lists.heard)
    told = notes(provider, "could not be fetched") + notes(provider, "list was refused")
    lists.fails(REVOKED, fault)
    if fault is Fault.STUBBORN:  # that is what an unchanged list looks like, and it is not changed
        until(lambda: len(lists.heard) > asked + 1)
    else:
        until(lambda: len(lists.heard) > asked)
        begun = monotonic()
        pay(ann)
        assert monotonic() - begun < WITHIN_S
        until(lambda: notes(provider, "could not be fetched") + notes(provider, "list was refused")
              > told)  # fmt: skip
    assert basis(provider) == before
    assert not any(one.path == "/elsewhere" for one in lists.heard)
    lists.fails(REVOKED, Fault.NONE)
    until(lambda: lists.heard[-1].status == 304)


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_list_that_is_older_or_lacks_much_waits_for_a_person(
    provider: Served, ann: Person, lists: ListServer
) -> None:
    serial = attested_serial(provider, ann)
    revoked = status_list({**OTHERS, serial: "SUSPENDED"})
    lists.publish(REVOKED, revoked, NOW)
    until(lambda: serial in provider.platform.desks.devices.attesting.known.revoked)
    digest = in_force(provider)

    lists.publish(REVOKED, status_list(OTHERS), NOW - DAY_MS)
    until(lambda: notes(provider, "it is older than the list in force") > 0)
    for left in (0, 20):
        told = notes(provider, "are gone within a day, of 41")
        few = status_list(dict(list(OTHERS.items())[:left]))
        lists.publish(REVOKED, few, NOW + 1000)
        until(lambda told=told: notes(provider, "are gone within a day, of 41") > told)
    assert in_force(provider) == digest
    with pytest.raises(Refusal):
        pay(ann)

    few = status_list({"ab00": "REVOKED"})
    changed(provider, lambda: put(provider, "attestation-revoked.json", few))
    # the server's list may be fetched again at once: a person's file bars no list
    until(lambda: [one for one in imported(provider) if one["members"] == 1])
    said = next(one for one in imported(provider) if one["members"] == 1)
    assert said["origin"] == "folder: attestation-revoked.json"
    allowed_after(ann, lambda: None)
    changed(provider, lambda: lists.publish(REVOKED, status_list(OTHERS), NOW + 2000))


def test_the_metrics_say_how_old_a_list_is_and_for_how_long_its_source_fails(
    provider: Served, lists: ListServer
) -> None:
    members = f'tallystick_vendor_list_members{{list="android-revoked"}} {len(OTHERS)}\n'
    until(lambda: lists.heard[-1].status == 304 and members in exposition(provider))
    shown = exposition(provider)
    assert 'tallystick_vendor_list_failing_seconds{list="android-revoked"} 0\n' in shown
    assert 'tallystick_dependency_failing{dependency="attestation"} 0\n' in shown


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_slip_in_the_sources_is_told_and_the_ones_before_are_watched_on(
    provider: Served, lists: ListServer
) -> None:
    file = provider.folder.root / "vendors.json"
    before = file.read_bytes()
    line = 'tallystick_vendor_list_failing_seconds{list="vendors.json"}'
    assert line not in exposition(provider)
    told = notes(provider, '"list":"vendors.json"')
    file.write_bytes(before[:-1])
    until(lambda: notes(provider, '"list":"vendors.json"') == told + 1)
    heard = len(lists.heard)
    until(lambda: len(lists.heard) > heard + 1)
    until(lambda: f"{line} 0" not in exposition(provider) and line in exposition(provider))
    assert notes(provider, '"list":"vendors.json"') == told + 1, "told once, not with each look"
    file.unlink()
    file.mkdir()
    until(lambda: notes(provider, "vendors.json cannot be read") > 0)
    file.rmdir()
    file.write_bytes(before)
    until(lambda: line not in exposition(provider))
    heard = len(lists.heard)
    until(lambda: len(lists.heard) > heard)


def test_what_nobody_foresaw_of_one_answer_is_told_and_ends_no_feeding(
    provider: Served, lists: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    with monkeypatch.context() as patch:
        patch.setattr(feeding, "read_list", broken)
        lists.publish(REVOKED, status_list({**OTHERS, "aa": "REVOKED"}), NOW + 3000)
        until(lambda: notes(provider, '"why":"RuntimeError"') > 0)
    until(lambda: "aa" in provider.platform.desks.devices.attesting.known.revoked)


def test_another_machine_that_becomes_the_writer_goes_on_with_the_list(tmp_path: Path) -> None:
    factory = SimulatedFactory(NOW)
    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW)
        root = tmp_path / "provider"
        text = factory.policy_text()
        with served(root, appraisal=text, before=lambda to, _: feed(to.root, server)) as one:
            until(lambda: in_force(one))
            known, folder, secret = (
                one.platform.desks.devices.attesting.known,
                one.folder,
                one.secret,
            )
    (root / "vendors.json").unlink()
    platform = open_platform(folder, secret)
    try:
        found = platform.desks.devices.attesting.known
        assert (found.list_digest, dict(found.revoked)) == (known.list_digest, dict(known.revoked))
        assert found.list_at >= known.list_at
    finally:
        platform.close()


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.requirement("MFS-7.3.3-01")
def test_lists_of_before_go_when_every_verdict_rests_on_the_one_in_force(
    tmp_path: Path,
) -> None:
    factory, root = SimulatedFactory(NOW), tmp_path / "provider"
    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW)
        text = factory.policy_text()
        with served(root, appraisal=text, before=lambda to, _: feed(to.root, server)) as one:
            until(lambda: in_force(one))
            one.factory = factory
            device = one.person("+254700000005", "Eve").keystore.identity().device
            passed = list[str]()
            for number in range(3):
                passed.append(in_force(one))
                more = status_list({**OTHERS, f"fe{number}": "REVOKED"})
                changed(one, lambda more=more, at=number: server.publish(REVOKED, more, NOW + at))

            def kept(*names: str) -> list[str]:
                with one.platform.database.reader() as reader:
                    return [name for name in names if kept_basis(reader, name)]

            until(lambda: kept(*passed) == [])
            assert kept(in_force(one))
            ran = tallystick("device", "verdict", root, device, "--json")
            assert [each["same"] for each in json.loads(ran.out)] == [True, True]


def test_models_are_believed_as_they_are_signed_and_roots_are_told_to_officers(
    tmp_path: Path,
) -> None:
    factory, other = SimulatedFactory(NOW), SimulatedFactory(NOW)
    with ListServer() as server:
        server.publish(MODELS, models_file(factory, 7, {AAGUID: ["REVOKED"]}), NOW)
        server.publish(ROOTS, roots_list(other.root_pem()), NOW)

        def before(to: object, _: object) -> None:
            feed(tmp_path / "p", server, "fido-models", "android-roots")
            (tmp_path / "p" / "attestation-models.pem").write_text(factory.root_pem())

        with served(tmp_path / "p", appraisal=factory.policy_text(), before=before) as one:
            attesting = one.platform.desks.devices
            until(lambda: attesting.attesting.known.models == {AAGUID: "REVOKED"})
            one.factory = factory
            device = one.person("+254700000008", "Rose").keystore.identity().device
            digest = attesting.attesting.known.models_digest
            until(lambda: notes(one, "lists other roots") > 0)
            [line] = [json.loads(each) for text in one.log for each in text.splitlines()
                      if b"lists other roots" in each]  # fmt: skip
            assert "Simulated Root" in line["lacks"]
            roots = attesting.attesting.policy.roots
            assert not any(one.digest in line["lacks"] for one in roots), "nothing was believed"

            forged = models_file(other, 8, {AAGUID: []})
            server.publish(MODELS, forged, NOW + 1000)
            until(lambda: notes(one, "list was refused") > 0)
            server.publish(MODELS, models_file(factory, 6, {AAGUID: []}), NOW + 2000)
            until(lambda: notes(one, "number 6 comes before 7") > 0)
            assert attesting.attesting.known.models_digest == digest
            server.publish(MODELS, models_file(factory, 8, {AAGUID: []}), NOW + 3000)
            until(lambda: attesting.attesting.known.models == {})
            until(lambda: attesting.settled)
            ran = tallystick("device", "verdict", tmp_path / "p", device)
            assert ran.code == 0, ran.all
            numbers = [said["issue"] for said in events(one, "vendor-list.imported")
                       if said["list"] == "fido-models"]  # fmt: skip
            assert numbers == [7, 8]


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_device_that_came_while_the_list_was_too_old_gets_its_trust_with_not_modified(
    tmp_path: Path,
) -> None:
    clock, factory = MovedClock(), SimulatedFactory(NOW)
    text = factory.policy_text().replace("list-age: P7D", "list-age: P1D")
    text = text.replace("without-list: allowed", "without-list: refused")
    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW)
        with served(
            tmp_path / "p",
            appraisal=text,
            clock=clock,
            before=lambda to, _: feed(to.root, server),
        ) as one:
            one.factory = factory
            until(lambda: in_force(one))
            server.fails(REVOKED, Fault.BROKEN)
            asked = len(server.heard)
            until(lambda: len(server.heard) > asked)
            clock.off_ms += 26 * HOUR_MS
            late = one.person("+254700000007", "Late")
            device = late.keystore.identity().device
            devices = one.platform.desks.devices
            assert devices.get(device).trust == "unknown"
            server.fails(REVOKED, Fault.NONE)
            until(lambda: devices.get(device).trust == "attested-hardware")
            until(lambda: bool(events(one, "device.appraised")))
            with open_reader(one.folder.stored()) as reader:
                kept = kept_lists(reader)["android-revoked"]
            assert kept.fresh_since > 0
            assert len(events(one, "vendor-list.imported")) == 1


@pytest.mark.requirement("MFS-6.2.3-04")
def test_a_vendor_that_is_away_too_long_does_what_the_policy_says_and_no_more(
    tmp_path: Path,
) -> None:
    clock, factory = MovedClock(), SimulatedFactory(NOW)

    def failing() -> bool:
        return one.platform.desks.policy.watch.is_failing("attestation")

    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW)
        with served(
            tmp_path / "p",
            appraisal=factory.policy_text(),
            clock=clock,
            before=lambda to, _: feed(to.root, server),
        ) as one:
            one.factory = factory
            one.open_customer(PAYEE, "Payee")
            until(lambda: in_force(one))
            server.fails(REVOKED, Fault.BROKEN)
            until(lambda: notes(one, "could not be fetched") > 0)
            person = one.person("+254700000001", "Ann", funds=5_000_000)
            clock.off_ms += 2 * HOUR_MS
            until(failing)
            pay(person)
            until(lambda: notes(one, '"dependency":"attestation","does":"stale"') > 0)
            clock.off_ms += 24 * HOUR_MS
            with pytest.raises(OutOfReach, match="old evidence"):
                pay(person)
            server.fails(REVOKED, Fault.NONE)
            until(lambda: not failing())
            pay(person)


def test_a_server_that_says_nothing_does_not_keep_the_service_from_ending(tmp_path: Path) -> None:
    with ListServer() as server:
        server.publish(REVOKED, status_list(OTHERS), NOW)
        server.fails(REVOKED, Fault.SILENT)
        with served(tmp_path / "p", before=lambda to, _: feed(to.root, server)):
            until(lambda: server.heard)
            begun = monotonic()
        assert monotonic() - begun < 8
