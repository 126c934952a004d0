"""The wire was recorded, then every long-term key was lost: the past stays closed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from tests.protocol.session_parties import Phone, Provider

from tallystick.client.session import Reply
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope import handshake_server, schedule
from tallystick.infrastructure.envelope.cose import open_reply, open_request
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotAuthentic
from tallystick.protocol.session import DeviceProof, ProviderShare, SessionAnswer, SessionProof

SECRET = b"four hundred shillings to Amina"


def scalar_of(signer: Es256SigningKey) -> bytes:
    loaded = load_der_private_key(signer.to_pkcs8().reveal(), password=None)
    assert isinstance(loaded, EllipticCurvePrivateKey)
    return loaded.private_numbers().private_value.to_bytes(32, "big")


class Recording:
    """One session over P-256, as an eavesdropper has it: four messages, a request, a reply."""

    def __init__(self, provider: Provider, phone: Phone) -> None:
        provider.heard.clear()
        phone.session.close()
        phone.session.exchange("test.echo", "/v1/echo", SECRET)
        (_, self.hello, m2), (_, m3, self.m4), (_, self.request, self.reply) = provider.heard
        self.answer = Decoder(SessionAnswer).decode(m2.body)
        self.proof = Decoder(SessionProof).decode(m3)
        self.t1 = schedule.transcript(schedule.HELLO, self.hello)
        core_at = schedule.transcript(schedule.ANSWER, self.t1, encode_canonical(self.answer.core))
        self.t2 = schedule.transcript(
            schedule.ANSWERED,
            core_at,
            b64url_decode(self.answer.signature),
            b64url_decode(self.answer.mac),
        )

    def opened_share(self, kem: KemPrivateKey) -> ProviderShare:
        """What m2 seals, with a private key of the device for m1."""
        sealed = b64url_decode(self.answer.core.sealed)
        return Decoder(ProviderShare).decode(
            kem.open(sealed, info=schedule.ANSWER_SEALED + self.t1)
        )

    def opened_proof(self, kem: KemPrivateKey) -> DeviceProof:
        """What m3 seals, with a private key of the provider for m2."""
        sealed = b64url_decode(self.proof.sealed)
        return Decoder(DeviceProof).decode(kem.open(sealed, info=schedule.SESSION_SEALED + self.t2))

    def keys(self, kem_device: KemPrivateKey, kem_provider: KemPrivateKey) -> SessionKeys:
        share, proof = self.opened_share(kem_device), self.opened_proof(kem_provider)
        at = schedule.transcript(schedule.SESSION_CLAIM, self.t2, encode_canonical(proof.claim))
        t3 = schedule.transcript(
            schedule.PROVED, at, b64url_decode(proof.signature), b64url_decode(proof.mac)
        )
        shares = b64url_decode(share.secret) + b64url_decode(proof.claim.secret)
        return schedule.session_keys(self.answer.core.session, shares, t3)


@pytest.fixture
def ephemeral(monkeypatch: pytest.MonkeyPatch) -> list[KemPrivateKey]:
    """The fresh KEM keys of both sides, in the order they were made; known to nobody else."""
    made: list[KemPrivateKey] = []

    class Observed(KemPrivateKey):
        __slots__ = ()

        @classmethod
        def generate(cls, suite: KemSuite) -> KemPrivateKey:
            made.append(KemPrivateKey.generate(suite))
            return made[-1]

    monkeypatch.setattr("tallystick.client.session.KemPrivateKey", Observed)
    monkeypatch.setattr(handshake_server, "KemPrivateKey", Observed)
    return made


@pytest.mark.requirement("MFS-7.3.2-06")
@pytest.mark.threat("THR-NET-02")
def test_all_long_term_keys_together_open_no_past_session(ephemeral: list[KemPrivateKey]) -> None:
    provider = Provider()
    phone = Phone(provider, suites=(KemSuite.P256,)).enrol()
    phone.session.establish()
    first_cookie_key = provider.cookies
    ephemeral.clear()
    recording = Recording(provider, phone)

    assert SECRET not in recording.request + recording.reply.body
    device_kem, provider_kem = ephemeral
    keys = recording.keys(device_kem, provider_kem)
    assert open_request(keys, "test.echo", recording.request).content == SECRET
    reply: Reply = recording.reply
    assert open_reply(keys, "test.echo", 1, reply.status, reply.body) == b"echo " + SECRET

    kept = phone.keystore._kept
    lost_keys = [
        KemPrivateKey.from_octets(KemSuite.P256, scalar_of(signer))
        for signer in (provider.signing, provider.device_ca, kept.possession, kept.consent)
    ]
    for lost in lost_keys:
        with pytest.raises(NotAuthentic):
            recording.opened_share(lost)
        with pytest.raises(NotAuthentic):
            recording.opened_proof(lost)
    for octet in (1, 2):
        first_cookie_key.rotate(bytes((octet,)) * 32)
    with pytest.raises(NotAuthentic):
        provider.cookies.open(recording.answer.cookie, provider.clock.now())
    renewal = phone.keystore.renewal_pairs()[0].secret.reveal()
    for guess in (renewal * 2, bytes(32) + renewal, bytes(64)):
        for salt in (recording.t1, recording.t2):
            guessed = schedule.session_keys(recording.answer.core.session, guess, salt)
            with pytest.raises(NotAuthentic):
                open_request(guessed, "test.echo", recording.request)


@pytest.mark.requirement("MFS-7.3.2-06")
def test_either_ephemeral_key_alone_is_not_enough(ephemeral: list[KemPrivateKey]) -> None:
    provider = Provider()
    phone = Phone(provider, suites=(KemSuite.P256,)).enrol()
    ephemeral.clear()
    recording = Recording(provider, phone)
    device_kem, provider_kem = ephemeral
    for one, two in ((device_kem, device_kem), (provider_kem, provider_kem)):
        with pytest.raises(NotAuthentic):
            recording.keys(one, two)


@pytest.mark.requirement("MFS-13.2-02")
@pytest.mark.requirement("MFS-7.2.7-02")
@pytest.mark.requirement("MFS-7.3.2-06")
def test_two_sessions_of_the_same_long_term_keys_share_nothing() -> None:
    provider = Provider()
    phone = Phone(provider, suites=(KemSuite.P256,)).enrol()
    one, two = Recording(provider, phone), Recording(provider, phone)
    first, second = (session.keys for session in provider.sessions.values())
    assert first.octets() != second.octets()
    assert first.kid != second.kid
    assert one.answer.core.kem_public != two.answer.core.kem_public
    for wrong, recording in ((second, one), (first, two)):
        with pytest.raises(NotAuthentic):
            open_request(wrong, "test.echo", recording.request)
        moved = SessionKeys(recording.request[9:25], wrong.octets().reveal())
        with pytest.raises(NotAuthentic):
            open_request(moved, "test.echo", recording.request)
