"""Officers' signatures over statements, and how many of them it takes.

As for policies: the private keys are never in the server, and in production two officers sign.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from collections.abc import Mapping

from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, NotPermitted
from tallystick.kernel.model import Record, Wire
from tallystick.process.policy.officers import (
    SIGNATURES,
    Approval,
    check_approvals,
    check_quorum,
    with_signature,
)
from tallystick.protocol.policy_file import OfficerSignature
from tallystick.protocol.statements import SignedStatement, statement_message


def sign_statement(
    about: str,
    body: Record | Wire,
    officer: str,
    signer: SigningKey,
    existing: SignedStatement | None = None,
) -> SignedStatement:
    """`body` with the approval of `officer`, beside those that `existing` has already.

    Raises Conflict if `existing` says something else or has this officer's signature.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    octets = encode_canonical(body)
    earlier: tuple[OfficerSignature, ...] = ()
    if existing is not None:
        if existing.about != about or b64url_decode(existing.body) != octets:
            raise Conflict("the file says something else", remedy="start a new file")
        earlier = existing.signatures
    signatures = with_signature(earlier, officer, signer, statement_message(about, octets))
    return SignedStatement(about=about, body=b64url(octets), signatures=signatures)


def verify_statement(
    statement: SignedStatement,
    officers: Mapping[str, VerifyKey],
    profile: str,
    *,
    dual: bool = False,
) -> bytes:
    """The body of `statement`, approved by as many officers as `profile` demands.

    With `dual` each of them signed twice. Raises NotPermitted for an officer who is unknown or
    approved twice, for too few of them and for one signature where two are asked for,
    NotAuthentic for any signature that does not verify.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    wanted = SIGNATURES.get(profile)
    if statement.v != 1 or wanted is None:
        raise NotPermitted("the statement is for another version or profile")
    body = b64url_decode(statement.body)
    message = statement_message(statement.about, body)
    approvals = (Approval(one.officer, one.sig, one.alg) for one in statement.signatures)
    signed = check_approvals(approvals, officers, message, b64url_decode, "statement", dual=dual)
    check_quorum(signed, profile, because="two people" if wanted > 1 else "an officer")
    return body
