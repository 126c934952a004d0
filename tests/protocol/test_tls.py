"""TLS 1.3 by certificate file, with one worker and two; nothing unprotected beyond loopback."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.certificates import certificate_files
from tests.support.served import served

from tallystick.client.http import HttpTransport
from tallystick.entry.http.server import Listening, check_listening
from tallystick.kernel.errors import Malformed, NotFound, NotPermitted, Unavailable


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate_files(tmp_path_factory.mktemp("tls"))


@pytest.mark.requirement("MFS-7.2.3-01")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_older_tls_is_refused_at_every_door(
    tmp_path: Path, certified: tuple[Path, Path], workers: int
) -> None:
    with served(tmp_path / "p", tls=certified, workers=workers, join=False) as provider:
        transport = HttpTransport(provider.url, ca_file=certified[0])
        assert transport.get("/health/live").status == 200
        assert transport.post("/v1/payments", b"\x00" * 80, "application/cose").status == 400
        assert transport.post("/v1/sessions", b"{}", "application/json").status == 400
        transport.close()
        assert handshake(provider.url, certified[0], ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        with pytest.raises(ssl.SSLError):
            handshake(provider.url, certified[0], ssl.TLSVersion.TLSv1_2)
        stranger = HttpTransport(provider.url)
        with pytest.raises(Unavailable, match="is not believed: self-signed certificate"):
            stranger.get("/health/live")
        stranger.close()


def test_an_address_where_nothing_listens_is_told_from_one_that_does_not_answer() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        transport = HttpTransport(f"http://127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(Unavailable, match="nothing listens at") as told:
            transport.get("/health/live")
        transport.close()
    assert "with the same order id" in told.value.remedy, "it may have arrived before"


def handshake(url: str, chain: Path, version: ssl.TLSVersion) -> str | None:
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=str(chain))
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as link,
        context.wrap_socket(link, server_hostname=parts.hostname) as tls,
    ):
        return tls.version()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bank.example"])
def test_a_way_that_nothing_protects_is_refused(host: str) -> None:
    with pytest.raises(NotPermitted, match="nothing protects the way"):
        check_listening(Listening(host=host))
    check_listening(Listening(host=host, terminator="nginx on the same host"))


def test_a_certificate_without_its_key_is_refused(certified: tuple[Path, Path]) -> None:
    with pytest.raises(NotPermitted, match="go together"):
        check_listening(Listening(certificate=certified[0]))
    with pytest.raises(Malformed, match="http is for loopback only"):
        HttpTransport("http://bank.example")


def test_what_is_no_certificate_is_named_before_anything_starts(
    certified: tuple[Path, Path], tmp_path: Path
) -> None:
    chain, key = certified
    other = tmp_path / "other.pem"
    other.write_text("no key")
    with pytest.raises(Malformed, match=r"other\.pem are no certificate"):
        check_listening(Listening(certificate=chain, private_key=other))
    with pytest.raises(NotFound, match=r"missing\.pem"):
        check_listening(Listening(certificate=tmp_path / "missing.pem", private_key=key))
    check_listening(Listening(certificate=chain, private_key=key))
