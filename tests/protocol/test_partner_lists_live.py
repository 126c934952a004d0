"""A provider with two fronts that fetches the list of a partner's authority, run by OpenSSL."""

import base64
import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
from simulators.vendor_lists import Fault, ListServer
from tests.support.authorities import OpensslAuthority
from tests.support.collectors import until
from tests.support.metrics import exposition
from tests.support.partners import MovedClock
from tests.support.served import Served, served
from tests.unit.entry.test_list_proxy import Proxy

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import CERTIFICATE_HEADER
from tallystick.entry.pki.listsources import (
    FILE,
    ListSource,
    ListSources,
    list_sources,
    save_list_sources,
)
from tallystick.entry.pki.partnerlists import named
from tallystick.entry.pki.taking import file_of
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.terminated import keep_authorities
from tallystick.entry.vendors import rounds
from tallystick.entry.vendors.proxy import remove_proxy, save_proxy
from tallystick.infrastructure.crypto.crl import read_list
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import b64url
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS

PATH = "/ca.crl"
WITHIN_S = 5
FORM = urlencode({
    "sessionId": "s-1", "serviceCode": "*500#", "phoneNumber": "+254700000001",
    "networkCode": "63902", "text": "",
}).encode()  # fmt: skip


@dataclass
class Scene:
    provider: Served
    clock: MovedClock
    authority: OpensslAuthority
    certificates: dict[str, Certificate]
    lists: ListServer

    def publish(self, **more: int) -> None:
        octets = self.authority.publish(form="DER", **more)
        self.lists.publish(PATH, octets, self.clock.now())

    def calls(self, name: str = "east") -> int:
        """The status that a callback of the partner `name` gets through terminator and front."""
        octets = self.certificates[name].octets
        said = {CERTIFICATE_HEADER: f":{base64.b64encode(octets).decode()}:",
                "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
        place = urlsplit(self.provider.url)
        with closing(http.client.HTTPConnection(str(place.hostname), place.port, 20)) as link:
            link.request("POST", f"/v1/aggregators/{name}", FORM, said)
            reply = link.getresponse()
            reply.read()
            return reply.status

    def kept(self) -> int:
        """The number of the list that was fetched last."""
        octets = file_of(self.provider.folder.root, "west").read_bytes()
        return read_list(octets, self.authority.certificate).number

    def metric(self, name: str) -> int:
        line = f'tallystick_partner_list_{name}{{list="west"}} '
        found = [one for one in exposition(self.provider).splitlines() if one.startswith(line)]
        return int(found[0].removeprefix(line))

    def log(self) -> str:
        return b"".join(self.provider.log).decode()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, clock = tmp_path_factory.mktemp("authority"), MovedClock()
    authority = OpensslAuthority(folder, "Partner authority")
    issued = {name: authority.issue(name) for name in ("east", "north")}
    links = tuple(
        PartnerLink(
            name=name, proof="certificate", certificate=b64url(sha256(one.octets)),
            sources=("127.0.0.1/32",),
        )
        for name, one in issued.items()
    )  # fmt: skip
    with ListServer() as lists, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "DEADLINE_S", 1.0)
        source = ListSource(url=lists.url + PATH, authority=named(authority.certificate), every_s=1)

        def before(provider: ProviderFolder, _: object) -> None:
            for name in issued:
                keep_authorities(provider.root, name, (folder / "root.pem").read_bytes())
            save_list_sources(provider.root, ListSources(v=1, lists={"west": source}))

        place = tmp_path_factory.mktemp("served") / "p"
        options = {"workers": 2, "clock": clock, "before": before, "aggregators": links}
        with served(place, join=False, **options) as provider:
            yield Scene(provider, clock, authority, issued, lists)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_a_list_is_fetched_believed_and_followed_while_it_lasts(scene: Scene) -> None:
    refused = scene.calls()
    assert refused in {401, 403}, "no list was there, and it was let in"
    scene.publish()
    until(lambda: scene.calls() == 200)
    until(lambda: scene.metric("left_seconds") > 6 * 86_400)
    assert scene.metric("failing_seconds") == 0
    first, file = scene.kept(), file_of(scene.provider.folder.root, "west")
    old = file.read_bytes()
    asked = len(scene.lists.heard)
    until(lambda: len(scene.lists.heard) > asked + 1)
    assert [one.status for one in scene.lists.heard[-1:]] == [304], "it was sent again"

    scene.lists.fails(PATH, Fault.BROKEN)
    until(lambda: "could not be fetched" in scene.log())
    assert scene.calls() == 200, "the server is away, and the list still lasts"
    until(lambda: scene.metric("failing_seconds") > 0)
    stranger_place = scene.authority.folder / "stranger"
    stranger = OpensslAuthority(stranger_place, "Partner authority")
    scene.lists.publish(PATH, stranger.publish(form="DER"), scene.clock.now())
    until(lambda: "was refused" in scene.log())
    assert (scene.calls(), scene.kept()) == (200, first)

    scene.authority.revoke(scene.certificates["east"], "keyCompromise")
    scene.publish()
    until(lambda: scene.kept() > first)
    began = time.monotonic()
    until(lambda: scene.calls() == refused)
    assert time.monotonic() - began < WITHIN_S
    until(lambda: scene.metric("members") == 1)

    replace_file(file, old)
    until(lambda: scene.kept() > first)
    assert scene.calls() == refused, "whoever has an old list lets somebody in with it"


