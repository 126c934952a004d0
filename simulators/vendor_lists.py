"""A vendor's list server for rehearsals: HTTP on the loopback address, with faults on demand.

It is at the real interface: conditional requests by tag and date, a time for which the list is
good, and the lists in the form in which vendors publish them. No vendor is behind it: its lists are
made here, and its models are signed under the simulated factory's root.

Source: RFC 9110, 8.8; 13.1; RFC 9111, 5.2; FIDO Metadata Service 3.0, 3.1
"""

import base64
import json
import ssl
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey

from simulators.keymint import SimulatedFactory
from simulators.loopback import OwnedServer, ServerThread

REVOKED: Final = "/attestation/status"
ROOTS: Final = "/attestation/root"
MODELS: Final = "/models"
_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Simulated models")])
_PEM: Final = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Fault(StrEnum):
    """What goes wrong with an answer.

    Source: RFC 9110, 15
    """

    NONE = "none"
    SILENT = "takes the request and says nothing"
    SLOW = "a byte at a time, without an end"
    CUT = "ends within the list"
    BROKEN = "500"
    GARBAGE = "200 with something else"
    ENCODED = "compressed, which nobody asked for"
    HUGE = "more than a list has"
    ELSEWHERE = "sends to another address"
    STUBBORN = "not modified, whatever is asked"


@dataclass
class Published:
    """A list as it is published: octets, its date (ms), for how long it is good (-1: not said).

    Source: RFC 9110, 8.8.2; RFC 9111, 5.2.2.1
    """

    octets: bytes
    issued_at: int
    max_age_s: int = -1
    fault: Fault = Fault.NONE

    def tag(self) -> str:
        """Its entity tag.

        Source: RFC 9110, 8.8.3
        """
        return f'"{sha256(self.octets).hexdigest()[:16]}"'


@dataclass
class Heard:
    """A request: its path, its fields by lower-case name, and the status of the answer.

    Source: RFC 9110, 9
    """

    path: str
    fields: dict[str, str]
    status: int


