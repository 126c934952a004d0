"""Programs of partners: identities of their own, with a scope and an end, in place of an operator.

A secret is made where the act is signed and shown there once; the provider learns its SHA-256 and
keeps a MAC of that. A program with a key signs each question instead.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4; 7.5
"""

from tallystick.application.desk.model import Workload
from tallystick.application.desk.store import WORKLOAD
from tallystick.application.operators import Acted
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Conflict, Expired, Malformed, NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant
from tallystick.protocol.desk import (
    IssueWorkload,
    RevokeWorkload,
    WorkloadAsks,
    workload_header,
)

LONGEST_DAYS = 365
PREFIX = "wkl_"
PAYMENT_CRYPTOGRAPHY = "payment-cryptography"
SIGNED_V4 = "signature-v4"
_FRESH_MS = 2 * MINUTE_MS
_issues = Decoder(IssueWorkload, limit=2048)
_revokes = Decoder(RevokeWorkload, limit=2048)
_asks = Decoder(WorkloadAsks, limit=2048)


class Workloads:
    """Issues, checks and revokes identities of programs.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int = 1024,
    ) -> None:
        """Hash secrets under `codes`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._module = module
        self._codes = codes
        self._policy = policy
        self._rows = RowCache(WORKLOAD, Workload, reader, capacity=capacity)

    def issue(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        """Let a program ask; gives its id.

        Raises Malformed for a verifier that is none, or a life that is none or too long.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        asked = _issues.decode(body)
        if not 1 <= asked.days <= LONGEST_DAYS:
            raise Malformed(f"a program's identity lives 1 to {LONGEST_DAYS} days")
        given = b64url_decode(asked.verifier)
        if (asked.way == SIGNED_V4) != (asked.scope == PAYMENT_CRYPTOGRAPHY):
            raise Malformed(f"{SIGNED_V4} goes with the scope {PAYMENT_CRYPTOGRAPHY}, and only it")
        if asked.way == "key":
            verifier = Es256VerifyKey(given).octets()
        elif len(given) == 32:
            verifier = self._hashed(given)
        else:
            raise Malformed("of a secret its SHA-256 is told, 32 octets")
        identifier = turn.new_id("wkl")
        index = turn.record(
            "workload.issued",
            policy=self._policy.version,
            public={"workload": identifier, "scope": asked.scope, "way": asked.way},
        )
        row = Workload(
            id=identifier,
            label=asked.label,
            scope=asked.scope,
            way=asked.way,
            verifier=verifier,
            status="active",
            issued_at=turn.now,
            expires_at=turn.now + asked.days * DAY_MS,
            event=index,
        )
        self._rows.put(row.id, row, turn.changes)
        return Acted(f"the program {asked.label} may ask for {asked.days} days", index, identifier)

    def revoke(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        """End what a program may ask, from the next request on.

        Raises NotFound, Conflict for one that was revoked.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        asked = _revokes.decode(body)
        row = self._rows.get(asked.workload)
        if row is None:
            raise NotFound("there is no such program", remedy="look at the list of programs")
        if row.status != "active":
            raise Conflict("the program was revoked before", remedy="nothing is to be done")
        self._rows.put(row.id, replace(row, status="revoked"), turn.changes)
        index = turn.record(
            "workload.revoked", policy=self._policy.version, public={"workload": row.id}
        )
        return Acted(f"the program {row.label} may ask nothing any more", index, row.id)

    def admit(self, bearer: str, body: bytes, scope: str, now: Instant) -> str:
        """The id of the program that `bearer` proves: `ID.SECRET`, or a JWS over `body`.

        Raises NotAuthentic alike for an unknown, revoked, expired and wrong one, and one of
        another scope.
        Source: RFC 6750, 2.1; ISO/TS 12812-2:2017, 7.5
        """
        try:
            identifier, way = self._proved(bearer, body, scope, now)
        except (Malformed, Expired) as error:
            raise _unknown() from error
        row = self._rows.get(identifier)
        good = row is not None and row.status == "active" and now < row.expires_at
        if row is None or not good or row.scope != scope or row.way != way:
            raise _unknown()
        return identifier

    def signs_v4(self, identifier: str, now: Instant) -> None:
        """Return only for a program that may sign requests to the payment cryptography door now.

        Raises NotAuthentic alike for an unknown, revoked and expired one, and one of another scope.
        Source: ISO/TS 12812-2:2017, 7.5
        """
        row = self._rows.get(identifier)
        good = row is not None and row.status == "active" and now < row.expires_at
        if row is None or not good or row.scope != PAYMENT_CRYPTOGRAPHY:
            raise _unknown()

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

    def _proved(self, bearer: str, body: bytes, scope: str, now: Instant) -> tuple[str, str]:
        if bearer.startswith(PREFIX):
            identifier, _, secret = bearer.partition(".")
            row = self._rows.get(identifier)
            hashed = self._hashed(sha256(secret.encode()))
            if row is None or row.way != "secret" or not equal(row.verifier, hashed):
                raise _unknown()
            return identifier, "secret"
        header, payload, mark, message = split_compact(bearer)
        asked = _asks.decode_canonical(payload)
        row = self._rows.get(asked.workload)
        if row is None or row.way != "key" or header != workload_header(asked.workload):
            raise _unknown()
        Es256VerifyKey(row.verifier).verify(mark, message)
        fresh = abs(now - asked.issued_at) <= _FRESH_MS
        if asked.name != scope or asked.body_hash != b64url(sha256(body)) or not fresh:
            raise _unknown()
        return asked.workload, "key"

    def _hashed(self, digest: bytes) -> bytes:
        return self._module.mac(self._codes, b"workload\x00" + digest)


def _unknown() -> NotAuthentic:
    return NotAuthentic("no such program may ask this", remedy="ask the provider for an identity")


def is_workload(bearer: str) -> bool:
    """Whether `bearer` speaks for a program and not for an operator.

    Source: ISO/TS 12812-2:2017, 7.5
    """
    if bearer.startswith(PREFIX):
        return True
    try:
        header = split_compact(bearer)[0]
    except Malformed:
        return False
    return b'"typ":"tallystick-workload"' in header
