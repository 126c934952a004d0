"""Lists of partners' authorities that were fetched: which one takes the place of which."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from simulators.vendor_lists import Fault, ListServer
from tests.support.partner_lists import crl, made
from tests.support.paths import AT, ISSUES, MIDDLE, NOW, ROOT, Drawn
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.test_doctor import folder, original

from tallystick.entry.doctor import State
from tallystick.entry.doctor.certificates import look_at_certificates
from tallystick.entry.pki.listsources import (
    FILE,
    ListSource,
    ListSources,
    Wanted,
    list_sources,
    save_list_sources,
    wanted,
)
from tallystick.entry.pki.partnerlists import FOLDER, ListFiles, PartnerLists, named
from tallystick.entry.pki.taking import Taken, file_of, take
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    NotAuthentic,
    NotFound,
    Unavailable,
)
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant

__all__ = ["folder", "original"]

OTHER = Drawn("Root", key="another key of that name", authority=True, usages=ISSUES)
URL = "http://pki.west.example/ca.crl"


@dataclass
class Fetching:
    root: Path
    files: ListFiles = field(init=False)
    authority: Certificate = field(init=False)

    def __post_init__(self) -> None:
        (self.root / FOLDER).mkdir()
        self.files = ListFiles(self.root)
        self.authority = made(ROOT, ROOT)
        self.register("west", self.authority)

    def register(self, name: str, *certificates: Certificate) -> None:
        pem = "".join(pem_of(one.octets) for one in certificates)
        (self.root / FOLDER / f"{name}.pem").write_text(pem)

    def take(self, octets: bytes, *, delta: bool = False, at: int = AT) -> Taken:
        one = Wanted(url=URL, authority=named(self.authority), delta=delta, every_s=60)
        self.files.look()
        name = "west.delta" if delta else "west"
        try:
            return take(self.root, name, one, octets, self.files.lists, Instant(at))
        finally:
            self.files.look()

    def refuses(self, octets: bytes, error: type[Exception], why: str, **more: Any) -> None:
        """It is refused, and nothing of what is in force changes."""
        before = {one.name: one.read_bytes() for one in (self.root / FOLDER).iterdir()}
        with pytest.raises(error, match=why):
            self.take(octets, **more)
        assert before == {one.name: one.read_bytes() for one in (self.root / FOLDER).iterdir()}

    def revoked(self, at: int = AT) -> set[int]:
        held = PartnerLists(self.files).current(self.authority, Instant(at))
        return {serial for one in held for serial in one.revoked}


@pytest.fixture
def west(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_a_list_takes_the_place_of_the_one_before_only_if_its_authority_signed_it_later(
    west: Fetching,
) -> None:
    assert west.take(crl(5, 11)).is_new
    assert west.revoked() == {11}
    west.refuses(crl(6, 12, by=OTHER), NotAuthentic, "not of the issuer")
    changed = bytearray(crl(6, 12))
    changed[-1] ^= 1
    west.refuses(bytes(changed), NotAuthentic, "not of the issuer")
    west.refuses(b"<html>Please log in</html>", Malformed, "cannot be read")
    west.refuses(crl(4), Conflict, "older")
    west.refuses(crl(6, at=NOW - timedelta(hours=1)), Conflict, "older")
    west.refuses(crl(5), Conflict, "says something else")
    west.refuses(crl(6, at=NOW + timedelta(hours=1)), NotAuthentic, "not come yet")
    west.refuses(crl(6, days=0.5), Expired, "past", at=AT + 13 * HOUR_MS)
    west.refuses(crl(6, base=5), Malformed, "a delta came")
    assert west.revoked() == {11}
    assert west.take(crl(6, 11, 12)).is_new
    assert west.revoked() == {11, 12}


def test_the_same_list_once_more_is_no_new_one(west: Fetching) -> None:
    west.take(crl(5, 11))
    assert not west.take(crl(5, 11)).is_new, "it was signed again, and says the same"


def test_a_list_that_is_past_still_says_which_number_was_reached(west: Fetching) -> None:
    west.take(crl(5, 11))
    later = NOW + timedelta(days=3)
    assert west.revoked(AT + 3 * DAY_MS) == set()
    west.refuses(crl(4, at=later), Conflict, "older", at=AT + 3 * DAY_MS)
    assert west.take(crl(6, at=later), at=AT + 3 * DAY_MS).is_new


def test_a_list_that_a_person_put_in_counts_for_what_may_follow(west: Fetching) -> None:
    (west.root / FOLDER / "by-hand.crl").write_bytes(crl(9, 11))
    west.refuses(crl(8), Conflict, "older")
    assert not west.take(crl(9, 11)).is_new
    assert west.take(crl(10, 11)).is_new


def test_a_delta_goes_by_the_whole_list_that_is_there(west: Fetching) -> None:
    west.refuses(crl(6, 12, base=5), Conflict, "not here", delta=True)
    west.take(crl(5, 11))
    west.refuses(crl(8, 12, base=7), Conflict, "not here", delta=True)
    west.refuses(crl(6, 12), Malformed, "whole", delta=True)
    assert west.take(crl(7, 12, base=5), delta=True).is_new
    assert west.revoked() == {11, 12}
    west.refuses(crl(6, base=5), Conflict, "older", delta=True)
    assert {one.name for one in (west.root / FOLDER).glob("*.crl")} == {
        file_of(west.root, name).name for name in ("west", "west.delta")
    }


@pytest.mark.requirement("MFS-7.4.2-11")
def test_what_a_delta_revoked_does_not_come_back_by_silence(west: Fetching) -> None:
    west.take(crl(5, 11, days=7))
    west.take(crl(6, 12, base=5, days=0.1), delta=True)
    later = AT + DAY_MS
    assert west.revoked(later) == {11, 12}, "who stops the next delta lets somebody in again"
    assert west.take(crl(7, 11, at=NOW + timedelta(hours=1), days=7), at=later).is_new
    assert west.revoked(later) == {11}, "the newer whole list says all"
    assert west.revoked(AT + 9 * DAY_MS) == set(), "a delta alone lets nobody in"


@pytest.mark.requirement("MFS-7.4.2-11")
def test_an_older_list_does_not_count_again_once_the_newest_is_past(west: Fetching) -> None:
    (west.root / FOLDER / "by-hand.crl").write_bytes(crl(9, 11, days=7))
    assert west.revoked() == {11}
    west.take(crl(10, 11, 12, days=0.1))
    assert west.revoked() == {11, 12}
    held = PartnerLists(west.files).current(west.authority, Instant(AT + DAY_MS))
    assert held == (), "whom the newest revoked would be let in by the one before"


def test_a_list_of_a_part_is_none_whatever_its_mark(west: Fetching) -> None:
    point = x509.UniformResourceIdentifier(URL)
    part = x509.IssuingDistributionPoint([point], None, True, False, None, False, False)
    for critical in (True, False):
        west.refuses(crl(5, 11, more=((part, critical),)), Malformed, "not understood")


def test_an_authority_that_was_kept_in_der_is_registered(west: Fetching) -> None:
    (west.root / FOLDER / "west.pem").write_bytes(west.authority.octets)
    assert west.take(crl(5, 11)).is_new


def test_without_its_authority_registered_no_list_is_taken(west: Fetching) -> None:
    (west.root / FOLDER / "west.pem").unlink()
    west.refuses(crl(5), NotFound, "not registered")


def pointing(*urls: str, delta: str = "", below: Drawn = MIDDLE) -> Certificate:
    def points(places: tuple[str, ...]) -> list[x509.DistributionPoint]:
        names = [x509.UniformResourceIdentifier(one) for one in places]
        return [x509.DistributionPoint([one], None, None, None) for one in names]

    more: list[tuple[x509.ExtensionType, bool]] = [
        (x509.CRLDistributionPoints(points(urls)), False)
    ]
    if delta:
        more.append((x509.FreshestCRL(points((delta,))), False))
    return made(Drawn(below.name, authority=True, usages=ISSUES, more=tuple(more)), ROOT)


def test_what_a_certificate_says_of_lists_counts_at_hosts_that_are_allowed_alone(
    west: Fetching,
) -> None:
    inside = "http://169.254.169.254/ca.crl"
    found = pointing(inside, "ldap://pki.west.example/x", URL, delta=f"{URL}.delta")
    west.register("menus", found, west.authority)
    assert wanted(west.root) == {}
    save_list_sources(west.root, ListSources(v=1, lists={}, hosts=("pki.east.example",)))
    assert wanted(west.root) == {}
    save_list_sources(west.root, ListSources(v=1, lists={}, hosts=("pki.west.example",)))
    places = {one.url: (one.authority, one.delta) for one in wanted(west.root).values()}
    root = named(west.authority)
    assert places == {URL: (root, False), f"{URL}.delta": (root, True)}
    declared = ListSource(url="https://mirror.example/ca.crl", authority=root)
    sources = ListSources(v=1, lists={"west": declared}, hosts=("pki.west.example",))
    save_list_sources(west.root, sources)
    assert [one.url for one in wanted(west.root).values()] == [declared.url]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("West", {}),
        ("../west", {}),
        ("west", {"url": "ftp://pki.west.example/ca.crl"}),
        ("west", {"url": "http://name:word@pki.west.example/ca.crl"}),
        ("west", {"url": "http://pki.west.example/ca.crl?key=1"}),
        ("west", {"url": "http://pki.west.example/a\r\nhost: b"}),
        ("west", {"delta": "file:///etc/passwd"}),
        ("west", {"every_s": 59}),
        ("west", {"every_s": 8 * 86_400}),
    ],
)
def test_a_source_of_another_form_is_refused(
    tmp_path: Path, name: str, said: dict[str, Any]
) -> None:
    source = ListSource(**{"url": URL, "authority": "ab" * 32, **said})
    with pytest.raises(Malformed):
        save_list_sources(tmp_path, ListSources(v=1, lists={name: source}))
    assert not (tmp_path / FILE).exists()


def test_sources_that_cannot_be_read_are_no_missing_ones(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(Unavailable, match=r"partner-lists\.json cannot be read"):
        wanted(tmp_path)


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    for text in ("{}", '{"v":2,"lists":{}}', '{"v":1,"lists":{},"hosts":["a/b"]}',
                 '{"v":1,"lists":{"a":{"url":"http://a.example/","authority":"x"}}}'):  # fmt: skip
        (tmp_path / FILE).write_text(text)
        with pytest.raises(Malformed):
            list_sources(tmp_path)


@pytest.fixture
def server() -> Iterator[ListServer]:
    with ListServer() as found:
        yield found


def test_commands_set_fetch_show_and_remove(
    folder: ProviderFolder, server: ListServer, tmp_path: Path
) -> None:
    root, now = folder.root, SystemClock().now()
    at = datetime.fromtimestamp(now // 1000 - 60, NOW.tzinfo)
    pem = tmp_path / "west.pem"
    pem.write_text(pem_of(made(ROOT, ROOT).octets))
    server.publish("/ca.crl", crl(5, 11, 12, at=at), now)
    how = ("partner", "lists")
    url = ("--url", f"{server.url}/ca.crl", "--authority", pem, "--every", "1")
    assert tallystick(*how, "set", root, "west", *url).code == 0
    assert "none is current" in tallystick(*how, "show", root).out
    assert "taken over: number 5, 2 entries" in tallystick(*how, "fetch", root).out
    assert "known: number 5" in tallystick(*how, "fetch", root, "west").out
    [shown] = json.loads(tallystick(*how, "show", root, "--json").out)
    assert (shown["list"], shown["number"], shown["entries"]) == ("west", 5, 2)
    server.fails("/ca.crl", Fault.GARBAGE)
    refused = tallystick(*how, "fetch", root)
    assert (refused.code, "cannot be read" in refused.out) == (1, True)
    assert tallystick(*how, "fetch", root, "east").code == 1
    assert tallystick(*how, "hosts", root, "PKI.west.example").code == 0
    assert list_sources(root).hosts == ("pki.west.example",)
    assert tallystick(*how, "remove", root, "west").code == 0
    assert tallystick(*how, "remove", root, "west").code == 1
    assert list_sources(root) == ListSources(v=1, lists={}, hosts=("pki.west.example",))


def test_the_doctor_leaves_alone_what_a_newer_list_took_the_place_of(
    folder: ProviderFolder,
) -> None:
    place = folder.root / FOLDER
    place.mkdir()
    (place / "west.pem").write_text(pem_of(made(ROOT, ROOT).octets))
    (place / "of-last-month.crl").write_bytes(crl(3, days=0.1))
    later = Instant(AT + DAY_MS)
    for number, state in ((0, State.WRONG), (4, State.FINE)):
        if number:
            (place / "west.crl").write_bytes(crl(number, days=7))
            (place / "west.delta.crl").write_bytes(crl(number + 1, base=number, days=0.1))
        [found] = [one for one in look_at_certificates(folder, later) if "partners" in one.what]
        assert (found.state, "of-last-month" in found.says) == (state, state is State.WRONG)


def test_the_doctor_names_a_source_that_has_no_current_list(folder: ProviderFolder) -> None:
    source = ListSource(url=URL, authority="ab" * 32)
    save_list_sources(folder.root, ListSources(v=1, lists={"west": source}))
    [found] = [one for one in look_at_certificates(folder, AT) if "partners" in one.what]
    assert (found.state, "west" in found.says) == (State.WRONG, True)
    (folder.root / FILE).write_text("{}")
    [found] = [one for one in look_at_certificates(folder, AT) if "partners" in one.what]
    assert found.state is State.WRONG
