"""Approvals without a network at the device: a signed request as a QR code, eight digits back.

    request (signed by the provider) -> QR -> device: verifies, shows, answers by OCRA -> digits
    digits, typed where the order was begun -> may it be paid? -> counted -> counter used up -> paid

All in one step of the writer: the counter moves with the order, or not at all.

Source: RFC 6287; ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

from dataclasses import dataclass

from tallystick.application.approvals.kept import Kept
from tallystick.application.approvals.model import ApprovalRow
from tallystick.application.approvals.rules import moved
from tallystick.application.approvals.service import Approvals
from tallystick.application.attempts import Attempts, Subjects, not_right
from tallystick.application.authenticators import Authenticators
from tallystick.application.consent import PinVerified, consent_of
from tallystick.application.customers import Customer, Customers
from tallystick.application.education import Education, check_acknowledged
from tallystick.application.foreseeing import check_open
from tallystick.application.payments import Ask, Payments
from tallystick.application.policing import PolicyInForce
from tallystick.application.recovery import Recovery
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import SigningNow
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Conflict, Expired, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.secret import Secret
from tallystick.process.policy import Grade
from tallystick.process.policy.facts import DeviceTrust, Factor
from tallystick.protocol.approvals import (
    ApprovalStage,
    OfflineRequest,
    OfflineShown,
    offline_header,
)

_ANSWERS = "ocra"
SUITE = "OCRA-1:HOTP-SHA256-8:C-QH64"
"""The suite that answers: eight digits, a counter, and the quote's hash as the question."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The capabilities that offline approvals join; `signing` gives the key that signs now.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    attempts: Attempts
    authenticators: Authenticators
    customers: Customers
    education: Education
    payments: Payments
    policy: PolicyInForce
    recovery: Recovery
    signing: SigningNow


class Offline:
    """Shows requests to devices without a network, and takes the digits that they answer.

    Source: RFC 6287; ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, crew: Crew, approvals: Approvals) -> None:
        self._crew = crew
        self._approvals = approvals
        self._kept: Kept = approvals.kept

    def show(self, turn: Turn, source: str, approval: str) -> Outcome:
        """The signed request, for who began it.

        Raises NotFound for another's, NotPermitted for one that several people approve.
        Source: RFC 7515, 5.1; ISO/TS 12812-2:2017, 11.2.2
        """
        row = self._row(turn, source, approval)
        content = self._kept.content(row)
        asked = OfflineRequest(
            approval=row.id,
            asked_by=content.asked_by,
            text=content.text,
            quote=content.quote,
            question=question_of(row),
            expires_at=row.expires_at,
            shown=content.shown or ABSENT,
        )
        signer, kid = self._crew.signing()
        header = offline_header(signer.algorithm, kid)
        signed = sign_compact(signer, header, encode_canonical(asked))
        return Outcome(OfflineShown(signed=signed))

    def reply(self, turn: Turn, source: str, approval: str, code: Secret[str]) -> Outcome:
        """Refuse what no code would change; then count the try, use the code up, and pay.

        Raises NotAuthentic alike for whatever is not right and while no try is allowed. Before the
        code is looked at, so alike for every code, raises NotPermitted before the payer accepted
        the terms and for a warning that the policy wants acknowledged by now and the quote lacks,
        and what `check_open` raises.
        Source: RFC 6287, 7.1; ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        crew = self._crew
        row = self._row(turn, source, approval)
        payer = crew.customers.active(crew.customers.get(row.payer))
        ask = self._ask(turn, row, payer)
        check_open(crew.payments, crew.policy, crew.customers, turn.now, ask)
        who = Subjects(payer.id)
        crew.authenticators.pose(turn, payer, question_of(row))
        try:
            crew.attempts.count(turn, who)
        except NotAuthentic:
            crew.authenticators.look(payer, turn.now, code, None)
            crew.attempts.wrong(turn, who, held=True)
            raise
        try:
            category = crew.authenticators.use(turn, payer, row.channel, code)
        except NotAuthentic:
            crew.attempts.wrong(turn, who)
            raise not_right() from None
        crew.attempts.right(turn, who)
        message = {
            "approval": row.id,
            "code_hash": b64url(sha256(row.digest + code.reveal().encode())),
            "question": question_of(row),
            "suite": SUITE,
        }
        consent = ask.consented.consent
        given = PinVerified(consent=consent, channel_message=encode_canonical(message).decode())
        paid = ask._replace(consented=given, factors=_with(category))
        outcome = crew.payments.order(turn, paid)
        return self._approvals.executed(turn, row, outcome, 1)

    def _ask(self, turn: Turn, row: ApprovalRow, payer: Customer) -> Ask:
        """The order as it will be once a code was right; the code is not in it yet.

        The factor is what the policy makes of answers of this suite, for whoever has none as well:
        what is refused before the code was tried says nothing of the customer's authenticator. Nor
        of wrong tries before: a right code ends their count, and must be able to.
        """
        crew, grade = self._crew, Grade.PIN_VERIFIED.value
        policy = crew.policy.compiled.policy
        content = self._kept.content(row)
        consent = consent_of(content.quote, device="", grade=grade, consented_at=turn.now)
        crew.education.check_terms(payer)
        check_acknowledged(content.shown, consent, policy.education)
        rule = policy.authenticators.get(_ANSWERS)
        return Ask(
            consented=PinVerified(consent=consent, channel_message=""),
            payer=replace(payer, pin_failures=0),
            channel=row.channel,
            grade=grade,
            device_trust=DeviceTrust.NONE.value,
            device_enrolled_at=0,
            session_since=turn.now,
            factors=_with("" if rule is None else rule.category),
            risk_score=self._kept.score(payer.id, turn.now),
            recovering_for_ms=crew.recovery.since(payer.id, turn.now),
        )

    def _row(self, turn: Turn, source: str, approval: str) -> ApprovalRow:
        row = self._kept.get(approval)
        if row.source != source:
            raise NotFound(
                "there is no such request for you", remedy="load the list of requests again"
            )
        if row.needed != 1 or row.payer not in row.names():
            raise NotPermitted(
                "a request of a mandate is approved on signing devices only",
                remedy="approve it in the app",
            )
        if row.stage is ApprovalStage.PENDING and turn.now > row.expires_at:
            self._kept.record(turn, moved(row, ApprovalStage.EXPIRED), "expired")
            raise Expired("the request is past its time", remedy="begin a new one")
        if row.stage is not ApprovalStage.PENDING:
            raise Conflict(f"the request is {row.stage}", remedy="begin a new one")
        return row


def _with(category: str) -> tuple[str, ...]:
    """The factors of whoever answers: the device, and what the policy makes of its digits."""
    return tuple(sorted({Factor.POSSESSION.value, category} - {""}))


def question_of(row: ApprovalRow) -> str:
    """The OCRA question of a request: the hash of its quote, 64 hexadecimal digits.

    Source: RFC 6287, 5.1
    """
    return row.digest.hex().upper()
