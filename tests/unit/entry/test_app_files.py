"""The manifest of an app's files: officers approve, the app's key signs, the app looks at it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.client.release.manifest import Build, verify_app
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret

SECRET = Secret(b"s" * 32)


@dataclass
class Scene:
    folder: ProviderFolder
    app: Path
    place: Path

    def secret(self) -> tuple[str, Path]:
        return "--secret-file", self.place / "secret"

    def approve(self, officer: str, app: Path | None = None, *more: object) -> Ran:
        key = self.folder.offline / f"{officer}.key"
        return tallystick(
            "app", "manifest", "approve", self.folder.root, app or self.app, "--name", "wallet",
            "--version", "4.2", *more, "--officer", officer, "--key-file", key, *self.secret(),
            "--out", self.place / "approved.json",
        )  # fmt: skip

    def sign(self, out: Path | None = None, app: Path | None = None) -> Ran:
        return tallystick(
            "app", "manifest", "files", self.folder.root, app or self.app,
            self.place / "approved.json", "--app-key", self.place / "app.key", *self.secret(),
            "--out", out or self.place / "wallet.manifest",
        )  # fmt: skip

    def signer(self) -> VerifyKey:
        return open_officer_key(self.place / "app.key", SECRET).public()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A provider with a key that signs applications, copied for each test."""
    place = tmp_path_factory.mktemp("made")
    folder = ProviderFolder(place / "p")
    plan = Plan(
        provider="test-wallet", currency="KES", country="254", profile="production",
        policy_text=demo_policy().replace("profile: demo", "profile: production"),
        roles=("operations",), pin_memory_kib=8 * 1024, pin_passes=1,
    )  # fmt: skip
    set_up(folder, plan, SECRET, SystemClock())
    app = place / "app"
    (app / "code").mkdir(parents=True)
    (app / "wallet").write_bytes(b"as released")
    (app / "code" / "one.py").write_bytes(b"print(1)\n")
    (place / "secret").write_bytes(SECRET.reveal())
    (place / "secret").chmod(0o600)
    found = Scene(folder, app, place)
    root = folder.offline / "root.key"
    ran = tallystick("app", "manifest", "key", folder.root, "--root-key", root, *found.secret(),
                     "--out", place / "app.key")  # fmt: skip
    assert ran.code == 0, ran.all
    return place


@pytest.fixture
def scene(made: Path, tmp_path: Path) -> Scene:
    place = tmp_path / "here"
    copytree(made, place)
    return Scene(ProviderFolder(place / "p"), place / "app", place)


@pytest.mark.requirement("MFS-7.4.4-01")
@pytest.mark.requirement("MFS-7.4.4-02")
def test_two_officers_approve_and_the_app_finds_itself_as_signed(scene: Scene) -> None:
    first = scene.approve("officer-1")
    assert "2 files" in first.out
    assert "signed by 1 officer" in first.out
    assert "signed by 2 officers" in scene.approve("officer-2").out
    ran = scene.sign()
    assert ran.code == 0, ran.all
    signed, signer = (scene.place / "wallet.manifest").read_text(), scene.signer()
    assert b64url(signer.octets()) in ran.out
    found = verify_app(signed, {Build.RELEASE: signer}, scene.app)
    settings = scene.folder.settings()
    assert (found.app, found.version, found.pin.root) == ("wallet", "4.2", settings.root.public)
    assert (found.pin.name, found.pin.environment) == (settings.provider, "production")
    (scene.app / "wallet").write_bytes(b"altered")
    with pytest.raises(NotAuthentic, match="not as it was released"):
        verify_app(signed, {Build.RELEASE: signer}, scene.app)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-07")
def test_one_officer_alone_signs_no_app(scene: Scene) -> None:
    scene.approve("officer-1")
    assert scene.approve("officer-1").code == 1, "twice the same one"
    ran = scene.sign()
    assert (ran.code, "two people" in ran.err) == (1, True)
    assert not (scene.place / "wallet.manifest").exists()


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-07")
@pytest.mark.parametrize(
    "change",
    [
        lambda app: (app / "wallet").write_bytes(b"as releasee"),
        lambda app: (app / "more").write_bytes(b""),
        lambda app: (app / "code" / "one.py").unlink(),
        lambda app: (app / "code" / "one.py").rename(app / "one.py"),
    ],
    ids=["changed", "added", "taken away", "moved"],
)
def test_the_second_officer_and_the_signature_need_the_very_files(
    scene: Scene, change: Callable[[Path], object]
) -> None:
    scene.approve("officer-1")
    other = scene.place / "copy"
    copytree(scene.app, other)
    change(other)
    ran = scene.approve("officer-2", other)
    assert (ran.code, "says something else" in ran.err) == (1, True)
    scene.approve("officer-2")
    ran = scene.sign(app=other)
    assert (ran.code, "not the files that officers approved" in ran.err) == (1, True)
    assert scene.sign().code == 0


@pytest.mark.requirement("MFS-7.2.5-02")
def test_a_debug_build_is_not_for_a_provider_in_production(scene: Scene) -> None:
    ran = scene.approve("officer-1", None, "--build", "debug")
    assert (ran.code, "is not for a provider" in ran.err) == (1, True)
    scene.folder.save_settings(replace(scene.folder.settings(), profile="demo"))
    assert scene.approve("officer-1").code == 1
    assert scene.approve("officer-1", None, "--build", "debug").code == 0


def test_the_manifest_is_beside_the_files_and_takes_no_other_place(scene: Scene) -> None:
    for officer in ("officer-1", "officer-2"):
        scene.approve(officer)
    assert "one of its own files" in scene.sign(scene.app / "manifest").err
    assert scene.sign().code == 0
    assert "is there already" in scene.sign().err
    empty = scene.place / "empty"
    empty.mkdir()
    assert "no file below" in scene.approve("officer-1", empty).err
