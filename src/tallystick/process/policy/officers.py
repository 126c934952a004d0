"""Officers' signatures over anything that they approve: policies, decisions, statements.

Each file has its own form and its own number of signatures; who may sign, once each, is one rule.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted


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
