"""Payments at the provider of a replay, which is real and in this process."""

from tallystick.client.consenting import consent_to
from tallystick.entry.replay.parties import Party
from tallystick.entry.replay.provider import CURRENCY, ReplayProvider
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.protocol.payments import PaymentKind, QuoteReply, QuoteRequest

_quotes = Decoder(QuoteReply)


def submit(provider: ReplayProvider, payer: Party, payee: Party, minor: int = 100) -> list[int]:
    """Quote, sign and submit one order; its status is in the list once the batch was run."""
    phone, statuses = payer.phone(), []
    request = QuoteRequest(
        kind=PaymentKind.P2P, payee=payee.number, amount_minor=minor, currency=CURRENCY
    )
    sequence, sealed = phone.seal("payment.quote", encode_canonical(request))
    told: list[tuple[int, bytes]] = []
    provider.handler("payment.quote")(
        sealed, "", lambda status, _, body, *_more: told.append((status, body))
    )
    ((status, body),) = told
    quoted = _quotes.decode(phone.opened("payment.quote", sequence, status, body))
    order = consent_to(quoted, phone.keystore, provider.clock.now())
    _, sealed = phone.seal("payment.order", order.body)
    provider.handler("payment.order")(sealed, "", lambda status, *_: statuses.append(status))
    return statuses