def test_a_slip_in_the_sources_is_told_until_it_is_put_right(scene: Scene) -> None:
    file = scene.provider.folder.root / FILE
    before, said = file.read_bytes(), f'"list":"{FILE}"'
    line = f'tallystick_partner_list_failing_seconds{{list="{FILE}"}}'
    assert line not in exposition(scene.provider)
    told = scene.log().count(said)
    file.write_bytes(before[:-1])
    until(lambda: line in exposition(scene.provider))
    until(lambda: f"{line} 0" not in exposition(scene.provider))
    assert scene.log().count(said) == told + 1, "told once, not with each look"
    heard = len(scene.lists.heard)
    until(lambda: len(scene.lists.heard) > heard + 1)
    file.unlink()
    file.mkdir()
    until(lambda: f"{FILE} cannot be read" in scene.log())
    file.rmdir()
    file.write_bytes(before)
    until(lambda: line not in exposition(scene.provider))


def test_the_service_goes_through_the_proxy_that_is_declared_but_not_for_this_machine(
    scene: Scene,
) -> None:
    root, proxy = scene.provider.folder.root, Proxy()
    before = (root / FILE).read_bytes()
    [declared] = list_sources(root).lists.values()
    elsewhere = replace(declared, url=declared.url.replace("127.0.0.1", "127.1"), every_s=60)
    try:
        save_proxy(root, f"127.0.0.1:{proxy.port}", None)
        heard = len(scene.lists.heard)
        until(lambda: len(scene.lists.heard) > heard + 1)
        assert proxy.heads == [], "a list on this machine was asked for at another"
        save_list_sources(root, ListSources(v=1, lists={"west": elsewhere}))
        until(lambda: proxy.heads)
        assert proxy.heads[0].startswith(b"CONNECT 127.1:")
    finally:
        remove_proxy(root)
        (root / FILE).write_bytes(before)
        proxy.close()


def test_a_list_that_is_past_lets_nobody_in_until_one_comes(scene: Scene) -> None:
    scene.publish()
    until(lambda: scene.calls("north") == 200)
    scene.lists.fails(PATH, Fault.SILENT)
    scene.clock.off_ms += 8 * DAY_MS
    until(lambda: scene.metric("left_seconds") == 0)
    assert scene.calls("north") in {401, 403}
    scene.publish(days=20)
    until(lambda: scene.calls("north") == 200)
