"""Phones that attest their keys, at a provider that is served: trusted, labelled, judged again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import SimulatedFactory, changed
from tests.support.looking import row_of, rows_of
from tests.support.served import Served, served

from tallystick.application.devices import Attesting, Device
from tallystick.application.devices.store import devices_under
from tallystick.client.session import ClientSession
from tallystick.entry import appraising
from tallystick.entry.assembly import open_platform
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.process.attestation.model import read_appraisals
from tallystick.process.attestation.reading import read_policy
from tallystick.protocol.enrolment import Attestation

ANN = "+254700000001"


@pytest.fixture(scope="module")
def factory() -> SimulatedFactory:
    return SimulatedFactory(SystemClock().now())


@pytest.fixture(scope="module")
def provider(
    factory: SimulatedFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Its own duty judges nobody again meanwhile: what a session brings about is looked at."""
    folder = tmp_path_factory.mktemp("attested") / "provider"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appraising, "EVERY_S", 3_600.0)
        with served(folder, appraisal=factory.policy_text()) as found:
            found.factory = factory
            yield found


def number() -> Iterator[str]:
    yield from (f"+2547111{place:05}" for place in range(1, 100))


NUMBERS = number()


def row(provider: Served, keystore: SimulatedTeeKeystore) -> Device:
    return provider.platform.desks.devices.get(keystore.identity().device)


def enrolled(
    provider: Served, attest: Callable[[SimulatedTeeKeystore, bytes], Attestation]
) -> SimulatedTeeKeystore:
    to = next(NUMBERS)
    reply = provider.open_customer(to, "Test Person")
    keystore = SimulatedTeeKeystore()
    provider.reached.enrol(
        keystore,
        activation=reply.reference,
        code=provider.activation_code(to),
        description=DESCRIPTION,
        attest=lambda told: attest(keystore, told),
    )
    return keystore


def stored(provider: Served, keystore: SimulatedTeeKeystore) -> str:
    sql = "SELECT trust FROM device WHERE id = ?"
    found = row_of(provider, sql, (keystore.identity().device,))
    assert found is not None
    return str(found[0])


def events(provider: Served, kind: str) -> list[dict[str, str]]:
    rows = rows_of(provider, "SELECT leaf FROM event ORDER BY idx")
    leaves = [json.loads(bytes(one[0])) for one in rows]
    return [one["p"] for one in leaves if one["kind"] == kind]


@pytest.mark.requirement("MFS-7.4.1-04")
@pytest.mark.requirement("MFS-7.2.6-01")
def test_an_attested_phone_is_trusted_and_labelled(provider: Served) -> None:
    person = provider.person(ANN, "Ann")
    found = row(provider, person.keystore)
    assert found.trust == "attested-hardware"
    assert found.attestation_format == "android-key-pair"
    first, second = read_appraisals(found.attestation)
    assert first.subject.attested != second.subject.attested
    assert second.subject.consent
    assert {one.verdict.claims["environment"] for one in (first, second)} == {"simulated"}
    person.session.establish()
    chain, device = first.evidence.chain, person.keystore.identity().device
    with open_reader(provider.folder.stored()) as reader:
        for name in (chain[1].serial, chain[-1].serial, f"root:{first.evidence.root}"):
            assert device in devices_under(reader, name)
        assert not devices_under(reader, chain[0].serial)


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize(
    ("wrong", "rule"),
    [({"locked": False}, "boot-lock"), ({"package": "example.evil"}, "application")],
)
def test_a_phone_that_fails_a_rule_is_enrolled_without_trust(
    provider: Served, factory: SimulatedFactory, wrong: dict[str, object], rule: str
) -> None:
    phone = changed(factory.phone(), **wrong)
    keystore = enrolled(provider, lambda one, told: one.attest(told, factory, phone))
    found = row(provider, keystore)
    assert found.trust == "unknown"
    assert {
        one.rule for each in read_appraisals(found.attestation) for one in each.verdict.reasons
    } == {rule}


def test_a_phone_without_evidence_counts_as_software(provider: Served) -> None:
    keystore = enrolled(provider, lambda _, __: Attestation(format="none", statement=""))
    assert row(provider, keystore).trust == "software"


def test_the_old_format_still_enrols_and_is_not_trusted(provider: Served) -> None:
    keystore = enrolled(provider, lambda _, __: Attestation(format="android-key", statement="AAAA"))
    assert row(provider, keystore).trust == "unknown"


