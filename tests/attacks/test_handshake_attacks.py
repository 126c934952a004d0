"""Attacks on the handshake: in the middle, misbinding, reflection, replay, downgrade, changes."""

from collections.abc import Callable

import pytest
from tests.protocol.session_parties import (
    ALL_SUITES,
    CODE,
    DESCRIPTION,
    Phone,
    Provider,
    refused_with,
)

from tallystick.client.session import Peer, Reply
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.handshake_client import (
    AuthenticatedProvider,
    Greeting,
    PendingSession,
    authenticate_provider,
    greet,
)
from tallystick.infrastructure.envelope.handshake_server import open_enrolment, open_session_proof
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import (
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    Refused,
    Replayed,
)
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.enrolment import Attestation, EnrolmentProofs
from tallystick.protocol.session import (
    SESSIONS_PATH,
    DeviceProof,
    Purpose,
    SessionAnswer,
    SessionHello,
    SessionProof,
)

SUITES = (KemSuite.X25519,)
M3 = SESSIONS_PATH + "/"


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def phone(provider: Provider) -> Phone:
    return Phone(provider, suites=SUITES).enrol()


def greeted(purpose: Purpose = Purpose.SESSION) -> Greeting:
    return greet(purpose, [KemPrivateKey.generate(suite) for suite in SUITES], bytes(32))


def proved(phone: Phone) -> PendingSession:
    """An honest m3 that was not sent."""
    identity = phone.keystore.identity()
    return phone.peer.authenticated(Purpose.SESSION).prove_session(
        device=identity.device,
        certificate=identity.certificate_id,
        sign=phone.keystore.possession_sign,
        pairs=phone.keystore.renewal_pairs(),
        share=Secret(phone.entropy(32)),
    )


# --- somebody else answers -------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.2.3-02")
@pytest.mark.requirement("MFS-7.2.7-01")
@pytest.mark.threat("THR-NET-01")
def test_a_rogue_provider_is_refused_and_hears_nothing_but_the_hello(phone: Phone) -> None:
    rogue = Provider(seed=9)
    rogue.devices = phone.provider.devices
    phone.wire.provider = rogue
    with pytest.raises(NotAuthentic):
        phone.session.exchange("test.echo", "/v1/echo", b"secret")
    assert [path for path, _, _ in rogue.heard] == [SESSIONS_PATH]


@pytest.mark.requirement("MFS-7.3.2-05")
def test_a_rogue_provider_hears_no_activation_code() -> None:
    phone = Phone(Provider(), suites=SUITES)
    rogue = Provider(seed=9)
    phone.wire.provider = rogue
    with pytest.raises(NotAuthentic):
        phone.enrol()
    assert [path for path, _, _ in rogue.heard] == [SESSIONS_PATH]
    assert CODE.encode() not in rogue.heard[0][1]


@pytest.mark.requirement("MFS-12.2-03")
def test_an_unknown_kid_or_another_name_is_refused(provider: Provider) -> None:
    greeting = greeted()
    answer = provider.answer(greeting.body)
    with pytest.raises(NotAuthentic, match="key list"):
        authenticate_provider(greeting, answer, provider=provider.name, keys={})
    with pytest.raises(NotAuthentic):
        authenticate_provider(greeting, answer, provider="Other", keys=provider.keys())


def test_nobody_makes_an_authenticated_provider_by_hand(provider: Provider) -> None:
    greeting = greeted()
    answer = Decoder(SessionAnswer).decode(provider.answer(greeting.body))
    with pytest.raises(NotAuthentic):
        AuthenticatedProvider(
            object(), answer=answer, purpose=Purpose.SESSION, kem=None, share=None, t2=b""
        )


def test_an_answer_to_another_hello_is_refused(provider: Provider) -> None:
    one, two = greeted(), greeted()
    answer = provider.answer(one.body)
    with pytest.raises(NotAuthentic):
        authenticate_provider(two, answer, provider=provider.name, keys=provider.keys())


@pytest.mark.requirement("MFS-7.2.7-01")
def test_an_insider_who_signs_without_knowing_the_share_is_refused(provider: Provider) -> None:
    """Identity misbinding: another holder of a listed key puts its own name under our answer."""
    insider = Es256SigningKey.generate()
    greeting = greeted()
    answer = Decoder(SessionAnswer).decode(provider.answer(greeting.body))
    core = replace(answer.core, provider="Insider", kid="insider-1")
    t1 = schedule.transcript(schedule.HELLO, greeting.body)
    at = schedule.transcript(schedule.ANSWER, t1, encode_canonical(core))
    signature = insider.sign(schedule.ANSWER_SIGNATURE + at)
    forged = replace(answer, core=core, signature=b64url(signature))
    with pytest.raises(NotAuthentic):
        authenticate_provider(
            greeting,
            encode_canonical(forged),
            provider="Insider",
            keys={"insider-1": insider.public()},
        )


