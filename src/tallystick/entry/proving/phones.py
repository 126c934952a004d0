"""Probes by a phone of the provider's own: enrolled like any other, with an account without money.

Every order is refused in the end, by the policy, by a limit, or because there is nothing to pay
with; so nothing moves, and what is tried is the whole way from the phone to the receipt.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3; 11.2.2; 9.1
"""

from functools import partial
from typing import Final

from tallystick.client.consenting import Order, consent_to
from tallystick.client.wallet import Refusal
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    failed,
    judged,
    part,
    passed,
    unknown,
)
from tallystick.entry.proving.phone import Line, ProbePhone, taken
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force, software_caps
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import (
    Expired,
    InsufficientFunds,
    LimitExceeded,
    MfsError,
    NotAuthentic,
    NotPermitted,
    StepUpRequired,
)
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.payments import (
    PaymentKind,
    PaymentRequest,
    QuoteReply,
)
from tallystick.protocol.receipt import Disclosure, Receipt

MUCH: Final = 10**12
"""More minor units than any limit lets pass."""

_requests: Final = Decoder(PaymentRequest)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("phone.payee-shown", CheckKind.POSITIVE, ("MFS-7.3.3-11",),
     "the payee's name is shown before consent"),
    ("phone.refused-with-receipt", CheckKind.POSITIVE, ("MFS-11.2.2-02", "MFS-7.3.3-08"),
     "an order without funds is refused, recorded, and proved by a receipt"),
    ("phone.above-limit", CheckKind.NEGATIVE, ("MFS-7.3.3-04",),
     "an order above every limit is refused, and the row is named"),
    ("phone.software-cap", CheckKind.NEGATIVE, ("MFS-8.1.1-02", "MFS-7.2.6-01"),
     "a phone without attestation cannot pay above its own limit"),
    ("phone.changed-order", CheckKind.NEGATIVE, ("MFS-7.3.3-01", "MFS-12.3-02"),
     "an order whose amount was changed after consent is refused"),
    ("phone.changed-terms", CheckKind.NEGATIVE, ("MFS-7.3.3-01", "MFS-11.2.2-01"),
     "terms that the provider did not offer are refused"),
    ("phone.twice", CheckKind.NEGATIVE, ("MFS-7.3.3-03",),
     "an order that is sent twice is recorded once"),
    ("receipt.altered", CheckKind.NEGATIVE, ("MFS-7.3.3-07", "MFS-11.2.2-02"),
     "a receipt that was altered does not verify"),
    ("phone.expired-quote", CheckKind.NEGATIVE,
     ("MFS-7.3.2-07", "MFS-11.2.3-02", part("MFS-7.3.3-12")),
     "a quote past its time is refused"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class PhoneProbes:
    """What an enrolled phone may and may not order.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._line = line
        self._receipt: Receipt | None = None

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "phone.payee-shown": self.payee_shown,
            "phone.refused-with-receipt": self.receipt,
            "phone.above-limit": self.above_limit,
            "phone.software-cap": self.software_cap,
            "phone.changed-order": self.changed_order,
            "phone.changed-terms": self.changed_terms,
            "phone.twice": self.twice,
            "receipt.altered": self.altered_receipt,
        }
        if self._site.everything or self._site.platform is not None:
            looks["phone.expired-quote"] = self.expired_quote
        declare(registry, _DECLARED, looks)

    @property
    def _phone(self) -> ProbePhone:
        return self._line.phone()

    def _money(self, minor: int) -> Money:
        return Money(minor, self._site.settings.currency)

    def _quote(self, minor: int) -> QuoteReply:
        payee = self._site.number(2)
        return self._phone.wallet.quote(PaymentKind.P2P, payee, self._money(minor))

    def _refused(self, order: Order) -> tuple[MfsError, int]:
        """What an order is refused with for good, and the event that records it.

        Raises Conflict-like errors of the tree for what is not recorded; NotPermitted if it went
        through, which ends the run of this probe as unknown.
        """
        try:
            paid = self._phone.wallet.place(order, attempts=2)
        except Refusal as refused:
            self._receipt = refused.receipt
            return refused.error, refused.receipt.index
        raise NotPermitted(f"the order went through: event {paid.verified.index}")

    def payee_shown(self, now: Instant) -> Seen:
        """Asks for terms, and looks at the name in them.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        quoted = self._quote(100).quote
        return judged(
            bool(quoted.payee_name),
            "terms name the payee",
            "terms without a name",
            life_ms=quoted.expires_at - quoted.issued_at,
        )

    def receipt(self, now: Instant) -> Seen:
        """Orders a small payment without funds; the receipt of the refusal must verify.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        error, event = self._refused(self._phone.wallet.consent(self._quote(100)))
        if not isinstance(error, InsufficientFunds):
            return unknown(f"refused for another reason: {error.code} {error.because}")
        return passed("refused for want of funds; the receipt verifies", event, event=event)

    def above_limit(self, now: Instant) -> Seen:
        """Orders more than any limit lets pass.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._capped(MUCH, ())

    def software_cap(self, now: Instant) -> Seen:
        """Orders one unit more than phones without attestation may pay.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        policy = policy_in_force(self._site)[0]
        rows = software_caps(policy)
        caps = [one.per_payment_minor for one in policy.limits if one.id in rows]
        if not caps:
            return failed("the policy has no limit for keys in software")
        return self._capped(max(caps) + 1, rows)

    def _capped(self, minor: int, rows: tuple[str, ...]) -> Seen:
        try:
            error, event = self._refused(self._phone.wallet.consent(self._quote(minor)))
        except StepUpRequired as asked:
            return passed(f"not without more: {asked.because}", because=asked.because)
        row = error.because.partition(":")[0]
        if not isinstance(error, LimitExceeded | NotPermitted):
            return failed(f"not stopped by a limit but by {error.code}", event, row=row)
        if not row:
            return failed("refused, and no row is named", event)
        said = f"refused by row {row}"
        if rows and row not in rows:
            said += f", which is stricter than {', '.join(rows)}"
        return passed(said, event, row=row, amount_minor=minor)

    def changed_order(self, now: Instant) -> Seen:
        """Consents to one amount, and sends another under the same signature.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        order = self._phone.wallet.consent(self._quote(100))
        request = _requests.decode(order.body)
        header, payload, signature = request.consent.split(".")
        forged = b64url_decode(payload).replace(b'"amount_minor":100', b'"amount_minor":101')
        jws = f"{header}.{b64url(forged)}.{signature}"
        body = encode_canonical(PaymentRequest(consent=jws, proof=request.proof))
        return attempted(partial(taken, self._phone.wallet, Order(order.quote, body)), NotAuthentic)

    def changed_terms(self, now: Instant) -> Seen:
        """Consents to terms that the provider did not offer: the fee taken away, an amount of 1.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        quoted = self._quote(100)
        cheaper = QuoteReply(quote=replace(quoted.quote, amount_minor=1), proof=quoted.proof)
        order = consent_to(cheaper, self._phone.keystore, self._site.clock.now())
        return attempted(partial(taken, self._phone.wallet, order), NotAuthentic)

    def twice(self, now: Instant) -> Seen:
        """Sends the same order twice, and looks at which event each answer is.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        order = self._phone.wallet.consent(self._quote(100))
        first, again = self._refused(order)[1], self._refused(order)[1]
        if first != again:
            return failed(f"recorded twice: {first} and {again}", first, again)
        return passed(f"both answers are of event {first}", first, first=first, again=again)

    def altered_receipt(self, now: Instant) -> Seen:
        """Alters each part of a genuine receipt, and has it verified.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        genuine = self._receipt
        if genuine is None:
            return unknown("no receipt was got in this run")
        key, origin = self._phone.provider.tally_key(), self._site.settings.origin
        verify_receipt(genuine, key, origin=origin)
        leaf = bytearray(b64url_decode(genuine.leaf))
        leaf[len(leaf) // 2] ^= 1
        changed = {
            "leaf": replace(genuine, leaf=b64url(bytes(leaf))),
            "place": replace(genuine, index=genuine.index + 1),
            "checkpoint": replace(
                genuine, checkpoint=genuine.checkpoint.replace(origin, origin[:-1] + "9", 1)
            ),
            "disclosures": replace(
                genuine,
                disclosures=tuple(
                    Disclosure(field=one.field, salt=one.salt, value=f"{one.value}0")
                    for one in genuine.disclosures[:1]
                ),
            ),
        }
        if genuine.proof:
            changed["proof"] = replace(genuine, proof=genuine.proof[::-1])
        return all_attempted(
            {
                name: attempted(partial(verify_receipt, one, key, origin=origin), NotAuthentic)
                for name, one in changed.items()
                if one != genuine
            }
        )

    def expired_quote(self, now: Instant) -> Seen:
        """Consents to genuine terms whose time is over.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        quoted = self._site.ended
        if quoted is None:
            return unknown("there are no terms here whose time is over")
        before = Instant(quoted.quote.issued_at)
        order = consent_to(quoted, self._phone.keystore, before)
        error, event = self._refused(order)
        if not isinstance(error, Expired):
            return failed(f"not refused as expired but as {error.code}", event)
        return passed(f"refused: {error.detail}", event, late_ms=now - quoted.quote.expires_at)
