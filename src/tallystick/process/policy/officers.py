"""Officers' signatures over anything that they approve: policies, decisions, statements.

Each file has its own form; who may sign, once each, and how many a profile takes are one rule.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted

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


def check_approvals(
    approvals: Iterable[Approval],
    officers: Mapping[str, VerifyKey],
    message: bytes,
    decode: Callable[[str], bytes],
    what: str,
) -> int:
    """How many officers, distinct by name and by key, signed `message`; `what` names it in errors.

    Raises NotPermitted for an officer who is unknown or signed twice, NotAuthentic for any
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
        if one.algorithm and one.algorithm != public.algorithm:
            raise broken
        try:
            octets = decode(one.signature)
        except Malformed as error:
            raise broken from error
        public.verify(octets, message)
    return len(seen)


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
