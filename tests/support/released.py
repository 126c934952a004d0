"""A served provider with the packages of the fixtures: releases signed by officers, phones."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from simulators.cast import DESCRIPTION
from simulators.device import SimulatedTeeKeystore
from simulators.keymint import PACKAGE, SIGNER, Phone, SimulatedFactory, changed
from tests.support.apk_writing import FOLDER, made
from tests.support.served import Served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.client.session import ClientSession
from tallystick.infrastructure.packages.apk import AndroidPackage, read_apk
from tallystick.kernel.model import replace
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.session import SessionAccepted

WALLET = "org.example.wallet"
BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "metadata": {"component": {"name": "wallet", "version": "4.2.0"}},
    "components": [{"type": "library", "name": "a", "version": "1"}],
}


def package(name: str) -> AndroidPackage:
    """A package of the fixtures, read."""
    return read_apk(made(name))


def appraisal(factory: SimulatedFactory) -> str:
    """The policy that believes `factory`, for the wallet of the fixtures under both its signers."""
    text = factory.policy_text().replace(PACKAGE, WALLET)
    return text.replace(SIGNER.hex(), package("all.apk").signers[0])


def claim_of(name: str) -> AppClaim:
    """What a device says that runs the package `name`."""
    found = package(name)
    return AppClaim(
        platform="android",
        package=found.manifest.package,
        version=found.manifest.version,
        digest=found.digest,
    )


@dataclass
class Stated:
    """Signs statements with the officers of a provider and sends them."""

    provider: Served
    folder: Path
    number: int = field(default=0)

    def text_of(self, name: str) -> Path:
        """The text of a release of the package `name`."""
        bill = self.folder / "bill.json"
        bill.write_text(json.dumps(BILL))
        text = self.folder / f"{name}.yaml"
        text.write_text(
            f"platform: android\nartifact: {FOLDER / name}\nbill: bill.json\nnotes: what is new\n"
        )
        return text

    def sign(self, *words: object) -> Path:
        """The file that an officer signed."""
        self.number += 1
        target, secret = self.folder / f"signed-{self.number}.json", self.folder / "secret"
        secret.write_bytes(self.provider.secret.reveal())
        secret.chmod(0o600)
        key = self.provider.folder.offline / "officer-1.key"
        ran = tallystick("app", "release", *words, "--officer", "officer-1", "--key-file", key,
                         "--secret-file", secret, "--out", target)  # fmt: skip
        assert ran.code == 0, ran.all
        return target

    def send(self, signed: Path, code: int = 0) -> str:
        """What became of a signed statement."""
        ran = tallystick("app", "release", "send", signed, self.provider.url)
        assert ran.code == code, ran.all
        return ran.all

    def __call__(self, *words: object) -> str:
        """Sign and send."""
        return self.send(self.sign(*words))


@dataclass
class Phones:
    """Simulated phones that attest the packages of the fixtures."""

    provider: Served
    factory: SimulatedFactory
    made: int = 0

    def phone(self, name: str) -> Phone:
        """A phone on which the package `name` runs."""
        found = package(name)
        return changed(
            self.factory.phone(),
            package=found.manifest.package,
            package_version=found.manifest.version,
            signer=bytes.fromhex(found.signers[0]),
        )

    @property
    def number(self) -> str:
        """The number of the newest customer."""
        return f"+2547222{self.made:05}"

    def activation(self) -> tuple[str, str]:
        """A new customer's number and activation."""
        self.made += 1
        return self.number, self.provider.open_customer(self.number, "Test Person").reference

    def enrol(self, name: str = "", *, says: AppClaim | None = None) -> SimulatedTeeKeystore:
        """Enrol a phone that attests the package `name`, empty for none, and says `says`."""
        to, activation = self.activation()
        keystore = SimulatedTeeKeystore()
        described = DESCRIPTION if says is None else replace(DESCRIPTION, app=says)
        self.provider.reached.enrol(
            keystore,
            activation=activation,
            code=self.provider.activation_code(to),
            description=described,
            attest=(
                (lambda told: keystore.attest(told, self.factory, self.phone(name)))
                if name
                else None
            ),
        )
        return keystore

    def come_in(
        self, keystore: SimulatedTeeKeystore, says: AppClaim | None = None
    ) -> SessionAccepted:
        """Open a session on the phone."""
        return self.session(keystore, says).establish()

    def session(
        self, keystore: SimulatedTeeKeystore, says: AppClaim | None = None
    ) -> ClientSession:
        """A session of the phone that says what it runs."""
        peer = self.provider.peer()
        told = peer if says is None else dataclasses.replace(peer, app=says)
        return ClientSession(told, keystore, self.provider.clock)
