"""Lists through a proxy: only where one is declared, and what it is told stays with it."""

import base64
import json
import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from simulators.vendor_lists import REVOKED, ListServer, status_list
from tests.support.attested import AT
from tests.support.certificates import certificate_files
from tests.support.collectors import until
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.test_doctor import folder, original
from tests.unit.entry.test_vendors import tls_of

from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.fetching import Fetch
from tallystick.entry.vendors.proxy import (
    FILE,
    lacks_credentials,
    remove_proxy,
    save_proxy,
    way_in,
    way_to,
)
from tallystick.kernel.errors import Malformed, NotPermitted, Unavailable
from tallystick.kernel.secret import Secret

__all__ = ["folder", "original"]

LIST = status_list({"ab": "REVOKED"})
WORDS = Secret(b"tally:open-sesame")


class Proxy:
    """A proxy on the loopback address that opens ways (CONNECT); it remembers what it was told."""

    def __init__(self, wants: bytes = b"", status: bytes = b"200 Connection established") -> None:
        self.wants, self.status = wants, status
        self.heads: list[bytes] = []
        self.passed = bytearray()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def close(self) -> None:
        self._over.set()
        for one in self._threads:
            one.join(10)
            assert not one.is_alive(), "the proxy serves somebody still"
        self._listener.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                caller, _ = self._listener.accept()
                one = threading.Thread(target=self._serve, args=(caller,))
                self._threads.append(one)
                one.start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.settimeout(5)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                octet = caller.recv(1)
                if not octet:
                    return
                head += octet
            self.heads.append(head)
            if self.status == b"silent":
                self._over.wait(20)
                return
            if self.wants and b"Proxy-Authorization: Basic " + self.wants not in head:
                caller.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            caller.sendall(b"HTTP/1.1 " + self.status + b"\r\n\r\n")
            host, _, port = head.split(b" ")[1].rpartition(b":")
            with socket.create_connection((host.decode(), int(port)), 5) as server:
                self._join(caller, server)

    def _join(self, caller: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=_pump, args=(server, caller, bytearray()))
        back.start()
        _pump(caller, server, self.passed)
        back.join(5)


def _pump(one: socket.socket, other: socket.socket, seen: bytearray) -> None:
    with suppress(OSError):
        while octets := one.recv(65_536):
            seen += octets
            other.sendall(octets)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    found = Proxy(wants=base64.b64encode(WORDS.reveal()))
    yield found
    found.close()


@pytest.fixture
def server() -> Iterator[ListServer]:
    with ListServer() as found:
        found.publish(REVOKED, LIST, AT)
        yield found


def fetch(root: Path, url: str) -> bytes:
    return Fetch(url + REVOKED, way=way_in(root)).run().octets or b""


def test_a_list_comes_through_the_proxy_that_is_declared(
    tmp_path: Path, proxy: Proxy, server: ListServer
) -> None:
    assert fetch(tmp_path, server.url) == LIST
    assert proxy.heads == [], "nobody declared it yet"
    save_proxy(tmp_path, f"127.0.0.1:{proxy.port}", WORDS)
    assert fetch(tmp_path, server.url) == LIST
    place = server.url.removeprefix("http://").encode()
    assert proxy.heads[0].startswith(b"CONNECT " + place + b" HTTP/1.1\r\nHost: " + place)
    assert b"Authorization" not in bytes(proxy.passed), "the server was told what the proxy was"
    remove_proxy(tmp_path)
    assert fetch(tmp_path, server.url) == LIST
    assert len(proxy.heads) == 1
    assert list(tmp_path.iterdir()) == []


