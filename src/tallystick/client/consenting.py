"""What a person agrees to on a device: the terms and warnings in words, and the consent signed.

Source: ISO/TS 12812-2:2017, 11.2.2; 7.3.6
"""

from dataclasses import dataclass

from tallystick.client.keystore import DeviceKeystore
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import (
    SIGNED_GRADE,
    PaymentRequest,
    Quote,
    QuoteReply,
    consent_header,
    restated,
)


@dataclass(frozen=True, slots=True)
class Order:
    """A signed order; sending it twice is sending it once.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    quote: Quote
    body: bytes


def consent_to(quoted: QuoteReply, keystore: DeviceKeystore, now: Instant) -> Order:
    """The order for exactly the terms of `quoted`, signed by the consent key at `now`.

    Raises NotPermitted if the person declines.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    quote = quoted.quote
    jws = signed_consent(quote, keystore, now, shown=shown(quote, quoted.shown or ()))
    request = PaymentRequest(consent=jws, proof=quoted.proof)
    return Order(quote, encode_canonical(request))


def signed_consent(
    quote: Quote,
    keystore: DeviceKeystore,
    now: Instant,
    *,
    shown: str,
    acknowledged: tuple[str, ...] = (),
) -> str:
    """The consent to exactly the terms of `quote` (JWS compact), after the person read `shown`.

    `acknowledged` are warnings beyond those of the quote that were shown as well.
    Raises NotPermitted if the person declines.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    device = keystore.identity().device
    consent = restated(
        quote,
        quote_hash=b64url(sha256(encode_canonical(quote))),
        device=device,
        grade=SIGNED_GRADE,
        consented_at=now,
        acknowledged=acknowledged,
    )
    header = consent_header(device)
    signing_input = f"{b64url(header)}.{b64url(encode_canonical(consent))}"
    signature = keystore.consent_sign(signing_input.encode(), shown=shown)
    return f"{signing_input}.{b64url(signature)}"


_WARNINGS = {
    "new-payee": "You never paid them before.",
    "first-large-amount": "This is a large first payment to them.",
    "screen-shared": "Somebody may see your screen.",
    "remote-tool": "Somebody may steer this phone.",
    "urgency": "Does somebody hurry you? Hang up.",
}


def shown(quote: Quote, warnings: tuple[str, ...] = ()) -> str:
    """What the person reads before they agree: warnings, payee, amount, fee, in words.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    amount = Money(quote.amount_minor, quote.currency)
    fee = Money(quote.fee_minor, quote.currency)
    return f"{warned(warnings)}Pay {amount} to {quote.payee_name}, fee {fee}?"


def warnings_of(
    quote: Quote, shown: tuple[str, ...], seen: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The warnings in the terms of `quote`, and those beside them: `shown`, and `seen` here.

    Both are in the order of the protocol, and none is in them twice.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    bound = quote.warnings or ()
    beside = {*shown, *seen}.difference(bound)
    return bound, tuple(one for one in _WARNINGS if one in beside)


def warned(warnings: tuple[str, ...]) -> str:
    """`warnings` in words, each with a space behind; empty for none.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return "".join(f"{_WARNINGS[one]} " for one in warnings if one in _WARNINGS)