# --- somebody else proves --------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.2.7-01")
def test_a_customer_cannot_take_over_the_session_that_another_began(provider: Provider) -> None:
    """Unknown key share: the attacker is enrolled and proves itself under the victim's answer."""
    attacker = Phone(provider, suites=SUITES, seed=5).enrol()
    greeting = greeted()
    answer = Decoder(SessionAnswer).decode(provider.answer(greeting.body))
    begun = provider.cookies.open(answer.cookie, provider.clock.now())
    claim = _opened(provider, proved(attacker)).claim
    at = schedule.transcript(schedule.SESSION_CLAIM, begun.t2, encode_canonical(claim))
    signature = attacker.keystore.possession_sign(schedule.SESSION_SIGNATURE + at)

    def forged(share: bytes) -> bytes:
        shares = share + b64url_decode(claim.secret)
        mac = schedule.mac_under(shares, at, schedule.SESSION_MAC, claim.device)
        proof = DeviceProof(claim=claim, signature=b64url(signature), mac=b64url(mac))
        kem = KemPublicKey(KemSuite.X25519, b64url_decode(answer.core.kem_public))
        info = schedule.SESSION_SEALED + begun.t2
        sealed = b64url(kem.seal(encode_canonical(proof), info=info))
        return encode_canonical(SessionProof(cookie=answer.cookie, sealed=sealed))

    session, now = answer.core.session, provider.clock.now()
    with pytest.raises(NotAuthentic):
        open_session_proof(session, forged(bytes(32)), provider.cookies, now)
    known = open_session_proof(session, forged(begun.share.reveal()), provider.cookies, now)
    assert known.device == attacker.keystore.identity().device, "only the share was in the way"


def _opened(provider: Provider, pending: PendingSession) -> DeviceProof:
    """What an honest m3 seals; the test may open it with the provider's cookie key."""
    proof = Decoder(SessionProof).decode(pending.body)
    begun = provider.cookies.open(proof.cookie, provider.clock.now())
    opened = begun.kem.open(b64url_decode(proof.sealed), info=schedule.SESSION_SEALED + begun.t2)
    return Decoder(DeviceProof).decode(opened)


@pytest.mark.requirement("MFS-7.3.2-08")
@pytest.mark.requirement("MFS-7.3.2-04")
def test_the_names_and_secrets_of_a_device_without_its_key_open_nothing(
    provider: Provider, phone: Phone
) -> None:
    thief = Es256SigningKey.generate()
    identity = phone.keystore.identity()
    pending = phone.peer.authenticated(Purpose.SESSION).prove_session(
        device=identity.device,
        certificate=identity.certificate_id,
        sign=thief.sign,
        pairs=phone.keystore.renewal_pairs(),
        share=Secret(bytes(32)),
    )
    with pytest.raises(NotAuthentic):
        provider.open_session(pending.session, pending.body)
    assert not phone.record.suspended


def test_another_certificate_than_the_current_is_refused(provider: Provider, phone: Phone) -> None:
    pending = proved(phone)
    phone.record.certificate = "crt_" + "0" * 26
    with pytest.raises(NotAuthentic):
        provider.open_session(pending.session, pending.body)


# --- replay and reflection -------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.3.2-07")
@pytest.mark.requirement("MFS-7.2.7-03")
@pytest.mark.threat("THR-NET-02")
def test_a_replayed_proof_opens_no_second_session(provider: Provider, phone: Phone) -> None:
    phone.session.establish()
    path, body, _ = provider.heard[-1]
    assert refused_with(provider.post(path, body, ""), Replayed)
    assert len(provider.sessions) == 1
    assert not phone.record.suspended
    provider.clock.advance(61_000)
    assert refused_with(provider.post(path, body, ""), Expired)


def test_a_proof_held_back_while_the_device_went_on_suspends_nobody(
    provider: Provider, phone: Phone
) -> None:
    held = proved(phone)
    phone.session.establish()
    reply = provider.post(M3 + held.session, held.body, "")
    assert reply.status == 409
    assert not phone.record.suspended
    assert phone.session.establish().open


