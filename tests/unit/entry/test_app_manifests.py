"""Manifests for devices, the key that signs them, and the application that looks at itself."""

import json
from pathlib import Path

import pytest
from tests.support.apk_writing import made
from tests.support.apple_package import genuine
from tests.unit.entry.cli.command_line import tallystick

from tallystick import __version__
from tallystick.client.ownapp import Measured, check_own
from tallystick.entry.appkeys import sign_manifest
from tallystick.entry.apps import own_release, release_says
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.packages.apk import read_apk
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.process.apps.manifest import AppRelease, AppWithdrawal, Platform
from tallystick.process.apps.reading import manifest_of, read_release_text
from tallystick.process.apps.rules import AppRegister

BILL = b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}'
SERVER = f"""
platform: server
artifact: tallystick.whl
bill: bill.json
notes: what is new
package: tallystick
version: 7
name: "{__version__}"
system: Python 3.11
"""


def android(name: str = "all.apk") -> AppRelease:
    said = read_release_text("platform: android\nartifact: a\nbill: b\nnotes: new\n")
    return manifest_of(said, made(name), BILL)


def measured(name: str = "all.apk") -> Measured:
    found = read_apk(made(name))
    told = found.manifest
    return Measured("android", told.package, told.version, found.digest, found.signers)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_an_application_runs_only_as_the_provider_signed_it() -> None:
    key = Es256SigningKey.generate()
    keys = {"key_1": key.public()}
    signed = sign_manifest(android(), "wallet", key)
    claim = check_own(signed, keys, "wallet", measured())
    assert (claim.version, claim.digest) == (42, android().digest)
    for wrong in ("repackaged.apk", "rotated.apk", "second.apk"):
        with pytest.raises(NotAuthentic, match="not what the provider released"):
            check_own(signed, keys, "wallet", measured(wrong))
    with pytest.raises(NotAuthentic, match="not what the provider released"):
        check_own(signed, keys, "another", measured())


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-07")
def test_a_manifest_of_somebody_else_is_not_believed() -> None:
    key, stranger = Es256SigningKey.generate(), Es256SigningKey.generate()
    keys = {"key_1": key.public()}
    signed = sign_manifest(android("repackaged.apk"), "wallet", stranger)
    head, body, mark = sign_manifest(android(), "wallet", key).split(".")
    for wrong in (
        signed,
        f"{head}.{signed.split('.')[1]}.{mark}",
        f"{head[:-2]}AA.{body}.{mark}",
        f"{head}.{body}.{mark[:-4]}AAAA",
        f"{head}.{body}",
        "",
    ):
        with pytest.raises(NotAuthentic, match="not signed by the provider"):
            check_own(wrong, keys, "wallet", measured("repackaged.apk"))
    with pytest.raises(NotAuthentic):
        check_own(signed, {}, "wallet", measured())


@pytest.mark.requirement("MFS-7.4.4-01")
def test_what_a_package_says_cannot_be_said_otherwise() -> None:
    with pytest.raises(Malformed, match="only for one"):
        read_release_text("platform: android\nartifact: a\nbill: b\nnotes: new\nversion: 9\n")
    with pytest.raises(Malformed, match="only for one"):
        read_release_text("platform: server\nartifact: a\nbill: b\nnotes: new\n")
    said = read_release_text("platform: android\nartifact: a\nbill: b\nnotes: new\n")
    with pytest.raises(Malformed, match="bill of materials"):
        manifest_of(said, made("all.apk"), b"{}")


@pytest.mark.requirement("MFS-7.4.4-01")
def test_a_bill_of_materials_is_of_this_package_where_it_names_one() -> None:
    said = read_release_text("platform: android\nartifact: a\nbill: b\nnotes: new\n")

    def bill(artifact: bytes) -> bytes:
        named = {"alg": "SHA-256", "content": sha256(artifact).hex().upper()}
        product = {"name": "wallet", "hashes": [named]}
        root = {"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": product}}
        return json.dumps(root).encode()

    own = made("all.apk")
    assert manifest_of(said, own, bill(own)).bill == sha256(bill(own)).hex()
    with pytest.raises(Malformed, match="names another package"):
        manifest_of(said, own, bill(made("two.apk")))


def test_what_was_not_signed_is_not_sent_as_a_release(tmp_path: Path) -> None:
    (tmp_path / "wallet.yaml").write_text("platform: android\n")
    ran = tallystick("app", "release", "send", tmp_path / "wallet.yaml", "http://127.0.0.1:1")
    assert ran.code == 1
    assert "wallet.yaml is not what officers signed" in ran.err
    assert "--out" in ran.err


@pytest.mark.requirement("MFS-7.4.4-01")
def test_a_package_for_ios_is_released_by_its_team() -> None:
    said = read_release_text("platform: ios\nartifact: a\nbill: b\nnotes: new\n")
    found = manifest_of(said, genuine(), BILL)
    assert (found.package, found.version, found.system) == ("org.example.wallet", 42, "iOS 15.0")
    assert found.signers == ("A1B2C3D4E5",)


@pytest.mark.requirement("MFS-7.4.4-01")
def test_the_server_knows_which_release_it_is() -> None:
    found = manifest_of(read_release_text(SERVER), b"wheel", BILL)
    place = (Platform.SERVER.value, found.package, found.version)
    register = AppRegister(releases={place: found})
    assert own_release(register) == found
    assert found.digest in release_says(register)
    gone = AppWithdrawal(platform=Platform.SERVER, package="tallystick", version=7, at=1,
                         because="a hole")  # fmt: skip
    withdrawn = AppRegister(releases={place: found}, withdrawn={place: gone})
    for one in (withdrawn, AppRegister()):
        assert own_release(one) is None
        assert "not in the register" in release_says(one)
    with pytest.raises(Malformed):
        sign_manifest(found, "wallet", Es256SigningKey.generate())


@pytest.mark.requirement("MFS-7.4.4-03")
def test_a_look_alike_is_entered_reported_reminded_and_gone(tmp_path: Path) -> None:
    def run(*words: object, code: int = 0) -> str:
        ran = tallystick("app", "rogue", *words)
        assert ran.code == code, ran.all
        return ran.all

    first = ("--name", "Wallet: Free", "--platform", "android", "--place", "store")
    run("open", tmp_path, "free", *first, "--signer", "a" * 64)
    run("open", tmp_path, "free", *first, code=1)
    run("open", tmp_path, "late", *first, "--gone-within", "PT1M", "--report-within", "PT1M")
    file = tmp_path / "registers" / "rogue-apps.yaml"
    file.write_text(file.read_text().replace(_line(file, "late", "found"),
                                             '    found: "2026-01-01T00:00Z"'))  # fmt: skip
    assert "overdue: report of the look-alike, take-down" in " ".join(
        run("list", tmp_path, code=4).split()
    )
    run("report", tmp_path, "free", "--to", "abuse desk")
    assert "reminded" in run("report", tmp_path, "free", "--to", "registrar")
    assert "reminded" in file.read_text()
    for case in ("free", "late"):
        run("close", tmp_path, case, "--customers-told")
    assert "gone 20" in run("list", tmp_path)
    run("close", tmp_path, "free", code=1)
    before = file.read_text()
    assert "closed before" in run("report", tmp_path, "free", "--to", "registrar", code=1)
    assert file.read_text() == before
    run("report", tmp_path, "nobody", "--to", "x", code=1)


def _line(file: Path, case: str, field: str) -> str:
    after = file.read_text().split(f"  {case}:\n")[1]
    return next(one for one in after.splitlines() if one.startswith(f"    {field}:"))
