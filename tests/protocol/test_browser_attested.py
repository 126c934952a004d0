"""Browsers with an authenticator beside them, at a provider that is served; all of it simulated."""

from collections.abc import Callable, Iterator

import pytest
from simulators.authenticator import SimulatedAuthenticator
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import SimulatedFactory
from tests.support.served import Served, served

from tallystick.application.devices import Device
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.process.attestation.model import read_appraisals
from tallystick.protocol.enrolment import Attestation

NUMBERS = (f"+2547444{place:05}" for place in range(1, 100))
Attest = Callable[[SimulatedAuthenticator, bytes, bytes, bytes], Attestation]


@pytest.fixture(scope="module")
def beside() -> SimulatedAuthenticator:
    return SimulatedAuthenticator(SystemClock().now())


@pytest.fixture(scope="module")
def provider(
    beside: SimulatedAuthenticator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    text = beside.believed(SimulatedFactory(SystemClock().now()).policy_text())
    with served(tmp_path_factory.mktemp("browser") / "provider", appraisal=text) as found:
        yield found


def enrolled(provider: Served, beside: SimulatedAuthenticator, attest: Attest) -> Device:
    to = next(NUMBERS)
    reply = provider.open_customer(to, "Test Person")
    keystore = SimulatedTeeKeystore()
    keys = keystore.possession_public(), keystore.consent_public()
    provider.reached.enrol(
        keystore,
        activation=reply.reference,
        code=provider.activation_code(to),
        description=DESCRIPTION,
        attest=lambda told: attest(beside, told, *keys),
    )
    return provider.platform.desks.devices.get(keystore.identity().device)


@pytest.mark.requirement("MFS-7.2.6-01")
@pytest.mark.requirement("MFS-8.1.2-01")
def test_an_authenticator_beside_a_browser_makes_no_hardware_of_its_keys(
    provider: Served, beside: SimulatedAuthenticator
) -> None:
    found = enrolled(provider, beside, lambda one, told, *keys: one.attest(told, *keys))
    (kept,) = read_appraisals(found.attestation)
    assert (kept.evidence.format, kept.verdict.outcome.value) == ("packed", "accepted")
    assert kept.verdict.claims["environment"] == "simulated"
    assert (found.trust, found.attestation_format) == ("software", "webauthn")


def test_a_browser_that_attests_nothing_is_software_too(
    provider: Served, beside: SimulatedAuthenticator
) -> None:
    found = enrolled(provider, beside, lambda one, told, *keys: one.attest(told, *keys, bare=True))
    assert (found.trust, read_appraisals(found.attestation)[0].verdict.outcome.value) == (
        "software",
        "bare",
    )


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize(
    ("attest", "error"),
    [
        (lambda one, told, *keys: one.attest(b"o" * 32, *keys), NotAuthentic),
        (lambda one, told, first, second: one.attest(told, second, first), NotAuthentic),
        (lambda one, told, *keys: one.attest(told, *keys, flags=0x41), NotAuthentic),
        (lambda _, told, *keys: other(relying="evil.example").attest(told, *keys), NotAuthentic),
        (lambda _, told, *keys: other(origin="https://e.vil").attest(told, *keys), NotAuthentic),
        (lambda _, told, *keys: other().attest(told, *keys), NotAuthentic),
        (lambda *_: Attestation(format="webauthn", statement="AAAA"), Malformed),
    ],
    ids=["challenge", "other keys", "nobody", "relying", "origin", "root", "no object"],
)
def test_what_was_made_for_something_else_is_refused(
    provider: Served, beside: SimulatedAuthenticator, attest: Attest, error: type[MfsError]
) -> None:
    with pytest.raises(error):
        enrolled(provider, beside, attest)


def other(**asked: str) -> SimulatedAuthenticator:
    return SimulatedAuthenticator(SystemClock().now(), **asked)
