"""Certificates, lists and answers of ours as OpenSSL sees them."""

from pathlib import Path

import pytest
from tests.support.hierarchy import Hierarchy, certificate_request, write_pem
from tests.support.openssl import openssl, openssl_refuses

from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.pki.profiles import PROFILES, profile
from tallystick.infrastructure.pki.validation import fresh_lists, revoked_in
from tallystick.kernel.time import HOUR_MS, Instant


@pytest.fixture
def made(tmp_path: Path) -> Hierarchy:
    return Hierarchy(tmp_path)


PURPOSES = {
    "device": "sslclient",
    "server": "sslserver",
    "partner": "sslclient",
    "tsa": "timestampsign",
    "ocsp": "any",
    "policy": "any",
    "application": "any",
}
NAMES = {"server": "pay.example.org", "device": "dev_0001", "partner": "menus-east"}


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("name", PROFILES)
def test_openssl_takes_the_certificates_of_every_profile(made: Hierarchy, name: str) -> None:
    leaf = made.issue(name, NAMES.get(name, "a service"))
    above = made.authorities[profile(name).authority].certificate
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issuer = write_pem(made.folder / "issuer.pem", above)
    file = write_pem(made.folder / "leaf.pem", leaf)
    said = openssl(
        "verify", "-x509_strict", "-purpose", PURPOSES[name],
        "-CAfile", root, "-untrusted", issuer, file,
    )  # fmt: skip
    assert said.strip().endswith("OK")
    wrong = "timestampsign" if name != "tsa" else "sslserver"
    openssl_refuses("verify", "-purpose", wrong, "-CAfile", root, "-untrusted", issuer, file)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_openssl_reads_our_lists_and_refuses_what_is_on_them(made: Hierarchy) -> None:
    partners = made.authorities["partners"]
    kept, lost = made.issue("partner", "menus-east"), made.issue("partner", "menus-west")
    partners.revoke(lost.serial, "key-compromise", made.now)
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issuer = write_pem(made.folder / "issuer.pem", partners.certificate)
    lists = made.folder / "lists.pem"
    lists.write_text("".join(pem_of(one, "X509 CRL") for one in made.lists()))
    whole = made.folder / "whole.crl"
    whole.write_bytes(partners.list_whole(made.now))
    said = openssl("crl", "-inform", "DER", "-in", whole, "-CAfile", issuer, "-noout", "-text")
    assert "verify OK" in said
    assert f"{lost.serial:X}" in said
    assert "Key Compromise" in said
    checks = ("verify", "-crl_check_all", "-CRLfile", lists, "-CAfile", root, "-untrusted", issuer)
    assert openssl(*checks, write_pem(made.folder / "kept.pem", kept)).strip().endswith("OK")
    assert "revoked" in openssl_refuses(*checks, write_pem(made.folder / "lost.pem", lost))


def test_openssl_follows_our_delta(made: Hierarchy) -> None:
    partners = made.authorities["partners"]
    lost = made.issue("partner", "menus-west")
    whole = partners.list_whole(made.now)
    partners.revoke(lost.serial, "superseded", made.now)
    delta = partners.list_delta(made.now)
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issuer = write_pem(made.folder / "issuer.pem", partners.certificate)
    leaf = write_pem(made.folder / "lost.pem", lost)
    lists = made.folder / "lists.pem"
    lists.write_text(pem_of(whole, "X509 CRL"))
    checks = ("verify", "-crl_check", "-CRLfile", lists, "-CAfile", root, "-untrusted", issuer)
    assert openssl(*checks, leaf).strip().endswith("OK")
    lists.write_text(pem_of(whole, "X509 CRL") + pem_of(delta, "X509 CRL"))
    said = openssl("crl", "-inform", "PEM", "-in", lists, "-noout", "-text")
    assert "CRL Number" in said
    both = fresh_lists((whole, delta), partners.certificate, made.now)
    assert [one.base for one in both] == [None, 1]
    assert revoked_in(both[:1], lost.serial) is None
    revoked = revoked_in(both, lost.serial)
    assert revoked is not None
    assert revoked.reason == "superseded"
    assert revoked_in(both, lost.serial + 1) is None


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
@pytest.mark.parametrize("hashed", ["-sha1", "-sha256"])
def test_openssl_asks_our_responder(made: Hierarchy, nonce: str, hashed: str) -> None:
    partners = made.authorities["partners"]
    kept, lost = made.issue("partner", "menus-east"), made.issue("partner", "menus-west")
    partners.revoke(lost.serial, "withdrawn", made.now)
    strange = made.issue("partner", "menus-north")
    made.register._issued.pop(("partners", strange.serial))
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issuer = write_pem(made.folder / "issuer.pem", partners.certificate)
    responder = made.responder()
    for leaf, word in ((kept, "good"), (lost, "revoked"), (strange, "unknown")):
        file = write_pem(made.folder / "leaf.pem", leaf)
        asked, answered = made.folder / "asked.der", made.folder / "answered.der"
        openssl("ocsp", hashed, "-issuer", issuer, "-cert", file, nonce, "-reqout", asked)
        answered.write_bytes(responder.answer(asked.read_bytes(), made.now))
        said = openssl(
            "ocsp", "-no_nonce", "-reqin", asked, "-respin", answered, "-CAfile", root,
            "-verify_other", issuer, "-issuer", issuer, hashed, "-cert", file,
            "-validity_period", "7200",
        )  # fmt: skip
        assert "Response verify OK" in said
        assert f"leaf.pem: {word}" in said
        assert "no nonce in response" not in said


def test_a_request_of_openssl_is_taken(made: Hierarchy) -> None:
    private, asked = made.folder / "key.pem", made.folder / "asked.pem"
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", private, "-out", asked, "-subj", "/CN=anything",
    )  # fmt: skip
    issued = made.authorities["partners"].issue(
        profile("partner"), ("menus-east",), asked.read_bytes(), made.now
    )
    text = openssl("x509", "-in", write_pem(made.folder / "leaf.pem", issued), "-noout", "-text")
    assert "CN = menus-east" in text
    assert "anything" not in text
    assert "urn:tallystick:partner:menus-east" in text
    assert "http://127.0.0.1:8480/pki/crl/partners.crl" in text


def test_a_device_renews_with_a_new_key_in_the_last_third(made: Hierarchy) -> None:
    devices = made.authorities["devices"]
    first = made.issue("device", "dev_0001", life_ms=24 * HOUR_MS)
    late = Instant(made.now + 17 * HOUR_MS)
    second = devices.renew(first.serial, certificate_request()[0], late)
    root = write_pem(made.folder / "root.pem", made.root.certificate)
    issuer = write_pem(made.folder / "issuer.pem", devices.certificate)
    assert second.subject == first.subject
    assert second.serial != first.serial
    openssl(
        "verify", "-purpose", "sslclient", "-attime", str(late // 1000), "-CAfile", root,
        "-untrusted", issuer, write_pem(made.folder / "second.pem", second),
    )  # fmt: skip
