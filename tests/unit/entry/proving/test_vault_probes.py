"""The probes of the SDK pass on it as it is, and fail on one that lets an attack through."""

from collections.abc import Callable

import pytest

from tallystick.client.release import manifest
from tallystick.client.vault import anchor, keystore, places, sealing
from tallystick.entry.proving.vaults import VaultProbes
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.secret import SecretBuffer
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)
PROBES = ("hooked", "copied", "exposed", "guessed", "another_provider", "altered")


@pytest.mark.parametrize("name", PROBES)
def test_each_probe_passes_on_this_sdk(name: str) -> None:
    seen = getattr(VaultProbes(), name)(NOW)
    assert seen.verdict is Verdict.PASS, seen.summary


def anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = keystore.consent_seal
    monkeypatch.setattr(
        keystore, "consent_seal", lambda _, *rest: seal(SecretBuffer(b"one for all"), *rest)
    )


def unbound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchor, "sha256", lambda _: b"everywhere")


def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_check", lambda _: None)


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing.VaultFile, "destroy", lambda _: None)


def faithless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore.Vault, "bind", lambda *_: None)


@pytest.mark.parametrize(
    ("name", "weaken"),
    [
        ("hooked", anyone),
        ("copied", unbound),
        ("exposed", readable),
        ("guessed", patient),
        ("another_provider", faithless),
    ],
)
def test_a_weakened_sdk_is_seen(
    name: str, weaken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken(monkeypatch)
    seen = getattr(VaultProbes(), name)(NOW)
    assert seen.verdict is Verdict.FAIL, seen.summary


def test_an_sdk_that_looks_at_no_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    released = {"wallet": manifest.sha256(b"as released").hex()}
    monkeypatch.setattr(manifest, "files_of", lambda _: released)
    seen = VaultProbes().altered(NOW)
    assert seen.verdict is Verdict.FAIL, seen.summary
