"""What keys, App Attest and an app store prove of an application, held against the register.

Each test goes on where the one before ended: the register only grows. All evidence is simulated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.appattest import APPLICATION, SimulatedAppKey, SimulatedApple
from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import SimulatedFactory, prove_state
from simulators.playstore import Said, SimulatedStore
from tests.support.apple_package import BUNDLE, TEAM, genuine
from tests.support.released import WALLET, Phones, Stated, appraisal, claim_of, package
from tests.support.served import Served, served

from tallystick.client.evidence import FreshEvidence
from tallystick.client.provider import Provider
from tallystick.entry.apps import kept_apps
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.verdictkeys import take_verdict_keys
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.errors import UpgradeRequired
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.attestation.model import read_appraisals
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import Attestation

STORE = SimulatedStore()
IPA = genuine()
IOS = AppClaim(platform="ios", package=BUNDLE, version=42, digest=sha256(IPA).hex())


@dataclass
class Scene:
    provider: Served
    phones: Phones
    apple: SimulatedApple
    state: Stated

    def enrol(
        self, attest: Callable[[SimulatedTeeKeystore, bytes], Attestation], says: AppClaim | None
    ) -> SimulatedTeeKeystore:
        to, activation = self.phones.activation()
        keystore = SimulatedTeeKeystore()
        described = DESCRIPTION if says is None else replace(DESCRIPTION, app=says)
        self.provider.reached.enrol(
            keystore,
            activation=activation,
            code=self.provider.activation_code(to),
            description=described,
            attest=lambda told: attest(keystore, told),
        )
        return keystore

    def with_verdict(self, attested: str, said: str, **wrong: object) -> SimulatedTeeKeystore:
        """A phone whose keys prove the package `attested` and whose store names `said`."""

        def made(one: SimulatedTeeKeystore, told: bytes) -> Attestation:
            bare = one.attest(told, self.phones.factory, self.phones.phone(attested))
            keys = one.possession_public(), one.consent_public()
            return STORE.beside(bare, told, keys, SystemClock().now(), says_of(said, **wrong))

        return self.enrol(made, None)

    def apple_phone(
        self, says: AppClaim | None, application: str = f"{TEAM}.{BUNDLE}"
    ) -> SimulatedTeeKeystore:
        """An iPhone whose app, as Apple vouches for it, is `application`."""
        return self.enrol(
            lambda one, told: SimulatedAppKey(application).attest(
                self.apple, told, one.possession_public(), one.consent_public()
            ),
            says,
        )

    def proves(
        self,
        keystore: SimulatedTeeKeystore,
        prove: Callable[[bytes], DeviceProof],
        says: AppClaim | None = None,
    ) -> str:
        session = self.phones.session(keystore, says)
        return FreshEvidence(session, lambda: keystore.identity().device, prove).renew().trust

    def runs(self, keystore: SimulatedTeeKeystore) -> tuple[str, int]:
        """The package and version that the register last saw on this device."""
        found = self.provider.platform.desks.apps._seen.get(keystore.identity().device)
        assert found is not None
        return found.package, found.version


def says_of(name: str, **wrong: object) -> Said:
    found = package(name)
    fields = {
        "package": found.manifest.package,
        "version": found.manifest.version,
        "signers": (bytes.fromhex(found.signers[0]),),
        **wrong,
    }
    return Said(**fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    now = SystemClock().now()
    factory, apple = SimulatedFactory(now), SimulatedApple(now)
    text = apple.believed(appraisal(factory)).replace(APPLICATION, f"{TEAM}.{BUNDLE}")
    rotated = package("rotated.apk").signers[0]
    other = (
        f'apps:\n  - package: "{TEAM}.org.example.other"\n    signers: []\n'
        f'  - package: {WALLET}\n    signers: ["{rotated}"]\n'
    )
    text = text.replace("apps:\n", other, 1).replace("verdict:\n", "verdict:\n  asked: taken\n", 1)

    def with_keys(folder: ProviderFolder, secret: Secret[bytes]) -> None:
        take_verdict_keys(folder, secret, SystemClock(), WALLET, STORE.console(), simulated=True)

    folder = tmp_path_factory.mktemp("attested") / "p"
    with served(folder, appraisal=text, before=with_keys) as provider:
        signed = tmp_path_factory.mktemp("signed")
        yield Scene(provider, Phones(provider, factory), apple, Stated(provider, signed))


def ios_release(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "wallet.ipa").write_bytes(IPA)
    scene.state.text_of("all.apk")
    text = tmp_path / "ios.yaml"
    bill = scene.state.folder / "bill.json"
    text.write_text(
        f"platform: ios\nartifact: {tmp_path / 'wallet.ipa'}\nbill: {bill}\nnotes: first\n"
    )
    scene.state("add", text)


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.requirement("MFS-7.4.4-02")
def test_before_anything_is_registered_every_platform_comes_in(scene: Scene) -> None:
    scene.with_verdict("all.apk", "all.apk")
    scene.apple_phone(None)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
def test_app_attest_is_held_against_the_releases_of_its_own_platform(
    scene: Scene, tmp_path: Path
) -> None:
    scene.state("add", scene.state.text_of("all.apk"))
    scene.apple_phone(None)
    ios_release(scene, tmp_path)
    known = scene.apple_phone(IOS)
    assert scene.runs(known) == (BUNDLE, 42)
    assert scene.runs(scene.apple_phone(None)) == (BUNDLE, 0), "Apple proves no version"
    with pytest.raises(UpgradeRequired, match="not a release") as refused:
        scene.apple_phone(None, f"{TEAM}.org.example.other")
    assert refused.value.because == "app/not-ours"
    for wrong in (replace(IOS, version=43), replace(IOS, digest="0" * 64)):
        with pytest.raises(UpgradeRequired, match="not a release"):
            scene.apple_phone(wrong)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
def test_the_store_and_the_keys_must_name_one_released_application(scene: Scene) -> None:
    kept = scene.with_verdict("all.apk", "all.apk")
    assert scene.runs(kept) == (WALLET, 42)
    for attested, said, wrong in (
        ("repackaged.apk", "repackaged.apk", {}),
        ("all.apk", "repackaged.apk", {}),
        ("repackaged.apk", "all.apk", {}),
        ("all.apk", "all.apk", {"version": 43}),
        ("all.apk", "all.apk", {"signers": (b"e" * 32,)}),
    ):
        with pytest.raises(UpgradeRequired, match="not a release"):
            scene.with_verdict(attested, said, **wrong)


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
def test_a_store_that_evaluated_no_application_names_none_and_takes_the_trust(
    scene: Scene,
) -> None:
    one = scene.with_verdict("all.apk", "all.apk", app="UNEVALUATED", device=())
    device = scene.provider.platform.desks.devices.get(one.identity().device)
    assert device.trust == "unknown"
    rules = {r.rule for kept in read_appraisals(device.attestation) for r in kept.verdict.reasons}
    assert rules == {"labels"}


@pytest.mark.requirement("MFS-7.3.5-01")
@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.threat("THR-APP-01")
def test_a_proof_on_demand_shows_which_application_runs_now(scene: Scene) -> None:
    one = scene.with_verdict("all.apk", "all.apk")
    scene.state("add", scene.state.text_of("rotated.apk"))
    now = SystemClock().now
    factory = scene.phones.factory
    moved = says_of("rotated.apk", signers=(bytes.fromhex(package("rotated.apk").signers[0]),))
    scene.proves(one, lambda told: STORE.prove(told, now(), moved))
    assert scene.runs(one) == (WALLET, 50), "the store says that it was updated"
    with pytest.raises(UpgradeRequired, match="not a release"):
        scene.proves(
            one, lambda told: prove_state(factory, told, scene.phones.phone("repackaged.apk"))
        )
    device = scene.provider.platform.desks.devices.get(one.identity().device)
    assert device.trust == "unknown", "what was shown is kept"
    with pytest.raises(UpgradeRequired):
        scene.phones.come_in(one)
    says = claim_of("rotated.apk")
    scene.phones.come_in(one, says)
    genuine_now = scene.phones.phone("rotated.apk")
    proved = scene.proves(one, lambda told: prove_state(factory, told, genuine_now), says)
    assert proved == "attested-hardware", reasons(scene, one)


@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.threat("THR-APP-06")
def test_below_the_least_version_every_platform_has_to_update(scene: Scene) -> None:
    past = iso_utc(SystemClock().now() - DAY_MS)[:10]
    ends = ("--least", "50", "--refuse", past, "--says", "install 5")
    scene.state("roll-out", "1", "android", WALLET, "50", *ends)
    scene.state("roll-out", "1", "ios", BUNDLE, "42", "--least", "42", "--refuse", past,
                "--says", "install 4.2")  # fmt: skip
    with pytest.raises(UpgradeRequired, match="install 5"):
        scene.with_verdict("all.apk", "all.apk")
    with pytest.raises(UpgradeRequired, match=r"install 4\.2"):
        scene.apple_phone(None)
    scene.apple_phone(IOS)


@pytest.mark.requirement("MFS-7.4.4-03")
@pytest.mark.threat("THR-MAL-07")
def test_a_denied_team_and_a_denied_signer_are_refused_at_once(scene: Scene) -> None:
    known = scene.apple_phone(IOS)
    scene.state("deny", TEAM, "--because", "the team's account was taken over")
    with pytest.raises(UpgradeRequired, match="not genuine"):
        scene.apple_phone(IOS)
    with pytest.raises(UpgradeRequired, match="not genuine"):
        scene.phones.come_in(known)
    assert TEAM in kept_apps(scene.provider.folder).register.denied


@pytest.mark.requirement("MFS-7.2.5-02")
def test_each_session_of_a_provider_names_the_release_that_speaks(scene: Scene) -> None:
    served_, newest = scene.provider, claim_of("rotated.apk")
    reached = Provider(
        served_.url,
        name=served_.provider,
        origin=served_.origin,
        root=served_.root,
        clock=served_.clock,
        entropy=operating_system,
        app=newest,
    )
    to, activation = scene.phones.activation()
    keystore = SimulatedTeeKeystore()
    reached.enrol(
        keystore,
        activation=activation,
        code=served_.activation_code(to),
        description=DESCRIPTION,
    )
    assert scene.runs(keystore) == (WALLET, 50)
    accepted = reached.session(keystore).establish()
    assert accepted.app is ABSENT
    old = claim_of("all.apk")
    older = replace_app(reached, old)
    with pytest.raises(UpgradeRequired, match="install 5"):
        older.session(keystore).establish()
    reached.close()


def replace_app(reached: Provider, app: AppClaim) -> Provider:
    reached._app = app
    return reached


def reasons(scene: Scene, one: SimulatedTeeKeystore) -> list[tuple[str, str]]:
    """The rules that a device breaks now, each with what was found."""
    device = scene.provider.platform.desks.devices.get(one.identity().device)
    kept = read_appraisals(device.attestation)
    return [(broken.rule, broken.found) for each in kept for broken in each.verdict.reasons]
