"""The doors of certificates and time: lists, answers, stamps, in the forms that others expect.

    GET  /pki/crl/{name}.crl, {name}.delta.crl   application/pkix-crl
    GET  /pki/certificates/{name}.cer            application/pkix-cert
    POST /pki/ocsp, GET /pki/ocsp/{base64}       application/ocsp-response
    POST /tsa                                    application/timestamp-reply

They are open and in clear: what they give is signed. A source pays for what it asks.

Source: RFC 5280, 4.2.1.13; RFC 6960, A; RFC 3161, 3.4; ISO/TS 12812-2:2017, 7.4.2
"""

import asyncio
import binascii
from base64 import b64decode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.entry.accounting import Accounting
from tallystick.entry.http.asked import asked_for, body_of, count_answer
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.stamping import QUERY, REPLY
from tallystick.infrastructure.timestamps.asked import MOST_BYTES
from tallystick.kernel.errors import Malformed

LIST = "application/pkix-crl"
CERTIFICATE = "application/pkix-cert"
QUESTION = "application/ocsp-request"
ANSWER = "application/ocsp-response"
_COST = 0.05


class CertificateDoors:
    """Answers about certificates and time.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, desk: CertificateDesk, accounting: Accounting) -> None:
        self._desk = desk
        self._accounting = accounting

    def routes(self) -> list[Route]:
        """The routes of these doors.

        Source: RFC 6960, A.1; RFC 3161, 3.4
        """
        return [
            Route("/pki/crl/{name}.delta.crl", self.delta, methods=["GET"]),
            Route("/pki/crl/{name}.crl", self.whole, methods=["GET"]),
            Route("/pki/certificates/{name}.cer", self.issuer, methods=["GET"]),
            Route("/pki/ocsp", self.posted, methods=["POST"]),
            Route("/pki/ocsp/{question:path}", self.got, methods=["GET"]),
            Route("/tsa", self.stamp, methods=["POST"]),
        ]

    async def whole(self, request: Request) -> Response:
        """The newest whole list of an authority.

        Source: RFC 5280, 5
        """
        return await self._list(request, delta=False)

    async def delta(self, request: Request) -> Response:
        """The newest delta list of an authority.

        Source: RFC 5280, 5.2.4
        """
        return await self._list(request, delta=True)

    async def _list(self, request: Request, *, delta: bool) -> Response:
        asked_for(request, "pki.list")
        self._pay(request)
        name = request.path_params["name"]
        octets = await asyncio.to_thread(self._desk.listed, name, delta=delta)
        return self._given(request, octets, LIST)

    async def issuer(self, request: Request) -> Response:
        """The certificate of an authority.

        Source: RFC 5280, 4.2.2.1
        """
        asked_for(request, "pki.certificate")
        self._pay(request)
        found = self._desk.certificate(request.path_params["name"])
        return self._given(request, found.octets, CERTIFICATE)

    async def posted(self, request: Request) -> Response:
        """The answer to a question about a certificate.

        Source: RFC 6960, A.1
        """
        asked_for(request, "pki.status")
        octets = await self._body(request, QUESTION)
        return self._given(request, self._desk.status(octets), ANSWER)

    async def got(self, request: Request) -> Response:
        """The same, where the question stands in the address (base64).

        Source: RFC 6960, A.1; RFC 5019, 5
        """
        asked_for(request, "pki.status")
        self._pay(request)
        try:
            octets = b64decode(request.path_params["question"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed("the question in the address is no base64") from error
        return self._given(request, self._desk.status(octets[:MOST_BYTES]), ANSWER)

    async def stamp(self, request: Request) -> Response:
        """A time stamp, or why there is none.

        Source: RFC 3161, 3.4
        """
        asked_for(request, "pki.stamp")
        octets = await self._body(request, QUERY)
        return self._given(request, self._desk.stamp(octets), REPLY)

    async def _body(self, request: Request, sort: str) -> bytes:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != sort:
            raise Malformed(f"send content-type: {sort}")
        now = self._desk.now()
        return await body_of(request, self._accounting, now, cost=_COST, limit=MOST_BYTES)

    def _pay(self, request: Request) -> None:
        peer = request.client.host if request.client else ""
        self._accounting.admit_source(peer, self._desk.now(), _COST)

    def _given(self, request: Request, octets: bytes, sort: str) -> Response:
        count_answer(self._accounting, request, 200, "")
        return Response(octets, media_type=sort, headers={"cache-control": "no-store"})
