"""Certificates and time over HTTP, judged by OpenSSL; partners by TLS, until they are revoked."""

import asyncio
import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from tests.support.certificates import certificate_files
from tests.support.collectors import until
from tests.support.hierarchy import certificate_request, write_pem
from tests.support.openssl import openssl
from tests.support.served import Served, served

from tallystick.entry.accounting import Accounting
from tallystick.entry.dating import duty
from tallystick.entry.dating.duty import stamp_for_ever
from tallystick.entry.doctor import examine
from tallystick.entry.doctor.model import State
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.archiving import Done, archive, authority_of
from tallystick.entry.pki.checkpoints import keep_stamp, own_stamp, verify_kept
from tallystick.entry.pki.making import Making, making
from tallystick.entry.pki.places import CertificateFolder, CertificateSettings
from tallystick.entry.restoring import back_up, restore
from tallystick.entry.settings import PartnerLink, ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.timestamps import Query
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock

POLICY = "1.3.6.1.4.1.99999.1"
EAST = PartnerLink(name="menus-east", proof="tls")
WEST = PartnerLink(name="menus-west", proof="tls")
FORM = urlencode(
    {
        "sessionId": "s-1",
        "serviceCode": "*500#",
        "phoneNumber": "+254700000001",
        "networkCode": "63902",
        "text": "",
    }
).encode()


def prepare(provider: ProviderFolder, secret: Secret[bytes]) -> None:
    folder = CertificateFolder(provider)
    folder.save_settings(CertificateSettings(policy=POLICY, clock="declared"))
    with making(folder, secret, SystemClock()) as made:
        made.hierarchy("Example Provider", ())
        made.stamping()


@contextmanager
def opened(provider: Served) -> Iterator[Making]:
    with making(CertificateFolder(provider.folder), provider.secret, SystemClock()) as made:
        yield made


def authority(provider: Served, name: str, folder: Path) -> Path:
    found = CertificateFolder(provider.folder).register().authority(name)
    return write_pem(folder / f"{name}.pem", found)


def exchange(
    provider: Served, method: str, path: str, body: bytes = b"", sort: str = ""
) -> tuple[int, str, bytes]:
    parts = urlsplit(provider.url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        link.request(method, path, body or None, {"content-type": sort} if sort else {})
        reply = link.getresponse()
        return reply.status, reply.headers.get_content_type(), reply.read()
    finally:
        link.close()


@pytest.mark.requirement("MFS-7.4.2-11")
def test_lists_answers_and_stamps_over_http(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        root, partners = (authority(provider, one, tmp_path) for one in ("root", "partners"))
        with opened(provider) as made:
            leaf = made.issue("partner", ("menus-east",), certificate_request()[0])
        file = write_pem(tmp_path / "leaf.pem", leaf)
        asking = (
            "ocsp", "-issuer", partners, "-cert", file, "-url", f"{provider.url}/pki/ocsp",
            "-CAfile", root, "-verify_other", partners,
        )  # fmt: skip
        until(lambda: "leaf.pem: good" in openssl(*asking))
        with opened(provider) as made:
            made.revoke(leaf.serial, "withdrawn")
        begun = time.monotonic()
        while "leaf.pem: revoked" not in openssl(*asking):
            assert time.monotonic() - begun < 5
        status, sort, octets = exchange(provider, "GET", "/pki/crl/partners.crl")
        assert (status, sort) == (200, "application/pkix-crl")
        (tmp_path / "partners.crl").write_bytes(octets)
        said = openssl(
            "crl", "-inform", "DER", "-in", tmp_path / "partners.crl", "-CAfile", partners,
            "-noout", "-text",
        )  # fmt: skip
        assert "verify OK" in said
        assert f"{leaf.serial:X}" in said
        assert exchange(provider, "GET", "/pki/crl/partners.delta.crl")[0] == 404
        with opened(provider) as made:
            made.sign_list("partners", delta=True)
        assert exchange(provider, "GET", "/pki/crl/partners.delta.crl")[0] == 200
        assert exchange(provider, "GET", "/pki/crl/..%2f..%2fprovider.crl")[0] == 404
        assert exchange(provider, "GET", "/pki/certificates/root.cer")[1] == "application/pkix-cert"
        assert exchange(provider, "GET", "/pki/ocsp/no-base64!")[0] == 400
        stamped_by(provider, tmp_path, root)


def stamped_by(provider: Served, folder: Path, root: Path) -> None:
    data, asked, answered = (folder / name for name in ("data", "asked", "answered"))
    data.write_bytes(b"what is stamped")
    openssl("ts", "-query", "-data", data, "-sha256", "-cert", "-out", asked)
    sort = "application/timestamp-query"
    assert exchange(provider, "POST", "/tsa", asked.read_bytes(), "text/plain")[0] == 400
    status, kind, octets = exchange(provider, "POST", "/tsa", asked.read_bytes(), sort)
    assert (status, kind) == (200, "application/timestamp-reply")
    answered.write_bytes(octets)
    said = openssl("ts", "-verify", "-queryfile", asked, "-in", answered, "-CAfile", root)
    assert "Verification: OK" in said
    assert exchange(provider, "POST", "/tsa", b"x" * 5000, sort)[0] == 413


def client(
    provider: Served, ca: Path, files: tuple[Path, Path] | None
) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=str(ca))
    if files is not None:
        context.load_cert_chain(*files)
    parts = urlsplit(provider.url)
    return http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=10, context=context
    )


