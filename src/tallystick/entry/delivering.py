"""What leaves the service on its own: notices to the SMSC, events to core systems.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6; 11.2.3
"""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from time import monotonic
from urllib.parse import urlsplit

from tallystick.application.customers import Customer
from tallystick.application.notices import (
    ActivationIssued,
    Facts,
    NoticeRow,
    PaymentReceived,
    PaymentReversed,
    PaymentSent,
    Template,
    receipt_code,
    render,
    sender_of,
)
from tallystick.application.notices.rules import CODES, LONGEST_WAIT_MS, PAYMENTS, RECOVERIES
from tallystick.application.own_commands import DeliveryTried, NoticeTried
from tallystick.application.telling import warning_of
from tallystick.application.webhooks import Delivery
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.httpsig import (
    CONTENT_DIGEST,
    RequestHead,
    content_digest,
    covering,
    sign_message,
)
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import b64url, encode, encode_canonical
from tallystick.kernel.errors import MfsError, NotFound, NotPermitted
from tallystick.kernel.time import MINUTE_MS, SECOND_MS, Instant
from tallystick.process.policy import Dependency
from tallystick.protocol.channels import SmsMessage
from tallystick.protocol.http_signatures import WEBHOOK_COMPONENTS, WEBHOOK_TAG
from tallystick.protocol.webhooks import SIGNATURE_HEADER, WebhookDelivery, signature_header

EVERY_S = 0.2
PROBE_S = 5.0
SMS = Dependency.SMS.value
JSON = "application/json"
_MOST = 50
_TIMEOUT_S = 5.0


Carry = Callable[[SmsMessage], Awaitable[bool]]
"""Hands a message to a network; whether it was taken over."""


def posting_to(url: str) -> Carry:
    """Carries messages by posting them to the SMSC at `url`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    async def carry(message: SmsMessage) -> bool:
        return await asyncio.to_thread(_post, url, encode(message))

    return carry


async def deliver_notices(
    platform: Platform, writer: WriterLoop, accounting: Accounting, carry: Carry
) -> None:
    """Send the notices that are due with `carry`, for ever.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    watch = platform.desks.policy.watch
    watch.connect(SMS)
    probed_at = 0.0
    while True:
        await asyncio.sleep(EVERY_S)
        for notice in platform.notices.due(platform.clock.now(), _MOST):
            delivered = await _send(platform, accounting, notice, carry)
            if not delivered:
                accounting.note(Note.NOTICE_NOT_DELIVERED, template=notice.template.value)
            await writer.ask(NoticeTried(notice, delivered))
        if watch.is_failing(SMS) and monotonic() - probed_at >= PROBE_S:
            probed_at = monotonic()
            await _probe(platform, writer, accounting, carry)


async def _probe(
    platform: Platform, writer: WriterLoop, accounting: Accounting, carry: Carry
) -> None:
    """Try the notice that waits longest before it is due; only an arrival is counted for it.

    With nothing left to try nobody can say that the SMSC fails.
    """
    waiting = platform.notices.due(Instant(platform.clock.now() + LONGEST_WAIT_MS), 1)
    if not waiting:
        platform.desks.policy.watch.answered(SMS, platform.clock.now())
    elif await _send(platform, accounting, waiting[0], carry):
        await writer.ask(NoticeTried(waiting[0], delivered=True))


async def _send(
    platform: Platform, accounting: Accounting, notice: NoticeRow, carry: Carry
) -> bool:
    """Whether `notice` arrived; the watch is told whether the SMSC took a message."""
    try:
        customer = platform.desks.customers.get(notice.customer)
        facts = _facts_of(platform, notice)
        number = _number_of(platform, notice, customer)
        language = platform.desks.languages.of(customer.id)
        message = SmsMessage(
            id=f"notice-{notice.seq}",
            to=number,
            text=render(facts, platform.settings.provider, language),
            at=platform.clock.now(),
            provider=platform.settings.provider,
            sender=sender_of(platform.settings.senders, number, notice.template),
        )
    except NotPermitted:
        accounting.note(Note.NOTICE_NOT_ALLOWED, template=notice.template.value)
        return False
    except MfsError:
        return False
    taken = await carry(message)
    watch, now = platform.desks.policy.watch, platform.clock.now()
    if taken:
        watch.answered(SMS, now)
    else:
        watch.failed(SMS, now)
    return taken


def _number_of(platform: Platform, notice: NoticeRow, customer: Customer) -> str:
    """The customer's number; of a recovery the one from before it."""
    if notice.template in RECOVERIES:
        return platform.desks.recovery.number(notice.reference)
    return platform.desks.customers.profile(customer).msisdn


