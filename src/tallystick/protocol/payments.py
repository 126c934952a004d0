"""Messages of a payment: quote, consent, order and reply.

A quote states every term and is not stored: `proof` is the provider's MAC over it. The consent
repeats the terms as the payer saw them, adds what only the device knows, and is signed (JWS ES256)
or, on a channel without a signing phone, formed by the provider from what the channel verified.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import (
    CREDENTIAL,
    INTERNAL,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
)
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import AccountIdText, DeviceIdText, OrderIdText
from tallystick.kernel.model import (
    ABSENT,
    Absent,
    Amount,
    Base64Url,
    CurrencyCode,
    Natural,
    ShortText,
    Wire,
    length,
    pattern,
)
from tallystick.protocol.receipt import Receipt

Alias = Annotated[str, pattern(r"^(?:\+[1-9][0-9]{6,14}|[0-9]{4,8}|acc_[0-9a-hjkmnp-tv-z]{26})$")]
"""How a payer names a payee: telephone number (E.164), till number, or account id."""

CompactText = Annotated[str, length(16, 8192)]
"""A JWS in compact form; whoever splits it checks its alphabet."""

MacText = Annotated[str, length(43, 43)]
"""32 octets in base64url; whoever decodes or compares it checks its alphabet."""

IdText = Annotated[str, length(30, 30)]
"""An identifier that a hash compares with one that was checked."""

OptionalIdText = Annotated[str, length(0, 30)]
CurrencyText = Annotated[str, length(3, 3)]

SIGNED_GRADE = "device-signed"
"""The grade that a signing device states; whether its key is attested the provider decides."""

OptionalOrder = Annotated[str, pattern("^(?:|ord_[0-9a-hjkmnp-tv-z]{26})$")]


class PaymentKind(StrEnum):
    """What a payment is for; the kind decides who consents and which accounts may take part.

    Source: ISO/TS 12812-2:2017, 11.1
    """

    P2P = "p2p"
    MERCHANT = "merchant"
    CASH_IN = "cash-in"
    CASH_OUT = "cash-out"
    REFUND = "refund"
    REVERSAL = "reversal"
    SALARY = "salary"
    FUNDING = "funding"
    SETTLEMENT = "settlement"


WarningWord = Annotated[
    str, pattern("^(?:new-payee|first-large-amount|screen-shared|remote-tool|urgency)$")
]
"""A kind of warning that a payment may call for."""


class QuoteRequest(Wire, frozen=True, kw_only=True):
    """Asks for the terms of a payment; `original` names the order that a refund gives back.

    `seen` is what the phone claims of the moment: screen-shared, remote-tool or urgency.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    kind: Annotated[PaymentKind, INTERNAL]
    payee: Annotated[Alias, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    currency: Annotated[CurrencyCode, INTERNAL]
    original: Annotated[OptionalOrder, INTERNAL] = ""
    seen: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class Quote(Wire, frozen=True, kw_only=True):
    """The terms of one payment; valid until `expires_at` (ms) and under its proof only.

    `warnings` are those that a consent to it acknowledges, left out where there are none.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    v: Annotated[int, PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    order: Annotated[OrderIdText, INTERNAL]
    kind: Annotated[PaymentKind, INTERNAL]
    payer: Annotated[AccountIdText, PERSONAL]
    payee: Annotated[AccountIdText, PERSONAL]
    payee_name: Annotated[ShortText, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    fee_minor: Annotated[Natural, SENSITIVE]
    currency: Annotated[CurrencyCode, INTERNAL]
    original: Annotated[OptionalOrder, INTERNAL]
    policy: Annotated[Natural, PUBLIC]
    issued_at: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]
    warnings: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class QuoteReply(Wire, frozen=True, kw_only=True):
    """The quote and the provider's proof that it issued these terms.

    `shown` are all warnings to show, also those that need not be acknowledged.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    quote: Annotated[Quote, SENSITIVE]
    proof: Annotated[Base64Url, INTERNAL]
    shown: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


class Consent(Wire, frozen=True, kw_only=True):
    """What the payer agreed to: every term of the quote, its hash, the device and the moment.

    Its terms are those of a quote by hash, under the provider's MAC, so their texts are bounded
    here and not looked at letter by letter a second time.
    `grade` is a word of the policy (`device-signed`, `pin-verified`, ...); `device` is empty where
    no signing device took part. `acknowledged` are warnings beyond those of the quote.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    v: Annotated[int, PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    order: Annotated[IdText, INTERNAL]
    kind: Annotated[PaymentKind, INTERNAL]
    payer: Annotated[IdText, PERSONAL]
    payee: Annotated[IdText, PERSONAL]
    payee_name: Annotated[ShortText, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    fee_minor: Annotated[Natural, SENSITIVE]
    currency: Annotated[CurrencyText, INTERNAL]
    original: Annotated[OptionalIdText, INTERNAL]
    policy: Annotated[Natural, PUBLIC]
    issued_at: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]
    quote_hash: Annotated[MacText, INTERNAL]
    device: Annotated[str, INTERNAL]
    grade: Annotated[ShortText, INTERNAL]
    consented_at: Annotated[Natural, PUBLIC]
    warnings: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT
    acknowledged: Annotated[tuple[WarningWord, ...] | Absent, SENSITIVE] = ABSENT


def consent_header(device: str) -> bytes:
    """The one JWS header under which `device` signs its consents.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    return encode_canonical({"alg": "ES256", "kid": device, "typ": "tallystick-consent"})


def restated(
    quote: Quote,
    *,
    quote_hash: str,
    device: str,
    grade: str,
    consented_at: int,
    acknowledged: tuple[str, ...] = (),
) -> Consent:
    """The consent that repeats every term of `quote`; `quote_hash` is base64url of its SHA-256.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return Consent(
        v=quote.v,
        provider=quote.provider,
        order=quote.order,
        kind=quote.kind,
        payer=quote.payer,
        payee=quote.payee,
        payee_name=quote.payee_name,
        amount_minor=quote.amount_minor,
        fee_minor=quote.fee_minor,
        currency=quote.currency,
        original=quote.original,
        policy=quote.policy,
        issued_at=quote.issued_at,
        expires_at=quote.expires_at,
        quote_hash=quote_hash,
        device=device,
        grade=grade,
        consented_at=consented_at,
        warnings=quote.warnings,
        acknowledged=acknowledged or ABSENT,
    )


def quote_in(consent: Consent) -> Quote:
    """The quote whose terms `consent` repeats.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return Quote(
        v=consent.v,
        provider=consent.provider,
        order=consent.order,
        kind=consent.kind,
        payer=consent.payer,
        payee=consent.payee,
        payee_name=consent.payee_name,
        amount_minor=consent.amount_minor,
        fee_minor=consent.fee_minor,
        currency=consent.currency,
        original=consent.original,
        policy=consent.policy,
        issued_at=consent.issued_at,
        expires_at=consent.expires_at,
        warnings=consent.warnings,
    )


class PaymentRequest(Wire, frozen=True, kw_only=True):
    """The order: the signed consent and the quote's proof.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    consent: Annotated[CompactText, SENSITIVE]
    proof: Annotated[MacText, INTERNAL]


class PaymentReply(Wire, frozen=True, kw_only=True):
    """The receipt of a payment and the payer's balance after it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    receipt: Annotated[Receipt, SENSITIVE]
    balance_minor: Annotated[int, SENSITIVE]


class ReceiptRequest(Wire, frozen=True, kw_only=True):
    """Asks for the receipt of an order that the asker paid or received.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    order: Annotated[OrderIdText, INTERNAL]


class ReceiptReply(Wire, frozen=True, kw_only=True):
    """A receipt with the fields that the asker may see.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    receipt: Annotated[Receipt, SENSITIVE]


class AccountReply(Wire, frozen=True, kw_only=True):
    """The caller's account: id, currency, what is available, and what is reserved.

    Source: ISO/TS 12812-2:2017, 12.3
    """

    account: Annotated[AccountIdText, PERSONAL]
    currency: Annotated[CurrencyCode, INTERNAL]
    available_minor: Annotated[int, SENSITIVE]
    reserved_minor: Annotated[int, SENSITIVE]
    device: Annotated[DeviceIdText, CREDENTIAL]


class Empty(Wire, frozen=True, kw_only=True):
    """A message without content.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
