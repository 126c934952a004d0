"""Vaults for tests: light on purpose, with a person whose PIN can be set."""

import random
from pathlib import Path

from tallystick.client.vault.anchor import FolderAnchor
from tallystick.client.vault.entering import Cost
from tallystick.client.vault.keystore import Vault
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.secret import SecretBuffer

PIN = b"274913"
MACHINE = b"this machine"
LIGHT = Cost(memory_kib=64, passes=1, lanes=1)
entropy = random.Random(11).randbytes


class Typing:
    """A person who types, or says no, and remembers what was shown."""

    def __init__(self, pin: bytes = PIN) -> None:
        self.pin = pin
        self.willing = True
        self.saw: list[str] = []
        self.given: list[SecretBuffer] = []

    def __call__(self, shown: str) -> SecretBuffer:
        self.saw.append(shown)
        if not self.willing:
            raise NotPermitted("the person did not confirm")
        self.given.append(SecretBuffer(self.pin))
        return self.given[-1]


def anchor_in(folder: Path, machine: bytes = MACHINE) -> FolderAnchor:
    """The anchor of a simulated device, made if there is none."""
    place = folder / "device"
    if place.exists():
        return FolderAnchor(place, machine)
    return FolderAnchor.create(place, machine, entropy)


def created(folder: Path, person: Typing | None = None) -> Vault:
    """A fresh vault in `folder`."""
    return Vault.create(
        folder / "keys" / "vault",
        anchor_in(folder),
        person or Typing(),
        SecretBuffer(PIN),
        entropy=entropy,
        cost=LIGHT,
    )


def opened(folder: Path, person: Typing | None = None, *, machine: bytes = MACHINE) -> Vault:
    """The vault in `folder`, opened once more."""
    return Vault.open(
        folder / "keys" / "vault", anchor_in(folder, machine), person or Typing(), entropy=entropy
    )
