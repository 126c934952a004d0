"""A device that met its provider with the hybrid offers nothing less: there is no way back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.protocol.session_parties import Phone, Provider, verified

from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.meeting import HYBRID
from tallystick.client.session import ClientSession
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.kernel.errors import NotPermitted, UpgradeRequired
from tallystick.kernel.secret import Secret
from tallystick.protocol.session import SESSIONS_PATH, Purpose

BOTH = (HYBRID, KemSuite.X25519)
LESS = (KemSuite.X25519,)


def kept(provider: Provider, suites: tuple[KemSuite, ...] = BOTH) -> Phone:
    """A phone whose keystore remembers with what its provider was met."""
    phone = Phone(provider, suites=suites)
    phone.peer = replace(phone.peer, met=phone.keystore)
    phone.session = ClientSession(phone.peer, phone.keystore, provider.clock)
    return phone


def offers(provider: Provider) -> list[list[str]]:
    return [json.loads(body)["suites"] for path, body, _ in provider.heard if path == SESSIONS_PATH]


@pytest.mark.requirement("MFS-7.2.7-01")
def test_once_met_with_the_hybrid_it_alone_is_offered() -> None:
    provider = Provider()
    phone = kept(provider).enrol()
    phone.session.establish()
    assert offers(provider) == [[one.value for one in BOTH], [HYBRID.value]]
    provider.allowed = LESS
    with pytest.raises(NotPermitted):
        phone.session.establish()
    assert offers(provider)[-1] == [HYBRID.value], "a refusal does not make the offer smaller"
    told = len(provider.heard)
    classical = replace(phone.peer, suites=LESS)
    with pytest.raises(UpgradeRequired) as refused:
        classical.authenticated(Purpose.SESSION)
    assert refused.value.code == "upgrade-required"
    assert len(provider.heard) == told, "nothing was sent"


@pytest.mark.requirement("MFS-7.2.7-01")
def test_it_is_remembered_over_a_restart_and_by_an_authentic_answer_alone(tmp_path: Path) -> None:
    provider, phrase = Provider(), Secret("phrase")
    phone = kept(provider)
    file = tmp_path / "keys"
    phone.keystore = SoftwareKeystore.create_file(
        file, phrase, entropy=phone.entropy, verify_user=verified
    )
    phone.peer = replace(phone.peer, met=phone.keystore)
    forged = replace(phone.peer, provider="Another Provider")
    with pytest.raises(Exception, match="provider"):
        forged.authenticated(Purpose.ENROLMENT)
    assert not phone.keystore.met_hybrid()
    phone.enrol()
    again = SoftwareKeystore.open_file(file, phrase, entropy=phone.entropy, verify_user=verified)
    assert again.met_hybrid()


def test_a_provider_that_was_met_without_it_may_still_be_offered_both() -> None:
    provider = Provider()
    provider.allowed = LESS
    phone = kept(provider).enrol()
    assert not phone.keystore.met_hybrid()
    provider.allowed = BOTH
    phone.session.establish()
    assert phone.keystore.met_hybrid()
