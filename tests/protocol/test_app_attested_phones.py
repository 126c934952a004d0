"""Phones with App Attest at a provider that is served; every key and root here is simulated."""

from collections.abc import Callable, Iterator

import pytest
from simulators.appattest import SimulatedAppKey, SimulatedApple
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import SimulatedFactory
from tests.support.served import Served, served

from tallystick.application.devices import Device
from tallystick.application.devices.store import devices_under
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.process.attestation.model import read_appraisals
from tallystick.protocol.enrolment import Attestation

NUMBERS = (f"+2547222{place:05}" for place in range(1, 100))


@pytest.fixture(scope="module")
def apple() -> SimulatedApple:
    return SimulatedApple(SystemClock().now())


@pytest.fixture(scope="module")
def provider(apple: SimulatedApple, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    text = apple.believed(SimulatedFactory(SystemClock().now()).policy_text())
    with served(tmp_path_factory.mktemp("apple") / "provider", appraisal=text) as found:
        yield found


Attest = Callable[[SimulatedTeeKeystore, bytes], Attestation]


def enrolled(provider: Served, attest: Attest) -> Device:
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
    return provider.platform.desks.devices.get(keystore.identity().device)


@pytest.mark.requirement("MFS-7.4.1-04")
@pytest.mark.requirement("MFS-7.2.6-01")
def test_a_phone_with_app_attest_is_trusted_and_labelled(
    provider: Served, apple: SimulatedApple
) -> None:
    found = enrolled(
        provider,
        lambda one, told: SimulatedAppKey().attest(
            apple, told, one.possession_public(), one.consent_public()
        ),
    )
    assert (found.trust, found.attestation_format) == ("attested-hardware", "apple-app-attest")
    (kept,) = read_appraisals(found.attestation)
    assert kept.verdict.claims["environment"] == "simulated"
    root = f"root:{kept.evidence.root}"
    with open_reader(provider.folder.stored()) as reader:
        assert found.id in devices_under(reader, root)


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize(
    ("attest", "error"),
    [
        (lambda apple, one, told: other_keys(apple, told), NotAuthentic),
        (lambda apple, one, told: keyed(apple, one, b"o" * 32), NotAuthentic),
        (lambda apple, one, told: keyed(stranger(), one, told), NotAuthentic),
        (lambda apple, one, told: keyed(apple, one, told, "TEAM000000.evil"), NotAuthentic),
        (
            lambda apple, one, told: Attestation(format="apple-app-attest", statement="AAAA"),
            Malformed,
        ),
    ],
    ids=["other keys", "other challenge", "other root", "other app", "no object"],
)
def test_what_is_not_about_these_keys_is_refused(
    provider: Served,
    apple: SimulatedApple,
    attest: Callable[[SimulatedApple, SimulatedTeeKeystore, bytes], Attestation],
    error: type[MfsError],
) -> None:
    with pytest.raises(error):
        enrolled(provider, lambda one, told: attest(apple, one, told))


def keyed(
    apple: SimulatedApple, one: SimulatedTeeKeystore, told: bytes, application: str = ""
) -> Attestation:
    made = SimulatedAppKey(application) if application else SimulatedAppKey()
    return made.attest(apple, told, one.possession_public(), one.consent_public())


def other_keys(apple: SimulatedApple, told: bytes) -> Attestation:
    return keyed(apple, SimulatedTeeKeystore(), told)


def stranger() -> SimulatedApple:
    return SimulatedApple(SystemClock().now())
