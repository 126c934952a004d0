"""Officers' signatures over a policy of appraisal: as many as the profile asks of any policy.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Mapping

from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Conflict
from tallystick.process.attestation.model import AppraisalPolicy
from tallystick.process.attestation.reading import read_policy
from tallystick.process.policy.officers import (
    Approval,
    check_approvals,
    check_quorum,
    with_signature,
)
from tallystick.protocol.appraisal_file import AppraisalFile, appraisal_message, appraisal_text
from tallystick.protocol.policy_file import OfficerSignature


def sign_appraisal(
    text: str,
    version: int,
    officer: str,
    signer: SigningKey,
    existing: AppraisalFile | None = None,
) -> AppraisalFile:
    """`text` as `version` with the approval of `officer`, beside those that `existing` has.

    Raises Malformed for a defective text, Conflict where `existing` is of another text or version
    or has this officer's signature.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """
    read_policy(text)
    earlier: tuple[OfficerSignature, ...] = ()
    if existing is not None:
        if appraisal_text(existing) != text or existing.version != version:
            raise Conflict("the file approves another text", remedy="start a new file")
        earlier = existing.signatures
    signatures = with_signature(earlier, officer, signer, appraisal_message(text, version))
    return AppraisalFile(version=version, policy_b64=b64url(text.encode()), signatures=signatures)


def verify_appraisal(
    file: AppraisalFile, officers: Mapping[str, VerifyKey], *, profile: str
) -> AppraisalPolicy:
    """The policy in `file`, approved as `profile` demands.

    Raises NotPermitted for an officer who is unknown or signed twice and for too few of them,
    NotAuthentic for any signature that does not verify, Malformed for the text.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    text = appraisal_text(file)
    approvals = (Approval(one.officer, one.sig, one.alg) for one in file.signatures)
    message = appraisal_message(text, file.version)
    signed = check_approvals(approvals, officers, message, b64url_decode, "appraisal policy")
    check_quorum(signed, profile)
    return read_policy(text)