def called(link: http.client.HTTPSConnection, name: str) -> int:
    sort = {"content-type": "application/x-www-form-urlencoded"}
    link.request("POST", f"/v1/aggregators/{name}", FORM, sort)
    reply = link.getresponse()
    reply.read()
    return reply.status


def once(provider: Served, ca: Path, files: tuple[Path, Path] | None, name: str) -> int:
    """The status of one callback over a connection of its own."""
    with closing(client(provider, ca, files)) as link:
        return called(link, name)


def let_in(provider: Served, ca: Path, files: tuple[Path, Path]) -> bool:
    """Whether a new connection of the partner in the east is served; it is ended otherwise."""
    try:
        return once(provider, ca, files, "menus-east") == 200
    except (OSError, http.client.HTTPException):
        return False


def issued(provider: Served, name: str, folder: Path) -> tuple[Certificate, tuple[Path, Path]]:
    request, private = certificate_request()
    with opened(provider) as made:
        leaf = made.issue("partner", (name,), request)
    key = folder / f"{name}.key"
    key.write_bytes(private)
    issuer = CertificateFolder(provider.folder).register().authority("partners")
    return leaf, (write_pem(folder / f"{name}.pem", leaf, issuer), key)


@pytest.mark.requirement("MFS-7.2.3-01")
@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("lane", [True, False])
def test_a_partner_is_let_in_by_its_certificate_until_it_is_revoked(
    tmp_path: Path, lane: bool
) -> None:
    chain, key = certificate_files(tmp_path / "tls")
    options = {"aggregators": (EAST, WEST), "tls": (chain, key), "lane": lane}
    with (
        served(tmp_path / "p", join=False, prepare=prepare, **options) as provider,
        ExitStack() as stack,
    ):
        leaf, files = issued(provider, "menus-east", tmp_path)
        _, others = issued(provider, "menus-west", tmp_path)
        stack.callback((east := client(provider, chain, files)).close)
        assert called(east, "menus-east") == 200
        assert called(east, "menus-west") == 401
        assert once(provider, chain, None, "menus-east") == 401
        assert once(provider, chain, others, "menus-west") == 200
        with opened(provider) as made:
            made.revoke(leaf.serial, "key-compromise")
        begun = time.monotonic()
        while called(east, "menus-east") != 401:
            assert time.monotonic() - begun < 5
            time.sleep(0.1)
        assert time.monotonic() - begun < 5
        with pytest.raises((OSError, http.client.HTTPException)):
            once(provider, chain, files, "menus-east")
        assert once(provider, chain, others, "menus-west") == 200


@pytest.mark.requirement("MFS-7.4.2-11")
def test_nobody_is_let_in_on_a_list_that_is_past_or_by_a_stranger(tmp_path: Path) -> None:
    chain, key = certificate_files(tmp_path / "tls")
    options = {"aggregators": (EAST,), "tls": (chain, key)}
    with served(tmp_path / "p", join=False, prepare=prepare, **options) as provider:
        _, files = issued(provider, "menus-east", tmp_path)
        place = CertificateFolder(provider.folder)
        assert once(provider, chain, files, "menus-east") == 200
        fresh = place.list_file("partners").read_bytes()
        old = SimulatedClock(SystemClock().now() - 8 * DAY_MS)
        with making(place, provider.secret, old) as made:
            made.sign_list("partners")
        until(lambda: not let_in(provider, chain, files))
        replace_file(place.list_file("partners"), fresh)
        until(lambda: let_in(provider, chain, files))
        strange = certificate_files(tmp_path / "strange")
        with pytest.raises((OSError, http.client.HTTPException)):
            once(provider, chain, strange, "menus-east")


