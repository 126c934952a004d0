"""A compromise is rehearsed on a copy: every refusal is seen, nothing of the provider changes."""

import json
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.test_renewing import SECRET, Provider

from tallystick.entry.assembly import open_platform
from tallystick.entry.drilling import drill, rehearsable
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft_states import SoftStates
from tallystick.kernel.errors import NotFound


def tree(root: Path) -> dict[str, bytes]:
    names = ("keys/*.block", "*.json", "*.jws", "master.sealed")
    return {str(path): path.read_bytes() for name in names for path in root.glob(name)}


@pytest.mark.requirement("MFS-7.4.2-08")
@pytest.mark.requirement("MFS-7.4.2-09")
def test_a_drill_sees_every_refusal_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(tmp_path)
    open_platform(provider.folder, SECRET, provider.clock).close()
    before = tree(provider.folder.root)
    for purpose in (Purpose.WEBHOOK, Purpose.STORE, Purpose.OTP_TRANSPORT, Purpose.TALLY):
        done = drill(provider.folder, SECRET, purpose, provider.clock)
        assert done.held, done.steps
        assert done.old != done.successor
        assert done.dependants
    assert tree(provider.folder.root) == before
    with pytest.raises(NotFound):
        drill(provider.folder, SECRET, Purpose.PROVIDER_ROOT, provider.clock)
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET.reveal())
    ran = tallystick("keys", "drill", provider.folder.root, "store", "--secret-file", secret,
                     "--json")  # fmt: skip
    assert ran.code == 0, ran.all
    assert all(one["held"] for one in json.loads(ran.out)["steps"])
    known = rehearsable(provider.folder)
    assert {"webhook", "store", "tally", "pin-pepper"} <= set(known)
    for typed, hint in (
        ("webhok", "did you mean 'webhook'"),
        ("provider-root", f"use one of {', '.join(known)}"),
    ):
        ran = tallystick("keys", "drill", provider.folder.root, typed, "--secret-file", secret)
        assert ran.code == 1
        assert hint in ran.err
    monkeypatch.setattr(SoftStates, "put", lambda *_: None)
    done = drill(provider.folder, SECRET, Purpose.WEBHOOK, provider.clock)
    assert not done.held, "a module that does not stop a key is found out"
