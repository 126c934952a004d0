"""Certificates at a served provider: officers sign, the log records, trust falls at once."""

import json
from pathlib import Path

import pytest
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.kernel.codec import encode

TEXT = """
id: CMVP-4711
component: Example module
scheme: fips-140-3
level: "3"
valid_from: 2025-01-01
valid_to: 2040-01-01
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory):
    with served(tmp_path_factory.mktemp("certificates") / "p", join=False) as running:
        yield running


def signing(provider: Served, tmp_path: Path, officer: str = "officer-1") -> list[object]:
    secret = tmp_path / "secret"
    if not secret.exists():
        secret.write_bytes(provider.secret.reveal())
        secret.chmod(0o600)
    key = provider.folder.offline / f"{officer}.key"
    return ["--officer", officer, "--key-file", key, "--secret-file", secret]


def listed(provider: Served) -> dict[str, str]:
    ran = tallystick("certificate", "list", provider.folder.root, "--json")
    assert ran.code == 0, ran.all
    return {one["certificate"]["id"]: one["trust"]["wire"] for one in json.loads(ran.out)}


@pytest.mark.requirement("MFS-9.1-01", "MFS-9.1-03", "MFS-9.4-02")
def test_officers_add_a_certificate_and_withdraw_it_for_good(
    provider: Served, tmp_path: Path
) -> None:
    text, added, gone = tmp_path / "c.yaml", tmp_path / "added.json", tmp_path / "gone.json"
    text.write_text(TEXT)
    for officer in ("officer-1", "officer-2"):
        ran = tallystick("certificate", "add", text, "--out", added,
                         *signing(provider, tmp_path, officer))  # fmt: skip
        assert ran.code == 0, ran.all
    assert "signed by 2 officers" in ran.out
    assert listed(provider) == {}
    assert tallystick("certificate", "send", added, provider.url).code == 0
    assert listed(provider) == {"CMVP-4711": "iso_18045_enhanced-basic"}

    ran = tallystick("certificate", "withdraw", "CMVP-4711", "--because", "revoked", "--out", gone,
                     *signing(provider, tmp_path))  # fmt: skip
    assert ran.code == 0, ran.all
    assert tallystick("certificate", "send", gone, provider.url).code == 0
    assert listed(provider) == {"CMVP-4711": "none"}
    for again in (added, gone):
        ran = tallystick("certificate", "send", again, provider.url)
        assert ran.code == 1
        assert "withdrawn" in ran.err
    told = tallystick("timeline", provider.folder.root).out
    assert "certificate.added" in told
    assert "certificate.withdrawn" in told
    assert "officer-1 officer-2" in told


def test_what_nobody_of_ours_signed_is_refused(provider: Served, tmp_path: Path) -> None:
    text, signed = tmp_path / "c.yaml", tmp_path / "s.json"
    text.write_text(TEXT.replace("4711", "4712"))
    tallystick("certificate", "add", text, "--out", signed, *signing(provider, tmp_path))
    good = json.loads(signed.read_text())
    changed = {**good, "about": "release"}
    stranger = {**good, "signatures": [{**good["signatures"][0], "officer": "somebody"}]}
    unsigned = {**good, "signatures": []}
    for body, status in ((changed, 401), (stranger, 403), (unsigned, 403), ({}, 400)):
        reply = provider.transport.post("/v1/certificates", encode(body), "application/json")
        assert reply.status == status
    assert "CMVP-4712" not in listed(provider)


def test_a_release_is_no_statement_about_a_certificate(provider: Served, tmp_path: Path) -> None:
    gone = tmp_path / "gone.json"
    ran = tallystick("certificate", "withdraw", "unknown-one", "--because", "x", "--out", gone,
                     *signing(provider, tmp_path))  # fmt: skip
    assert ran.code == 0, ran.all
    ran = tallystick("certificate", "send", gone, provider.url)
    assert ran.code == 1
    assert "no such certificate" in ran.err


def test_an_export_is_listed_and_one_certificate_taken_out_to_be_signed(tmp_path: Path) -> None:
    row = {
        "_type": "sec_certs.sample.fips.FIPSCertificate",
        "cert_id": 4711,
        "web_data": {
            "module_name": "Example HSM: two", "standard": "FIPS 140-3", "level": 3,
            "status": "active", "date_sunset": "2040-06-01",
            "validation_history": [{"date": "2025-06-01", "lab": "A LAB"}],
        },
    }  # fmt: skip
    other = {**row, "cert_id": 4712, "web_data": {**row["web_data"], "status": "revoked"}}
    export, out = tmp_path / "e.json", tmp_path / "c.yaml"
    export.write_text(json.dumps({"certs": [row, other, {"name": "odd"}]}))
    shown = tallystick("certificate", "import", export)
    assert "iso_18045_enhanced-basic" in shown.out
    assert "left out: odd" in shown.out
    taken = tallystick("certificate", "import", export, "--id", "CMVP-4711", "--out", out)
    assert taken.code == 0, taken.all
    assert 'component: "Example HSM: two"' in out.read_text()
    for arguments, says in (
        (("--id", "CMVP-4711", "--out", out), "there already"),
        (("--id", "CMVP-9", "--out", tmp_path / "n"), "has no certificate"),
        (("--id", "CMVP-4712", "--out", tmp_path / "n"), "withdrew it"),
        (("--id", "CMVP-4711"), "--out"),
    ):
        ran = tallystick("certificate", "import", export, *arguments)
        assert ran.code != 0
        assert says in ran.err
