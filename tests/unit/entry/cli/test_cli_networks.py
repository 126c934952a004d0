"""A network is registered with its password sealed; SIMs are made with keys in blocks only."""

import json
import stat
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.sims import SimState
from tallystick.entry.assembly import open_platform
from tallystick.entry.binds import check_bind, open_password
from tallystick.entry.cli.unlocking import secret_from
from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.simstock import PURPOSES
from tallystick.infrastructure.modules.block import unwrap
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace

ICCIDS = ("8925402100000000011", "8925402100000000029")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    tallystick(
        "init", folder / "p", "--secret-out", folder / "secret", "--no-analysis",
        "--codes-file", folder / "codes",
    )  # fmt: skip
    return folder


def add(folder: Path, password: str, *options: object):
    (folder / "password").write_text(password + "\n", encoding="ascii")
    return tallystick(
        "network", "add", folder / "p", "mno-east", "--at", "smpp.example:2775", "--as", "tally",
        "--password-file", folder / "password", "--number", "38457",
        "--secret-file", folder / "secret", *options,
    )  # fmt: skip


@pytest.mark.requirement("MFS-7.3.4-03")
def test_the_password_of_a_bind_is_sealed_for_it_alone(provider: Path) -> None:
    add(provider, "qz7-pass", "--menu", "*384*57#", "--messages")
    folder = ProviderFolder(provider / "p")
    [bind] = folder.settings().smpp
    assert (bind.host, bind.port, bind.tls, bind.messages) == ("smpp.example", 2775, True, True)
    octets = b"".join(one.read_bytes() for one in folder.root.rglob("*") if one.is_file())
    assert b"qz7-pass" not in octets
    platform = open_platform(folder, secret_from(None, provider / "secret"))
    store = platform.keys.newest(Purpose.STORE)
    try:
        assert open_password(platform.module, store, bind).reveal() == "qz7-pass"
        with pytest.raises(NotAuthentic):
            open_password(platform.module, store, replace(bind, name="mno-west"))
    finally:
        platform.close()
    [shown] = json.loads(tallystick("network", "list", provider / "p", "--json").out)
    assert shown["password"] == ""
    assert "smpp.example:2775" in tallystick("network", "list", provider / "p").out


@pytest.mark.threat("THR-USD-01")
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"tls": False}, NotPermitted),
        ({"window": 0}, Malformed),
        ({"name": "No Slug"}, Malformed),
    ],
)
def test_a_way_that_nothing_protects_is_refused(changes, refusal) -> None:
    bind = SmppBind(
        name="mno-east", host="smpp.example", port=2775, system_id="t", password="", number="1"
    )
    check_bind(bind)
    check_bind(replace(bind, tls=False, tunnel="vpn-east"))
    check_bind(replace(bind, tls=False, host="127.0.0.1"))
    with pytest.raises(refusal):
        check_bind(replace(bind, **changes))


@pytest.mark.threat("THR-OTA-03")
@pytest.mark.requirement("MFS-7.4.2-05")
def test_sims_are_stocked_at_the_next_start_and_their_keys_leave_in_blocks(provider: Path) -> None:
    (provider / "iccids").write_text("\n".join(ICCIDS) + "\n", encoding="ascii")
    out = provider / "blocks"
    tallystick(
        "network", "sims", provider / "p", "batch-1", provider / "iccids", "--out", out,
        "--secret-file", provider / "secret",
    )  # fmt: skip
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    made = json.loads(out.read_text(encoding="utf-8"))
    assert [one["iccid"] for one in made["sims"]] == list(ICCIDS)
    folder = ProviderFolder(provider / "p")
    secret = secret_from(None, provider / "secret")
    roots = folder.master(secret).roots(PURPOSES)
    carried = [b64url_decode(one[kind]) for one in made["sims"] for kind in ("packet", "order")]
    clear = [unwrap(roots, block)[1] for block in carried]
    assert {len(one) for one in clear} == {16}
    assert len(set(clear)) == len(clear)
    assert not any(octets in b"".join(carried) for octets in clear)
    with pytest.raises(MfsError):
        unwrap(folder.master(secret).roots((Purpose.STORE,)), carried[0])
    for _ in range(2):
        platform = open_platform(folder, secret)
        sims = platform.desks.sims
        assert [sims.get(sims.id_of(one)).state for one in ICCIDS] == [SimState.STOCKED] * 2
        platform.close()
        assert not list((folder.root / "sims").glob("*"))


def test_a_serial_number_that_is_none_makes_no_batch(provider: Path) -> None:
    (provider / "wrong").write_text("12345\n", encoding="ascii")
    found = tallystick(
        "network", "sims", provider / "p", "batch-2", provider / "wrong",
        "--out", provider / "none", "--secret-file", provider / "secret",
    )  # fmt: skip
    assert found.code == 1
    assert "serial number" in found.err
    assert not (provider / "none").exists()


def test_who_tells_of_changed_sims_is_a_partner_with_a_secret(provider: Path) -> None:
    tallystick(
        "partner", "add", provider / "p", "sim-east", "--sim-changes", "--out", provider / "s",
        "--secret-file", provider / "secret",
    )  # fmt: skip
    changes = ProviderFolder(provider / "p").settings().sim_changes
    assert changes is not None
    assert changes.name == "sim-east"
    assert "SIM changes" in tallystick("partner", "list", provider / "p").out