def test_a_proof_for_another_session_or_under_another_cookie_is_refused(
    provider: Provider, phone: Phone
) -> None:
    one, two = proved(phone), proved(phone)
    with pytest.raises(NotAuthentic):
        provider.open_session(two.session, one.body)
    proof = Decoder(SessionProof).decode(one.body)
    other = Decoder(SessionProof).decode(two.body)
    mixed = encode_canonical(replace(proof, cookie=other.cookie))
    for session in (one.session, two.session):
        with pytest.raises(NotAuthentic):
            provider.open_session(session, mixed)


def test_what_a_party_sent_is_not_taken_back_from_it(provider: Provider, phone: Phone) -> None:
    greeting = greeted()
    answer = provider.answer(greeting.body)
    with pytest.raises(Malformed):
        authenticate_provider(greeting, greeting.body, provider=provider.name, keys=provider.keys())
    with pytest.raises(Malformed):
        provider.answer(answer)
    pending = proved(phone)
    with pytest.raises(MfsError):
        pending.confirm(200, pending.body)


def test_a_signature_of_one_place_serves_in_no_other() -> None:
    signer = Es256SigningKey.generate()
    at = bytes(32)
    places = (
        schedule.ANSWER_SIGNATURE,
        schedule.SESSION_SIGNATURE,
        schedule.ENROLMENT_POSSESSION,
        schedule.ENROLMENT_CONSENT,
    )
    for made in places:
        signature = signer.sign(made + at)
        for used in places:
            if used != made:
                with pytest.raises(NotAuthentic):
                    signer.public().verify(signature, used + at)


# --- downgrade and purpose -------------------------------------------------------------------


def weakened(body: bytes, change: Callable[[SessionHello], SessionHello]) -> bytes:
    return encode_canonical(change(Decoder(SessionHello).decode(body)))


def without_first_suite(hello: SessionHello) -> SessionHello:
    left = hello.suites[1:]
    return replace(hello, suites=left, kem_public={name: hello.kem_public[name] for name in left})


@pytest.mark.parametrize(
    "change",
    [
        without_first_suite,
        lambda hello: replace(hello, suites=hello.suites[::-1]),
        lambda hello: replace(hello, versions=(*hello.versions, 0)),
        lambda hello: replace(hello, versions=(9, *hello.versions)),
        lambda hello: replace(hello, nonce=b64url(b"\x01" * 32)),
        lambda hello: replace(hello, purpose=Purpose.ENROLMENT),
    ],
)
def test_a_hello_weakened_on_the_way_is_noticed(
    change: Callable[[SessionHello], SessionHello],
) -> None:
    provider = Provider()
    phone = Phone(provider, suites=ALL_SUITES).enrol()
    phone.wire.change_request = lambda path, body: (
        weakened(body, change) if path == SESSIONS_PATH else body
    )
    with pytest.raises(NotAuthentic):
        phone.session.establish()
    assert not provider.sessions


def test_a_choice_that_was_not_offered_is_refused(provider: Provider) -> None:
    greeting = greeted()
    answer = Decoder(SessionAnswer).decode(provider.answer(greeting.body))
    for core in (
        replace(answer.core, suite="hpke-p256"),
        replace(answer.core, version=2),
        replace(answer.core, version=0),
    ):
        body = encode_canonical(replace(answer, core=core))
        with pytest.raises(NotAuthentic):
            authenticate_provider(greeting, body, provider=provider.name, keys=provider.keys())


@pytest.mark.requirement("MFS-7.4.1-02")
def test_a_handshake_for_one_purpose_serves_no_other(provider: Provider, phone: Phone) -> None:
    enrolling = phone.peer.authenticated(Purpose.ENROLMENT)
    with pytest.raises(Malformed):
        enrolling.prove_session(
            device="", certificate="", sign=bytes, pairs=(), share=Secret(bytes(32))
        )
    pending = proved(phone)
    with pytest.raises(NotAuthentic):
        open_enrolment(pending.session, pending.body, provider.cookies, provider.clock.now())


def enrolment_proofs(provider: Provider, keystore_of: Phone) -> tuple[str, str, EnrolmentProofs]:
    """Session, cookie and content of an enrolment that was not sent."""
    keystore = keystore_of.keystore
    peer: Peer = keystore_of.peer
    pending = peer.authenticated(Purpose.ENROLMENT).prove_enrolment(
        activation="atv_" + "0" * 26,
        code=Secret(CODE),
        possession=(keystore.possession_public(), keystore.possession_sign),
        consent=(keystore.consent_public(), lambda m: keystore.consent_sign(m, shown="enrol")),
        attestation=Attestation(format="none", statement=""),
        description=DESCRIPTION,
        share=Secret(keystore_of.entropy(32)),
    )
    proof = Decoder(SessionProof).decode(pending.body)
    begun = provider.cookies.open(proof.cookie, provider.clock.now())
    info = schedule.ENROLMENT_SEALED + begun.t2
    opened = begun.kem.open(b64url_decode(proof.sealed), info=info)
    return pending.session, proof.cookie, Decoder(EnrolmentProofs).decode(opened)


