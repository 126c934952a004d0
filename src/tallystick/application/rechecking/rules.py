"""Whether an order was consented to as it was executed: every check again, from what was kept.

The service checked a consent before it executed it. Here the same is found out a second time, by
somebody else and from other things: the evidence, the device's certificate, the event in the tally
and the lines of the ledger. So whoever made the service believe in a consent that nobody gave is
found.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tallystick.application.consent import SimEvidence, quote_digest
from tallystick.application.incentives import Commission
from tallystick.application.payments.model import Evidence, OrderRow, Stage
from tallystick.application.payments.rules import body_digest
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope.acts import ActSignature, read_signature
from tallystick.infrastructure.ledger.model import Leg
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import MfsError
from tallystick.process.policy import Grade
from tallystick.protocol.enrolment import DeviceCertificate
from tallystick.protocol.payments import Consent, consent_header, quote_in
from tallystick.protocol.receipt import EventLeaf
from tallystick.protocol.toolkit import order_texts, tagged

_consents = Decoder(Consent, limit=4096)
_sim_evidence = Decoder(SimEvidence, limit=1024)
_SIGNED = frozenset({Grade.DEVICE_SIGNED, Grade.DEVICE_SIGNED_ATTESTED})
_MOVED = frozenset({Stage.SETTLED, Stage.RETURNED})


@dataclass(frozen=True, slots=True)
class Case:
    """An order with all that was kept of it.

    `commitments` are those that the row and the evidence give anew; `certificate` is the verified
    one of the device, or None; `legs` is what the ledger posted under the order's id, empty for
    nothing; `books` says whether the ledger is this provider's own. `commission` is what is kept of
    an agent's commission, `earned` what the policy gives for it, `expense` the account that pays.
    `check_sim` passes if the SIM with a serial number made a tag over a message.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    row: OrderRow
    event: EventLeaf
    evidence: Evidence
    customer: str
    commitments: Mapping[str, str]
    certificate: DeviceCertificate | None
    operator_key: Callable[[ActSignature], bytes | None]
    legs: tuple[Leg, ...]
    books: bool
    commission: Commission | None = None
    earned: int | None = None
    expense: str = ""
    check_sim: Callable[[str, bytes, bytes], None] | None = None


def wrong_with(case: Case) -> Iterator[str]:
    """Everything that does not fit, in words; nothing if the order is what was consented to.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    try:
        consent = _consent_of(case)
    except MfsError as error:
        yield f"the consent cannot be read: {error.detail}"
        return
    yield from _wrong_terms(case.row, consent)
    if case.row.grade in _SIGNED:
        yield from _wrong_signature(case)
    elif case.row.grade == Grade.TWO_OPERATORS:
        yield from _wrong_acts(case)
    elif case.row.grade == Grade.SIM_SIGNED:
        yield from _wrong_tag(case, consent)
    if body_digest(case.evidence.proof) != case.row.body_hash:
        yield "the evidence is not what the order was executed on"
    for field, stated in case.event.c.items():
        if case.commitments.get(field, stated) != stated:
            yield f"the tally committed to another {field}"
    if case.books:
        yield from _wrong_lines(case)


def _consent_of(case: Case) -> Consent:
    if case.row.grade in _SIGNED:
        return _consents.decode_canonical(split_compact(case.evidence.proof)[1])
    return _consents.decode_canonical(case.evidence.consent.encode())


def _wrong_terms(row: OrderRow, consent: Consent) -> Iterator[str]:
    pairs = {
        "order": (row.id, consent.order),
        "kind": (row.kind, consent.kind),
        "payer": (row.payer, consent.payer),
        "payee": (row.payee, consent.payee),
        "amount": (row.amount_minor, consent.amount_minor),
        "fee": (row.fee_minor, consent.fee_minor),
        "currency": (row.currency, consent.currency),
        "original": (row.original, consent.original),
        "device": (row.device, consent.device),
    }
    for name, (executed, agreed) in pairs.items():
        if executed != agreed:
            yield f"another {name} was executed than was consented to"
    if row.at > consent.expires_at and row.stage is not Stage.REFUSED:
        yield "it was executed after its terms had ended"
    if b64url(quote_digest(quote_in(consent))) != consent.quote_hash:
        yield "the consent's terms are not those of the quote that it names"


def _wrong_signature(case: Case) -> Iterator[str]:
    certificate = case.certificate
    if certificate is None:
        yield "the device's certificate is not of this provider's authority"
        return
    if certificate.device != case.row.device or certificate.customer != case.customer:
        yield "the device is not the payer's"
        return
    header, _, signature, signing_input = split_compact(case.evidence.proof)
    if header != consent_header(certificate.device):
        yield "the consent is signed under another header"
    try:
        Es256VerifyKey(b64url_decode(certificate.consent)).verify(signature, signing_input)
    except MfsError:
        yield "the consent was not signed by the device"


def _wrong_acts(case: Case) -> Iterator[str]:
    signers: set[str] = set()
    bodies: set[str] = set()
    for jws in case.evidence.proof.split("\n"):
        try:
            signature = read_signature(jws)
            act = signature.act
            public = case.operator_key(signature)
            if public is None:
                yield "an act is not of an operator of this provider"
                continue
            signature.verify(public)
        except MfsError:
            yield "an operator's act does not verify"
            continue
        signers.add(act.operator)
        bodies.add(f"{act.name} {act.body_hash}")
    if len(signers) != 2:
        yield "it takes two operators, and two different ones did not sign"
    if len(bodies) > 1:
        yield "the operators signed different acts"


def _wrong_tag(case: Case, consent: Consent) -> Iterator[str]:
    quote = quote_in(consent)
    try:
        given = _sim_evidence.decode_canonical(case.evidence.proof.encode())
        if given.text not in order_texts(quote):
            yield "the SIM showed something else than the terms"
        if case.check_sim is None:
            yield "nobody can check what a SIM agreed to"
            return
        message = tagged(given.iccid, quote_digest(quote), given.text)
        case.check_sim(given.iccid, message, b64url_decode(given.tag))
    except MfsError:
        yield "the SIM did not agree to these terms"


def _wrong_lines(case: Case) -> Iterator[str]:
    row = case.row
    moved = tuple((leg.debit, leg.credit, leg.amount) for leg in case.legs)
    if row.stage not in _MOVED:
        if moved:
            yield f"it is {row.stage}, yet money was moved"
        return
    commission, fees = _split(case)
    if not moved or moved[0] != (row.payer, row.payee, row.amount_minor):
        yield "the ledger did not move what was consented to"
    elif sum(leg.amount for leg in fees) != row.fee_minor or any(
        leg.debit != row.payer for leg in fees
    ):
        yield "the ledger took another fee than was consented to"
    kept = () if case.commission is None else (case.commission.leg(case.expense),)
    if commission != kept:
        yield "the ledger paid another commission than is kept of it"
    paid = 0 if case.commission is None else case.commission.amount_minor
    if case.earned is not None and paid != case.earned:
        yield "another commission was paid than the policy gives"


def _split(case: Case) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """The legs behind the first: those of the account that pays commission, and the fee's."""
    rest = case.legs[1:]
    paying = tuple(leg for leg in rest if case.expense in {leg.debit, leg.credit})
    return paying, tuple(leg for leg in rest if leg not in paying)
