"""The certificates that the writer keeps, and what officers say of them.

Source: ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Mapping

from tallystick.application.certification.store import CERTIFICATE, CertificateRow
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Conflict, Malformed, NotFound
from tallystick.kernel.model import replace
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal, checked
from tallystick.process.isms.signing import verify_statement
from tallystick.protocol.statements import SignedStatement, StatementRecorded

ADDED = "certificate-added"
WITHDRAWN = "certificate-withdrawn"
_added = Decoder(EvaluationCertificate)
_withdrawn = Decoder(Withdrawal)


class Certification:
    """Adds certificates and withdraws them, each once and for good.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    def __init__(
        self,
        officers: Mapping[str, VerifyKey],
        profile: str,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int = 256,
    ) -> None:
        """Believe the `officers` that were fixed at set-up, as many as `profile` demands.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._officers = officers
        self._profile = profile
        self._policy = policy
        self._rows = RowCache(CERTIFICATE, CertificateRow, reader, capacity=capacity)

    def verify(self, statement: SignedStatement) -> bytes:
        """The body of `statement`, if enough officers of this service signed it.

        Raises NotPermitted, NotAuthentic.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        dual = self._policy.two_signatures
        return verify_statement(statement, self._officers, self._profile, dual=dual)

    def state(self, turn: Turn, statement: SignedStatement) -> Outcome:
        """Do what officers signed.

        Raises NotPermitted, NotAuthentic, Malformed, Conflict for a certificate that is known or
        withdrawn already, NotFound for one to withdraw that is not known.
        Source: ISO/TS 12812-2:2017, 9.1
        """
        body = self.verify(statement)
        officers = " ".join(sorted(one.officer for one in statement.signatures))
        if statement.about == ADDED:
            return self._add(turn, body, officers)
        if statement.about == WITHDRAWN:
            return self._withdraw(turn, _withdrawn.decode_canonical(body), officers)
        raise Malformed("a statement about a certificate is taken here, no other")

    def _add(self, turn: Turn, body: bytes, officers: str) -> Outcome:
        certificate = checked(_added.decode_canonical(body))
        if self._rows.get(certificate.id) is not None:
            raise Conflict(
                "a certificate of this id is known, or was withdrawn",
                remedy="what was evaluated anew has a new certificate",
            )
        index = turn.record(
            "certificate.added",
            policy=self._policy.version,
            public={
                "certificate": certificate.id,
                "file": b64url(sha256(body)),
                "officers": officers,
            },
        )
        row = CertificateRow(
            id=certificate.id,
            body=body,
            event=index,
            withdrawn_at=0,
            because="",
            withdrawn_event=-1,
        )
        self._rows.put(row.id, row, turn.changes)
        return Outcome(StatementRecorded(says="the certificate counts", event=index), index)

    def _withdraw(self, turn: Turn, withdrawal: Withdrawal, officers: str) -> Outcome:
        row = self._rows.get(withdrawal.certificate)
        if row is None:
            raise NotFound("no such certificate", remedy="look at the list of certificates")
        if row.withdrawn_at:
            raise Conflict("the certificate was withdrawn before", remedy="nothing is to be done")
        if not 0 < withdrawal.at <= turn.now:
            raise Malformed("a certificate is withdrawn from a moment that has passed")
        index = turn.record(
            "certificate.withdrawn",
            policy=self._policy.version,
            public={
                "certificate": row.id,
                "because": withdrawal.because,
                "officers": officers,
            },
        )
        gone = replace(
            row,
            withdrawn_at=withdrawal.at,
            because=withdrawal.because,
            withdrawn_event=index,
        )
        self._rows.put(row.id, gone, turn.changes)
        return Outcome(StatementRecorded(says="the certificate counts no more", event=index), index)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()