def resealed(provider: Provider, cookie: str, proofs: EnrolmentProofs) -> bytes:
    """`proofs` sealed for the handshake of `cookie`, MACed by somebody who knows both shares."""
    begun = provider.cookies.open(cookie, provider.clock.now())
    shares = begun.share.reveal() + b64url_decode(proofs.claim.secret)
    at = schedule.transcript(schedule.ENROLMENT_CLAIM, begun.t2, encode_canonical(proofs.claim))
    mac = schedule.mac_under(shares, at, schedule.ENROLMENT_MAC, proofs.claim.possession)
    sealed = begun.kem.public().seal(
        encode_canonical(replace(proofs, mac=b64url(mac))),
        info=schedule.ENROLMENT_SEALED + begun.t2,
    )
    return encode_canonical(SessionProof(cookie=cookie, sealed=b64url(sealed)))


@pytest.mark.requirement("MFS-7.4.1-02")
@pytest.mark.requirement("MFS-7.4.1-04")
def test_proofs_of_one_enrolment_are_refused_in_another(provider: Provider) -> None:
    """Mix and match: even a party to the handshake cannot bring keys that are not there."""
    victim, thief = Phone(provider, suites=SUITES, seed=3), Phone(provider, suites=SUITES, seed=4)
    _, _, theirs = enrolment_proofs(provider, victim)
    session, cookie, own = enrolment_proofs(provider, thief)
    now = provider.clock.now()
    honest = open_enrolment(session, resealed(provider, cookie, own), provider.cookies, now)
    assert honest.possession.octets() == thief.keystore.possession_public()
    stolen_possession = replace(own.claim, possession=theirs.claim.possession)
    stolen_consent = replace(own.claim, consent=theirs.claim.consent)
    for changed in (
        theirs,
        replace(own, claim=stolen_possession),
        replace(own, claim=stolen_possession, possession_signature=theirs.possession_signature),
        replace(own, claim=stolen_consent),
        replace(own, claim=stolen_consent, consent_signature=theirs.consent_signature),
        replace(
            own,
            possession_signature=own.consent_signature,
            consent_signature=own.possession_signature,
        ),
        replace(own, claim=replace(own.claim, code="OTHER-CODE")),
        replace(own, claim=replace(own.claim, activation="atv_" + "1" * 26)),
    ):
        with pytest.raises(NotAuthentic):
            open_enrolment(session, resealed(provider, cookie, changed), provider.cookies, now)


def test_one_key_cannot_be_both(provider: Provider) -> None:
    session, cookie, own = enrolment_proofs(provider, Phone(provider, suites=SUITES))
    twice = replace(own, claim=replace(own.claim, consent=own.claim.possession))
    with pytest.raises(Malformed, match="two keys"):
        open_enrolment(
            session, resealed(provider, cookie, twice), provider.cookies, provider.clock.now()
        )


@pytest.mark.requirement("MFS-7.4.1-04")
def test_an_attestation_is_asked_for_this_handshake_only(provider: Provider) -> None:
    phone = Phone(provider, suites=SUITES)
    first = phone.peer.authenticated(Purpose.ENROLMENT).attestation_challenge()
    second = phone.peer.authenticated(Purpose.ENROLMENT).attestation_challenge()
    assert len(first) == len(second) == 32
    assert first != second
    session, cookie, own = enrolment_proofs(provider, phone)
    opened = open_enrolment(
        session, resealed(provider, cookie, own), provider.cookies, provider.clock.now()
    )
    t2 = provider.cookies.open(cookie, provider.clock.now()).t2
    assert opened.challenge == schedule.transcript(schedule.ENROLMENT_CHALLENGE, t2)


# --- changed octets --------------------------------------------------------------------------


def flips(body: bytes) -> list[bytes]:
    """Every octet of `body` changed, one at a time."""
    return [body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :] for at in range(len(body))]


def test_every_changed_octet_of_the_hello_is_noticed(provider: Provider) -> None:
    greeting = greeted()
    for changed in flips(greeting.body):
        with pytest.raises(Refused):  # noqa: PT012 - either side may be the one to refuse
            answer = provider.answer(changed)
            authenticate_provider(greeting, answer, provider=provider.name, keys=provider.keys())


