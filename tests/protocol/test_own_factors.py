"""Factors inside a session, and what takes fresh ones, against a served provider."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.looking import leaves_of
from tests.support.served import Person, Served, by_one_operator, served

from tallystick.client.ownfactors import OwnFactors, asked_for
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.digest import PreparedHmac
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.interface import SEED_INFO, Purpose
from tallystick.infrastructure.otp import OcraInput, OcraSuite, code_at, ocra_code, step_of
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import (
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    StepUpRequired,
    Unauthenticated,
)
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.authentication import (
    EndSessions,
    EnrolAuthenticator,
    UnlockCustomer,
    ViewSessions,
)
from tallystick.protocol.operators import ActReply, IssueActivation
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import EventLeaf

SEED = bytes(range(20))
PIN, OTHER = Secret("7391"), Secret("8420")
NUMBER = "+254700000001"


@dataclass
class Scene:
    provider: Served
    gateway: UssdGateway
    person: Person
    phone: FeaturePhone
    care: "Care"


class Care:
    """Two people at the care desk."""

    def __init__(self, provider: Served) -> None:
        self.first, self.second = provider.operators["care-desk"][:2]

    def both(self, name: str, body) -> ActReply:
        waiting = self.first.act(name, body)
        assert waiting.state == "waiting"
        return self.second.act(name, body, approves=waiting.act)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    folder = tmp_path_factory.mktemp("factors") / "p"
    quick = by_one_operator().replace("  backoff: PT1S", "  # backoff: PT1S")
    quick = quick.replace("change-pin, add-payee], channel: [app, web], device_age",
                          "add-payee], channel: [web], device_age")  # fmt: skip
    quick = quick.replace("  app: {idle: PT5M, absolute: PT1H}",
                          "  app: {idle: PT5M, absolute: PT1H, at_most: 3}")  # fmt: skip
    with served(
        folder, gateways={"gw1": half}, policy_text=quick, more_roles=("care-desk",)
    ) as provider:
        gateway = UssdGateway("gw1", key, provider.url, provider.clock)
        person = provider.person(NUMBER, "Ann App", funds=100_000)
        provider.open_customer("+254700000008", "Ben")
        phone = FeaturePhone(NUMBER, gateway, provider.smsc)
        provider.operators["care-desk"][0].act("issue-activation", IssueActivation(number=NUMBER))
        phone.set_pin(provider.activation_code(NUMBER, after=1), PIN)
        yield Scene(provider, gateway, person, phone, Care(provider))


def own(scene: Scene) -> OwnFactors:
    """The factors of a new session, behind which only the device stands."""
    scene.person.session.establish()
    return OwnFactors(scene.person.session)


def unlock(scene: Scene) -> None:
    body = UnlockCustomer(number=NUMBER, because="identified anew")
    scene.care.both("unlock-customer", body)


def seal(scene: Scene, mechanism: str, seed: bytes = SEED) -> dict[str, str]:
    module = scene.provider.platform.module
    handle = scene.provider.platform.keys.newest(Purpose.OTP_TRANSPORT)
    recipient = KemPublicKey(KemSuite(handle.mechanism), module.public_octets(handle))
    sealed = recipient.seal(seed, info=SEED_INFO + mechanism.encode())
    return {"mechanism": mechanism, "sealed_to": handle.id, "sealed": b64url(sealed)}


def enter(scene: Scene, kind: str, mechanism: str = "hmac-sha1", **more) -> None:
    body = EnrolAuthenticator(number=NUMBER, kind=kind, **seal(scene, mechanism), **more)
    assert scene.care.both("enrol-authenticator", body).state == "done"


def hotp(counter: int) -> Secret[str]:
    return Secret(code_at(PreparedHmac(SEED, "hmac-sha1").mac, counter, 6))


@pytest.mark.requirement("MFS-7.3.2-12")
@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_sensitive_change_takes_a_second_and_fresh_factor(scene: Scene) -> None:
    factors = own(scene)
    with pytest.raises(StepUpRequired) as asked:
        factors.change_pin(OTHER)
    assert asked_for(asked.value) == {
        "categories": ("2",), "factor": ("knowledge", "inherence"), "fresh": ("300",),
    }  # fmt: skip
    assert "whoever changes the PIN" in asked.value.because
    assert factors.give_pin(PIN).factors == ("knowledge", "possession")
    factors.change_pin(OTHER)
    with pytest.raises(NotAuthentic):
        factors.give_pin(PIN)
    factors.give_pin(OTHER)
    factors.change_pin(PIN)


@pytest.mark.requirement("MFS-7.3.2-12")
def test_a_payee_is_confirmed_with_a_fresh_factor_only(scene: Scene) -> None:
    friend = scene.provider.person("+254700000003", "Fay Friend")
    factors = own(scene)
    with pytest.raises(StepUpRequired):
        factors.add_payee(friend.number)
    factors.give_pin(PIN)
    factors.add_payee(friend.number)
    scene.person.wallet.pay(PaymentKind.P2P, friend.number, Money(100, "KES"))


@pytest.mark.requirement("MFS-7.3.2-07")
def test_an_event_code_is_good_once_and_in_its_window(scene: Scene) -> None:
    enter(scene, "hotp")
    factors = own(scene)
    given = factors.give_code(hotp(3))
    assert given.factors == ("possession",)
    assert given.at > 0
    for used in (hotp(3), hotp(0), hotp(15)):
        with pytest.raises(NotAuthentic):
            factors.give_code(used)
    factors.give_code(hotp(4))
    with pytest.raises(NotAuthentic):
        factors.give_code(hotp(40), hotp(42))
    factors.give_code(hotp(40), hotp(41))
    with pytest.raises(NotAuthentic):
        factors.give_code(hotp(41))
    factors.give_code(hotp(42))


@pytest.mark.requirement("MFS-7.3.2-07")
def test_a_time_code_and_an_answer_are_good_once(scene: Scene) -> None:
    enter(scene, "totp", "hmac-sha256", digits=8)
    factors = own(scene)
    mac = PreparedHmac(SEED).mac
    code = Secret(code_at(mac, step_of(scene.provider.clock.now(), 30), 8))
    factors.give_code(code)
    with pytest.raises(NotAuthentic):
        factors.give_code(code)
    suite = "OCRA-1:HOTP-SHA512-8:QN08"
    enter(scene, "ocra", "hmac-sha512", suite=suite)
    mac, read = PreparedHmac(SEED, "hmac-sha512").mac, OcraSuite.read(suite)
    stale = Secret(ocra_code(mac, read, OcraInput(factors.challenge())))
    answer = Secret(ocra_code(mac, read, OcraInput(factors.challenge())))
    with pytest.raises(NotAuthentic):
        factors.give_code(stale)
    factors.give_code(answer)
    with pytest.raises(NotAuthentic):
        factors.give_code(answer)


@pytest.mark.threat("THR-BE-05")
def test_the_seed_is_nowhere_in_the_store(scene: Scene) -> None:
    enter(scene, "hotp")
    folder = scene.provider.folder.root
    octets = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert SEED not in octets
    assert SEED.hex().encode() not in octets


def test_one_person_enters_no_authenticator_and_unlocks_nobody(scene: Scene) -> None:
    body = UnlockCustomer(number=NUMBER, because="alone")
    waiting = scene.care.first.act("unlock-customer", body)
    with pytest.raises(NotPermitted):
        scene.care.first.act("unlock-customer", body, approves=waiting.act)


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.threat("THR-USD-04")
def test_failures_of_all_channels_count_together_and_two_people_unlock(scene: Scene) -> None:
    unlock(scene)
    enter(scene, "hotp")
    factors = own(scene)
    for attempt in (
        lambda: factors.give_pin(Secret("0001")),
        lambda: factors.give_code(Secret("000000")),
        lambda: scene.phone.send_money("0700000008", "1", Secret("0002")),
        lambda: factors.give_pin(Secret("0003")),
        lambda: factors.give_code(Secret("000001")),
    ):
        with suppress(NotAuthentic):
            attempt()
    with pytest.raises(NotAuthentic) as held:
        factors.give_pin(PIN)
    with pytest.raises(NotAuthentic) as again:
        factors.give_code(hotp(0))
    assert str(held.value) == str(again.value)
    assert "too many tries" in scene.phone.send_money("0700000008", "1", PIN)[-1]
    unlock(scene)
    factors.give_pin(PIN)
    factors.give_code(hotp(0))
    kinds = [event.kind for event in recorded(scene)]
    assert {"authentication.failed", "authentication.blocked"} <= set(kinds)
    assert kinds.count("authentication.unlocked") >= 2


def recorded(scene: Scene) -> list[EventLeaf]:
    return [decode_leaf(leaf) for leaf in leaves_of(scene.provider)]


@pytest.mark.requirement("MFS-7.3.2-09")
def test_sessions_of_all_channels_are_listed_and_ended(scene: Scene) -> None:
    factors = own(scene)
    dialled = scene.gateway.open_session()
    scene.gateway.send(dialled, NUMBER, "")
    listed = factors.sessions()
    assert {one.channel for one in listed} == {"app", "ussd"}
    assert [one.own for one in listed].count(True) == 1
    viewed = scene.care.first.act("view-sessions", ViewSessions(customer=scene.person.customer))
    assert '"channel":"ussd"' in viewed.says
    with pytest.raises(NotFound):
        factors.end_others("ses_of_somebody_else")
    factors.end_others()
    assert [one.own for one in factors.sessions()] == [True]
    page = scene.gateway.send(dialled, NUMBER, "1")
    assert page.ends
    assert "session is over" in page.text


@pytest.mark.requirement("MFS-7.3.2-09")
def test_the_newest_session_ends_the_oldest_one(scene: Scene) -> None:
    own(scene).end_others()
    sessions = scene.provider.platform.desks.sessions
    now = scene.provider.clock.now()
    for _ in range(4):
        scene.person.session.establish()
    assert len(sessions.of(scene.person.customer, now)) == 3


@pytest.mark.requirement("MFS-7.3.2-09")
def test_operators_end_sessions_at_once(scene: Scene) -> None:
    factors = own(scene)
    body = EndSessions(customer=scene.person.customer, because="phone lost")
    scene.care.first.act("end-sessions", body)
    with pytest.raises(Unauthenticated):
        factors.sessions()


@pytest.mark.requirement("MFS-7.3.2-11")
@pytest.mark.threat("THR-DEV-08")
def test_changed_biometrics_void_the_consent_key_and_the_phone_is_enrolled_again(
    scene: Scene,
) -> None:
    provider = scene.provider
    person = provider.person("+254700000009", "Bea Bio", funds=10_000)
    person.keystore.change_biometrics()
    with pytest.raises(NotPermitted, match="void") as void:
        person.wallet.pay(PaymentKind.P2P, NUMBER, Money(100, "KES"))
    OwnFactors(person.session).report_void_key(void.value.because)
    with pytest.raises(MfsError, match="removed") as refused:
        person.session.establish()
    assert "enrol the phone again" in refused.value.remedy
    care = provider.operators["care-desk"][0]
    reply = care.act("issue-activation", IssueActivation(number=person.number))
    code = provider.activation_code(person.number, after=1)
    again = provider.enrol_phone(person.number, reply.reference, code)
    again.wallet.pay(PaymentKind.P2P, NUMBER, Money(100, "KES"))
