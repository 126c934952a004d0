"""A partner by a certificate that the terminator names, until OpenSSL's authority revokes it."""

import base64
import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from tests.support.authorities import OpensslAuthority
from tests.support.served import Served, served

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import CERTIFICATE_HEADER
from tallystick.entry.pki.partnerlists import FOLDER
from tallystick.entry.terminated import keep_authorities
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.codec import b64url

FORM = urlencode({
    "sessionId": "s-1", "serviceCode": "*500#", "phoneNumber": "+254700000001",
    "networkCode": "63902", "text": "",
}).encode()  # fmt: skip


@dataclass
class Scene:
    provider: Served
    authority: OpensslAuthority
    certificates: dict[str, Certificate]

    def lists(self) -> Path:
        return self.provider.folder.root / FOLDER

    def publish(self, **more: object) -> None:
        (self.lists() / "east.crl").write_bytes(self.authority.publish(**more))

    def calls(self, name: str, certificate: str = "") -> int:
        """The status that a callback of the partner `name` gets through the terminator."""
        octets = self.certificates[certificate or name].octets
        said = {CERTIFICATE_HEADER: f":{base64.b64encode(octets).decode()}:",
                "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
        place = urlsplit(self.provider.url)
        with closing(http.client.HTTPConnection(str(place.hostname), place.port, 20)) as link:
            link.request("POST", f"/v1/aggregators/{name}", FORM, said)
            reply = link.getresponse()
            reply.read()
            return reply.status

    def until(self, name: str, status: int) -> None:
        end = time.monotonic() + 20
        while self.calls(name) != status:
            assert time.monotonic() < end, f"never {status}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("authority")
    authority = OpensslAuthority(folder, "Partner authority")
    issued = {one: authority.issue(one) for one in ("east", "west", "south")}
    links = tuple(
        PartnerLink(
            name=name, proof="certificate", certificate=b64url(sha256(one.octets)),
            sources=("127.0.0.1/32",), unlisted=name == "west",
        )
        for name, one in issued.items()
    )  # fmt: skip
    place = tmp_path_factory.mktemp("served") / "p"
    with served(place, join=False, aggregators=links) as provider:
        keep_authorities(provider.folder.root, "east", (folder / "root.pem").read_bytes())
        yield Scene(provider, authority, issued)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_a_terminators_word_counts_until_the_authority_revokes(scene: Scene) -> None:
    refused = scene.calls("east")
    assert refused in {401, 403}, "no list was there, and it was let in"
    scene.publish()
    scene.until("east", 200)
    assert scene.calls("east", "west") == refused
    scene.authority.revoke(scene.certificates["east"], "keyCompromise")
    scene.publish()
    scene.until("east", refused)
    assert scene.calls("west") == 200, "its authority was declared to publish no lists"
    assert scene.calls("south") == refused, "nobody said who its authority is"
