"""The simulated TEE, apart: attested and labelled, its counter and its tries outlive a restart."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.cast import DESCRIPTION
from simulators.tee.inside import CHOOSE, TrustedApplication
from simulators.tee.keystore import SimulatedTee
from simulators.tee.wire import Asked
from tests.support.served import served
from tests.support.vaults import PIN

from tallystick.client.vault.keystore import MOST_TRIES
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import NotAuthentic, NotPermitted, Unavailable
from tallystick.process.attestation.model import read_appraisals


class Person:
    def __init__(self) -> None:
        self.pin: str | None = PIN.decode()
        self.saw: list[str] = []

    def __call__(self, shown: str) -> str | None:
        self.saw.append(shown)
        return self.pin


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def tee(tmp_path: Path, person: Person) -> Iterator[SimulatedTee]:
    found = SimulatedTee(tmp_path / "tee", person, SystemClock().now())
    yield found
    found.stop()


def again(tee: SimulatedTee, person: Person) -> SimulatedTee:
    """The same phone after a restart."""
    tee.stop()
    return SimulatedTee(tee.folder, person, SystemClock().now())


@pytest.mark.requirement("MFS-7.4.1-04")
@pytest.mark.requirement("MFS-8.1.3-01")
def test_its_factory_vouches_for_both_keys_and_the_verdict_says_simulated(
    tee: SimulatedTee, tmp_path: Path
) -> None:
    keystore = tee.keystore()
    with served(tmp_path / "provider", appraisal=keystore.appraisal()) as provider:
        to = "+254711100001"
        reply = provider.open_customer(to, "Test Person")
        provider.reached.enrol(
            keystore,
            activation=reply.reference,
            code=provider.activation_code(to),
            description=DESCRIPTION,
            attest=keystore.attest,
        )
        row = provider.platform.desks.devices.get(keystore.identity().device)
        verdicts = [one.verdict.claims for one in read_appraisals(row.attestation)]
        assert row.trust == "attested-hardware"
        assert {one["environment"] for one in verdicts} == {"simulated"}
        provider.reached.session(keystore).establish()
    assert "simulated" in keystore.protection
    keystore.close()


@pytest.mark.requirement("MFS-8.1.2-02")
@pytest.mark.requirement("MFS-7.2.6-01")
def test_it_never_gives_a_key_or_the_pin_to_an_app(
    tee: SimulatedTee, person: Person, tmp_path: Path
) -> None:
    keystore = tee.keystore()
    heard: list[str] = []
    ask = keystore._ask
    keystore._ask = lambda asked: heard.append(str(asked)) or ask(asked)
    keystore.consent_sign(b"pay", shown="Pay KES 5")
    for word in ("export", "consent-key", "possession-key", "pin", "secret", "", "__dict__"):
        with pytest.raises(NotPermitted, match="no such thing"):
            keystore._ask(Asked(does=word))
    assert person.saw == [CHOOSE, "Pay KES 5"]
    assert PIN.decode() not in "".join(heard)
    inside = TrustedApplication(tmp_path / "other", lambda shown: None, 1_767_225_600_000)
    assert {one for one in inside._does if "public" not in one and "sign" not in one} == {
        "tries", "pairs", "store-pairs", "identity", "store-enrolment", "checkpoint",
        "store-checkpoint", "met-hybrid", "store-met-hybrid", "bind", "counter", "attest",
        "appraisal",
    }  # fmt: skip
    keystore.close()


@pytest.mark.requirement("MFS-8.1.3-02")
@pytest.mark.threat("THR-DEV-04")
def test_its_counter_only_grows_and_an_old_flash_is_refused(
    tee: SimulatedTee, person: Person
) -> None:
    keystore = tee.keystore()
    first = keystore.counter()
    shutil.copytree(tee.folder / "flash", tee.folder / "old", copy_function=shutil.copy)
    keystore.store_checkpoint("a note\n")
    assert keystore.counter() == first + 1
    keystore.close()
    tee = again(tee, person)
    keystore = tee.keystore()
    assert (keystore.counter(), keystore.checkpoint()) == (first + 1, "a note\n")
    keystore.close()
    shutil.copy(tee.folder / "old" / "keys", tee.folder / "flash" / "keys")
    tee = again(tee, person)
    keystore = tee.keystore()
    with pytest.raises(NotPermitted, match="rolled-back"):
        keystore.possession_sign(b"here")
    keystore.close()
    tee.stop()


@pytest.mark.requirement("MFS-8.1.5-02")
def test_its_tries_outlive_a_restart_and_end_in_erasure(tee: SimulatedTee, person: Person) -> None:
    keystore = tee.keystore()
    keystore.possession_public()
    person.pin = "000001"
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(NotAuthentic):
            keystore.consent_sign(b"pay", shown="Pay")
    keystore.close()
    tee = again(tee, person)
    keystore = tee.keystore()
    assert keystore.tries().in_row == MOST_TRIES - 1
    with pytest.raises(NotPermitted, match="erased"):
        keystore.consent_sign(b"pay", shown="Pay")
    person.pin = PIN.decode()
    with pytest.raises(NotPermitted):
        keystore.consent_sign(b"pay", shown="Pay")
    keystore.close()
    tee.stop()


@pytest.mark.requirement("MFS-8.1.3-03")
def test_nothing_is_signed_where_the_screen_says_no_or_the_process_ended(
    tee: SimulatedTee, person: Person
) -> None:
    keystore = tee.keystore()
    keystore.possession_public()
    person.pin = None
    with pytest.raises(NotPermitted, match="did not confirm"):
        keystore.consent_sign(b"pay", shown="Pay")
    assert keystore.tries().failed == 0
    stored = json.loads((tee.folder / "flash" / "keys").read_text())
    assert stored["header"]["format"].startswith("tallystick-vault/1")
    tee.stop()
    with pytest.raises(Unavailable):
        keystore.possession_sign(b"here")
    keystore.close()
    with pytest.raises(Unavailable):
        tee.keystore()
