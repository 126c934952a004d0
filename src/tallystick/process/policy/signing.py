"""Officers' signatures over a policy, and the gate that a policy passes before it is in force.

The officers' private keys are never in the server: `sign_policy` is for the command line, the
server verifies with the public halves that were fixed when it was set up.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Mapping

from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Conflict, Malformed, NotPermitted
from tallystick.process.policy.compile import CompiledPolicy, compile_policy, recompile
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.policy.language.removed import read_kept
from tallystick.process.policy.language.suites import DUAL
from tallystick.process.policy.officers import (
    Approval,
    check_approvals,
    check_quorum,
    refuse_single,
    with_signature,
)
from tallystick.protocol.policy_file import (
    OfficerSignature,
    PolicyFile,
    policy_text,
    signed_message,
)


def sign_policy(
    text: str, officer: str, signer: SigningKey, existing: PolicyFile | None = None
) -> PolicyFile:
    """`text` with the approval of `officer`, beside those that `existing` has already.

    Raises Malformed if the policy is defective, Conflict if `existing` is of another text or has
    this officer's signature, NotPermitted for one signature where the policy asks for two.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    compiled = compile_policy(read_policy(text))
    version = compiled.version
    if compiled.policy.signatures.officers == DUAL:
        refuse_single(signer.algorithm, "policy")
    earlier: tuple[OfficerSignature, ...] = ()
    if existing is not None:
        if policy_text(existing) != text or existing.version != version:
            raise Conflict("the file approves another text", remedy="start a new file")
        earlier = existing.signatures
    signatures = with_signature(earlier, officer, signer, signed_message(text, version))
    return PolicyFile(
        version=version,
        policy_b64=b64url(text.encode()),
        signatures=signatures,
    )


def verify_policy(
    file: PolicyFile,
    officers: Mapping[str, VerifyKey],
    *,
    profile: str,
    last_version: int,
    anew: bool = True,
    dual: bool = False,
) -> CompiledPolicy:
    """The policy in `file`, approved as `profile` demands, read and proved as a whole.

    What was in force already is not proved `anew`, and read without acts that are gone. With
    `dual`, or where the policy itself says so, each officer signed twice.

    Raises NotPermitted for an officer who is unknown or approved twice, for too few officers, for
    one signature where two are asked for, and for a policy of another profile; NotAuthentic for any
    signature that does not verify; Conflict for a version not above `last_version`; Malformed
    for the text.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    text = policy_text(file)
    approvals = (Approval(one.officer, one.sig, one.alg) for one in file.signatures)
    signed = check_approvals(
        approvals, officers, signed_message(text, file.version), b64url_decode, "policy", dual=dual
    )
    check_quorum(signed, profile)
    if file.version <= last_version:
        raise Conflict(
            f"version {file.version} is not above {last_version}, the last in force",
            remedy="raise the version and sign again",
        )
    policy = read_policy(text) if anew else read_kept(text)
    compiled = compile_policy(policy) if anew else recompile(policy)
    if policy.signatures.officers == DUAL:
        for one in file.signatures:
            refuse_single(one.alg, "policy")
    if policy.header.version != file.version:
        raise Malformed("the file and the policy in it have different versions")
    if policy.header.profile != profile:
        raise NotPermitted(f"the policy is of profile {policy.header.profile}, not {profile}")
    return compiled
