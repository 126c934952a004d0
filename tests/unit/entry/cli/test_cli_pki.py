"""The commands about certificates and time, from a root to a revoked certificate."""

import json
from pathlib import Path

import pytest
from tests.support.hierarchy import certificate_request
from tests.support.openssl import openssl
from tests.unit.entry.cli.command_line import Ran, tallystick


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    said(tallystick("init", str(folder / "p"), "--secret-out", str(folder / "secret")))
    made = command(folder, "root", "--url", "http://127.0.0.1:8480", "--permit", "example.org")
    assert "authorities: devices, servers, partners, services" in made
    return folder


def said(done: Ran) -> str:
    assert done.code == 0, done.err
    return done.out


def command(folder: Path, name: str, *more: str) -> str:
    secret = ("--secret-file", str(folder / "secret"))
    return said(tallystick("pki", name, str(folder / "p"), *more, *secret))


def test_issue_list_revoke(provider: Path) -> None:
    request = provider / "request.csr"
    request.write_bytes(certificate_request()[0])
    out = provider / "partner.pem"
    issued = command(
        provider, "issue", "partner", "menus-east", "--request", str(request), "--out", str(out)
    )
    number = issued.partition(",")[0]
    root = provider / "root.pem"
    root.write_text(said(tallystick("pki", "show", str(provider / "p"), "root")))
    assert openssl("verify", "-CAfile", root, "-untrusted", out, out).strip().endswith("OK")
    revoked = command(provider, "revoke", number, "--reason", "superseded")
    assert revoked.strip() == f"partner {number} of partners: superseded"
    listed = json.loads(said(tallystick("pki", "list", str(provider / "p"), "--json")))
    assert [one["reason"] for one in listed if one["profile"] == "partner"] == ["superseded"]
    assert "good for 60 minutes" in command(provider, "crl", "partners", "--delta")
    assert "good for 7 days" in command(provider, "crl")


def test_what_ends_soon_ends_with_4(provider: Path) -> None:
    folder = str(provider / "p")
    assert tallystick("pki", "list", folder, "--days", "30").code == 0
    done = tallystick("pki", "list", folder, "--days", "91")
    assert done.code == 4
    assert done.out.count("responder ") == 5
    assert "until" in command(provider, "responder", "partners")


def test_the_root_is_asked_for_where_it_is_needed(provider: Path) -> None:
    block = provider / "p" / "offline" / "certificate-root.block"
    away = provider / "usb.block"
    block.rename(away)
    try:
        command(provider, "crl", "partners")
        done = tallystick(
            "pki", "crl", str(provider / "p"), "root", "--secret-file", str(provider / "secret")
        )
        assert done.code == 1
        assert "--root-block" in done.err
        command(provider, "crl", "root", "--root-block", str(away))
    finally:
        away.rename(block)


def test_how_time_is_stamped(provider: Path) -> None:
    assert "time stamps:" in command(provider, "stamping", "--policy", "1.3.6.1.4.1.99999.1")
    folder = str(provider / "p")
    kept = said(tallystick("pki", "time", folder, "--clock", "declared", "--accuracy-ms", "500"))
    assert kept.splitlines()[0] == "clock: declared, right to 500 ms"
    roots = provider / "roots.pem"
    roots.write_text(said(tallystick("pki", "show", folder, "root")))
    other = ("--authority", "http://127.0.0.1:9", "--roots", str(roots))
    assert "http://127.0.0.1:9" in said(tallystick("pki", "time", folder, *other))
    file = provider / "consent"
    file.write_text("signed")
    done = tallystick("pki", "archive", folder, str(file))
    assert done.code == 3
    assert "cannot be reached" in done.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("revoke", "xyz"),
        ("revoke", "5f2c"),
        ("stamping", "--policy", "no-oid"),
        ("root",),
        ("renew", "5f2c", "--request", "request.csr", "--out", "x"),
    ],
)
def test_what_cannot_be_is_refused(provider: Path, wrong: tuple[str, ...]) -> None:
    (provider / "request.csr").write_bytes(certificate_request()[0])
    asked = [str(provider / one) if one.endswith(".csr") else one for one in wrong[1:]]
    secret = ("--secret-file", str(provider / "secret"))
    done = tallystick("pki", wrong[0], str(provider / "p"), *asked, *secret)
    assert done.code == 1
    assert done.err.startswith("error: ")
