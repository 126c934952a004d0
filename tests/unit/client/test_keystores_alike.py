"""Every keystore does the same behind the one interface: in a process, a vault, a simulated TEE."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.device import SimulatedPerson, SimulatedTeeKeystore
from simulators.tee.keystore import SimulatedTee
from tests.protocol.session_parties import Phone, Provider
from tests.support.vaults import PIN, Typing, created
from tests.unit.client.test_client_keystore import IDENTITY, PAIR

from tallystick.client.keystore import DeviceKeystore, SoftwareKeystore
from tallystick.client.session import ClientSession
from tallystick.client.vault.sealing import ProviderPin
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret

KINDS = ("process", "passphrase", "vault", "simulated TEE, in a process", "simulated TEE, apart")
BOUND = ("vault", "simulated TEE, apart")
BANK = ProviderPin(
    name="Bank", origin="bank/tally", algorithm="EdDSA", root="A" * 43, environment="test"
)


class Somebody:
    """One person for all kinds: who they are, and whether they want what is shown."""

    def __init__(self) -> None:
        self.stranger = False
        self.willing = True
        self.saw: list[str] = []
        self.typing = Typing()
        self.simulated = SimulatedPerson(lambda shown: self.willing)

    def verified(self, shown: str) -> None:
        self.saw.append(shown)
        self.simulated.stranger = self.stranger
        self.simulated(shown)

    def types(self, shown: str):
        self.saw.append(shown)
        self.typing.pin = b"000000" if self.stranger else PIN
        self.typing.willing = self.willing
        return self.typing(shown)

    def at_the_screen(self, shown: str) -> str | None:
        self.saw.append(shown)
        return None if not self.willing else ("000000" if self.stranger else PIN.decode())


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Somebody, SimulatedTee]]:
    started: dict[Somebody, SimulatedTee] = {}
    yield started
    for one in started.values():
        one.stop()


@pytest.fixture
def person() -> Somebody:
    return Somebody()


@pytest.fixture(params=KINDS)
def keystore(request, tmp_path: Path, person: Somebody, phones) -> Iterator[DeviceKeystore]:
    chance = random.Random(4).randbytes
    match request.param:
        case "process":
            yield SoftwareKeystore(person.verified)
        case "passphrase":
            yield SoftwareKeystore.create_file(
                tmp_path / "k", Secret("phrase"), entropy=chance, verify_user=person.verified
            )
        case "vault":
            yield created(tmp_path, person.types)  # type: ignore[arg-type]
        case "simulated TEE, in a process":
            yield SimulatedTeeKeystore(person.verified)
        case _:
            phones[person] = SimulatedTee(tmp_path / "tee", person.at_the_screen)
            found = phones[person].keystore()
            found.possession_public()
            person.saw.clear()
            yield found
            found.close()


@pytest.mark.requirement("MFS-8.1.5-02")
@pytest.mark.requirement("MFS-8.1.2-04")
def test_it_signs_for_its_person_and_for_nobody_else(
    keystore: DeviceKeystore, person: Somebody
) -> None:
    possession = Es256VerifyKey(keystore.possession_public())
    consent = Es256VerifyKey(keystore.consent_public())
    possession.verify(keystore.possession_sign(b"here"), b"here")
    assert person.saw == []
    consent.verify(keystore.consent_sign(b"pay", shown="Pay KES 5"), b"pay")
    assert person.saw == ["Pay KES 5"]
    with pytest.raises(NotAuthentic):
        consent.verify(keystore.possession_sign(b"pay"), b"pay")
    person.stranger = True
    for number in (1, 2):
        with pytest.raises(NotAuthentic):
            keystore.consent_sign(b"pay", shown="Pay KES 9")
        assert (keystore.tries().failed, keystore.tries().in_row) == (number, number)
    person.stranger = False
    person.willing = False
    with pytest.raises(NotPermitted):
        keystore.consent_sign(b"pay", shown="Pay KES 9")
    person.willing = True
    keystore.consent_sign(b"pay", shown="Pay KES 5")
    assert (keystore.tries().failed, keystore.tries().in_row) == (2, 0)


def test_it_remembers_and_says_what_it_is(keystore: DeviceKeystore) -> None:
    with pytest.raises(NotFound):
        keystore.identity()
    assert keystore.renewal_pairs() == ()
    keystore.store_enrolment(IDENTITY, PAIR)
    keystore.store_checkpoint("a note\n")
    assert (keystore.identity(), keystore.checkpoint()) == (IDENTITY, "a note\n")
    assert not keystore.met_hybrid()
    keystore.store_met_hybrid()
    assert keystore.met_hybrid()
    newer = RenewalPair(counter=5, secret=Secret(b"q" * 32))
    keystore.store_renewal_pairs([newer, PAIR])
    assert keystore.renewal_pairs() == (newer, PAIR)
    assert keystore.protection.startswith(("software", "simulated"))
    assert keystore.protection in repr(keystore)


@pytest.mark.requirement("MFS-7.2.7-01")
def test_it_enrols_and_opens_sessions(keystore: DeviceKeystore) -> None:
    phone = Phone(Provider(), suites=(KemSuite.X25519,))
    phone.keystore = keystore
    phone.session = ClientSession(phone.peer, keystore, phone.provider.clock)
    phone.enrol()
    for text in (b"one", b"two"):
        assert phone.session.exchange("test.echo", "/v1/echo", text).status == 200
    phone.session.establish()
    assert phone.record.record.counter >= 2


@pytest.mark.requirement("MFS-7.2.7-01")
@pytest.mark.parametrize("keystore", BOUND, indirect=True)
def test_it_is_for_one_provider_and_never_for_another_root(keystore) -> None:
    keystore.bind(BANK)
    keystore.bind(BANK)
    with pytest.raises(NotAuthentic, match="another provider"):
        keystore.bind(replace(BANK, root="B" * 43))


@pytest.mark.parametrize("keystore", ["passphrase"], indirect=True)
def test_a_second_keystore_in_the_same_place_is_refused(
    keystore: DeviceKeystore, tmp_path: Path, person: Somebody
) -> None:
    assert keystore.possession_public()
    with pytest.raises(Conflict):
        SoftwareKeystore.create_file(
            tmp_path / "k", Secret("other"), entropy=bytes, verify_user=person.verified
        )
