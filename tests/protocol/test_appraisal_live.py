"""What devices are appraised by changes while two fronts serve: refused within five seconds."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from simulators.cast import Person
from simulators.keymint import SimulatedFactory
from tests.support.looking import leaves_of
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.appraisals.replaying import replayed
from tallystick.client.wallet import Paid, Refusal
from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.process.attestation.model import packed_appraisals, read_appraisals
from tallystick.process.attestation.signing import sign_appraisal
from tallystick.protocol.appraisal_file import AppraisalFile
from tallystick.protocol.payments import PaymentKind

WITHIN_S = 5.0
CHANGED = "appraisal.changed"
PAYEE = "+254700000009"
DOUBTED = """  - id: doubted-device
    when: {operation: pay, kind: p2p, channel: app, device_trust: unknown, account_status: active}
    outcome: deny
    because: nothing vouches for the keys of this device any more
  - id: person-attested
"""


@pytest.fixture(scope="module")
def factory() -> SimulatedFactory:
    return SimulatedFactory(SystemClock().now())


@pytest.fixture(scope="module")
def provider(
    factory: SimulatedFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live") / "provider"
    strict = demo_policy().replace("  - id: person-attested\n", DOUBTED, 1)
    with served(folder, appraisal=factory.policy_text(), workers=2, policy_text=strict) as found:
        found.factory = factory
        found.open_customer(PAYEE, "Payee")
        yield found


@pytest.fixture(scope="module")
def ann(provider: Served) -> Person:
    person = provider.person("+254700000001", "Ann", funds=5_000_000)
    person.session.establish()
    return person


def pay(person: Person) -> Paid:
    return person.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES"))


def tried(person: Person) -> str:
    """Why a payment is refused; empty where it is made."""
    try:
        pay(person)
    except Refusal as refusal:
        return refusal.error.because
    return ""


def refused_after(person: Person, change: Callable[[], object]) -> float:
    """How long after `change` the first payment was refused that only a trusted device may make."""
    change()
    begun = monotonic()
    while monotonic() - begun < 4 * WITHIN_S:
        because = tried(person)
        if because:
            assert "vouches" in because
            return monotonic() - begun
        sleep(0.05)
    raise AssertionError("it was never refused")


def allowed_after(person: Person, change: Callable[[], object]) -> None:
    change()
    wait_for(lambda: not tried(person))


def signed(provider: Served, text: str, version: int, officer: str = "officer-1") -> AppraisalFile:
    key = open_officer_key(provider.folder.offline / f"{officer}.key", provider.secret)
    return sign_appraisal(text, version, officer, key)


def put(provider: Served, name: str, octets: bytes) -> None:
    beside = provider.folder.root / f".{name}.new"
    beside.write_bytes(octets)
    beside.replace(provider.folder.root / name)


def events(provider: Served, kind: str) -> list[dict[str, object]]:
    leaves = [json.loads(one) for one in leaves_of(provider)]
    return [one["p"] for one in leaves if one["kind"] == kind]


def notes(provider: Served, said: str) -> int:
    return sum(said.encode() in line for line in provider.log)


def wait_for(found: Callable[[], bool]) -> None:
    begun = monotonic()
    while not found():
        assert monotonic() - begun < 4 * WITHIN_S, "it did not come"
        sleep(0.1)


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.requirement("MFS-7.3.5-01")
def test_a_revoked_certificate_is_felt_in_five_seconds_on_every_front(
    provider: Served, ann: Person
) -> None:
    pay(ann)
    row = provider.platform.desks.devices.get(ann.keystore.identity().device)
    chain = read_appraisals(row.attestation)[0].evidence.chain
    listed = {"entries": {chain[1].serial: {"status": "REVOKED"}}}
    changes, again = (len(events(provider, one)) for one in (CHANGED, "device.appraised"))

    took = refused_after(
        ann, lambda: put(provider, "attestation-revoked.json", json.dumps(listed).encode())
    )
    assert took <= WITHIN_S, took
    (said,) = events(provider, CHANGED)[changes:]
    assert (said["version"], said["touched"]) == (0, 1)
    assert CHANGED in tallystick("timeline", provider.folder.root).out
    wait_for(lambda: len(events(provider, "device.appraised")) > again)
    assert events(provider, "device.appraised")[again]["rules"] == "revoked"
    allowed_after(
        ann, lambda: put(provider, "attestation-revoked.json", json.dumps({"entries": {}}).encode())
    )


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_list_that_cannot_be_read_changes_nothing(provider: Served, ann: Person) -> None:
    before = provider.platform.desks.devices.attesting.basis
    put(provider, "attestation-revoked.json", b'{"entries": {"zz": {"status": "REVOKED"}}}')
    wait_for(lambda: notes(provider, "an entry of the list cannot be read") > 0)
    assert provider.platform.desks.devices.attesting.basis == before
    pay(ann)


@pytest.mark.requirement("MFS-7.2.6-01")
@pytest.mark.requirement("MFS-6.1-01")
def test_only_what_officers_signed_takes_the_place_of_the_policy(
    provider: Served, ann: Person, factory: SimulatedFactory
) -> None:
    text = factory.policy_text()
    strict = text.replace("levels: [trusted-environment, ", "levels: [")
    before = provider.platform.desks.devices.attesting.basis
    good = signed(provider, strict, 7)
    stranger = AppraisalFile(version=8, policy_b64=good.policy_b64, signatures=good.signatures)
    put(provider, "attestation.json", encode_canonical(stranger))
    wait_for(lambda: notes(provider, "does not verify") > 0)
    assert provider.platform.desks.devices.attesting.basis == before
    pay(ann)

    took = refused_after(ann, lambda: put(provider, "attestation.json", encode_canonical(good)))
    assert took <= WITHIN_S, took
    assert events(provider, CHANGED)[-1]["version"] == 7

    loose = signed(provider, text, 6)
    put(provider, "attestation.json", encode_canonical(loose))
    wait_for(lambda: notes(provider, "version 6 is not above 7") > 0)
    with pytest.raises(Refusal):
        pay(ann)
    allowed_after(
        ann,
        lambda: put(provider, "attestation.json", encode_canonical(signed(provider, text, 8))),
    )


@pytest.mark.requirement("MFS-7.2.6-01")
def test_a_start_uses_the_signed_policy_and_not_an_unsigned_file(tmp_path: Path) -> None:
    factory = SimulatedFactory(SystemClock().now())
    folder = tmp_path / "provider"
    text = factory.policy_text()
    with served(folder, appraisal=text) as one:
        strict = signed(one, text.replace("levels: [trusted-environment, ", "levels: ["), 1)
        put(one, "attestation.json", encode_canonical(strict))
        wait_for(lambda: bool(events(one, CHANGED)))
        digest = one.platform.desks.devices.attesting.policy_digest
        at, secret = one.folder, one.secret
    (folder / "attestation.yaml").write_text(text)
    (folder / "attestation.json").unlink()
    platform = open_platform(at, secret)
    try:
        assert platform.desks.devices.attesting.policy_digest == digest
    finally:
        platform.close()


@pytest.mark.requirement("MFS-7.3.3-01")
def test_a_verdict_is_made_again_from_what_was_kept(provider: Served, ann: Person) -> None:
    pay(ann)
    device = ann.keystore.identity().device
    wait_for(lambda: tallystick("device", "verdict", provider.folder.root, device).code == 0)
    ran = tallystick("device", "verdict", provider.folder.root, device, "--json")
    assert ran.code == 0, ran.err
    made = json.loads(ran.out)
    assert [one["same"] for one in made] == [True, True]
    assert made[0]["again"]["claims"]["kept-in"] == "tee"
    table = tallystick("device", "verdict", provider.folder.root, device)
    assert "same" in table.out
    assert tallystick("device", "verdict", provider.folder.root, "dev_nobody").code == 1
    seen = json.loads(tallystick("fleet", provider.folder.root, "--json").out)
    assert seen["devices"] == 1
    assert seen["by_trust"] == {"attested-hardware": 1}
    assert seen["classes"][0]["attested"] == "android-key-pair"
    assert sum(one["devices"] for one in seen["months"]) == 1


def test_a_verdict_that_was_changed_in_the_store_is_found(tmp_path: Path) -> None:
    factory = SimulatedFactory(SystemClock().now())
    with served(tmp_path / "provider", appraisal=factory.policy_text()) as one:
        bare = one.person("+254700000003", "Bare")
        wait_for(lambda: one.platform.desks.devices.settled)
        one.factory = factory
        wrong = one.person("+254700000004", "Carl")
        name = wrong.keystore.identity().device
        wait_for(lambda: tallystick("device", "verdict", one.folder.root, name).code == 0)
        row = one.platform.desks.devices.get(name)
        kept = read_appraisals(row.attestation)
        better = [replace(each, verdict=replace(each.verdict, level="strongbox")) for each in kept]
        with open_reader(one.folder.stored()) as reader:
            found = replayed(reader, packed_appraisals(tuple(better)))
        assert [each.same for each in found] == [False, False]
        said = tallystick("device", "verdict", one.folder.root, bare.keystore.identity().device)
        assert "nothing was appraised" in said.out
        seen = tallystick("fleet", one.folder.root).out
        assert "2 active devices; 50.0 % have less than full trust" in seen
