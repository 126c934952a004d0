"""A destination is a URL of a closed list; beyond this machine it takes TLS."""

import ssl
from pathlib import Path

import pytest

from tallystick.entry.siem import Destination
from tallystick.entry.siem.destination import Way
from tallystick.kernel.errors import Malformed, NotPermitted


@pytest.mark.parametrize(
    ("url", "way", "port", "path"),
    [
        ("syslog+tcp://127.0.0.1:6010", Way.TCP, 6010, "/v1/logs"),
        ("syslog+tcp://localhost", Way.TCP, 601, "/v1/logs"),
        ("syslog+udp://[::1]", Way.UDP, 514, "/v1/logs"),
        ("syslog+tls://siem.example", Way.TLS, 6514, "/v1/logs"),
        ("otlp+http://127.0.0.2", Way.OTLP, 4318, "/v1/logs"),
        ("otlp+https://collector.example:443/otlp/v1/logs", Way.OTLPS, 443, "/otlp/v1/logs"),
    ],
)
def test_a_url_says_way_host_port_and_path(url: str, way: Way, port: int, path: str) -> None:
    to = Destination.parse(url)
    assert (to.way, to.port, to.path) == (way, port, path)
    assert (to.tls is not None) == (way in {Way.TLS, Way.OTLPS})
    if to.tls is not None:
        assert to.tls.verify_mode is ssl.CERT_REQUIRED
        assert to.tls.check_hostname
        assert to.tls.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "url",
    ["syslog+tcp://10.0.0.1", "syslog+udp://siem.example:514", "otlp+http://collector.example"],
)
def test_nothing_leaves_this_machine_unprotected(url: str) -> None:
    with pytest.raises(NotPermitted, match="leaves this machine"):
        Destination.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "syslog://127.0.0.1",
        "syslog+tcp://",
        "syslog+tcp://127.0.0.1:99999",
        "syslog+tls://name@siem.example",
        "syslog+tls://siem..example",
        "syslog+tcp://127.0.0.1?ca=x",
        "syslog+tls://siem.example?verify=no",
        "syslog+tls://siem.example?ca=/there/is/none",
    ],
)
def test_what_is_no_destination_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(Malformed) as refused:
        Destination.parse(url)
    assert refused.value.remedy


def test_each_destination_has_a_file_of_its_own(tmp_path: Path) -> None:
    names = {
        Destination.parse(url).file_name
        for url in ("syslog+tcp://127.0.0.1:1", "syslog+tcp://127.0.0.1:2", "syslog+udp://[::1]:1")
    }
    assert len(names) == 3
    assert all(name == Path(name).name for name in names)