@dataclass
class ListServer:
    """Serves what is in `lists` until closed, over `tls` if given; remembers what was asked.

    Source: RFC 9110, 9
    """

    lists: dict[str, Published] = field(default_factory=dict[str, Published])
    heard: list[Heard] = field(default_factory=list[Heard])
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        """Start at once, on a thread of its own."""
        self._over = Event()
        self._server = ServerThread(_Answer, self, tls=self.tls)

    @property
    def url(self) -> str:
        """Where it listens.

        Source: RFC 9112
        """
        return self._server.url

    def publish(self, path: str, octets: bytes, issued_at: int, max_age_s: int = -1) -> None:
        """Publish `octets` at `path` in place of what was there; a fault there ends.

        Source: RFC 9110, 8.8
        """
        self.lists[path] = Published(octets, issued_at, max_age_s)

    def fails(self, path: str, fault: Fault) -> None:
        """From now on answers at `path` have this `fault`.

        Source: RFC 9110, 15
        """
        self.lists[path].fault = fault

    def close(self) -> None:
        """Stop listening, and let go of who is kept waiting.

        Source: RFC 9112, 9.6
        """
        self._over.set()
        self._server.close()

    def over(self, wait_s: float) -> bool:
        """Whether it was closed within `wait_s`.

        Source: RFC 9112, 9.6
        """
        return self._over.wait(wait_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Answer(BaseHTTPRequestHandler):
    timeout = 5
    server: OwnedServer

    @property
    def lists(self) -> ListServer:
        owner = self.server.owner
        if not isinstance(owner, ListServer):
            raise TypeError("the server is nobody's")
        return owner

    def do_GET(self) -> None:
        self.close_connection = True
        lists = self.lists
        heard = Heard(self.path, {n.lower(): v for n, v in self.headers.items()}, 404)
        found = lists.lists.get(self.path)
        if found is None:
            self._send(404, b"")
        elif found.fault is not Fault.NONE:
            heard.status = 0
            lists.heard.append(heard)
            self._fail(found)
            return
        elif self._same(found, heard):
            heard.status = 304
            self._send(304, b"", self._fields(found))
        else:
            heard.status = 200
            self._send(200, found.octets, self._fields(found))
        lists.heard.append(heard)

    def _same(self, found: Published, heard: Heard) -> bool:
        tag, since = (heard.fields.get(one, "") for one in ("if-none-match", "if-modified-since"))
        if tag:
            return tag == found.tag()
        at = found.issued_at // 1000
        return bool(since) and int(parsedate_to_datetime(since).timestamp()) >= at

    def _fields(self, found: Published) -> dict[str, str]:
        at = {"last-modified": formatdate(found.issued_at / 1000, usegmt=True)}
        good = {"cache-control": f"public, max-age={found.max_age_s}"}
        return {"etag": found.tag(), **at, **(good if found.max_age_s >= 0 else {})}

    def _send(self, status: int, body: bytes, fields: dict[str, str] | None = None) -> None:
        self._head(status, {"content-length": str(len(body)), **(fields or {})})
        if status != 304:
            self.wfile.write(body)

    def _head(self, status: int, fields: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {**fields, "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _fail(self, found: Published) -> None:
        match found.fault:
            case Fault.SILENT:
                self.lists.over(60)
            case Fault.SLOW:
                self._head(200, {"content-length": "1000000"})
                while not self.lists.over(0.05):
                    self.wfile.write(b" ")
            case Fault.CUT:
                self._head(200, {"content-length": str(len(found.octets))})
                self.wfile.write(found.octets[:-1])
            case Fault.HUGE:
                self._head(200, {})
                while not self.lists.over(0):
                    self.wfile.write(b" " * 1_000_000)
            case _:
                self._answer_wrongly(found)

    def _answer_wrongly(self, found: Published) -> None:
        match found.fault:
            case Fault.BROKEN:
                self._send(500, b"{}")
            case Fault.GARBAGE:
                self._send(200, b"<html>Please log in</html>")
            case Fault.ENCODED:
                self._send(200, found.octets, {"content-encoding": "gzip"})
            case Fault.ELSEWHERE:
                self._send(302, b"", {"location": f"{self.lists.url}/elsewhere"})
            case _:
                self._send(304, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is given
        """Write nothing."""


def status_list(serials: dict[str, str]) -> bytes:
    """A list of revoked certificates: the status of each serial (`REVOKED` or `SUSPENDED`).

    Source: RFC 8259
    """
    entries = {serial: {"status": status} for serial, status in serials.items()}
    return json.dumps({"entries": entries}).encode()


def roots_list(*pems: str) -> bytes:
    """A list of roots.

    Source: RFC 8259, 5
    """
    return json.dumps(list(pems)).encode()


def models_file(
    factory: SimulatedFactory,
    number: int,
    reports: dict[str, list[str]],
    *,
    due: str = "2035-01-01",
    signer: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A file of models: the reports of each AAGUID, signed below the root of `factory`.

    Another `signer` than the one of the certificate makes a forgery.
    Source: FIDO Metadata Service 3.0, 3.1
    """
    own = ec.generate_private_key(ec.SECP256R1())
    certificate = factory.certificate(_NAME, own.public_key(), _NAME_OF_ROOT, factory.root_signer)
    entries: list[dict[str, Any]] = [
        {
            "aaguid": aaguid,
            "statusReports": [{"status": one} for one in said],
            "metadataStatement": {"attestationRootCertificates": []},
        }
        for aaguid, said in reports.items()
    ]
    said = {"no": number, "nextUpdate": due, "entries": entries}
    chain = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
    jwk = ECKey.import_key((signer or own).private_bytes(*_PEM))
    head = {"alg": "ES256", "x5c": chain}
    return jws.serialize_compact(head, json.dumps(said).encode(), jwk).encode()


_NAME_OF_ROOT: Final = x509.Name(
    [x509.NameAttribute(x509.NameOID.COMMON_NAME, "Simulated Root, no hardware")]
)