def test_every_changed_octet_of_the_answer_is_noticed(provider: Provider, phone: Phone) -> None:
    greeting = greeted()
    body = provider.answer(greeting.body)
    identity = phone.keystore.identity()
    for changed in flips(body):
        with pytest.raises(Refused):  # noqa: PT012 - a changed cookie is the provider's to refuse
            answering = authenticate_provider(
                greeting, changed, provider=provider.name, keys=provider.keys()
            )
            pending = answering.prove_session(
                device=identity.device,
                certificate=identity.certificate_id,
                sign=phone.keystore.possession_sign,
                pairs=phone.keystore.renewal_pairs(),
                share=Secret(bytes(32)),
            )
            provider.open_session(pending.session, pending.body)
    assert not provider.sessions


def test_every_changed_octet_of_the_proof_is_noticed(provider: Provider, phone: Phone) -> None:
    pending = proved(phone)
    for changed in flips(pending.body):
        with pytest.raises(Refused):
            open_session_proof(
                pending.session, changed, provider.cookies, Instant(provider.clock.now())
            )
    provider.open_session(pending.session, pending.body)


def test_every_changed_octet_of_the_acceptance_is_noticed(provider: Provider, phone: Phone) -> None:
    pending = proved(phone)
    status, sealed = provider.open_session(pending.session, pending.body)
    for changed in flips(sealed):
        with pytest.raises(Refused):
            pending.confirm(status, changed)
    with pytest.raises(NotAuthentic):
        pending.confirm(201, sealed)
    assert pending.confirm(status, sealed).accepted.open


def test_a_hello_out_of_bounds_is_malformed(provider: Provider) -> None:
    honest = Decoder(SessionHello).decode(greeted().body)
    low_order = {"hpke-x25519": b64url(bytes(32))}
    for changed in (
        replace(honest, suites=()),
        replace(honest, versions=()),
        replace(honest, versions=(1,) * 9),
        replace(honest, suites=("hpke-x25519", "hpke-x25519")),
        replace(honest, suites=("hpke-x25519", "hpke-p256")),
        replace(honest, kem_public={}),
        replace(honest, kem_public={"hpke-x25519": b64url(bytes(31))}),
        replace(honest, kem_public=low_order),
    ):
        with pytest.raises(Malformed):
            provider.answer(encode_canonical(changed))
    spaced = greeted().body.replace(b":", b": ", 1)
    with pytest.raises(Malformed):
        provider.answer(spaced)


def test_a_suite_that_nobody_knows_yet_is_passed_over(provider: Provider) -> None:
    honest = Decoder(SessionHello).decode(greeted().body)
    newer = replace(
        honest,
        suites=("hpke-tomorrow", "hpke-x25519"),
        kem_public={**honest.kem_public, "hpke-tomorrow": b64url(bytes(99))},
    )
    core = Decoder(SessionAnswer).decode(provider.answer(encode_canonical(newer))).core
    assert core.suite == "hpke-x25519"


# --- messages of a session -------------------------------------------------------------------


@pytest.mark.requirement("MFS-7.2.7-03")
@pytest.mark.requirement("MFS-6.2.2-04")
@pytest.mark.threat("THR-NET-02")
def test_captured_messages_are_accepted_neither_twice_nor_changed_nor_elsewhere(
    provider: Provider, phone: Phone
) -> None:
    phone.session.exchange("test.echo", "/v1/echo", b"pay")
    path, captured, _ = provider.heard[-1]
    assert refused_with(provider.post(path, captured, ""), Replayed)
    for changed in flips(captured):
        reply = provider.post(path, changed, "")
        assert 400 <= reply.status < 500
        assert not reply.sealed
    other = Phone(provider, suites=SUITES, seed=8).enrol()
    other.session.establish()
    kid = schedule.kid_of(str(other.session.accepted.session))  # type: ignore[union-attr]
    moved = captured[:9] + kid + captured[25:]
    assert refused_with(provider.post(path, moved, ""), NotAuthentic)
    assert provider.acts == [b"pay"]


def test_the_reply_to_one_request_is_not_taken_for_that_to_another(
    provider: Provider, phone: Phone
) -> None:
    phone.session.exchange("test.echo", "/v1/echo", b"one")
    recorded: Reply = provider.heard[-1][2]
    phone.wire.change_reply = lambda path, reply: recorded
    with pytest.raises(NotAuthentic):
        phone.session.exchange("test.echo", "/v1/echo", b"two")
    phone.wire.change_reply = lambda path, reply: Reply(422, reply.body, reply.headers)
    with pytest.raises(NotAuthentic):
        phone.session.exchange("test.echo", "/v1/echo", b"three")
