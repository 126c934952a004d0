"""The desk's place, and invitations to it, by the command line."""

import json
import re

import pytest
from tests.support.desks import come_in, events, served_desk
from tests.unit.entry.cli.command_line import tallystick

PASSPHRASE = "a long enough passphrase"


@pytest.fixture
def met(tmp_path):
    with served_desk(tmp_path / "p") as (provider, origin, codes):
        yield provider, origin, codes, tmp_path


def test_officers_invite_and_a_passkey_of_ones_own_comes_to_the_same_person(met):
    provider, origin, codes, folder = met
    secret = folder / "pass"
    secret.write_text(PASSPHRASE)
    for name, code in zip(("sia", "sol"), codes["security-officer"], strict=True):
        (folder / "code").write_text(code)
        ran = tallystick(
            "operator", "enrol", provider.url, "--name", name, "--key-file", folder / f"{name}.key",
            "--code-file", folder / "code", "--passphrase-file", secret,
        )  # fmt: skip
        assert ran.code == 0, ran.all
    signing = ("--passphrase-file", secret)
    proposal = folder / "proposal.json"
    ran = tallystick(
        "operator", "invite", provider.url, "--role", "care-desk", "--key-file",
        folder / "sia.key", "--proposal", proposal, *signing,
    )  # fmt: skip
    assert ran.code == 0, ran.all
    code = re.search(r"shown once: (\S+)", ran.out)[1]
    ran = tallystick(
        "operator", "approve", proposal, provider.url, "--key-file", folder / "sol.key", "--yes",
        *signing,
    )  # fmt: skip
    assert ran.code == 0, ran.all
    assert "care-desk" in come_in(origin, code, "Newcomer").get("/desk").text
    ran = tallystick(
        "operator", "invite", provider.url, "--own-passkey", "--key-file", folder / "sia.key",
        *signing,
    )  # fmt: skip
    code = re.search(r"shown once: (\S+)", ran.out)[1]
    assert "sia, security-officer" in come_in(origin, code, "ignored").get("/desk").text
    enrolled = [one["p"]["operator"] for one in events(provider, "operator.enrolled")]
    added = events(provider, "operator.passkey-added")[-1]["p"]["operator"]
    assert added in enrolled


def test_an_invitation_is_of_a_role_or_of_oneself(tmp_path):
    for more in ((), ("--role", "care-desk", "--own-passkey")):
        ran = tallystick(
            "operator", "invite", "http://127.0.0.1:9", "--key-file", tmp_path / "x", *more
        )
        assert ran.code == 1
        assert "say one of the two" in ran.err


def test_the_place_is_pinned_shown_and_refused_where_it_protects_nothing(met):
    provider, origin, _, _ = met
    folder = provider.folder.root
    shown = json.loads(tallystick("desk", "show", folder, "--json").out)
    assert shown["origin"] == origin
    assert tallystick("desk", "set", folder, "--origin", "https://desk.example").code == 0
    assert "desk.example" in tallystick("desk", "show", folder).out
    ran = tallystick("desk", "set", folder, "--origin", "http://desk.example")
    assert ran.code == 1
    assert "https" in ran.err
    (folder / "desk.json").unlink()
    assert tallystick("desk", "show", folder).code == 1
