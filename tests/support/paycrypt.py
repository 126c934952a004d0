"""A served provider with a payment cryptography door, and stock clients of its programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import until
from tests.support.served import Served, served

from tallystick.entry.paycrypt.credentials import credential_key, hand_over, secret_of
from tallystick.entry.paycrypt_settings import FILE, PaycryptSettings, Row
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url, encode
from tallystick.protocol.desk import IssueWorkload, RevokeWorkload

ANYBODY = (Row(programs=("*",), actions=("*",), resources=("*",)),)
BOTH_WAYS = {"Encrypt": True, "Decrypt": True, "Wrap": True, "Unwrap": True}
CHECKS = {"Generate": True, "Verify": True}
DERIVES = {"DeriveKey": True}


def settings(**more: Any) -> PaycryptSettings:
    """Everything admitted for a closed loop, unless told otherwise."""
    chosen = {
        "v": 1, "use": "closed-loop", "rows": ANYBODY, "legacy": ("all",), "weaker_formats": True,
        "writes_version_b": True, "rate": 100_000, "control_rate": 100_000,
        "asymmetric_rate": 100_000,
    }  # fmt: skip
    return PaycryptSettings(**{**chosen, **more})


@dataclass
class Scene:
    """The provider, its door, and what tests may look into."""

    provider: Served
    program: str
    settings: PaycryptSettings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.provider.paycrypt_port}"

    @property
    def module(self) -> Any:
        return self.provider.platform.paycrypt

    def secret(self, program: str = "") -> str:
        module, folder = self.module, self.provider.folder
        credential = credential_key(folder, module)
        return secret_of(module, credential, program or self.program).reveal()

    def issue(self, label: str = "switch") -> str:
        """Two officers let a program in."""
        body = IssueWorkload(
            label=label, scope="payment-cryptography", way="signature-v4",
            verifier=b64url(sha256(label.encode())), days=30,
        )  # fmt: skip
        first, second = self.provider.operators["security-officer"][:2]
        waits = first.act("issue-workload", body)
        return second.act("issue-workload", body, approves=waits.act).reference

    def revoke(self, program: str) -> None:
        body = RevokeWorkload(workload=program, because="left the partner")
        first = self.provider.operators["security-officer"][0]
        first.act("revoke-workload", body)

    def client(self, plane: str = "payment-cryptography-data", **more: Any) -> Any:
        """A stock client with nothing changed but its address."""
        session = pytest.importorskip("botocore.session", reason="botocore is absent")
        config = pytest.importorskip("botocore.config").Config(
            retries={"max_attempts": more.pop("attempts", 0), "mode": "standard"},
            inject_host_prefix=False,
        )
        program = more.pop("program", self.program)
        return session.get_session().create_client(
            plane,
            region_name=self.settings.region,
            endpoint_url=self.url,
            aws_access_key_id=program,
            aws_secret_access_key=more.pop("secret", None) or self.secret(program),
            config=config,
            **more,
        )

    def control(self, **more: Any) -> Any:
        return self.client("payment-cryptography", **more)

    def publish(self, partner: Any) -> None:
        """The list of a partner's authority, taken up by the door."""
        octets = partner.publish(self.provider.folder.root).read_bytes()
        files = self.provider.platform.list_files
        until(lambda: any(one.said.octets == octets for one in files.lists))

    def key(self, usage: str, algorithm: str, modes: dict[str, bool], **more: Any) -> str:
        """A fresh key of the door; gives its ARN."""
        asked = {"Exportable": True, **more}
        made = self.control().create_key(
            KeyAttributes={
                "KeyUsage": usage, "KeyClass": "SYMMETRIC_KEY", "KeyAlgorithm": algorithm,
                "KeyModesOfUse": modes,
            },
            **asked,
        )  # fmt: skip
        return made["Key"]["KeyArn"]

    def octets(self, arn: str) -> bytes:
        """The octets of a key, which only a test may look at."""
        row = self.provider.platform.desks.payment_keys.keys[arn.rpartition("/")[2]]
        handle = self.module.import_block(row.block)
        return self.module._keys.cards[handle.id].reveal_to_wrapping()


@contextmanager
def door(folder: Path, **more: Any) -> Iterator[Scene]:
    """Serve a provider with a door, and let one program in."""
    fixed = settings(**more)
    (folder).mkdir(exist_ok=True)

    def prepare(provider: Any, secret: Any) -> None:
        (provider.root / FILE).write_bytes(encode(fixed))

    with served(folder, prepare=prepare, paycrypt=True) as provider:
        scene = Scene(provider, "", fixed)
        scene.program = scene.issue()
        yield scene


def handed_over(scene: Scene) -> str:
    """The secret as the command line gives it."""
    folder, secret = scene.provider.folder, scene.provider.secret
    return hand_over(folder, secret, SystemClock(), scene.program).reveal()
