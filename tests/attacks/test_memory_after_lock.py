"""The memory of a wallet app is copied from outside, open and locked, and searched for secrets."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from simulators.wallet_app import PIN_OCTETS
from tests.attacks.test_canaries import scalar_of
from tests.support.vaults import PIN, anchor_in, created
from tests.unit.client.test_client_keystore import IDENTITY

from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.secret import Secret

RENEWAL = bytes.fromhex("9d3f5b1b9e8f4c77a1d23c58f06b7a1182b5cf1e6f0d4a93b8c7e6d5a4938271")


def memory_of(pid: int) -> bytes:
    """Every readable and writable page of the process, one after the other."""
    found = bytearray()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw") or "[vvar" in line:
                continue
            first, last = (int(one, 16) for one in span.split("-"))
            memory.seek(first)
            try:
                found += memory.read(last - first)
            except OSError:
                continue
    return bytes(found)


def forms(secret: bytes) -> Iterator[bytes]:
    """As it is, the other way round (limbs of a number), in base64 of both kinds, in hex."""
    yield secret
    yield secret[::-1]
    yield base64.b64encode(secret).rstrip(b"=")[:-1]
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")[:-1]
    yield secret.hex().encode()


def left(memory: bytes, secrets: dict[str, bytes]) -> set[str]:
    return {name for name, one in secrets.items() if any(form in memory for form in forms(one))}


class App:
    """The simulated app, and where it stands."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.wallet_app", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def memory(self, word: str) -> bytes:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == word.encode()
        try:
            return memory_of(self.process.pid)
        except PermissionError:
            pytest.skip("this system shows no process the memory of another: nothing is seen")

    def go(self, *more: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        for one in more:
            self.process.stdin.write(one)
            self.process.stdin.flush()


@contextmanager
def app_in(folder: Path) -> Iterator[App]:
    app = App(folder)
    try:
        yield app
    finally:
        app.process.kill()
        app.process.communicate()


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What must not stay, of a vault that was made in this other process."""
    made: list[Es256SigningKey] = []
    generate = Es256SigningKey.generate

    def noted() -> Es256SigningKey:
        made.append(generate())
        return made[-1]

    monkeypatch.setattr(Es256SigningKey, "generate", noted)
    vault = created(tmp_path)
    vault.store_enrolment(IDENTITY, RenewalPair(counter=1, secret=Secret(RENEWAL)))
    possession, consent = made
    device = bytes(anchor_in(tmp_path).secret().reveal())
    label = vault._file.header.id.encode()
    return {
        "pin": PIN,
        "consent": scalar_of(consent),
        "possession": scalar_of(possession),
        "anchor": (tmp_path / "device" / "anchor").read_bytes(),
        "device": device,
        "file": hkdf_sha256(device, salt=label, info=b"tallystick vault file v1", length=32),
        "renewal": RENEWAL,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux shows it")
@pytest.mark.requirement("MFS-8.2.3-03")
@pytest.mark.requirement("MFS-8.1.2-02")
@pytest.mark.threat("THR-APP-03")
def test_a_locked_app_never_keeps_a_key_or_the_pin_in_memory(
    tmp_path: Path, secrets: dict[str, bytes]
) -> None:
    with app_in(tmp_path) as app:
        while_open = left(app.memory("open"), secrets)
        app.go(PIN.ljust(PIN_OCTETS, b"\x00"))
        signed = left(app.memory("signed"), secrets)
        app.go()
        locked = left(app.memory("locked"), secrets)
    assert "possession" in while_open, "the search finds what is there"
    assert not while_open & {"consent", "pin", "anchor", "device"}, "no PIN was typed yet"
    assert not signed & {"consent", "pin", "anchor", "device"}, "cleared after one signature"
    assert not locked - {"renewal"}