def _facts_of(platform: Platform, notice: NoticeRow) -> Facts:
    if notice.template in CODES:
        life_ms = platform.desks.policy.compiled.policy.attempts.activation_life_ms
        return _code_facts(platform, notice, life_ms)
    if notice.template in PAYMENTS:
        return _payment_facts(platform, notice)
    return warning_of(platform.desks, notice, platform.clock.now())


def _code_facts(platform: Platform, notice: NoticeRow, life_ms: int) -> Facts:
    known: Facts | None = platform.notices.order_code(notice.reference)
    code = platform.notices.code(notice.reference)
    if code is not None:
        known = ActivationIssued(code=code, minutes=life_ms // MINUTE_MS)
    if known is None:
        raise NotFound("the code is no longer known")
    return known


def _payment_facts(platform: Platform, notice: NoticeRow) -> Facts:
    desks = platform.desks
    order = desks.payments.find(notice.reference)
    if order is None:
        raise NotFound("the order is not known")
    codes = platform.keys.newest(Purpose.RECEIPT_CODE)
    code = receipt_code(order.event, lambda message: platform.module.mac(codes, message))
    payer = desks.customers.profile(desks.customers.owner(order.payer))
    payee = desks.customers.profile(desks.customers.owner(order.payee))
    if notice.template is Template.PAYMENT_SENT:
        return PaymentSent(
            amount_minor=order.amount_minor,
            fee_minor=order.fee_minor,
            currency=order.currency,
            payee_name=payee.name,
            payee_number=payee.msisdn,
            receipt_code=code,
        )
    if notice.template is Template.PAYMENT_RECEIVED:
        return PaymentReceived(
            amount_minor=order.amount_minor,
            currency=order.currency,
            payer_name=payer.name,
            payer_number=payer.msisdn,
            receipt_code=code,
        )
    return PaymentReversed(
        amount_minor=order.amount_minor,
        currency=order.currency,
        to_you=desks.customers.owner(order.payee).id == notice.customer,
        receipt_code=code,
    )


async def deliver_webhooks(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Deliver events to core systems, for ever: one at a time and in order at each of them.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    signing = platform.keys.newest(Purpose.WEBHOOK)
    module = platform.module
    while True:
        await asyncio.sleep(EVERY_S)
        now = platform.clock.now()
        for delivery in platform.webhooks.due(now, platform.archive.durable_size):
            delivered = True
            if delivery.leaf is not None:
                body = _delivery_body(platform, delivery, delivery.leaf)
                headers = delivery_headers(
                    delivery.webhook.url,
                    body,
                    keyid=signing.id,
                    now=now,
                    sign=lambda message: module.sign(signing, message),
                )
                delivered = await asyncio.to_thread(_post, delivery.webhook.url, body, headers)
                if not delivered:
                    accounting.note(Note.EVENT_NOT_DELIVERED, webhook=delivery.webhook.id)
            await writer.ask(DeliveryTried(delivery, delivered))


def delivery_headers(
    url: str, body: bytes, *, keyid: str, now: int, sign: Callable[[bytes], bytes]
) -> dict[str, str]:
    """The header fields of a delivery of `body` to `url` at `now` (ms), signed as `keyid`.

    The signature of the HTTP message and the one of the earlier form stand side by side.
    Source: RFC 9421, 3.1; RFC 9530, 2; ISO/TS 12812-2:2017, 11.2.3
    """
    parts = urlsplit(url)
    fields = (("content-type", JSON), (CONTENT_DIGEST, content_digest(body)))
    head = RequestHead("POST", parts.scheme, parts.netloc, _target(url), fields)
    coverage = covering(WEBHOOK_COMPONENTS, created=now // SECOND_MS, keyid=keyid, tag=WEBHOOK_TAG)
    signed = sign_message(head, "tallystick", coverage, sign)
    earlier = signature_header(body, kid=keyid, now=now, sign=sign)
    return dict((*fields, *signed, (SIGNATURE_HEADER, earlier)))


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _delivery_body(platform: Platform, delivery: Delivery, leaf: bytes) -> bytes:
    return encode_canonical(
        WebhookDelivery(
            id=f"{delivery.webhook.id}-{delivery.index}",
            webhook=delivery.webhook.id,
            provider=platform.settings.provider,
            origin=platform.settings.origin,
            index=delivery.index,
            leaf=b64url(leaf),
        )
    )


def _post(url: str, body: bytes, headers: dict[str, str] | None = None) -> bool:
    parts = urlsplit(url)
    link = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = link(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    fields = {"content-type": JSON, **(headers or {})}
    try:
        connection.request("POST", _target(url), body, fields)
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