def test_tls_goes_through_the_proxy_to_the_server_itself(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, private = certificate_files(tmp_path)
    save_proxy(tmp_path, f"127.0.0.1:{proxy.port}", WORDS)
    with ListServer(tls=tls_of(chain, private)) as server:
        server.publish(REVOKED, LIST, AT)
        with pytest.raises(Unavailable):
            fetch(tmp_path, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert fetch(tmp_path, server.url) == LIST
    assert b"GET " not in bytes(proxy.passed), "the proxy could read the request"


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"])
def test_what_the_environment_says_of_proxies_does_not_count(
    tmp_path: Path, proxy: Proxy, server: ListServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert fetch(tmp_path, server.url) == LIST
    assert proxy.heads == []


def test_credentials_are_in_no_error_and_no_file_that_others_read(
    tmp_path: Path, proxy: Proxy, server: ListServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    proxy.wants = b"others"
    save_proxy(tmp_path, f"127.0.0.1:{proxy.port}", WORDS)
    way = way_in(tmp_path)
    with pytest.raises(Unavailable, match="407") as told:
        fetch(tmp_path, server.url)
    said = "".join(traceback.format_exception(told.value)) + repr(way) + caplog.text
    said += (tmp_path / FILE).read_text()
    for secret in (b"open-sesame", base64.b64encode(WORDS.reveal())):
        assert secret.decode() not in said
    kept = tmp_path / "list-proxy.secret"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.chmod(0o640)
    with pytest.raises(NotPermitted):
        way_in(tmp_path)


def test_a_proxy_that_is_away_silent_or_refuses_ends_the_request(
    tmp_path: Path, proxy: Proxy, server: ListServer
) -> None:
    save_proxy(tmp_path, f"127.0.0.1:{proxy.port}", WORDS)
    proxy.status = b"502 Bad Gateway"
    with pytest.raises(Unavailable, match="502"):
        fetch(tmp_path, server.url)
    proxy.status = b"silent"
    asking, errors = Fetch(server.url + REVOKED, way=way_in(tmp_path)), list[Exception]()

    def run() -> None:
        try:
            asking.run()
        except Unavailable as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: len(proxy.heads) == 2)
    asking.cut()
    thread.join(5)
    assert not thread.is_alive(), "it waits for a proxy that says nothing"
    assert "took too long" in str(errors[0])
    proxy.close()
    with pytest.raises(Unavailable):
        fetch(tmp_path, server.url)
    assert server.heard == []


def test_a_list_on_this_machine_is_not_asked_for_at_another(tmp_path: Path) -> None:
    """It may come over http and without a signature, since nobody is between."""
    save_proxy(tmp_path, "proxy.example:3128", WORDS)
    for url in ("http://127.0.0.1:8/status", "http://[::1]/status", "https://localhost/status"):
        assert way_to(tmp_path, url) is None
    way = way_to(tmp_path, "https://vendor.example/status")
    assert (way and way.host) == "proxy.example"


def test_a_request_that_was_ended_tells_no_proxy_who_asks(
    tmp_path: Path, proxy: Proxy, server: ListServer
) -> None:
    save_proxy(tmp_path, f"127.0.0.1:{proxy.port}", WORDS)
    asking = Fetch(server.url + REVOKED, way=way_in(tmp_path))
    asking.cut()
    with pytest.raises(Unavailable, match="took too long"):
        asking.run()
    assert proxy.heads == []


def test_credentials_are_kept_no_longer_than_a_proxy_wants_them(tmp_path: Path) -> None:
    save_proxy(tmp_path, "proxy.example:3128", WORDS)
    assert lacks_credentials(tmp_path) == ""
    (tmp_path / "list-proxy.secret").unlink()
    assert lacks_credentials(tmp_path) == "list-proxy.secret"
    save_proxy(tmp_path, "proxy.example:3128", WORDS)
    save_proxy(tmp_path, "proxy.example:3128", None)
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    assert lacks_credentials(tmp_path) == ""


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("proxy.example", b"a:b"),
        ("proxy.example:0", b"a:b"),
        ("proxy.example:http", b"a:b"),
        ("name@proxy.example:3128", b"a:b"),
        ("proxy.example:3128", b"no-colon"),
        ("proxy.example:3128", b"a:b\r\nhost: c"),
        ("proxy.example:3128", b"a:" + b"b" * 1_000),
    ],
)
def test_a_proxy_of_another_form_is_refused(tmp_path: Path, place: str, words: bytes) -> None:
    with pytest.raises(Malformed):
        save_proxy(tmp_path, place, Secret(words))
    assert list(tmp_path.iterdir()) == []


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    good = {"v": 1, "host": "proxy.example", "port": 3128}
    for more in ({"v": 2}, {"port": 0}, {"credentials": "../../etc/passwd"},
                 {"credentials": "not-there"}, {"secret": "a:b"}):  # fmt: skip
        (tmp_path / FILE).write_text(json.dumps({**good, **more}))
        with pytest.raises(Malformed):
            way_in(tmp_path)


def test_a_command_declares_the_proxy_and_takes_it_back(
    folder: ProviderFolder, tmp_path: Path
) -> None:
    root, file = folder.root, tmp_path / "words"
    file.write_bytes(WORDS.reveal() + b"\n")
    how = ("vendors", "proxy", root)
    said = tallystick(*how, "--to", "proxy.example:3128", "--credentials-file", file)
    assert (said.code, "sesame" in said.out + said.err) == (0, False)
    way = way_in(root)
    assert way is not None
    assert (way.host, way.port) == ("proxy.example", 3128)
    assert way.authorization.reveal() == f"Basic {base64.b64encode(WORDS.reveal()).decode()}"
    assert tallystick(*how).code == 2
    assert tallystick(*how, "--to", "proxy.example:3128", "--direct").code == 2
    assert tallystick(*how, "--direct").code == 0
    assert way_in(root) is None
