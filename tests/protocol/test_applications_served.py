"""Applications at a served provider: released by officers, held against what phones prove and say.

Each test goes on where the one before ended: the register only grows.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.keymint import SimulatedFactory
from tests.support.apk_writing import made
from tests.support.released import WALLET, Phones, Stated, appraisal, claim_of, package
from tests.support.served import Person, Served, served
from tests.support.typescript import built
from tests.support.typescript_device import NodeDevice
from tests.unit.entry.cli.command_line import tallystick

from tallystick.client.approvals import Approvals
from tallystick.client.ownapp import Measured, check_own
from tallystick.entry.apps import kept_apps
from tallystick.entry.auditing import listed_keys
from tallystick.infrastructure.crypto.key_list import keys_in_force, signature_key
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotAuthentic, UpgradeRequired
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import ABSENT, Absent, replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.apps.probes import AppState, app_probes
from tallystick.process.apps.rules import AppRegister
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.apps import AppNotice
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.payments import PaymentKind


@pytest.fixture(scope="module")
def factory() -> SimulatedFactory:
    return SimulatedFactory(SystemClock().now())


@pytest.fixture(scope="module")
def provider(
    factory: SimulatedFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("applications") / "provider"
    with served(folder, appraisal=appraisal(factory)) as found:
        yield found


@pytest.fixture(scope="module")
def to_pay(provider: Served) -> Person:
    """Somebody who enrolled before anything was registered."""
    return provider.person("+254722999999", "Paid Person")


@pytest.fixture(scope="module")
def phones(provider: Served, factory: SimulatedFactory) -> Phones:
    return Phones(provider, factory)


@pytest.fixture(scope="module")
def state(provider: Served, tmp_path_factory: pytest.TempPathFactory) -> Stated:
    return Stated(provider, tmp_path_factory.mktemp("signed"))


def day(ahead: int) -> str:
    return iso_utc(SystemClock().now() + ahead * DAY_MS)[:10]


def rolled_out(state: Stated, number: int, *more: object, version: int = 50) -> None:
    state("roll-out", str(number), "android", WALLET, str(version), "--says", "install 5", *more)


def notice(found: AppNotice | Absent) -> AppNotice:
    assert not isinstance(found, Absent)
    return found


@pytest.mark.requirement("MFS-7.4.4-01")
def test_before_anything_is_registered_nothing_is_asked(phones: Phones, to_pay: Person) -> None:
    to_pay.session.establish()
    keystore = phones.enrol("repackaged.apk")
    assert phones.come_in(keystore).app is ABSENT


@pytest.mark.requirement("MFS-7.4.4-01")
def test_a_release_enters_once_and_is_in_the_log(provider: Served, state: Stated) -> None:
    signed = state.sign("add", state.text_of("all.apk"))
    assert "in the register" in state.send(signed)
    assert "released already" in state.send(signed, code=1)
    state("add", state.text_of("rotated.apk"))
    ran = tallystick("app", "release", "list", provider.folder.root, "--json")
    listed = json.loads(ran.out)["releases"]
    assert [one["version"] for one in listed] == [42, 50]
    shown = tallystick("app", "release", "show", provider.folder.root, "android", WALLET, "42")
    assert json.loads(shown.out)["digest"] == package("all.apk").digest
    told = tallystick("timeline", provider.folder.root).out
    assert "app.released" in told


@pytest.mark.requirement("MFS-7.4.4-01")
@pytest.mark.threat("THR-APP-07")
def test_an_unsigned_or_altered_build_cannot_be_registered(
    provider: Served, state: Stated, tmp_path: Path
) -> None:
    altered = bytearray(made("all.apk"))
    altered[40] ^= 1
    (tmp_path / "altered.apk").write_bytes(bytes(altered))
    (tmp_path / "first.apk").write_bytes(made("first.apk"))
    for name in ("first.apk", "altered.apk"):
        text = state.text_of("all.apk")
        text.write_text(
            f"platform: android\nartifact: {tmp_path / name}\nbill: bill.json\nnotes: new\n"
        )
        key, never = provider.folder.offline / "officer-1.key", tmp_path / "never.json"
        ran = tallystick("app", "release", "add", text, "--officer", "officer-1", "--key-file", key,
                         "--secret-file", state.folder / "secret", "--out", never)  # fmt: skip
        assert ran.code == 1, ran.all
        assert "as a whole" in ran.err or "entry" in ran.err or "signed" in ran.err
        assert not never.exists()


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-APP-01")
def test_a_repackaged_application_is_not_personalised_and_the_code_stays(
    provider: Served, phones: Phones, factory: SimulatedFactory
) -> None:
    genuine = phones.enrol("all.apk")
    assert phones.come_in(genuine).app is ABSENT
    with pytest.raises(UpgradeRequired, match="not a release") as refused:
        phones.enrol("repackaged.apk")
    assert refused.value.because == "app/not-ours"
    assert refused.value.status == 426
    again = phones.enrol("all.apk", says=claim_of("all.apk"))
    with pytest.raises(UpgradeRequired, match="not a release"):
        phones.enrol("all.apk", says=claim_of("repackaged.apk"))
    phones.come_in(again, claim_of("all.apk"))


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_an_altered_package_that_comes_in_later_is_refused(phones: Phones) -> None:
    keystore = phones.enrol("all.apk")
    for wrong in (
        claim_of("repackaged.apk"),
        replace(claim_of("all.apk"), digest="0" * 64),
        replace(claim_of("all.apk"), version=43),
        replace(claim_of("all.apk"), package="org.example.other"),
    ):
        with pytest.raises(UpgradeRequired):
            phones.come_in(keystore, wrong)
    phones.come_in(keystore, claim_of("all.apk"))


@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.threat("THR-APP-06")
def test_an_old_version_is_warned_limited_and_refused(
    provider: Served, phones: Phones, state: Stated, to_pay: Person
) -> None:
    old = phones.enrol("all.apk")
    session, number = phones.session(old), phones.number
    wallet = provider.wallet(session, old)
    soon = day(30)
    rolled_out(state, 1, "--least", "50", "--warn", day(-1), "--limit", soon)
    told = notice(session.establish().app)
    assert (told.may, told.offered, told.because) == ("warn", 50, "app/outdated")
    assert f"install 5 by {soon}" in told.says

    rolled_out(state, 2, "--least", "50", "--limit", day(-1), "--refuse", soon)
    assert notice(session.establish().app).may == "limit"
    assert wallet.account().available_minor == 0, "it may look"
    with pytest.raises(UpgradeRequired, match="install 5"):
        wallet.pay(PaymentKind.P2P, to_pay.number, Money(100, "KES"))
    device = Approvals(session, old, wallet, provider.clock)
    begun = device.begin(
        BeginApproval(
            payer=number, kind=PaymentKind.P2P, payee=to_pay.number, amount_minor=100,
            currency="KES", asked_by="oneself",
        )
    )  # fmt: skip
    (item,) = device.poll()
    with pytest.raises(UpgradeRequired, match="install 5"):
        device.approve(item, begun.number)
    phones.come_in(old, claim_of("rotated.apk"))

    rolled_out(state, 3, "--least", "50", "--refuse", day(-1))
    with pytest.raises(UpgradeRequired, match="install 5"):
        phones.come_in(phones.enrol("rotated.apk"), claim_of("all.apk"))
    with pytest.raises(UpgradeRequired, match="install 5"):
        phones.enrol("all.apk")


@pytest.mark.requirement("MFS-7.2.8-02")
def test_an_older_roll_out_takes_nothing_back(state: Stated) -> None:
    signed = state.sign("roll-out", "3", "android", WALLET, "50", "--share", "10")
    assert "in force" in state.send(signed, code=1)


@pytest.mark.requirement("MFS-7.2.8-02")
def test_a_second_client_names_its_application_and_hears_of_the_next(
    provider: Served, phones: Phones, state: Stated, tmp_path: Path
) -> None:
    """The TypeScript client; it proves nothing, and what it says of itself is held against it."""
    built()
    soon = day(30)
    rolled_out(state, 4, "--least", "50", "--warn", day(-1), "--limit", soon)
    number, activation = phones.activation()
    code = provider.activation_code(number).reveal()
    claim = json.loads(encode_canonical(claim_of("all.apk")))
    asked = {"activation": activation, "code": code, "app": claim}
    with NodeDevice(provider, tmp_path / "device.json", asked) as device:
        told = device.ask("open")["app"]
    assert (told["may"], told["offered"], told["because"]) == ("warn", 50, "app/outdated")
    assert f"install 5 by {soon}" in told["says"]


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.threat("THR-MAL-05")
def test_a_device_that_proves_nothing_is_refused_where_proof_is_asked(
    phones: Phones, state: Stated
) -> None:
    rolled_out(state, 5)
    phones.enrol("", says=claim_of("rotated.apk"))
    rolled_out(state, 6, "--attested")
    for says in (None, claim_of("rotated.apk")):
        with pytest.raises(UpgradeRequired, match="does not prove"):
            phones.enrol("", says=says)
    phones.enrol("rotated.apk")


@pytest.mark.requirement("MFS-7.4.4-03")
@pytest.mark.threat("THR-MAL-07")
def test_a_denied_signer_is_refused_in_every_package(phones: Phones, state: Stated) -> None:
    stranger = package("repackaged.apk").signers[0]
    state("deny", stranger, "--because", "a look-alike that steals codes")
    with pytest.raises(UpgradeRequired, match="not genuine") as refused:
        phones.enrol("repackaged.apk")
    assert refused.value.because == "app/denied"
    assert "denied already" in state.send(state.sign("deny", stranger, "--because", "b"), code=1)


@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.threat("THR-APP-06")
def test_a_withdrawn_release_ends_at_once(provider: Served, phones: Phones, state: Stated) -> None:
    keystore = phones.enrol("rotated.apk")
    phones.come_in(keystore)
    state("withdraw", "android", WALLET, "50", "--because", "a hole in it")
    with pytest.raises(UpgradeRequired, match="withdrawn"):
        phones.come_in(keystore)
    listed = json.loads(tallystick("app", "release", "list", provider.folder.root, "--json").out)
    assert [one["withdrawn"] for one in listed["releases"]] == [False, True]
    assert [one["subject"] for one in listed["denied"]] == [package("repackaged.apk").signers[0]]


@pytest.mark.requirement("MFS-7.4.4-01")
@pytest.mark.requirement("MFS-7.2.8-02")
def test_the_register_gives_evidence(provider: Served, state: Stated) -> None:
    kept = kept_apps(provider.folder)
    now = provider.clock.now()
    released, versions = (
        one.observe(now) for one in app_probes(lambda: AppState(kept.register, kept.seen))
    )
    assert released.verdict is Verdict.FAIL, "a stranger came in before anything was registered"
    assert released.measured["devices_not_released"] == 1
    assert released.measured["denied"] == 1
    assert versions.verdict is Verdict.FAIL
    rolled_out(state, 7, "--least", "42", version=42)
    kept = kept_apps(provider.folder)
    seen = {place: count for place, count in kept.seen.items() if place in kept.register.releases}
    again = [one.observe(now) for one in app_probes(lambda: AppState(kept.register, seen))]
    assert {one.verdict for one in again} == {Verdict.PASS}
    nothing = app_probes(lambda: AppState(AppRegister(), {}))
    assert {one.observe(now).verdict for one in nothing} == {Verdict.UNKNOWN}


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.requirement("MFS-7.4.4-01")
def test_the_root_vouches_for_the_key_that_signs_applications(
    provider: Served, state: Stated, tmp_path: Path
) -> None:
    folder, secret = provider.folder, ("--secret-file", state.folder / "secret")
    key, signed = tmp_path / "app.key", tmp_path / "wallet.manifest"
    root = folder.offline / "root.key"
    ran = tallystick("app", "manifest", "key", folder.root, "--root-key", root, *secret,
                     "--out", key)  # fmt: skip
    assert ran.code == 0, ran.all
    ran = tallystick("app", "manifest", "sign", folder.root, state.text_of("all.apk"),
                     "--app-key", key, *secret, "--out", signed)  # fmt: skip
    assert ran.code == 0, ran.all
    listed = listed_keys(folder)
    assert listed.version == 2
    found = keys_in_force(listed, ListedPurpose.APP_SIGNING, provider.clock.now())
    keys = {one.kid: signature_key(one) for one in found}
    runs = package("all.apk")
    measured = Measured("android", WALLET, 42, runs.digest, runs.signers)
    assert check_own(signed.read_text(), keys, "test-wallet", measured) == claim_of("all.apk")
    other = {one.kid: signature_key(one) for one in listed.entries if one.kid not in keys}
    with pytest.raises(NotAuthentic):
        check_own(signed.read_text(), other, "test-wallet", measured)
    ran = tallystick("keys", "renew", folder.root, "--root-key", root, *secret)
    assert ran.code == 0, ran.all
    assert found[0] in listed_keys(folder).entries
    assert "is not a release of the register" in tallystick("doctor", folder.root).all