def test_another_phone_s_attestation_says_nothing(
    provider: Served, factory: SimulatedFactory
) -> None:
    other = SimulatedTeeKeystore()
    keystore = enrolled(provider, lambda _, told: other.attest(told, factory))
    found = read_appraisals(row(provider, keystore).attestation)
    assert all("key" in {one.rule for one in each.verdict.reasons} for each in found)
    replayed = enrolled(provider, lambda one, _: one.attest(b"o" * 32, factory))
    found = read_appraisals(row(provider, replayed).attestation)
    assert all({one.rule for one in each.verdict.reasons} == {"challenge"} for each in found)


def test_a_chain_to_another_root_is_refused_and_the_code_is_not_used_up(
    provider: Served, factory: SimulatedFactory
) -> None:
    to = next(NUMBERS)
    reply = provider.open_customer(to, "Test Person")
    code = provider.activation_code(to)
    stranger = SimulatedFactory(SystemClock().now())

    def attempt(attest: Callable[[bytes], Attestation], keystore: SimulatedTeeKeystore) -> None:
        provider.reached.enrol(
            keystore,
            activation=reply.reference,
            code=code,
            description=DESCRIPTION,
            attest=attest,
        )

    wrong: list[tuple[type[MfsError], Callable[[SimulatedTeeKeystore, bytes], Attestation]]] = [
        (NotAuthentic, lambda one, told: one.attest(told, stranger)),
        (Malformed, lambda _, __: Attestation(format="android-key-pair", statement="AAAA")),
    ] * 4
    for error, attest in wrong:
        keystore = SimulatedTeeKeystore()
        with pytest.raises(error):
            attempt(lambda told, one=keystore, by=attest: by(one, told), keystore)  # type: ignore[misc]
    keystore = SimulatedTeeKeystore()
    attempt(lambda told: keystore.attest(told, factory), keystore)
    assert row(provider, keystore).trust == "attested-hardware"


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_verdict_made_again_is_stored_and_recorded(
    provider: Served, factory: SimulatedFactory
) -> None:
    person = provider.person("+254700000002", "Bob")
    devices = provider.platform.desks.devices
    before = devices.attesting
    trusts = [one[0] for one in rows_of(provider, "SELECT trust FROM device")]
    strict = replace(read_policy(factory.policy_text()), levels=("strongbox",))
    count = len(events(provider, "device.appraised"))
    devices.attesting = Attesting(strict)  # judged again with the next turn, whoever brings it
    try:
        ClientSession(provider.peer(), person.keystore, SystemClock()).establish()
        said = events(provider, "device.appraised")[count:]
        judged = {(one["trust"], one["rules"]) for one in said}
        assert judged == {("unknown", "level")}, "every device that was trusted, and no other"
        assert len(said) == sum(one == "attested-hardware" for one in trusts)
        assert said[0]["appraised_by"] == strict.digest()
        assert stored(provider, person.keystore) == "unknown"
        ClientSession(provider.peer(), person.keystore, SystemClock()).establish()
        assert len(events(provider, "device.appraised")) == count + len(said)
    finally:
        devices.attesting = before
    ClientSession(provider.peer(), person.keystore, SystemClock()).establish()
    assert stored(provider, person.keystore) == "attested-hardware"
    assert row(provider, person.keystore).trust == "attested-hardware"


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_change_of_policy_or_list_is_felt_at_the_next_use(tmp_path: Path) -> None:
    factory = SimulatedFactory(SystemClock().now())
    folder = tmp_path / "provider"
    text = factory.policy_text()
    with served(folder, appraisal=text) as provider:
        provider.factory = factory
        person = provider.person(ANN, "Ann")
        device = person.keystore.identity().device
        (said,) = events(provider, "device.enrolled")
        assert (said["appraisal"], said["environment"], said["rules"]) == (
            "accepted",
            "simulated",
            "",
        )
        serial = (
            read_appraisals(row(provider, person.keystore).attestation)[0].evidence.chain[1].serial
        )
        at, secret = provider.folder, provider.secret

    def trust() -> str:
        platform = open_platform(at, secret)
        try:
            return platform.desks.devices.get(device).trust
        finally:
            platform.close()

    assert trust() == "attested-hardware"
    listed = folder / "attestation-revoked.json"
    listed.write_text(json.dumps({"entries": {serial: {"status": "REVOKED"}}}))
    assert trust() == "unknown"
    listed.write_text(json.dumps({"entries": {"abc": {"status": "REVOKED"}}}))
    assert trust() == "attested-hardware"
    policy = folder / "attestation.yaml"
    policy.write_text(text.replace("levels: [trusted-environment, ", "levels: ["))
    assert trust() == "unknown"
    policy.unlink()
    assert trust() == "unknown"
    policy.write_text(text)
    assert trust() == "attested-hardware"
    policy.write_text("appraisal: [")
    with pytest.raises(Malformed):
        trust()
