"""Where security events go, written as a URL; beyond this machine only under TLS.

    syslog+tcp://127.0.0.1:601      syslog+udp://127.0.0.1:514      otlp+http://127.0.0.1:4318
    syslog+tls://siem.example:6514?ca=ca.pem&certificate=us.pem&private-key=us.key
    otlp+https://collector.example:4318/v1/logs

Source: RFC 5424, 5; RFC 5425, 4; ISO/TS 12812-2:2017, 7.2.3
"""

import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.errors import Malformed, NotPermitted

_FILES = frozenset(("ca", "certificate", "private-key"))


class Way(StrEnum):
    """How events travel.

    Source: RFC 5424, 5
    """

    TCP = "syslog+tcp"
    TLS = "syslog+tls"
    UDP = "syslog+udp"
    OTLP = "otlp+http"
    OTLPS = "otlp+https"


_PORTS = {Way.TCP: 601, Way.TLS: 6514, Way.UDP: 514, Way.OTLP: 4318, Way.OTLPS: 4318}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and how; `tls` where the way is protected.

    Source: RFC 5424, 5
    """

    way: Way
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None
    name: str
    files: Mapping[str, str]

    @classmethod
    def parse(cls, url: str, path: str = "/v1/logs") -> "Destination":
        """The destination that `url` writes; `path` is where a collector takes requests by default.

        Raises Malformed for another form or files that are none, NotPermitted for a way beyond
        this machine that nothing protects.
        Source: RFC 5425, 4; ISO/TS 12812-2:2017, 7.2.3
        """
        try:
            parts = urlsplit(url)
            way, port, host = Way(parts.scheme), parts.port, parts.hostname
            (host or "").encode("idna")
        except ValueError:
            raise _unknown() from None
        if not host or parts.username or parts.fragment:
            raise _unknown()
        files = dict(parse_qsl(parts.query))
        secure = way in {Way.TLS, Way.OTLPS}
        if set(files) - _FILES or (files and not secure):
            raise _unknown()
        if not secure and not _is_here(host):
            raise NotPermitted(
                f"{way} to {host} leaves this machine and nothing protects it",
                because="7.2.3: TLS beyond loopback",
                remedy="use syslog+tls or otlp+https, or a relay on this machine",
            )
        return cls(
            way=way,
            host=host,
            port=port or _PORTS[way],
            path=parts.path if len(parts.path) > 1 else path,
            tls=_context(files) if secure else None,
            name=f"{way}://{_bracketed(host)}:{port or _PORTS[way]}",
            files=files,
        )

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them.

        Source: RFC 3986, 3.2
        """
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def file_name(self) -> str:
        """The name of the file that says how far this destination was told.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return f"siem-{sha256(self.name.encode())[:6].hex()}.json"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _unknown() -> Malformed:
    return Malformed(
        "this is no place for security events",
        remedy="write syslog+tls://HOST:PORT?ca=FILE, syslog+tcp:, syslog+udp: or otlp+https:",
    )


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _context(files: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certificate" in files:
            context.load_cert_chain(files["certificate"], files.get("private-key"))
    except (OSError, ValueError) as error:
        raise Malformed(
            "the files of the destination are no certificates in PEM", remedy="check the paths"
        ) from error
    return context
