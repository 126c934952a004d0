"""An app is altered, debugged, or led to another provider: it does not come to a session."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.vaults import created, opened
from tests.unit.client.test_client_provider import NOW, Served

from tallystick.client.http import HttpTransport
from tallystick.client.release.manifest import (
    AppManifest,
    Build,
    files_of,
    issue_manifest,
    verify_app,
)
from tallystick.client.release.opening import pinned_provider
from tallystick.client.release.running import RunningSigns, running_signs
from tallystick.client.vault.sealing import ProviderPin
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import SimulatedClock

RELEASES, DEBUGS, ROOT = (Es256SigningKey.generate() for _ in range(3))
SIGNERS = {Build.RELEASE: RELEASES.public(), Build.DEBUG: DEBUGS.public()}
ALONE = RunningSigns()


def pin_of(root: Es256SigningKey, environment: str = "production") -> ProviderPin:
    return ProviderPin(
        name="p",
        origin="p/tally/1",
        algorithm=root.algorithm,
        root=b64url(root.public().octets()),
        environment=environment,
    )


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "wallet.py").write_text("PAY = 5\n")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    return folder


def manifest_of(folder: Path, build: Build = Build.RELEASE) -> AppManifest:
    environment = "production" if build is Build.RELEASE else "test"
    return AppManifest(
        v=1,
        app="example.wallet",
        version="1.4.0",
        build=build,
        pin=pin_of(ROOT, environment),
        files=files_of(folder),
    )


def opening(manifest: AppManifest, keystore, signs: RunningSigns = ALONE):
    return pinned_provider(
        manifest,
        keystore,
        "http://127.0.0.1:1",
        signs=signs,
        clock=SimulatedClock(NOW),
        entropy=bytes,
    )


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_an_altered_app_is_refused_before_it_is_personalised(app: Path) -> None:
    jws = issue_manifest(RELEASES, manifest_of(app))
    assert verify_app(jws, SIGNERS, app) == manifest_of(app)
    code = app / "code" / "wallet.py"
    for alter, undo in (
        (lambda: code.write_text("PAY = 500\n"), lambda: code.write_text("PAY = 5\n")),
        (lambda: (app / "hook.so").write_bytes(b"x"), (app / "hook.so").unlink),
        ((app / "logo.png").unlink, lambda: (app / "logo.png").write_bytes(b"\x89PNG")),
        (lambda: (app / "l").symlink_to(code), (app / "l").unlink),
    ):
        alter()
        with pytest.raises(NotAuthentic):
            verify_app(jws, SIGNERS, app)
        undo()
    verify_app(jws, SIGNERS, app)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_a_manifest_that_was_tampered_with_or_signed_by_another_is_refused(app: Path) -> None:
    manifest = manifest_of(app)
    jws = issue_manifest(RELEASES, manifest)
    header, payload, signature = jws.split(".")
    stranger = Es256SigningKey.generate()
    swapped = replace(manifest, pin=pin_of(stranger))
    other = b64url(encode_canonical(swapped))
    for wrong in (
        f"{header}.{other}.{signature}",
        issue_manifest(stranger, manifest),
        issue_manifest(DEBUGS, manifest),
        sign_compact(RELEASES, b'{"alg":"ES256","typ":"other"}', encode_canonical(manifest)),
        sign_compact(RELEASES, b'{"alg":"none","typ":"tallystick-app"}', b64url(b"x").encode()),
    ):
        with pytest.raises((NotAuthentic, Malformed)):
            verify_app(wrong, SIGNERS, app)
    assert payload != other


@pytest.mark.requirement("MFS-7.2.5-02")
def test_debug_and_release_never_meet_the_other_ones_provider(app: Path) -> None:
    release, debug = manifest_of(app), manifest_of(app, Build.DEBUG)
    for one, signer, pin in (
        (release, RELEASES, debug.pin),
        (debug, DEBUGS, release.pin),
    ):
        mixed = replace(one, pin=pin)
        with pytest.raises(Malformed, match="debug build"):
            issue_manifest(signer, mixed)
        header = encode_canonical({"alg": signer.algorithm, "typ": "tallystick-app"})
        with pytest.raises(Malformed, match="debug build"):
            verify_app(sign_compact(signer, header, encode_canonical(mixed)), SIGNERS, app)
    jws = issue_manifest(DEBUGS, debug)
    assert verify_app(jws, SIGNERS, app).build is Build.DEBUG
    with pytest.raises(NotAuthentic, match="not taken here"):
        verify_app(jws, {Build.RELEASE: RELEASES.public()}, app)


@pytest.mark.requirement("MFS-7.2.3-02")
@pytest.mark.requirement("MFS-7.2.7-01")
def test_a_swapped_root_is_refused_by_keystore_and_by_list(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Es256SigningKey.generate()
    served = Served()
    served.key_list = served.issue(1, ROOT)
    monkeypatch.setattr(HttpTransport, "get", lambda _, path: served.get(path))
    provider = opening(manifest_of(app), created(tmp_path))
    assert provider.tally_key().octets() == served.tally.public().octets()
    provider.close()
    with pytest.raises(NotAuthentic, match="another provider"):
        opening(replace(manifest_of(app), pin=pin_of(stranger)), opened(tmp_path))
    served.key_list = served.issue(2, stranger)
    again = opening(manifest_of(app), opened(tmp_path))
    with pytest.raises(NotAuthentic):
        again.tally_key()
    again.close()


@pytest.mark.requirement("MFS-7.2.2-01")
@pytest.mark.threat("THR-APP-02")
def test_a_release_never_opens_under_a_debugger_or_hooks(app: Path, tmp_path: Path) -> None:
    vault = created(tmp_path)
    for name in RunningSigns.__struct_fields__:
        with pytest.raises(NotPermitted, match=name):
            opening(manifest_of(app), vault, replace(ALONE, **{name: True}))
    opening(manifest_of(app, Build.DEBUG), vault, RunningSigns(debugger=True)).close()


LOOKS = """
import ctypes, sys
from tallystick.client.release.running import running_signs
before = running_signs().seen()
assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0, "no ptrace"
print(before, running_signs().seen())
"""


@pytest.mark.requirement("MFS-7.2.2-01")
@pytest.mark.skipif(sys.platform != "linux", reason="tracing as Linux shows it")
def test_a_tracer_is_seen_by_the_process_that_it_traces(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", LOOKS], capture_output=True, text=True, check=False)
    if "no ptrace" in ran.stderr:
        pytest.skip("this system lets nobody trace: nothing would be seen")
    assert ran.stdout.strip() == "() ('traced',)", ran.stderr
    (tmp_path / "maps").write_text("7f00 r-xp /data/local/frida-agent-64.so\n")
    (tmp_path / "environ").write_bytes(b"HOME=/\x00LD_PRELOAD=/tmp/x.so\x00")
    seen = running_signs(tmp_path)
    assert (seen.hooked, seen.preloaded, seen.traced) == (True, True, False)
    assert ctypes.sizeof(ctypes.c_void_p) == 8
