"""A program that makes surrogates at the door of a served provider, and two officers beside it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.looking import leaves_of
from tests.support.paycrypt import Scene

from tallystick.entry.paycrypt_settings import Row
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.protocol.surrogates import OpenSurrogateDomain, StepSurrogateDomain

ALL = Row(programs=("*",), actions=("*",), resources=("*", "surrogates/*"))
"""A row that lets every program do everything, surrogates named."""


class Refused(Exception):
    """What the door said no with."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(f"{status} {name}: {message}")
        self.status, self.name, self.message = status, name, message


@dataclass
class On:
    """The scene, and calls of its program."""

    scene: Scene

    def ask(self, path: str, program: str = "", **fields: Any) -> dict[str, Any]:
        body = {"".join(w.title() for w in name.split("_")): one for name, one in fields.items()}
        who = program or self.scene.program
        auth = pytest.importorskip("botocore.auth", reason="botocore is absent")
        awsrequest = pytest.importorskip("botocore.awsrequest")
        credentials = pytest.importorskip("botocore.credentials")
        request = awsrequest.AWSRequest(
            method="POST",
            url=f"{self.scene.url}/surrogates/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        keys = credentials.Credentials(who, self.scene.secret(who))
        auth.SigV4Auth(keys, "payment-cryptography", self.scene.settings.region).add_auth(request)
        sent = urllib.request.Request(
            request.url, data=request.body, headers=dict(request.headers), method="POST"
        )
        try:
            with urllib.request.urlopen(sent, timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                said = json.loads(error.read())
            raise Refused(error.code, said["__type"], said["message"]) from None

    def two(self, name: str, body: Any) -> Any:
        first, second = self.scene.provider.operators["security-officer"][:2]
        waits = first.act(name, body)
        assert waits.state == "waiting"
        return second.act(name, body, approves=waits.act)

    def open(self, domain: str, kind: str, way: str, *purposes: str, keeps: int = 0) -> None:
        body = OpenSurrogateDomain(
            domain=domain, kind=kind, way=way, purposes=purposes, because="agreed", keeps=keeps
        )
        self.two("open-surrogate-domain", body)

    def step(self, domain: str, turn_to: str) -> Any:
        body = StepSurrogateDomain(domain=domain, turn_to=turn_to, because="as agreed")
        return self.two("step-surrogate-domain", body)

    def back(self, domain: str, surrogate: str, purpose: str = "dispute", **more: Any) -> str:
        return self.ask(
            "detokenise", domain=domain, surrogate=surrogate, purpose=purpose, case="D-17", **more
        )["Value"]

    def made(self, domain: str, value: str, **more: Any) -> str:
        return self.ask("tokenise", domain=domain, value=value, **more)["Surrogate"]


def events_of(scene: Scene, since: int) -> list[Any]:
    return [decode_leaf(leaf) for leaf in leaves_of(scene.provider)[since:]]


def waits_for(sought: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not sought():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.05)
