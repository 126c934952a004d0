"""The doors of partners who call back: aggregators with menus, the SMSC with delivery receipts.

    form, authenticated -> session, number, all inputs -> the new input -> menu -> CON or END

An aggregator sends every input so far, the PIN among them, and nothing seals it on the way: it is
declared as a node that reads the PIN. Here the inputs are hidden as soon as the form is taken
apart, and a PIN among them is a block before the menu steps; the body goes nowhere else, and no
refusal repeats any of it.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.3.4; 12.2
"""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tallystick.application.own_commands import NoticeReceipt
from tallystick.application.simcommands import ReportSimChange
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.admitted import certificate_of
from tallystick.entry.http.asked import asked_for, count_answer, json_of, peer_of
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.dialogues import Called, Dialogues
from tallystick.entry.notes import Note
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import (
    CERTIFICATE_HEADER,
    CHAIN_HEADER,
    Headers,
    check_callback,
    check_links,
    link_secret,
)
from tallystick.entry.pki.admitting import PartnerCertificates
from tallystick.entry.terminated import TerminatedCertificates
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import Decoder, from_plain
from tallystick.kernel.errors import (
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    TooLarge,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.callbacks import CALLBACK_HEADER, TOLERANCE_MS
from tallystick.protocol.channels import (
    AggregatorCallback,
    SimChange,
    SmsAccepted,
    SmsReceipt,
    SmsState,
)
from tallystick.protocol.payments import Empty

_MAX_BYTES = 4096
_MOST_FIELDS = 8
_FORM = "application/x-www-form-urlencoded"
_FAILED_COST = 5.0
_receipts = Decoder(SmsReceipt, limit=_MAX_BYTES)
_changes = Decoder(SimChange, limit=_MAX_BYTES)


class PartnerDoors:
    """Takes the callbacks of partners.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        actions: DialledActions,
        accounting: Accounting,
        certificates: PartnerCertificates | None = None,
    ) -> None:
        """Raises Malformed if a partner of the settings cannot be told from everybody else.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        check_links(platform.settings)
        self._platform = platform
        self._writer = writer
        self._accounting = accounting
        self._certificates = certificates
        self._terminated = TerminatedCertificates(platform.folder.root, platform.list_files)
        self._handle = platform.keys.newest(Purpose.PARTNER_LINK)
        self._links = {link.name: link for link in platform.settings.aggregators}
        self._seen: dict[str, int] = {}
        module, handle = platform.module, self._handle
        self._dialogues = Dialogues(
            platform, actions, accounting, lambda message: module.mac(handle, message)
        )

    async def callback(self, request: Request) -> Response:
        """One callback of a menu session, and the page that follows.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        asked_for(request, "ussd.callback")
        link = self._links.get(request.path_params["aggregator"])
        called, copy = await self._called_by(request, link)
        page = await (self._dialogues.again(called) if copy else self._dialogues.answer(called))
        count_answer(self._accounting, request, 200, "")
        said = f"{'END' if page.ends else 'CON'} {page.text}"
        return PlainTextResponse(said, headers={"cache-control": "no-store"})

    async def _called_by(self, request: Request, link: PartnerLink | None) -> tuple[Called, bool]:
        """The callback, its inputs hidden; whoever awaits this keeps nothing of its body."""
        body, copy = await self._authentic(request, link)
        return _called(request.path_params["aggregator"], _form_of(request, body)), copy

    async def receipt(self, request: Request) -> Response:
        """What became of a message, by the word of the SMSC.

        Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
        """
        asked_for(request, "sms.receipt")
        body, _ = await self._authentic(request, self._platform.settings.sms_receipts)
        receipt = _receipts.decode(body)
        recorded = await self._writer.ask(NoticeReceipt(receipt))
        reply = recorded.outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        if receipt.state is not SmsState.DELIVERED:
            self._accounting.note(Note.NOTICE_REJECTED, why=receipt.state.value)
        count_answer(self._accounting, request, 200, "")
        return json_of(SmsAccepted(id=receipt.id))

    async def sim_change(self, request: Request) -> Response:
        """A network's word that a customer's SIM was replaced: it signs nothing from now on.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        asked_for(request, "sim.change")
        body, _ = await self._authentic(request, self._platform.settings.sim_changes)
        change = _changes.decode(body)
        customer = self._platform.desks.customers.by_alias(change.msisdn)
        recorded = await self._writer.ask(ReportSimChange(customer.id))
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply
        count_answer(self._accounting, request, 200, "")
        return json_of(Empty())

    async def _authentic(self, request: Request, link: PartnerLink | None) -> tuple[bytes, bool]:
        """The body of `request`, if the partner of `link` sent it, and whether it is a copy.

        Raises NotAuthentic, Expired, TooLarge, and RateLimited: strangers pay for their tries.
        """
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise TooLarge(f"the body is larger than {_MAX_BYTES} bytes")
        now = self._platform.clock.now()
        try:
            headers = Headers(
                proof=request.headers.get(CALLBACK_HEADER, ""),
                certificate=request.headers.get(CERTIFICATE_HEADER, ""),
                peer=peer_of(request),
                partner=self._named(request, now),
                chain=", ".join(request.headers.getlist(CHAIN_HEADER)),
            )
            tag = self._checked(link, request.url.path, bytes(body), headers)
        except (NotAuthentic, Expired):
            self._accounting.admit_source(peer_of(request), now, _FAILED_COST)
            raise
        return bytes(body), self._is_copy(tag, now)

    def _named(self, request: Request, now: Instant) -> str:
        """The partner whose certificate this service itself has seen; empty for none."""
        octets = certificate_of(request)
        if not octets or self._certificates is None:
            return ""
        return self._certificates.partner(octets, now)

    def _checked(self, link: PartnerLink | None, path: str, body: bytes, headers: Headers) -> str:
        if link is None:
            raise NotAuthentic("the callback is not from a partner of this provider")
        secret = link_secret(self._platform.module, self._handle, link)
        now = self._platform.clock.now()
        tag = check_callback(link, secret, path, body, headers, now)
        if link.proof == "certificate":
            self._terminated.check(link, headers, now)
        return tag

    def _is_copy(self, tag: str, now: Instant) -> bool:
        """Whether exactly this callback came before, in the time for which it is not too old."""
        while self._seen and next(iter(self._seen.values())) < now - 2 * TOLERANCE_MS:
            del self._seen[next(iter(self._seen))]
        if tag in self._seen:
            return True
        if tag:
            self._seen[tag] = now
        return False


def _form_of(request: Request, body: bytes) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    pairs: list[tuple[str, str]] | None = None
    if kind == _FORM:
        try:
            pairs = parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        except ValueError:
            pairs = None
    if pairs is None or len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("the callback is not a form", remedy=f"send {_FORM}, each field once")
    return dict(pairs)


def _called(aggregator: str, form: dict[str, str]) -> Called:
    """The callback, its inputs hidden. Raises Malformed without repeating any of it."""
    number = form.get("phoneNumber", "")
    if number.startswith(" "):  # a plus that was not escaped
        form["phoneNumber"] = "+" + number[1:]
    text = form.get("text")
    found = _read(form) or (None if text is None else _read({**form, "text": ""}))
    if found is None or text is None:
        raise Malformed(
            "the callback has other fields than a dialled session",
            remedy="send sessionId, serviceCode, phoneNumber, networkCode and text",
        )
    return Called(
        aggregator=aggregator,
        session=found.sessionId,
        msisdn=found.phoneNumber,
        service=found.serviceCode,
        network=found.networkCode,
        text=Secret(found.text),
        readable=found.text == text,
    )


def _read(form: dict[str, str]) -> AggregatorCallback | None:
    try:
        return from_plain(form, AggregatorCallback)
    except Malformed:
        return None
