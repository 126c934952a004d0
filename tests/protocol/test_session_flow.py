"""Enrolment, session and messages, end to end in memory, as an honest device and provider do it."""

import threading

import pytest
from tests.protocol.session_parties import ALL_SUITES, IDLE_S, Phone, Provider

from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.envelope.certificate import verify_certificate
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import (
    Expired,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
)
from tallystick.protocol.session import SESSIONS_PATH

M3 = SESSIONS_PATH + "/"


@pytest.mark.parametrize("suite", ALL_SUITES)
@pytest.mark.requirement("MFS-7.2.7-01")
def test_a_phone_enrols_and_talks_under_every_suite(suite: KemSuite) -> None:
    provider = Provider()
    phone = Phone(provider, suites=(suite,)).enrol()
    exchanged = phone.session.exchange("test.echo", "/v1/echo", b"hello")
    assert (exchanged.status, exchanged.body) == (200, b"echo hello")
    assert provider.acts == [b"hello"]
    accepted = phone.session.accepted
    assert accepted is not None
    assert accepted.open
    assert accepted.counter == 2
    assert accepted.policy_version == 3


def test_the_provider_chooses_by_its_own_order_of_suites() -> None:
    provider = Provider()
    provider.allowed = (KemSuite.P256, KemSuite.X25519)
    phone = Phone(provider, suites=(KemSuite.X25519, KemSuite.P256)).enrol()
    phone.session.establish()
    assert b'"suite":"hpke-p256"' in provider.heard[-2][2].body
    provider.allowed = (KemSuite.MLKEM768_X25519,)
    with pytest.raises(NotPermitted, match="offer one of hpke-mlkem768-x25519"):
        phone.session.establish()


def test_the_certificate_says_which_keys_the_device_has() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    identity = phone.keystore.identity()
    public = provider.device_ca.public()
    certificate = verify_certificate(
        identity.certificate,
        kid="ca-1",
        device_ca=public,
        provider=provider.name,
        now=provider.clock.now(),
    )
    assert certificate.id == identity.certificate_id
    assert certificate.device == identity.device
    assert certificate.possession == b64url(phone.keystore.possession_public())
    assert certificate.consent == b64url(phone.keystore.consent_public())
    arguments = {"kid": "ca-1", "device_ca": public, "provider": provider.name}
    provider.clock.advance(86_400_000)
    with pytest.raises(Expired):
        verify_certificate(identity.certificate, now=provider.clock.now(), **arguments)
    arguments["kid"] = "ca-2"
    with pytest.raises(NotAuthentic):
        verify_certificate(identity.certificate, now=provider.clock.now(), **arguments)
    arguments.update(kid="ca-1", device_ca=provider.signing.public())
    with pytest.raises(NotAuthentic):
        verify_certificate(identity.certificate, now=provider.clock.now(), **arguments)


@pytest.mark.requirement("MFS-7.2.7-02")
@pytest.mark.requirement("MFS-6.2.2-04")
def test_what_is_personal_or_secret_never_passes_in_clear() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"four hundred shillings to Amina")
    identity = phone.keystore.identity()
    wire = b"".join(body + reply.body for _, body, reply in provider.heard)
    for secret in (
        identity.device.encode(),
        identity.customer.encode(),
        identity.certificate.encode(),
        b"K7QW-2M9D",
        b"Amina",
        b64url(phone.keystore.possession_public()).encode(),
        phone.keystore.renewal_pairs()[0].secret.reveal(),
    ):
        assert secret not in wire


def test_threads_share_a_session_and_every_number_is_used_once() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    replies: list[bytes] = []

    def talk(number: int) -> None:
        replies.append(phone.session.exchange("test.echo", "/v1/echo", b"%d" % number).body)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == sorted(b"echo %d" % number for number in range(12))
    assert len(provider.sessions) == 1
    (session,) = provider.sessions.values()
    assert (session.window.highest, session.window.bitmap) == (12, 2**11 - 1)