def test_the_log_is_stamped_once_for_each_size(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        folder, platform = CertificateFolder(provider.folder), provider.platform
        desk = CertificateDesk(folder, platform.module, platform.keys.handles, platform.clock)
        note = platform.archive.note
        file = keep_stamp(folder, note, lambda data: own_stamp(desk, data))
        assert file is not None
        assert keep_stamp(folder, note, lambda data: own_stamp(desk, data)) is None
        assert keep_stamp(folder, "", lambda data: own_stamp(desk, data)) is None
        kept, stamped = verify_kept(file.read_bytes(), desk.roots())
        assert kept.checkpoint == note
        assert abs(stamped.at - platform.clock.now()) < 10_000
        changed = file.read_bytes().replace(b'"checkpoint":"', b'"checkpoint":"x')
        with pytest.raises(NotAuthentic):
            verify_kept(changed, desk.roots())


def test_the_task_stamps_and_says_when_it_cannot(tmp_path: Path) -> None:
    """First by the own authority, then by another that is configured, then by one that is not."""
    with (
        served(tmp_path / "p", join=False, prepare=prepare) as provider,
        served(tmp_path / "other", join=False, prepare=prepare) as other,
    ):
        folder, platform = CertificateFolder(provider.folder), provider.platform
        desk = CertificateDesk(folder, platform.module, platform.keys.handles, platform.clock)
        lines: list[bytes] = []
        accounting = Accounting(platform.clock, lines.append)
        roots = folder.root / "other.pem"
        write_pem(roots, CertificateFolder(other.folder).register().authority("root"))

        async def stamping_until(done: Callable[[], bool]) -> None:
            newest = platform.archive.note
            task = asyncio.create_task(
                stamp_for_ever(lambda: newest, accounting, folder, desk, 0.02, 0.0)
            )
            try:
                async with asyncio.timeout(10):
                    while not done():
                        await asyncio.sleep(0.02)
            finally:
                task.cancel()

        def stamps() -> list[Path]:
            return sorted(folder.stamps.glob("*.json"))

        asyncio.run(stamping_until(lambda: bool(stamps())))
        assert verify_kept(stamps()[0].read_bytes(), desk.roots())
        stamps()[0].unlink()
        settings = folder.settings()
        elsewhere = replace(settings, authority_url=f"{other.url}/tsa", authority_roots="other.pem")
        folder.save_settings(elsewhere)
        asyncio.run(stamping_until(lambda: bool(stamps())))
        assert verify_kept(stamps()[0].read_bytes(), certificates_in(roots.read_bytes()))
        with pytest.raises(NotAuthentic):
            verify_kept(stamps()[0].read_bytes(), desk.roots())
        stamps()[0].unlink()
        folder.save_settings(replace(elsewhere, authority_url="http://127.0.0.1:9/tsa"))

        def told() -> bool:
            accounting.flush()
            return b"the log was not stamped with the time" in b"".join(lines)

        asyncio.run(stamping_until(told))
        assert not stamps()


def test_a_damaged_stamp_is_noted_once_while_the_log_goes_on_being_stamped(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        folder, platform = CertificateFolder(provider.folder), provider.platform
        desk = CertificateDesk(folder, platform.module, platform.keys.handles, platform.clock)
        folder.keep(folder.stamps / "1.json", b"{}")
        lines: list[bytes] = []
        accounting, asked = Accounting(platform.clock, lines.append), [0]

        def newest() -> str:
            asked[0] += 1
            return platform.archive.note

        async def scene() -> None:
            task = asyncio.create_task(stamp_for_ever(newest, accounting, folder, desk, 0.0, 0.0))
            async with asyncio.timeout(20):
                while asked[0] < 4:
                    await asyncio.sleep(0.01)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        asyncio.run(scene())
        accounting.flush()
        said = b"".join(lines)
        assert said.count(b"a kept time stamp is damaged") == 1
        assert b'"file":"1.json"' in said
        assert b"not stamped" not in said
        assert len(list(folder.stamps.glob("*.json"))) == 2


def test_gathering_leaves_the_loop_free_and_two_never_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gathering that lasts as long as the test wants: the loop turns, and a second one waits."""
    going, at_once, most, free = threading.Event(), 0, 0, threading.Event()
    by_hand = threading.Lock()

    def lasting(*arguments: object) -> None:
        nonlocal at_once, most
        with by_hand:
            at_once += 1
            most = max(most, at_once)
        going.set()
        assert free.wait(20)
        with by_hand:
            at_once -= 1

    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        platform, folder = provider.platform, CertificateFolder(provider.folder)
        desk = CertificateDesk(
            folder,
            platform.module,
            platform.keys.handles,
            SimulatedClock(Instant(1_900_000_000_000)),
        )
        accounting = Accounting(SystemClock(), lambda _: None)
        monkeypatch.setattr(duty, "gather", lasting)

        def begin() -> asyncio.Task[None]:
            return asyncio.create_task(
                stamp_for_ever(lambda: "", accounting, folder, desk, 0.0, 0.0)
            )

        async def beats(count: int) -> None:
            for _ in range(count):
                await asyncio.sleep(0)

        async def scene() -> None:
            first = begin()
            async with asyncio.timeout(20):
                while not going.is_set():
                    await asyncio.sleep(0.01)
                await beats(100)  # with the gathering on the loop none of these would come
                assert at_once == 1
                first.cancel()
                second = begin()
                await beats(100)
                assert not first.done(), "a thread was left behind at its work"
                free.set()
                await asyncio.gather(first, return_exceptions=True)
                second.cancel()
                await asyncio.gather(second, return_exceptions=True)

        asyncio.run(scene())
    assert at_once == 0
    assert most == 1


def test_stamps_that_many_threads_ask_for_are_in_order(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        platform, folder = provider.platform, CertificateFolder(provider.folder)
        still = SimulatedClock(Instant(platform.clock.now() // 1000 * 1000 + 123))
        handles = platform.keys.handles
        desk = CertificateDesk(folder, platform.module, handles, still, lambda: 0)

        def stamp(number: int) -> bytes:
            answer = desk.stamp(Query(digest=sha256(b"%d" % number), nonce=number + 1).octets())
            found = re.search(rb"\d{14}\.(\d{1,6})Z", answer)
            assert found is not None, "nothing was granted"
            return found[1].ljust(6, b"0")

        with ThreadPoolExecutor(4) as pool:
            stated = sorted(int(one) for one in pool.map(stamp, range(64)))
        assert stated == list(range(123_000, 123_064)), "two stamps have one instant"


def test_a_document_is_stamped_and_again_when_that_is_due(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        folder, file, now = CertificateFolder(provider.folder), tmp_path / "consent", SystemClock()
        file.write_bytes(b"a consent, signed")
        authority, roots = authority_of(folder, provider.url)
        first = archive(file, authority.stamp, roots, now.now())
        assert first.done is Done.STAMPED
        assert archive(file, authority.stamp, roots, now.now()).done is Done.KEPT
        weak = Instant(now.now() + 30 * DAY_MS)
        again = archive(file, authority.stamp, roots, now.now(), weak)
        assert (again.done, again.since) == (Done.RENEWED, first.since)
        file.write_bytes(b"another consent")
        with pytest.raises(NotAuthentic):
            archive(file, authority.stamp, roots, now.now())
        with pytest.raises(NotFound, match="nobody is named"):
            authority_of(folder, "")
        settings = replace(folder.settings(), authority_url="http://x", authority_roots="none")
        folder.save_settings(settings)
        with pytest.raises(NotFound, match="roots"):
            authority_of(folder, "")


def test_no_stamp_by_a_clock_that_nobody_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.entry.pki.answering.clock_state", lambda: None)

    def unkept(provider: ProviderFolder, secret: Secret[bytes]) -> None:
        prepare(provider, secret)
        folder = CertificateFolder(provider)
        folder.save_settings(replace(folder.settings(), clock="kernel"))

    with served(tmp_path / "p", join=False, prepare=unkept) as provider:
        folder, platform = CertificateFolder(provider.folder), provider.platform
        desk = CertificateDesk(folder, platform.module, platform.keys.handles, platform.clock)
        with pytest.raises(Unavailable, match="no time now"):
            own_stamp(desk, b"x")


def test_a_backup_has_the_register_the_lists_and_the_keys_of_the_authorities(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        leaf, _ = issued(provider, "menus-east", tmp_path)
        back_up(provider.folder, tmp_path / "backup", SystemClock().now())
    again = ProviderFolder(tmp_path / "again")
    restore(tmp_path / "backup", again, SystemClock().now(), operating_system)
    with making(CertificateFolder(again), provider.secret, SystemClock()) as made:
        assert made.revoke(leaf.serial, "superseded").reason == "superseded"
    assert not CertificateFolder(again).root_block.exists()


def test_what_ends_and_what_is_past_is_told(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False, prepare=prepare) as provider:
        folder = provider.folder
        place = CertificateFolder(folder)
        kept = place.root_block.read_bytes()
        with pytest.raises(Conflict), opened(provider) as made:
            made.hierarchy("x", ())
        assert place.root_block.read_bytes() == kept
        with opened(provider) as made:
            made.issue("server", ("pay.example.org",), certificate_request()[0], 3 * DAY_MS)
    said = {one.what: one for one in examine(folder, SystemClock())}
    assert said["certificates"].state is State.SOON
    assert "pay.example.org" in said["certificates"].says
    assert said["lists of revoked certificates"].state is State.FINE
    assert said["time stamps"].state is State.SOON
    later = SimulatedClock(SystemClock().now() + 8 * DAY_MS)
    said = {one.what: one for one in examine(folder, later)}
    assert said["lists of revoked certificates"].state is State.WRONG
    place.root_block.unlink()
    with pytest.raises(NotFound, match="the key of the authority root"), opened(provider) as made:
        made.sign_list("root")
