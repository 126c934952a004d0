"""What a provider that served people keeps: each thing names a mechanism, and it is permitted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.dialled import Dialled, dialled
from tests.support.openssl import openssl, openssl_refuses
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.pki import archiving
from tallystick.entry.pki.making import making
from tallystick.entry.pki.places import CertificateFolder, CertificateSettings
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.surveying import survey
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.registry import Status, mechanism, status_at
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.timestamps.chain import covered, read_chain
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.isms.bill import bill
from tallystick.process.isms.inventory import concerns, in_use, inventory
from tallystick.protocol.payments import PaymentKind

NOW = SystemClock().now()
PERMITTED = {Status.APPROVED, Status.LEGACY, Status.RESTRICTED}
NEW = {
    "certificates", "checkpoints", "consents", "device certificates", "entries of the log",
    "key list", "master key", "officers' signatures", "operators' acts", "operators' names",
    "operators' signatures", "profiles", "PIN verifiers", "renewal secrets", "subject keys",
    "wrapped keys", "numbers in the index", "activation codes", "invitations", "consent keys",
    "possession keys", "public halves in the settings",
}  # fmt: skip


def prepare(provider: ProviderFolder, secret: Secret[bytes]) -> None:
    folder = CertificateFolder(provider)
    folder.save_settings(CertificateSettings(policy="1.3.6.1.4.1.99999.1", clock="declared"))
    with making(folder, secret, SystemClock()) as made:
        made.hierarchy("Example Provider", ())
        made.stamping()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialled]:
    with dialled(tmp_path_factory.mktemp("record"), prepare=prepare) as found:
        payer = found.provider.person("+254700000071", "Payer", funds=100_000)
        payee = found.provider.person("+254700000072", "Payee")
        payer.wallet.pay(PaymentKind.P2P, payee.number, Money(1_000, "KES"))
        yield found


@pytest.mark.requirement("MFS-C-01")
def test_every_artefact_names_a_mechanism_that_is_permitted(service: Dialled) -> None:
    found = survey(service.provider.folder)
    assert {one.kind for one in found} >= NEW
    for one in found:
        assert one.form in {"labelled", "fixed"}, one
        assert status_at(mechanism(one.mechanism), NOW) in PERMITTED, one
        assert one.count > 0
    by_kind = {one.kind: one.mechanism for one in found}
    assert by_kind["PIN verifiers"] == "pin-verifier"
    assert by_kind["profiles"] == by_kind["renewal secrets"] == "aes-256-gcm"
    assert by_kind["device certificates"] == "ecdsa-p256-sha256"


def test_of_everything_it_is_said_how_it_gets_to_another_mechanism(service: Dialled) -> None:
    found = {one.kind: one.moves for one in survey(service.provider.folder)}
    assert all(found.values()), found
    moved = {"profiles", "consents", "subject keys"}
    assert {one for one, how in found.items() if "subject-wrap" in how} == moved
    committed = {one for one, how in found.items() if how.startswith("never")}
    assert committed >= {"entries of the log", "checkpoints", "operators' signatures"}
    shown = tallystick("crypto", "inventory", service.provider.folder.root, "--json")
    kept = json.loads(shown.out)["kept"]
    assert {one["kind"]: one["moves"] for one in kept} == found


@pytest.mark.requirement("MFS-C-02")
def test_nothing_in_use_is_below_128_bits(service: Dialled) -> None:
    folder = service.provider.folder
    found = inventory(folder.blocks(), survey(folder))
    assert list(concerns(found, NOW)) == []
    for one in in_use(found, NOW):
        assert one.status == "approved", one
        assert one.strength_bits >= 128 or mechanism(one.mechanism).strength_bits == 0, one
    rows = {one.mechanism: one for one in in_use(found, NOW)}
    assert rows["hpke-mlkem768-x25519"].quantum_level == 3
    assert rows["aes-256-gcm"].kept > 10
    assert rows["ecdsa-p256-sha256"].ends == "2036-01-01"


@pytest.mark.requirement("MFS-7.4.2-01")
def test_the_bill_is_valid_cyclonedx_and_has_every_key(service: Dialled) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    folder = service.provider.folder
    found = inventory(folder.blocks(), survey(folder))
    made = bill(found, provider="test-wallet", version="1", now=NOW)
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(made)) is None
    components = made["components"]
    assert isinstance(components, list)
    names = {one["bom-ref"]: one for one in components if isinstance(one, dict)}
    for key in found.keys:
        assert f"key/{key.id}" in names
    signer = names["algorithm/ecdsa-p256-sha256"]["cryptoProperties"]
    assert signer["oid"] == "1.2.840.10045.4.3.2"
    assert signer["algorithmProperties"]["classicalSecurityLevel"] == 128
    broken = json.loads(json.dumps(made))
    broken["components"][0]["cryptoProperties"]["assetType"] = "cipher"
    assert validator.validate_str(json.dumps(broken)) is not None
    text = json.dumps(made)
    for secret in (service.provider.secret.reveal().hex(), "private_value", "sealed"):
        assert secret not in text


def test_the_command_shows_it_and_looks_ahead(service: Dialled, tmp_path: Path) -> None:
    folder, out = service.provider.folder.root, tmp_path / "cbom.json"
    shown = tallystick("crypto", "inventory", folder)
    assert shown.code == 0, shown.all
    assert "PIN verifiers" in shown.out
    assert tallystick("crypto", "inventory", folder, "--bill", out).code == 0
    assert json.loads(out.read_text())["specVersion"] == "1.6"
    plain = json.loads(tallystick("crypto", "inventory", folder, "--json").out)
    assert {one["mechanism"] for one in plain["mechanisms"]} >= {"ed25519", "module-block"}
    ahead = tallystick("crypto", "inventory", folder, "--days", "3700", "--json")
    late = {
        one["mechanism"]: one["status"]
        for one in json.loads(ahead.out.splitlines()[0])["mechanisms"]
    }
    assert late["ecdsa-p256-sha256"] == "legacy"
    assert late["aes-256-gcm"] == "approved"
    register = tallystick("registers", "show", folder, "crypto", "--json")
    assert register.code == 0, register.all
    later = json.loads(tallystick("crypto", "inventory", folder, "--json").out)
    assert json.loads(register.out) in (plain["mechanisms"], later["mechanisms"])


def test_the_registry_is_shown_with_reasons() -> None:
    shown = tallystick("crypto", "list", "--sort", "block cipher")
    assert shown.code == 0, shown.all
    assert "nobody: the library that is used here does not have it" in shown.out
    banned = json.loads(tallystick("crypto", "list", "--status", "prohibited", "--json").out)
    assert {"md5", "rc4", "none"} <= {one["name"] for one in banned}
    assert all(one["status"] == "prohibited" for one in banned)
    run = json.loads(tallystick("crypto", "list", "--run", "--json").out)
    assert all(one["implemented_by"] and one["known_answer"] for one in run)


@pytest.mark.requirement("MFS-11.2.2-02", "MFS-7.4.2-12")
def test_archived_consents_are_stamped_again_before_their_mechanism_ends(
    service: Dialled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every link is judged by openssl ts, over the document and all stamps before it."""
    folder, kept = service.provider.folder, tmp_path / "archive"
    kept.mkdir()
    consents = [kept / f"consent-{number}.json" for number in range(2)]
    for number, file in enumerate(consents):
        file.write_text(f'{{"consent":{number}}}')
    url = ("--url", service.provider.url)
    assert tallystick("pki", "archive", folder.root, *consents, *url).code == 0
    renew = ("stamps", "renew", folder.root, kept, *url)
    assert "0 of 2 documents were stamped again" in tallystick(*renew).out

    soon = iso_utc(Instant(NOW + 30 * DAY_MS))[:10]
    ends = {"ecdsa-p256-sha256": soon}
    monkeypatch.setattr(archiving, "ends_of", lambda entry: ends.get(entry.name, ""))
    assert "2 of 2 documents were stamped again" in tallystick(*renew).out
    monkeypatch.undo()
    assert "0 of 2 documents were stamped again" in tallystick(*renew).out

    register = CertificateFolder(folder).register()
    root = tmp_path / "root.pem"
    root.write_text(pem_of(register.authority("root").octets))
    others = tmp_path / "others.pem"
    others.write_text("".join(pem_of(one.octets) for one in register.certificates()))
    trust = ("-CAfile", root, "-untrusted", others)
    chain = read_chain(archiving.stamps_file(consents[0]).read_bytes())
    links = [b64url_decode(one) for one in chain.stamps]
    assert len(links) == 2
    for number, link in enumerate(links):
        data, stamp = tmp_path / f"data-{number}", tmp_path / f"stamp-{number}.tsr"
        data.write_bytes(covered(consents[0].read_bytes(), links[:number]))
        stamp.write_bytes(link)
        said = openssl("ts", "-verify", "-data", data, "-in", stamp, *trust)
        assert "Verification: OK" in said
        data.write_bytes(covered(consents[1].read_bytes(), links[:number]))
        openssl_refuses("ts", "-verify", "-data", data, "-in", stamp, *trust)
    consents[1].write_text("{}")
    changed = tallystick(*renew)
    assert changed.code == 4
    assert "consent-1.json" in changed.all
