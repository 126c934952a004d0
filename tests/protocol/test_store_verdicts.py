"""Verdicts of an app store, at enrolment and on demand, at a served provider; all are simulated.

Every verdict is made under keys of this test by an independent implementation of JOSE.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from simulators.appattest import SimulatedAppKey, SimulatedApple
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import PACKAGE, SimulatedFactory, prove_state
from simulators.playstore import SimulatedStore, otherwise
from tests.support.desks import come_in, events, served_desk, text_of
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.devices import Device
from tallystick.client.evidence import FreshEvidence
from tallystick.client.session import ClientSession
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.verdictkeys import take_verdict_keys
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotPermitted,
)
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.model import read_appraisals
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import Attestation

NUMBERS = (f"+2547111{place:05}" for place in range(1, 200))
STORE = SimulatedStore()
OTHERS = SimulatedStore()
ANOTHER = otherwise(package="example.another")
FACTORY = SimulatedFactory(SystemClock().now())
APPLE = SimulatedApple(SystemClock().now())


def policy(asked: str, refused: str = "") -> str:
    text = APPLE.believed(FACTORY.policy_text())
    return text.replace("verdict:\n", f"{refused}verdict:\n  asked: {asked}\n", 1)


def with_keys(provider: ProviderFolder, secret: Secret[bytes]) -> None:
    given = STORE.console()
    take_verdict_keys(provider, secret, SystemClock(), PACKAGE, given, simulated=True)
    another = OTHERS.console()
    take_verdict_keys(provider, secret, SystemClock(), "example.another", another, simulated=True)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("verdicts") / "p"
    with served(folder, appraisal=policy("required"), before=with_keys) as found:
        yield found


Made = Callable[[SimulatedTeeKeystore, bytes], Attestation]


@dataclass
class Phoned:
    keystore: SimulatedTeeKeystore
    device: Device
    session: ClientSession

    def proves(self, prove: Callable[[bytes], DeviceProof]) -> str:
        return FreshEvidence(self.session, lambda: self.device.id, prove).renew().trust


def enrolled(provider: Served, made: Made) -> Phoned:
    to = next(NUMBERS)
    reply = provider.open_customer(to, "Test Person")
    keystore = SimulatedTeeKeystore()
    provider.reached.enrol(
        keystore,
        activation=reply.reference,
        code=provider.activation_code(to),
        description=DESCRIPTION,
        attest=lambda told: made(keystore, told),
    )
    device = provider.platform.desks.devices.get(keystore.identity().device)
    return Phoned(keystore, device, provider.reached.session(keystore))


def keys_of(one: SimulatedTeeKeystore) -> tuple[bytes, bytes]:
    return one.possession_public(), one.consent_public()


def now() -> int:
    return SystemClock().now()


def genuine(one: SimulatedTeeKeystore, told: bytes, **wrong: object) -> Attestation:
    return STORE.beside(one.attest(told, FACTORY), told, keys_of(one), now(), otherwise(**wrong))


def rules(device: Device) -> set[str]:
    kept = read_appraisals(device.attestation)
    return {reason.rule for one in kept for reason in one.verdict.reasons}


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.requirement("MFS-7.4.1-04")
@pytest.mark.parametrize("classic", [False, True], ids=["request hash", "nonce"])
def test_a_phone_with_both_is_trusted_and_its_verdict_is_made_again(
    provider: Served, classic: bool
) -> None:
    found = enrolled(provider, lambda one, told: genuine(one, told, classic=classic)).device
    assert found.trust == "attested-hardware"
    kept = read_appraisals(found.attestation)
    assert [one.evidence.format for one in kept] == ["android-key", "android-key", "play-integrity"]
    assert "keys:simulated" in kept[-1].evidence.labels
    told = made_again(provider, found)
    assert [one["same"] for one in told] == [True] * 3
    assert told[-1]["stored"]["claims"]["format"] == "play-integrity"
    assert "app:PLAY_RECOGNIZED" in said(provider, "device.enrolled")["labels"]


def said(provider: Served, kind: str) -> dict[str, str]:
    """What the last event of `kind` says to everybody."""
    public: dict[str, str] = events(provider, kind)[-1]["p"]
    return public


def made_again(provider: Served, device: Device) -> list[dict[str, Any]]:
    """The verdicts of `device`, made again by the command; a new policy is kept within a second."""
    limit = monotonic() + 20
    while True:
        ran = tallystick("device", "verdict", provider.folder.root, device.id, "--json")
        found: list[dict[str, Any]] = json.loads(ran.out)
        if ran.code == 0 or monotonic() > limit:
            return found
        sleep(0.1)


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"signers": (b"e" * 32,)}, "application"),
        ({"app": "UNRECOGNIZED_VERSION"}, "labels"),
        ({"device": ()}, "labels"),
        ({"device": ("MEETS_VIRTUAL_INTEGRITY",)}, "labels"),
        ({"late_ms": 301_000}, "verdict-age"),
        ({"late_ms": -60_000}, "verdict-age"),
    ],
)
def test_a_verdict_that_says_less_takes_the_trust_of_hardware(
    provider: Served, wrong: dict[str, object], rule: str
) -> None:
    found = enrolled(provider, lambda one, told: genuine(one, told, **wrong)).device
    assert (found.trust, rules(found)) == ("unknown", {rule})


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.threat("THR-APP-01")
def test_a_verdict_for_other_keys_or_another_handshake_takes_the_trust(provider: Served) -> None:
    stolen: list[str] = []

    def first(one: SimulatedTeeKeystore, told: bytes) -> Attestation:
        made = genuine(one, told)
        stolen.append(str(made.verdict))
        return made

    assert enrolled(provider, first).device.trust == "attested-hardware"
    replay = enrolled(
        provider, lambda one, told: replace(one.attest(told, FACTORY), verdict=stolen[0])
    )
    assert (replay.device.trust, rules(replay.device)) == ("unknown", {"challenge"})
    other = enrolled(
        provider,
        lambda one, told: STORE.beside(
            one.attest(told, FACTORY), told, keys_of(SimulatedTeeKeystore()), now()
        ),
    )
    assert (other.device.trust, rules(other.device)) == ("unknown", {"challenge"})


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (lambda told: SimulatedStore().verdict(told, now()), NotAuthentic),
        (lambda told: OTHERS.verdict(told, now()), NotAuthentic),
        (lambda told: STORE.verdict(told, now(), ANOTHER), NotAuthentic),
        (lambda told: SimulatedStore(wrapping=STORE.wrapping).verdict(told, now()), NotAuthentic),
        (lambda told: swapped(STORE.verdict(told, now())), NotAuthentic),
        (lambda _: "a.b.c", Malformed),
        (lambda _: "a.b.c.d." + "e" * 4096, Malformed),
    ],
    ids=["other keys", "another app's keys", "another app", "another signer", "changed", "no JWE",
         "too large"],
)  # fmt: skip
def test_what_is_no_verdict_of_this_app_ends_the_enrolment(
    provider: Served, verdict: Callable[[bytes], str], error: type[MfsError]
) -> None:
    with pytest.raises(error):
        enrolled(
            provider,
            lambda one, told: replace(one.attest(told, FACTORY), verdict=verdict(told)),
        )


def swapped(sealed: str) -> str:
    head, wrapped, iv, text, tag = sealed.split(".")
    place = len(text) // 2
    other = "A" if text[place] != "A" else "B"
    return ".".join((head, wrapped, iv, text[:place] + other + text[place + 1 :], tag))


@pytest.mark.requirement("MFS-7.2.6-02")
def test_without_a_verdict_android_keys_are_not_trusted_and_an_apple_phone_is_not_asked(
    provider: Served,
) -> None:
    found = enrolled(provider, lambda one, told: one.attest(told, FACTORY)).device
    assert found.trust == "unknown"
    assert said(provider, "device.enrolled")["rules"] == "verdict"
    apple = enrolled(
        provider, lambda one, told: SimulatedAppKey().attest(APPLE, told, *keys_of(one))
    )
    assert apple.device.trust == "attested-hardware"
    with pytest.raises(Malformed, match="Android"):
        enrolled(
            provider,
            lambda one, told: replace(
                SimulatedAppKey().attest(APPLE, told, *keys_of(one)),
                verdict=STORE.verdict(told, now()),
            ),
        )


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_verdict_alone_raises_nothing(provider: Served) -> None:
    bare = Attestation(format="none", statement="")
    good = enrolled(provider, lambda one, told: STORE.beside(bare, told, keys_of(one), now()))
    assert good.device.trust == "software", "no key was attested"
    bad = enrolled(
        provider,
        lambda one, told: STORE.beside(bare, told, keys_of(one), now(), otherwise(device=())),
    )
    assert bad.device.trust == "unknown"


@pytest.mark.requirement("MFS-7.3.5-01")
@pytest.mark.requirement("MFS-7.2.6-02")
def test_on_demand_a_verdict_moves_the_trust_and_takes_the_place_of_the_one_before(
    provider: Served,
) -> None:
    one = enrolled(provider, genuine)
    assert one.proves(lambda told: STORE.prove(told, now())) == "attested-hardware"
    assert one.proves(lambda told: STORE.prove(told, now(), otherwise(device=()))) == "unknown"
    assert said(provider, "device.appraised")["rules"] == "labels"
    lasting = one.proves(lambda told: prove_state(FACTORY, told, FACTORY.phone()))
    assert lasting == "unknown", "a key does not excuse what the verdict said"
    assert one.proves(lambda told: STORE.prove(told, now())) == "attested-hardware"
    device = provider.platform.desks.devices.get(one.device.id)
    kept = [each.evidence.format for each in read_appraisals(device.attestation)]
    assert kept == ["android-key"] * 3 + ["play-integrity"]


@pytest.mark.requirement("MFS-7.3.5-01")
@pytest.mark.threat("THR-APP-01")
def test_on_demand_what_does_not_answer_the_challenge_takes_the_trust_or_is_refused(
    provider: Served,
) -> None:
    one, seen = enrolled(provider, genuine), []

    def remembered(told: bytes) -> DeviceProof:
        seen.append(STORE.prove(told, now()))
        return seen[0]

    assert one.proves(remembered) == "attested-hardware"
    assert one.proves(remembered) == "unknown", "the one before, once more"
    assert one.proves(lambda told: STORE.prove(told, now())) == "attested-hardware"
    assert (
        one.proves(lambda told: STORE.prove(told, now(), otherwise(late_ms=301_000))) == "unknown"
    )
    with pytest.raises(NotAuthentic):
        one.proves(lambda told: SimulatedStore().prove(told, now()))
    apple = SimulatedAppKey()
    phone = enrolled(provider, lambda key, told: apple.attest(APPLE, told, *keys_of(key)))
    with pytest.raises(Conflict, match="another form"):
        phone.proves(lambda told: STORE.prove(told, now()))


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
def test_a_policy_may_refuse_instead_and_the_code_stays(tmp_path: Path) -> None:
    text = policy("required", "refused: [application, labels, verdict]\n")
    with served(tmp_path / "p", appraisal=text, before=with_keys) as strict:
        to = next(NUMBERS)
        reply = strict.open_customer(to, "Test Person")
        code = strict.activation_code(to)

        def tries(verdict: Callable[[SimulatedTeeKeystore, bytes], Attestation]) -> Device:
            keystore = SimulatedTeeKeystore()
            strict.reached.enrol(
                keystore,
                activation=reply.reference,
                code=code,
                description=DESCRIPTION,
                attest=lambda told: verdict(keystore, told),
            )
            return strict.platform.desks.devices.get(keystore.identity().device)

        for wrong, rule in (
            (lambda one, told: genuine(one, told, signers=(b"e" * 32,)), "application"),
            (lambda one, told: genuine(one, told, device=()), "labels"),
            (lambda one, told: one.attest(told, FACTORY), "verdict"),
        ):
            with pytest.raises(NotPermitted) as refused:
                tries(wrong)
            assert refused.value.because == f"attestation/{rule}"
        assert tries(genuine).trust == "attested-hardware", "the code was not used up"


def test_where_no_verdict_is_asked_for_none_is_looked_at(tmp_path: Path) -> None:
    with served(tmp_path / "p", appraisal=policy("ignored"), before=with_keys) as calm:
        one = enrolled(calm, lambda key, told: genuine(key, told, device=()))
        assert one.device.trust == "attested-hardware"
        assert len(read_appraisals(one.device.attestation)) == 2
        with pytest.raises(Conflict, match="no verdict is asked"):
            one.proves(lambda told: STORE.prove(told, now()))
        bare = one.keystore.attest(b"c" * 32, FACTORY)
        assert bare.verdict is ABSENT


@pytest.mark.requirement("MFS-7.3.4-01")
def test_the_care_desk_sees_which_rules_speak_against_a_phone(tmp_path: Path) -> None:
    more = {"appraisal": policy("taken"), "before": with_keys}
    with served_desk(tmp_path / "p", **more) as (town, origin, codes):
        number = "+254711199999"
        reply = town.open_customer(number, "Ann")
        keystore = SimulatedTeeKeystore()
        town.reached.enrol(
            keystore,
            activation=reply.reference,
            code=town.activation_code(number),
            description=DESCRIPTION,
            attest=lambda told: genuine(keystore, told, device=(), late_ms=400_000),
        )
        care = come_in(origin, codes["care-desk"][0], "Cem")
        found = care.post("/desk/find", {"who": number, "purpose": "lost-device"})
        assert "unknown: labels verdict-age" in text_of(care.follow(found).text)


def test_a_verdict_comes_through_several_fronts(tmp_path: Path) -> None:
    text = policy("required")
    with served(tmp_path / "p", appraisal=text, before=with_keys, workers=2) as wide:
        one = enrolled(wide, genuine)
        assert one.proves(lambda told: STORE.prove(told, now())) == "attested-hardware"
        assert one.proves(lambda told: STORE.prove(told, now(), otherwise(device=()))) == "unknown"
