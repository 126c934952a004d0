"""A partner is registered with a secret of its own; registering again ends the one before."""

import json
import stat
from pathlib import Path

import pytest
from tests.support.authorities import OpensslAuthority
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.unlocking import secret_from
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.x509 import read_pem
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import b64url
from tallystick.protocol.channels import Language


@pytest.fixture
def provider(tmp_path: Path) -> Path:
    tallystick(
        "init", tmp_path / "p", "--secret-out", tmp_path / "secret", "--no-analysis",
        "--language", "sw", "--codes-file", tmp_path / "codes",
    )  # fmt: skip
    return tmp_path


def add(folder: Path, *options: object) -> object:
    return tallystick("partner", "add", folder / "p", *options, "--secret-file", folder / "secret")


def test_a_partner_gets_the_secret_that_the_service_derives(provider: Path) -> None:
    first, again = provider / "first", provider / "again"
    add(provider, "menus-east", "--out", first)
    add(provider, "menus-east", "--out", again, "--from", "192.0.2.0/24")
    add(provider, "sms-east", "--receipts", "--out", provider / "sms")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    settings = ProviderFolder(provider / "p").settings()
    link = PartnerLink(name="menus-east", generation=2, sources=("192.0.2.0/24",))
    assert settings.aggregators == (link,)
    assert settings.sms_receipts == PartnerLink(name="sms-east")
    assert settings.language is Language.SWAHILI
    platform = open_platform(ProviderFolder(provider / "p"), secret_from(None, provider / "secret"))
    handle = platform.keys.newest(Purpose.PARTNER_LINK)
    secret = link_secret(platform.module, handle, link)
    platform.close()
    assert again.read_text().strip() == b64url(secret.reveal()) != first.read_text().strip()
    listed = json.loads(tallystick("partner", "list", provider / "p", "--json").out)
    assert [(one["for"], one["partner"]["name"]) for one in listed] == [
        ("menus", "menus-east"),
        ("receipts", "sms-east"),
    ]


def test_a_certificate_takes_no_secret_and_needs_the_terminator(provider: Path) -> None:
    digest = "A" * 43
    how = ("--certificate", digest, "--from", "10.0.0.1/32")
    add(provider, "menus-west", *how, "--without-lists")
    [link] = ProviderFolder(provider / "p").settings().aggregators
    assert (link.proof, link.certificate, link.unlisted) == ("certificate", digest, True)


def test_a_certificate_takes_its_authority_or_the_word_that_there_are_no_lists(
    provider: Path, tmp_path: Path
) -> None:
    place, secret = provider / "p", ("--secret-file", provider / "secret")
    how = ("--certificate", "A" * 43, "--from", "10.0.0.1/32")
    said = tallystick("partner", "add", place, "menus-south", *how, *secret)
    assert said.code == 2
    assert "--without-lists" in said.err
    authority = OpensslAuthority(tmp_path, "Partner authority")
    root = ("--authority", authority.folder / "root.pem")
    for more in ((*root, "--without-lists"), ("--authority", authority.leaf("leaf"))):
        assert tallystick("partner", "add", place, "menus-south", *how, *more, *secret).code != 0
    known = tallystick("partner", "list", place).out
    assert "menus-south" not in known, "what was refused was registered all the same"
    assert tallystick("partner", "add", place, "menus-south", *how, *root, *secret).code == 0
    kept = place / "partner-lists" / "menus-south.pem"
    assert read_pem(kept.read_bytes()).octets == authority.certificate.octets
