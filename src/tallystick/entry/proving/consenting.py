"""Probes of consent: by whose key, to what was shown, and what of it others can read on the way.

Source: ISO/TS 12812-2:2017, 7.1; 8.1.5; 11.2.2; 12.2; 13.2
"""

from functools import partial
from typing import Final

from tallystick.client.consenting import Order, shown
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import JSON_MEDIA_TYPE, Peer
from tallystick.client.wallet import Refusal
from tallystick.entry.proving.customers import NAMES
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
from tallystick.entry.proving.phone import Line, ProbePhone, confirm, taken
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.handshake_client import authenticate_provider, greet
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
)
from tallystick.kernel.flow import Node
from tallystick.kernel.ids import timed_id
from tallystick.kernel.money import Money
from tallystick.kernel.time import Instant
from tallystick.process.conformance import FlowProbe
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.flows import FLOW
from tallystick.protocol.payments import PaymentKind, PaymentRequest, QuoteReply
from tallystick.protocol.session import SESSIONS_PATH, Purpose

_SMALL: Final = 100
_requests: Final = Decoder(PaymentRequest)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("phone.login-key", CheckKind.NEGATIVE, ("MFS-12.2-02", "MFS-7.3.2-04"),
     "the key that logs in consents to no order"),
    ("phone.declined", CheckKind.NEGATIVE, (part("MFS-8.1.5-02"), part("MFS-8.1.2-04")),
     "the consent key of the client signs nothing that its person declines"),
    ("phone.shown", CheckKind.POSITIVE, (part("MFS-8.1.5-03"),),
     "what is shown before consent names payee, amount and fee, and is what is signed"),
    ("phone.strange-refund", CheckKind.NEGATIVE, ("MFS-7.3.3-10",),
     "nothing is given back of an order that is not one's own"),
    ("phone.other-name", CheckKind.NEGATIVE, (part("MFS-12.2-03"),),
     "a phone that looks for another provider proves itself to none here"),
    ("phone.other-handshake", CheckKind.NEGATIVE, (part("MFS-7.3.2-06"),),
     "the answer to one login opens no other: keys are of one login only"),
    ("phone.suites", CheckKind.POSITIVE, (part("MFS-7.4.2-12"),),
     "each key agreement that the policy allows is served"),
    ("phone.sealed-on-the-way", CheckKind.NEGATIVE,
     (part("MFS-7.1-01"), part("MFS-7.1-02"), part("MFS-7.1-03")),
     "who ends TLS reads neither payee nor amount nor account of an order"),
    ("receipt.bare", CheckKind.NEGATIVE, (part("MFS-7.3.4-04"), part("MFS-13.2-01")),
     "a receipt shows name and number of neither side to whoever gets the log"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""

_NEWEST: Final = KemSuite.MLKEM768_X25519.value
"""The key agreement that came last: a classical and a post-quantum part."""


class ConsentProbes:
    """What an enrolled phone's consent is worth, and who reads it.

    Source: ISO/TS 12812-2:2017, 11.2.2; 8.1.5
    """

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._line = line

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "phone.login-key": self.login_key,
            "phone.declined": self.declined,
            "phone.shown": self.shown,
            "phone.strange-refund": self.strange_refund,
            "phone.other-name": self.other_name,
            "phone.other-handshake": self.other_handshake,
            "phone.suites": self.suites,
            "phone.sealed-on-the-way": self.sealed_on_the_way,
            "receipt.bare": self.bare_receipt,
        }
        declare(registry, _DECLARED, looks)

    @property
    def _phone(self) -> ProbePhone:
        return self._line.phone()

    def _money(self, minor: int) -> Money:
        return Money(minor, self._site.settings.currency)

    def _quote(self, minor: int = _SMALL) -> QuoteReply:
        payee = self._site.number(2)
        return self._phone.wallet.quote(PaymentKind.P2P, payee, self._money(minor))

    def login_key(self, now: Instant) -> Seen:
        """Signs a consent with the key that logs in, and sends it in the open session.

        Source: ISO/TS 12812-2:2017, 12.2
        """
        order = self._phone.wallet.consent(self._quote())
        request = _requests.decode(order.body)
        signed, _, _ = request.consent.rpartition(".")
        signature = self._phone.keystore.possession_sign(signed.encode())
        forged = PaymentRequest(consent=f"{signed}.{b64url(signature)}", proof=request.proof)
        turned = Order(order.quote, encode_canonical(forged))
        return attempted(partial(taken, self._phone.wallet, turned), NotAuthentic)

    def declined(self, now: Instant) -> Seen:
        """Asks a keystore of the client for a signature, and declines.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        willing, unwilling = SoftwareKeystore(confirm), SoftwareKeystore(_decline)
        message = operating_system(32)
        signature = willing.consent_sign(message, shown="probe")
        Es256VerifyKey(willing.consent_public()).verify(signature, message)
        return attempted(lambda: unwilling.consent_sign(message, shown="probe"), NotPermitted)

    def shown(self, now: Instant) -> Seen:
        """Looks at what is shown, and at what the signature is over.

        Source: ISO/TS 12812-2:2017, 8.1.5
        """
        quoted = self._quote()
        quote, text = quoted.quote, shown(quoted.quote)
        order = self._phone.wallet.consent(quoted)
        header, payload, signature = _requests.decode(order.body).consent.split(".")
        public = Es256VerifyKey(self._phone.keystore.consent_public())
        public.verify(b64url_decode(signature), f"{header}.{payload}".encode())
        signed = b64url_decode(payload)
        named = (quote.payee_name, str(self._money(quote.amount_minor)),
                 str(self._money(quote.fee_minor)))  # fmt: skip
        terms = (f'"amount_minor":{quote.amount_minor}', f'"fee_minor":{quote.fee_minor}')
        return judged(
            all(one and one in text for one in named)
            and all(one.encode() in signed for one in terms),
            "payee, amount and fee are shown, and what is signed has the same amounts",
            "what is shown lacks payee, amount or fee, or something else is signed",
            shown=len(text),
        )

    def strange_refund(self, now: Instant) -> Seen:
        """Asks for money back of an order that nobody made.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        original = timed_id("ord", now, operating_system(10))

        def refund() -> object:
            wallet, payee = self._phone.wallet, self._site.number(2)
            quoted = wallet.quote(PaymentKind.REFUND, payee, self._money(_SMALL), original=original)
            try:
                return wallet.place(wallet.consent(quoted), attempts=2)
            except Refusal as refused:
                raise refused.error from refused

        return attempted(refund, NotFound, NotPermitted, Conflict, Malformed)

    def other_name(self, now: Instant) -> Seen:
        """Begins a login as a phone that was enrolled with a provider of another name.

        Source: ISO/TS 12812-2:2017, 12.2
        """
        own = self._phone.peer()
        other = Peer(
            own.transport, f"{own.provider}-x", own.signature_keys, own.entropy, own.suites
        )
        own.authenticated(Purpose.SESSION)
        return attempted(lambda: other.authenticated(Purpose.SESSION), NotAuthentic)

    def other_handshake(self, now: Instant) -> Seen:
        """Takes the answer to one hello for the answer to another, of the same phone.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        peer = self._phone.peer()
        greetings = [
            greet(Purpose.SESSION, [KemPrivateKey.generate(one) for one in peer.suites],
                  operating_system(32))
            for _ in range(2)
        ]  # fmt: skip
        answers = [
            peer.transport.post(SESSIONS_PATH, one.body, JSON_MEDIA_TYPE).body for one in greetings
        ]
        keys = peer.signature_keys()
        believe = partial(authenticate_provider, provider=peer.provider, keys=keys)
        for greeting, answer in zip(greetings, answers, strict=True):
            believe(greeting, answer)
        return all_attempted(
            {
                f"answer {2 - at} to hello {1 + at}": attempted(
                    partial(believe, greeting, answers[1 - at]), NotAuthentic
                )
                for at, greeting in enumerate(greetings)
            }
        )

    def suites(self, now: Instant) -> Seen:
        """Begins a login with each key agreement that the policy allows, and nothing else.

        A policy that takes one only shows that it can be changed if that one is the newest.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        allowed = policy_in_force(self._site)[0].handshake.at(now)
        served: list[str] = []
        for name in allowed:
            try:
                self._phone.peer((KemSuite(name),)).authenticated(Purpose.SESSION)
            except MfsError:
                continue
            served.append(name)
        return judged(
            (len(allowed) > 1 or _NEWEST in allowed) and len(served) == len(allowed),
            f"served: {', '.join(served)}",
            f"{len(served)} of {len(allowed)} are served",
            numerator=len(served),
            denominator=len(allowed),
        )

    def sealed_on_the_way(self, now: Instant) -> Seen:
        """Orders, and looks for the content of the order in everything that passed.

        Source: ISO/TS 12812-2:2017, 7.1; 7.2.7
        """
        phone, tape = self._phone, self._phone.tape
        fields = {
            "payee": self._site.number(2),
            "payee_name": NAMES[1],
            "account": phone.keystore.identity().accounts[0],
        }
        probe = FlowProbe(FLOW)
        tape.cut()
        quoted = self._quote(1_234_500)
        probe.saw("payment.quote", Node.TLS_TERMINATOR, tape.cut(), fields)
        terms: dict[str, str | int] = {
            **fields, "order": quoted.quote.order, "amount_minor": "1234500"
        }  # fmt: skip
        self._refusal(quoted)
        probe.saw("payment.order", Node.TLS_TERMINATOR, tape.cut(), terms)
        evidence = probe.observe(now)
        return Seen(evidence.verdict, evidence.summary, dict(evidence.measured))

    def bare_receipt(self, now: Instant) -> Seen:
        """Looks for names, numbers and accounts in the receipt of a refused order.

        Source: ISO/TS 12812-2:2017, 7.3.4; 13.2
        """
        refused = self._refusal(self._quote())
        if refused is None:
            return unknown("no receipt was got in this run")
        leaf = b64url_decode(refused.receipt.leaf)
        wanted = {
            **{f"name {at}": name.encode() for at, name in enumerate(NAMES, 1)},
            **{f"number {at}": self._site.number(at).encode() for at in (1, 2)},
            "account": self._phone.keystore.identity().accounts[0].encode(),
        }
        found = sorted(name for name, octets in wanted.items() if octets in leaf)
        if found:
            return failed(f"in clear: {', '.join(found)}", refused.receipt.index)
        return passed(
            f"none of {len(wanted)} in {len(leaf)} octets of the event",
            refused.receipt.index,
            markers=len(wanted),
            octets=len(leaf),
        )

    def _refusal(self, quoted: QuoteReply) -> Refusal | None:
        wallet = self._phone.wallet
        try:
            wallet.place(wallet.consent(quoted), attempts=2)
        except Refusal as refused:
            return refused
        except MfsError:
            return None
        return None


def _decline(shown: str) -> None:
    raise NotPermitted(f"the person declined: {shown[:40]}")
