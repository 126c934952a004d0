"""Probes of the SDK that apps are built on: its vault and its manifest, attacked as a thief would.

They run on this version of the SDK, in a folder that is made for them and taken away; what an app
of somebody else does with it, they do not see.

Source: ISO/TS 12812-2:2017, 8.1.2; 7.3.5; 7.4.4
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tallystick.client.release.manifest import (
    AppManifest,
    Build,
    files_of,
    issue_manifest,
    verify_app,
)
from tallystick.client.vault.anchor import FolderAnchor
from tallystick.client.vault.entering import Cost
from tallystick.client.vault.keystore import MOST_TRIES, Vault
from tallystick.client.vault.sealing import ProviderPin
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    failed,
    part,
)
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import SecretBuffer
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry

_LIGHT: Final = Cost(memory_kib=1024, passes=1)
_PIN: Final = b"490271"
_WRONG: Final = b"verified=true"
_MACHINE: Final = b"probe"
_ELSEWHERE: Final = b"another machine"

_DECLARED: Final[tuple[Declared, ...]] = (
    ("vault.hooked", CheckKind.NEGATIVE, (part("MFS-8.1.2-04"),),
     "an answer that says verified unlocks no signature of the SDK's keystore"),
    ("vault.copied", CheckKind.NEGATIVE, (part("MFS-7.3.5-05"), part("MFS-8.1.2-01")),
     "a keystore of the SDK that was put back, copied or carried away is not opened"),
    ("vault.exposed", CheckKind.NEGATIVE, (part("MFS-7.2.2-05"),),
     "the SDK's keystore refuses a file or folder that others can get at"),
    ("vault.guessed", CheckKind.NEGATIVE, (part("MFS-8.1.2-01"),),
     "wrong PINs erase the keys of the SDK's keystore, and a copy from before is worth nothing"),
    ("vault.another-provider", CheckKind.NEGATIVE, (part("MFS-7.2.3-02"),),
     "a keystore of the SDK takes no other provider or root than its first"),
    ("app.altered", CheckKind.NEGATIVE, (part("MFS-7.4.4-02"),),
     "the SDK refuses an app whose files or manifest were altered"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class VaultProbes:
    """Attacks a vault and an app that were made for this.

    Source: ISO/TS 12812-2:2017, 8.1.2; 7.4.4
    """

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "vault.hooked": self.hooked,
            "vault.copied": self.copied,
            "vault.exposed": self.exposed,
            "vault.guessed": self.guessed,
            "vault.another-provider": self.another_provider,
            "app.altered": self.altered,
        }
        declare(registry, _DECLARED, looks)

    def hooked(self, now: Instant) -> Seen:
        """Signs with what a hook would answer in place of the person.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        with _home() as home:
            _made(home)
            hooked = _opened(home, typed=_WRONG)
            return attempted(partial(hooked.consent_sign, b"order", shown="Pay"), NotAuthentic)

    def copied(self, now: Instant) -> Seen:
        """Puts a file back, copies file and anchor, and says to be another machine.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        with _home() as home:
            vault = _made(home)
            before = _file(home).read_bytes()
            copy = home / "copy"
            for name in ("device", "keys"):
                shutil.copytree(home / name, copy / name)
            seen = {
                "copied": attempted(partial(_opened, copy), NotAuthentic),
                "elsewhere": attempted(partial(_opened, home, _ELSEWHERE), NotAuthentic),
            }
            vault.store_checkpoint("later\n")
            _file(home).write_bytes(before)
            seen["put back"] = attempted(partial(_opened, home), NotPermitted)
            return all_attempted(seen)

    def exposed(self, now: Instant) -> Seen:
        """Opens a file that others may read, one with a second name, and one in a shared folder.

        Source: ISO/TS 12812-2:2017, 7.2.2
        """
        with _home() as home:
            _made(home)
            file, seen = _file(home), dict[str, Seen]()
            file.chmod(0o644)
            seen["readable"] = attempted(partial(_opened, home), NotPermitted)
            file.chmod(0o600)
            (home / "second").hardlink_to(file)
            seen["second name"] = attempted(partial(_opened, home), NotPermitted)
            (home / "second").unlink()
            file.parent.chmod(0o777)
            seen["shared"] = attempted(partial(_opened, home), NotPermitted)
            file.parent.chmod(0o700)
            return all_attempted(seen)

    def guessed(self, now: Instant) -> Seen:
        """Tries wrong PINs until the keys are gone, and then a copy from before with the right one.

        Source: ISO/TS 12812-2:2017, 8.1.2; 8.1.5
        """
        with _home() as home:
            _made(home)
            tries, copy = 0, b""
            while _file(home).exists() and tries <= MOST_TRIES:
                copy = _file(home).read_bytes()
                wrong = _opened(home, typed=_WRONG)
                tries += 1
                attempted(partial(wrong.consent_sign, b"order", shown="Pay"), NotAuthentic)
            if tries != MOST_TRIES:
                return failed(f"the keys were there after {tries} tries", tries=tries)
            _file(home).write_bytes(copy)
            _file(home).chmod(0o600)
            return attempted(partial(_opened, home), NotPermitted)

    def another_provider(self, now: Instant) -> Seen:
        """Binds a vault to a provider, and then to another root and to another name.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        with _home() as home:
            vault, first = _made(home), _pinned()
            vault.bind(first)
            again = _opened(home)
            return all_attempted(
                {
                    "another root": attempted(partial(again.bind, _pinned()), NotAuthentic),
                    "another name": attempted(
                        partial(again.bind, replace(first, name="other")), NotAuthentic
                    ),
                }
            )

    def altered(self, now: Instant) -> Seen:
        """Changes a file, adds one, takes one away, and signs the manifest with another key.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        with _home() as home:
            signer, app = Es256SigningKey.generate(), home / "app"
            app.mkdir()
            code = app / "wallet"
            code.write_bytes(b"as released")
            manifest = AppManifest(
                v=1,
                app="probe",
                version="1",
                build=Build.RELEASE,
                pin=_pinned(),
                files=files_of(app),
            )
            jws = issue_manifest(signer, manifest)
            look = partial(verify_app, jws, {Build.RELEASE: signer.public()}, app)
            other = issue_manifest(Es256SigningKey.generate(), manifest)
            look()
            seen = {
                "another signer": attempted(
                    partial(verify_app, other, {Build.RELEASE: signer.public()}, app), NotAuthentic
                ),
                "as debug": attempted(
                    partial(issue_manifest, signer, replace(manifest, build=Build.DEBUG)), Malformed
                ),
            }
            code.write_bytes(b"changed")
            seen["changed"] = attempted(look, NotAuthentic)
            code.rename(app / "moved")
            seen["moved"] = attempted(look, NotAuthentic)
            return all_attempted(seen)


@contextmanager
def _home() -> Generator[Path]:
    with TemporaryDirectory(prefix="tallystick-probe-") as folder:
        yield Path(folder)


def _file(home: Path) -> Path:
    return home / "keys" / "vault"


def _made(home: Path) -> Vault:
    anchor = FolderAnchor.create(home / "device", _MACHINE, operating_system)
    return Vault.create(
        _file(home),
        anchor,
        lambda _: SecretBuffer(_PIN),
        SecretBuffer(_PIN),
        entropy=operating_system,
        cost=_LIGHT,
    )


def _opened(home: Path, machine: bytes = _MACHINE, *, typed: bytes = _PIN) -> Vault:
    anchor = FolderAnchor(home / "device", machine)
    return Vault.open(_file(home), anchor, lambda _: SecretBuffer(typed), entropy=operating_system)


def _pinned() -> ProviderPin:
    root = Es256SigningKey.generate().public()
    return ProviderPin(
        name="probe",
        origin="probe/tally/1",
        algorithm=root.algorithm,
        root=b64url(root.octets()),
        environment="production",
    )