def test_an_idle_or_old_session_is_established_anew() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    provider.clock.advance((IDLE_S - 1) * 1000)
    phone.session.exchange("test.echo", "/v1/echo", b"two")
    assert len(provider.sessions) == 1
    provider.clock.advance(IDLE_S * 1000)
    phone.session.exchange("test.echo", "/v1/echo", b"three")
    assert len(provider.sessions) == 2
    for _ in range(13):
        provider.clock.advance((IDLE_S - 1) * 1000)
        phone.session.exchange("test.echo", "/v1/echo", b"busy")
    assert len(provider.sessions) == 3


def test_a_session_that_the_provider_forgot_is_replaced_and_the_request_sent_again() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    provider.sessions.clear()
    with pytest.raises(Unauthenticated):
        phone.session.exchange("test.echo", "/v1/echo", b"two", resend=False)
    assert phone.session.exchange("test.echo", "/v1/echo", b"two").body == b"echo two"
    assert provider.acts == [b"one", b"two"]


def test_what_is_never_sent_twice_opens_another_session_with_the_next_request() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    provider.sessions.clear()
    with pytest.raises(Unauthenticated):
        phone.session.exchange("test.echo", "/v1/echo", b"two", resend=False)
    found = phone.session.exchange("test.echo", "/v1/echo", b"three", resend=False)
    assert found.body == b"echo three"
    assert provider.acts == [b"one", b"three"]


def test_a_sealed_401_ends_the_session_only_if_it_says_so() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    provider.sealed_refusal = Unauthenticated("the session is over")
    assert phone.session.exchange("test.echo", "/v1/echo", b"two").body == b"echo two"
    assert len(provider.sessions) == 2
    provider.sealed_refusal = StepUpRequired("a PIN is needed")
    exchanged = phone.session.exchange("test.echo", "/v1/echo", b"three")
    assert exchanged.status == 401
    assert b"step-up-required" in exchanged.body
    assert len(provider.sessions) == 2


def test_lost_messages_leave_a_device_that_can_come_back() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    for lost in ("lose_request", "lose_reply", "lose_reply", "lose_request", "lose_reply"):
        setattr(phone.wire, lost, lambda path: path.startswith(M3))
        with pytest.raises(Unavailable):
            phone.session.establish()
        setattr(phone.wire, lost, lambda path: False)
    assert len(phone.keystore.renewal_pairs()) == 4
    assert phone.session.establish().open
    assert [pair.counter for pair in phone.keystore.renewal_pairs()] == [
        phone.record.record.counter
    ]
    assert not phone.record.suspended


def test_a_device_that_is_not_enrolled_says_so() -> None:
    phone = Phone(Provider())
    with pytest.raises(NotFound, match="activation code"):
        phone.session.exchange("test.echo", "/v1/echo", b"")
    with pytest.raises(NotAuthentic):
        phone.enrol("WRONG-CODE")
    with pytest.raises(NotFound):
        phone.keystore.identity()


def test_a_suspended_device_is_refused_by_name_of_the_cause() -> None:
    phone = Phone(Provider()).enrol()
    phone.record.suspended = True
    with pytest.raises(NotPermitted, match="suspended"):
        phone.session.establish()


def test_closing_forgets_the_keys() -> None:
    provider = Provider()
    phone = Phone(provider).enrol()
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    phone.session.close()
    assert phone.session.accepted is None
    phone.session.exchange("test.echo", "/v1/echo", b"two")
    assert len(provider.sessions) == 2


def test_a_reply_that_nobody_understands_is_unavailable() -> None:
    phone = Phone(Provider()).enrol()
    phone.wire.change_reply = lambda path, reply: type(reply)(502, b"<html>", {})
    with pytest.raises(MfsError) as caught:
        phone.session.establish()
    assert type(caught.value) is Unavailable
