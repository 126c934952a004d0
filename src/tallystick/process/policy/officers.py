"""Officers' signatures over anything that they approve: policies, decisions, statements.

Each file has its own form; who may sign, once each, and how many a profile takes are one rule. An
officer whose key has two halves may sign what is read by either, until the policy asks for both.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tallystick.infrastructure.crypto.dual import CLASSICAL_SIGNATURE, DUALS, DualVerifyKey
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.protocol.policy_file import OfficerSignature

SIGNATURES: Final = {"demo": 1, "production": 2}
"""How many distinct officers approve a file of each profile."""


class Approval(NamedTuple):
    """Who signed, the signature as it stands in the file, and its algorithm where the file says it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    officer: str
    signature: str
    algorithm: str = ""


def refuse_second(officer: str, earlier: Iterable[str]) -> None:
    """Pass if `officer` is not among those who signed `earlier`; raises Conflict.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if officer in earlier:
        raise Conflict("this officer has signed already", remedy="let another officer sign")


def with_signature(
    earlier: Sequence[OfficerSignature], officer: str, signer: SigningKey, message: bytes
) -> tuple[OfficerSignature, ...]:
    """The signatures `earlier`, and that of `officer` over `message` behind them.

    Raises Conflict where `officer` is among those who signed already.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    refuse_second(officer, (one.officer for one in earlier))
    signature = OfficerSignature(
        officer=officer, alg=signer.algorithm, sig=b64url(signer.sign(message))
    )
    return (*earlier, signature)


def check_approvals(
    approvals: Iterable[Approval],
    officers: Mapping[str, VerifyKey],
    message: bytes,
    decode: Callable[[str], bytes],
    what: str,
    *,
    dual: bool = False,
) -> int:
    """How many officers, distinct by name and by key, signed `message`; `what` names it in errors.

    With `dual` each of them signed twice. Raises NotPermitted for an officer who is unknown, has
    approved twice, or signed once where two signatures are asked for; NotAuthentic for any
    signature that does not verify.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    seen: dict[str, bytes] = {}
    for one in approvals:
        public = officers.get(one.officer)
        if public is None:
            raise NotPermitted(f"an officer whom this service does not know signed the {what}")
        if one.officer in seen or public.octets() in seen.values():
            raise NotPermitted(f"one officer signed the {what} twice", because="two people")
        seen[one.officer] = public.octets()
        broken = NotAuthentic(f"a signature over the {what} does not verify")
        try:
            octets = decode(one.signature)
        except Malformed as error:
            raise broken from error
        verifying = _verifying(public, octets)
        if one.algorithm and one.algorithm != verifying.algorithm:
            raise broken
        verifying.verify(octets, message)
        if dual:
            refuse_single(verifying.algorithm, what)
    return len(seen)


def _verifying(public: VerifyKey, signature: bytes) -> VerifyKey:
    """What `signature` is checked with: the whole key, or its first half for one that is alone."""
    if isinstance(public, DualVerifyKey) and len(signature) == CLASSICAL_SIGNATURE:
        return public.classical
    return public


def refuse_single(algorithm: str, what: str) -> None:
    """Pass if `algorithm` is one of two signatures; raises NotPermitted.

    Source: ISO/TS 12812-2:2017, 6.1; C; FIPS 204
    """
    if algorithm not in DUALS:
        raise NotPermitted(
            f"the policy asks each officer for two signatures under the {what}",
            because="what one signature proves falls with it",
            remedy="sign with a key of two halves: tallystick keys widen",
        )


def check_quorum(signed: int, profile: str, *, because: str = "") -> None:
    """Return only if so many officers are enough for a file of `profile`.

    Raises NotPermitted, with `because` for too few, and for a profile that there is none of.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    wanted = SIGNATURES.get(profile)
    if wanted is None:
        raise NotPermitted(f"no profile is called {profile[:20]!r}")
    if signed < wanted:
        raise NotPermitted(
            f"profile {profile} takes the signatures of {wanted} officers",
            because=because,
            remedy="let another officer sign the same file",
        )
