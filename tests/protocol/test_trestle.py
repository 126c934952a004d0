"""An independent program reads, validates, resolves and verifies what we write and sign.

compliance-trestle is no dependency: `python dev.py trestle` puts it into build/venv-trestle, and
without it these tests are skipped, loudly.
"""

import json
import subprocess
from pathlib import Path

import pytest
from tests.unit.process.conformance.bundles import OFFICERS, made

from tallystick.infrastructure.crypto.dsse import open_envelope
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.crypto.spki import public_pem
from tallystick.kernel.codec import encode_canonical
from tallystick.process.conformance.oscal.documents import MODELS, file_of

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "venv-trestle" / "bin" / "trestle"
pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"compliance-trestle is absent: python dev.py trestle ({PROGRAM})"
)


def trestle(place: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *(str(one) for one in arguments)],
        cwd=place, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def bundle_in(place: Path, officer: str) -> Path:
    place.mkdir()
    for name, octets in made(officer).files.items():
        (place / name).write_bytes(octets)
    return place


def verified(place: Path) -> int:
    return trestle(
        place, "verify-manifest", "--beta", "--manifest", "manifest.json",
        "--signature", "manifest.dsse.json", "--public-key", "signer.pem",
    ).returncode  # fmt: skip


@pytest.mark.parametrize("officer", list(OFFICERS))
def test_it_verifies_our_signature_and_refuses_changed_files(tmp_path: Path, officer: str) -> None:
    place = bundle_in(tmp_path / "bundle", officer)
    assert verified(place) == 0
    name = place / "assessment-results.json"
    kept = name.read_bytes()
    name.write_bytes(kept.replace(b'"state":"not-satisfied"', b'"state":"satisfied"', 1))
    assert verified(place) == 1
    name.write_bytes(kept)
    envelope = place / "manifest.dsse.json"
    opened = json.loads(envelope.read_bytes())
    signature = opened["signatures"][0]["sig"]
    opened["signatures"][0]["sig"] = ("B" if signature[8] != "B" else "C").join(
        (signature[:8], signature[9:])
    )
    envelope.write_text(json.dumps(opened))
    assert verified(place) == 1


def test_it_finds_all_eight_documents_valid_and_resolves_the_profile(tmp_path: Path) -> None:
    place = bundle_in(tmp_path / "bundle", "officer-1")
    space = tmp_path / "workspace"
    space.mkdir()
    assert trestle(space, "init", "--local").returncode == 0
    for name in place.glob("*.json"):
        (space / name.name).write_bytes(name.read_bytes())
    for model in MODELS:
        done = trestle(space, "import", "-f", place / file_of(model), "-o", "mfs")
        assert done.returncode == 0, (model, done.stdout[-500:], done.stderr[-500:])
    done = trestle(space, "validate", "-a")
    assert done.returncode == 0, done.stdout[-800:]
    assert done.stdout.count("VALID: ") == len(MODELS) == 8
    assert (
        trestle(space, "author", "profile-resolve", "-n", "mfs", "-o", "resolved").returncode == 0
    )
    resolved = json.loads((space / "catalogs" / "resolved" / "catalog.json").read_bytes())
    controls = [one for group in resolved["catalog"]["groups"] for one in group["controls"]]
    chosen = json.loads((place / "profile.json").read_bytes())["profile"]["imports"][0]
    assert len(controls) == len(chosen["include-controls"][0]["with-ids"])


def test_its_canonical_form_is_ours(tmp_path: Path) -> None:
    place = bundle_in(tmp_path / "bundle", "officer-1")
    for name in ("assessment-results.json", "evidence.json", "mfs-lock.json"):
        target = tmp_path / name
        done = trestle(tmp_path, "canonicalize", "-f", place / name, "-o", target)
        assert done.returncode == 0, done.stdout + done.stderr
        assert target.read_bytes() == (place / name).read_bytes()


def test_we_verify_its_signature(tmp_path: Path) -> None:
    place = bundle_in(tmp_path / "bundle", "officer-1")
    key = Es256SigningKey.generate()
    private = tmp_path / "private.pem"
    der = tmp_path / "private.der"
    der.write_bytes(key.to_pkcs8().reveal())
    subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-in", str(der), "-out", str(private)], check=True
    )
    target = tmp_path / "theirs.dsse.json"
    done = trestle(
        place, "sign-manifest", "--beta", "--manifest", "manifest.json",
        "--private-key", private, "-o", target,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    envelope = json.loads(target.read_bytes())
    name = envelope["signatures"][0]["keyid"]
    payload = open_envelope(encode_canonical(envelope), name, key.public())
    ours = open_envelope(
        (place / "manifest.dsse.json").read_bytes(), "officer-1", OFFICERS["officer-1"].public()
    )
    assert json.loads(payload) == json.loads(ours), "both sign the same statement"
    assert public_pem(key.public()).startswith("-----BEGIN PUBLIC KEY-----")


def test_openssl_alone_verifies_the_signature(tmp_path: Path) -> None:
    place = bundle_in(tmp_path / "bundle", "officer-1")
    script = RECIPE.read_text(encoding="utf-8").split("```sh\n# signature", 1)[1].split("```")[0]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=place, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verified OK" in done.stdout
    (place / "applicability.csv").write_bytes(b"changed")
    again = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=place, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert again.returncode != 0


RECIPE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "audit-with-other-tools.md"
