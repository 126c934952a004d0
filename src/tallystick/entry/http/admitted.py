"""Connections with a certificate of a partner: looked at when they begin, named in each request.

TLS has verified that the peer has the key and that our authority made the certificate; whether it
still holds is looked at here. A connection whose certificate is not taken is ended before anything
is read from it.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; RFC 8446, 4.4.2
"""

import asyncio
import ssl
from typing import Any, ClassVar, cast

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tallystick.entry.pki.admitting import PartnerCertificates
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Clock

_PEER = "tallystick.certificate"


class AdmittedProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also says whose certificate the peer has.

    Source: RFC 8446, 4.4.2
    """

    certificates: ClassVar[PartnerCertificates | None] = None
    clock: ClassVar[Clock | None] = None
    _octets: bytes = b""
    _refused: bool = False

    def connection_made(self, transport: Any) -> None:
        """Look at the peer's certificate, if it has one.

        Source: RFC 5280, 6
        """
        super().connection_made(transport)
        self._octets = peer_certificate(transport)
        self._refused = not is_admitted(self._octets, self.certificates, self.clock)
        if self._refused:
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection was refused.

        Source: RFC 9112, 2.2
        """
        if not self._refused:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Note the certificate in what the doors see of the request.

        Source: RFC 9112, 3
        """
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[_PEER] = self._octets


def is_admitted(
    octets: bytes, certificates: PartnerCertificates | None, clock: Clock | None
) -> bool:
    """Whether a connection with the certificate `octets`, empty for none, may go on.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if not octets:
        return True
    if certificates is None or clock is None:
        return False
    try:
        certificates.partner(octets, clock.now())
    except MfsError:
        return False
    return True


def peer_certificate(transport: asyncio.BaseTransport) -> bytes:
    """The certificate (DER) that the peer has shown, empty if it has none.

    Source: RFC 8446, 4.4.2
    """
    link: Any = transport.get_extra_info("ssl_object")
    shown = link.getpeercert(binary_form=True) if link is not None else None
    return bytes(shown) if shown else b""


def certificate_of(request: Request) -> bytes:
    """The certificate (DER) that the peer of `request` has shown to this service, or nothing.

    Source: RFC 8446, 4.4.2
    """
    return bytes(request.scope.get(_PEER, b""))


def ask_for_certificates(context: ssl.SSLContext, certificates: PartnerCertificates) -> None:
    """Let TLS ask for a certificate of our authority; whoever has none may come in all the same.

    Source: RFC 8446, 4.3.2
    """
    pem = "".join(pem_of(one) for one in certificates.authorities())
    context.load_verify_locations(cadata=pem)
    context.verify_mode = ssl.CERT_OPTIONAL
