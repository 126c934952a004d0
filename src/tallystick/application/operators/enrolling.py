"""Who operates: invited with a one-time code, by a key in a file or a passkey, and signed in.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tallystick.application.operators.model import (
    ACTIVE,
    SUSPENDED,
    Invitation,
    Operator,
    Passkey,
)
from tallystick.application.operators.passkeys import Passkeys, is_copied
from tallystick.application.operators.store import INVITATION, OPERATOR, suspended_by
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.envelope.acts import PASSKEY_GRADE
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.operators import ENROLMENT_LABEL, EnrolOperator, OperatorEnrolled

INVITATION_LIFE_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class NewcomerPasskey:
    """A passkey that was proved to be there, of whoever has the one-time code of this MAC.

    Source: W3C WebAuthn Level 3, 7.1; ISO/TS 12812-2:2017, 6.2.1
    """

    code_mac: str
    name: str
    credential: str
    public: bytes
    counter: int
    aaguid: str
    synced: bool


class Register:
    """Keeps operators, their invitations and their passkeys.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        seals: StoreSeals,
        policy: PolicyInForce,
        reader: Reader,
        *,
        relying: Relying | None,
        capacity: int,
    ) -> None:
        """Hash invitation codes under `codes`, seal names with `seals`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._module = module
        self._codes = codes
        self._seals = seals
        self._policy = policy
        self.passkeys = Passkeys(reader, relying, capacity=capacity)
        self._operators = RowCache(OPERATOR, Operator, reader, capacity=capacity)
        self._invitations = RowCache(INVITATION, Invitation, reader, capacity=capacity)
        self._reader = reader
        self._suspended = suspended_by(reader)
        self.tell: Callable[[Operator], None] = _nobody

    @property
    def suspended(self) -> Mapping[str, str]:
        """Who is suspended now, and the id of whoever did it.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self._suspended

    def invite(
        self, turn: Turn, code_hash: str, role: str, issued_by: str, operator: str = ""
    ) -> None:
        """Let whoever has the code with this SHA-256 (base64url) enrol once, within a week.

        With `operator` the code brings a passkey to an operator who is enrolled already.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        invitation = Invitation(
            code_mac=self._code_mac(code_hash),
            role=role,
            expires_at=turn.now + INVITATION_LIFE_MS,
            used_at=0,
            issued_by=issued_by,
            operator=operator,
        )
        self._invitations.put(invitation.code_mac, invitation, turn.changes)

    def enrol(self, turn: Turn, request: EnrolOperator) -> Outcome:
        """Enrol an operator whose code is right and whose key is there.

        Raises NotAuthentic alike for a wrong, used or expired code and a wrong proof.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        public = Es256VerifyKey(b64url_decode(request.public))
        message = ENROLMENT_LABEL + sha256(request.code.encode()) + public.octets()
        public.verify(b64url_decode(request.proof), message)
        known = self._invited(turn, self._code_mac(code_hash(request.code)))
        if known.operator:
            raise _wrong_code()
        operator = self._enrolled(turn, known.role, request.name, public.octets())
        index = turn.record(
            "operator.enrolled",
            policy=self._policy.version,
            public={"operator": operator.id, "role": operator.role},
        )
        return Outcome(OperatorEnrolled(operator=operator.id, role=operator.role), index)

    def enrol_passkey(self, turn: Turn, new: NewcomerPasskey) -> Outcome:
        """Enrol an operator by a passkey, or bring one to an operator who invited it.

        Raises NotAuthentic for a wrong, used or expired code, Conflict for a known passkey.
        Source: ISO/TS 12812-2:2017, 6.2.1; W3C WebAuthn Level 3, 7.1
        """
        known = self._invited(turn, new.code_mac)
        if known.operator:
            operator = self.get(known.operator)
        else:
            operator = self._enrolled(turn, known.role, new.name, b"")
        self.passkeys.add(
            turn,
            Passkey(
                credential=new.credential,
                operator=operator.id,
                public=new.public,
                counter=new.counter,
                aaguid=new.aaguid,
                synced=int(new.synced),
                status="active",
                registered_at=turn.now,
            ),
        )
        index = turn.record(
            "operator.passkey-added" if known.operator else "operator.enrolled",
            policy=self._policy.version,
            public={
                "operator": operator.id,
                "role": operator.role,
                "grade": PASSKEY_GRADE,
                "model": new.aaguid,
            },
        )
        return Outcome(OperatorEnrolled(operator=operator.id, role=operator.role), index)

    def code_mac(self, code: str) -> str:
        """What is kept of a one-time code.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._code_mac(code_hash(code))

    def get(self, operator: str) -> Operator:
        """The operator of this id, if they may act.

        Raises NotAuthentic.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self._operators.get(operator)
        if found is None or found.status != ACTIVE:
            raise NotAuthentic("no such operator may act", remedy="ask a security officer")
        return found

    def known(self, operator: str) -> Operator:
        """The operator of this id, whether they may act or not.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self._operators.get(operator)
        if found is None:
            raise NotFound("there is no such operator", remedy="look at the list of operators")
        return found

    def stand(self, turn: Turn, operator: str, status: str, by: str, event: int) -> Operator:
        """Give `operator` another status from this turn on, as `event` records; `by` did it.

        What they signed or gave out before counts for nothing any more, whatever comes later.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        row = replace(
            self.known(operator),
            status=status,
            stands_since=turn.now,
            stood_by=by,
            stands_event=event,
        )
        self._operators.put(row.id, row, turn.changes)
        before = self._suspended
        others = {name: one for name, one in before.items() if name != row.id}
        self._suspended = others | ({row.id: by} if status == SUSPENDED else {})
        turn.on_undo(lambda: self._restore(before))
        turn.on_durable(lambda: self.tell(row))
        return row

    def _restore(self, before: dict[str, str]) -> None:
        self._suspended = before

    def vouches(self, operator: str, since: Instant) -> bool:
        """Whether what `operator` signed or gave out at `since` still counts.

        It does not once they were suspended, also where they were resumed later. What set-up gave
        out counts.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = self._operators.get(operator)
        return found is None or (found.status == ACTIVE and since > found.stands_since)

    def name_of(self, operator: Operator) -> str:
        """The name of `operator`, in clear.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._seals.open(operator.name, b"operator").decode()

    def seal_anew(self, turn: Turn, operator: str) -> None:
        """Seal the name of `operator` under the newest store key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._operators.get(operator)
        if found is not None and found.name:
            name = self._seals.seal(self._seals.open(found.name, b"operator"), b"operator")
            self._operators.put(operator, replace(found, name=name), turn.changes)

    def sign_in(self, turn: Turn, operator: str, credential: str, counter: int) -> Outcome:
        """Record that `operator` signed in, by a passkey or (`credential` empty) by OIDC.

        Raises NotAuthentic for a copied passkey, which is suspended with this commit.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
        """
        found = self.get(operator)
        version = self._policy.version
        if credential and not self.passkeys.used(turn, credential, counter, version):
            raise is_copied()
        index = turn.record(
            "operator.signed-in",
            policy=version,
            public={"operator": operator, "grade": PASSKEY_GRADE if credential else "oidc"},
        )
        return Outcome(OperatorEnrolled(operator=operator, role=found.role), index)

    def _invited(self, turn: Turn, code_mac: str) -> Invitation:
        known = self._invitations.get(code_mac)
        if known is None or known.used_at or turn.now > known.expires_at:
            raise _wrong_code()
        given = Instant(known.expires_at - INVITATION_LIFE_MS)
        if not all(self.vouches(one, given) for one in (known.issued_by, known.operator)):
            raise _wrong_code()
        self._invitations.put(known.code_mac, replace(known, used_at=turn.now), turn.changes)
        return known

    def _enrolled(self, turn: Turn, role: str, name: str, public: bytes) -> Operator:
        operator = Operator(
            id=turn.new_id("opr"),
            role=role,
            status=ACTIVE,
            public=public,
            name=self._seals.seal(name.encode(), b"operator"),
            enrolled_at=turn.now,
        )
        self._operators.put(operator.id, operator, turn.changes)
        return operator

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._operators.trim()
        self._invitations.trim()
        self.passkeys.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._operators.reset()
        self._suspended = suspended_by(self._reader)
        self._invitations.reset()
        self.passkeys.reset()

    def _code_mac(self, code_hash: str) -> str:
        return b64url(self._module.mac(self._codes, b"operator\x00" + code_hash.encode()))


def _nobody(_: Operator) -> None:
    """Tell nobody."""


def _wrong_code() -> NotAuthentic:
    return NotAuthentic("the enrolment code is not valid", remedy="ask for a new invitation")


def code_hash(code: str) -> str:
    """What the provider is told of an invitation code: its SHA-256, base64url.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return b64url(sha256(b"tallystick invitation v1\x00" + code.encode()))
