"""Quotes: the terms of a payment under the provider's MAC, kept nowhere.

A quote names its order id, both accounts, the payee as it will be shown, amount, fee, the policy
version and its end. It needs no write, survives a restart, and any front can check it.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.consent import prove_quote, quote_digest
from tallystick.application.customers import Customer, CustomerKind, Customers
from tallystick.application.education import Circumstances, to_acknowledge, warnings_of
from tallystick.application.payments.model import OrderRow, Tariff
from tallystick.application.payments.rules import check_parties
from tallystick.application.policing import PolicyInForce
from tallystick.application.quotekeys import QuoteKeys
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.protocol.payments import PaymentKind, Quote, QuoteReply, QuoteRequest


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change from quote to quote.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    provider: str
    currency: str
    tariff: Tariff


Known = Callable[[str, str], bool]
"""Whether the first account paid or confirmed the second."""


class Quoting:
    """Gives quotes; reads, and writes nothing.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self,
        customers: Customers,
        policy: PolicyInForce,
        keys: QuoteKeys,
        entropy: Callable[[int], bytes],
        terms: Terms,
        known: Known,
    ) -> None:
        """Quote `terms` under `keys`; `entropy(n)` gives n random bytes.

        `known` says whether a payer paid or confirmed a payee before.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._customers = customers
        self._policy = policy
        self._keys = keys
        self._entropy = entropy
        self._terms = terms
        self._known = known

    def quote(
        self, payer: Customer, request: QuoteRequest, now: Instant, channel: str
    ) -> QuoteReply:
        """The terms on which `payer`, who came through `channel`, may pay what `request` asks.

        Raises NotFound for an unknown payee, NotPermitted for parties that do not fit the kind,
        Conflict for paying oneself, Malformed for another currency, ServiceSuspended.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        if request.currency != self._terms.currency:
            raise Malformed(
                f"this provider pays in {self._terms.currency}",
                remedy=f"ask for a quote in {self._terms.currency}",
            )
        if (request.kind is PaymentKind.REFUND) != bool(request.original):
            raise Malformed("a refund, and only a refund, names its original order")
        self._policy.services.check(request.kind.value, channel)
        self._customers.active(payer)
        payee = self._customers.payable(self._customers.by_alias(request.payee))
        if payee.id == payer.id:
            raise Conflict("payer and payee are the same", remedy="choose another payee")
        check_parties(request.kind, payer.kind, payee.kind)
        rule = self._policy.compiled.policy.education
        warnings = warnings_of(self._circumstances(payer, payee, request), rule)
        quote = self._terms_of(payer, payee, request, now)
        acknowledged = to_acknowledge(warnings, rule)
        if acknowledged:
            quote = replace(quote, warnings=acknowledged)
        proved = self.prove(quote)
        return replace(proved, shown=warnings) if warnings else proved

    def _circumstances(
        self, payer: Customer, payee: Customer, request: QuoteRequest
    ) -> Circumstances:
        return Circumstances(
            kind=request.kind,
            amount_minor=request.amount_minor,
            payee_known=self._known(payer.account, payee.account),
            seen=request.seen or (),
        )

    def prove(self, quote: Quote) -> QuoteReply:
        """`quote` with the provider's proof.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        proof = prove_quote(quote_digest(quote), self._keys.mac)
        return QuoteReply(quote=quote, proof=b64url(proof))

    def check(self, message: bytes, tag: bytes) -> None:
        """Pass if this provider proved `message`, a labelled quote digest.

        Raises NotAuthentic otherwise.
        Source: ISO/IEC 9797-2
        """
        self._keys.check(message, tag)

    def _terms_of(
        self, payer: Customer, payee: Customer, request: QuoteRequest, now: Instant
    ) -> Quote:
        life_ms = self._policy.compiled.policy.quote_life_ms
        return Quote(
            provider=self._terms.provider,
            order=timed_id("ord", now, self._entropy(10)),
            kind=request.kind,
            payer=payer.account,
            payee=payee.account,
            payee_name=shown_name(self._customers.profile(payee).name, payee.kind),
            amount_minor=request.amount_minor,
            fee_minor=self._terms.tariff.fee(request.kind, request.amount_minor),
            currency=request.currency,
            original=request.original,
            policy=self._policy.version,
            issued_at=now,
            expires_at=now + life_ms,
        )

    def reversal(self, original: OrderRow, payee: Customer, name: str, now: Instant) -> Quote:
        """The terms of giving `original` back whole; consented to by two operators.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return Quote(
            provider=self._terms.provider,
            order=timed_id("ord", now, self._entropy(10)),
            kind=PaymentKind.REVERSAL,
            payer=original.payee,
            payee=original.payer,
            payee_name=shown_name(name, payee.kind),
            amount_minor=original.amount_minor - original.returned_minor,
            fee_minor=0,
            currency=original.currency,
            original=original.id,
            policy=self._policy.version,
            issued_at=now,
            expires_at=now + self._policy.compiled.policy.quote_life_ms,
        )


def shown_name(name: str, kind: CustomerKind) -> str:
    """A payee's name as the payer sees it: merchants and agents whole, a person's surname cut.

    Enough to notice a wrong number, too little to look people up.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """
    if kind is not CustomerKind.PERSON:
        return name
    first, *rest = name.split()
    return " ".join([first, *(f"{part[0]}." for part in rest[-1:])])
