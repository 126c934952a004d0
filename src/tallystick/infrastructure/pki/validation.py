"""Whether a certificate holds now: its path, and whether anything on it was revoked.

Where nobody says whether a certificate was revoked, payments are refused (`hard`); what is only
read may go on. A list or an answer counts while it is fresh; an answer without nonce, which anybody
could have kept, for an hour at most.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 6; RFC 6960, 3.2
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from tallystick.infrastructure.crypto.crl import RevocationList, Revoked, read_list
from tallystick.infrastructure.crypto.ocsp import GOOD, REVOKED, Status, read_answer
from tallystick.infrastructure.crypto.path_rules import PAYMENTS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import Malformed, NotAuthentic, Unavailable
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, Instant

ASKEW_MS = MINUTE_MS
OLDEST_ANSWER_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots that are pinned, and the issuers below them that count for what is looked at.

    Source: RFC 5280, 6.1.1
    """

    roots: tuple[Certificate, ...]
    issuers: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is at hand about revocation: octets of lists and of answers, nothing verified yet.

    `nonces` are those that were sent with questions: an answer that has one of them is fresh.
    Source: RFC 5280, 6.3; RFC 6960, 3.2
    """

    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    nonces: tuple[bytes, ...] = ()


def validate(
    leaf: Certificate,
    carried: Sequence[Certificate],
    trust: Trust,
    known: Known,
    at: Instant,
    purpose: str,
    *,
    hard: bool = True,
) -> tuple[Certificate, ...]:
    """The path from `leaf` to a pinned root, every certificate on it unrevoked at `at`.

    `carried` are issuers that came along; `purpose` is an extended key usage. With `hard`, raises
    Unavailable where it cannot be known whether one was revoked; always raises NotAuthentic for a
    path that does not hold and for one that was revoked.
    Source: RFC 5280, 6; ISO/TS 12812-2:2017, 7.4.2
    """
    path = path_of(leaf, (*carried, *trust.issuers), trust.roots, PAYMENTS.of(purpose), at)
    for one, issuer in pairwise(path):
        revoked, said = _status(one, issuer, known, at)
        if revoked is not None:
            raise NotAuthentic(
                "a certificate was revoked", because=f"{one.subject[:80]}: {revoked.reason}"
            )
        if not said and hard:
            raise Unavailable(
                "nothing fresh says whether a certificate was revoked",
                because=one.subject[:80],
                remedy="fetch the list of its issuer, or ask its responder",
            )
    return path


def _status(
    one: Certificate, issuer: Certificate, known: Known, at: Instant
) -> tuple[Revoked | None, bool]:
    """How `one` was revoked, and whether anything fresh speaks of it."""
    said = False
    for answer in _answers(one, issuer, known, at):
        if answer.word == REVOKED:
            return answer.revoked or Revoked(one.serial, answer.this_update, "unspecified"), True
        said = said or answer.word == GOOD
    lists = fresh_lists(known.lists, issuer, at)
    if lists:
        return revoked_in(lists, one.serial), True
    return None, said


def _answers(one: Certificate, issuer: Certificate, known: Known, at: Instant) -> Iterable[Status]:
    for octets in known.answers:
        try:
            answer = read_answer(octets, one, issuer, at)
        except (Malformed, NotAuthentic):
            continue
        if is_fresh(answer, at, known.nonces):
            yield answer


def is_fresh(answer: Status, at: Instant, nonces: Iterable[bytes] = ()) -> bool:
    """Whether `answer` speaks of `at`: it has a nonce that was sent, or is young and not past.

    Source: RFC 6960, 3.2; 4.2.2.1; 4.4.1
    """
    begun = answer.this_update <= at + ASKEW_MS
    ended = answer.next_update and at >= answer.next_update
    if not begun or ended:
        return False
    asked = tuple(nonces)
    if asked:
        return answer.nonce in asked
    return bool(answer.next_update) and at - answer.this_update <= OLDEST_ANSWER_MS


def fresh_lists(
    octets: Iterable[bytes], issuer: Certificate, at: Instant
) -> tuple[RevocationList, ...]:
    """The newest whole list of `issuer` that speaks of `at`, and the newest delta that fits it.

    Empty where there is no whole list. What another issuer signed is left aside.
    Source: RFC 5280, 5.2.4; 6.3.3
    """
    return current(lists_of(octets, issuer), at)


def lists_of(octets: Iterable[bytes], issuer: Certificate) -> tuple[RevocationList, ...]:
    """The lists among `octets` (DER) that `issuer` signed; what is another's is left aside.

    Source: RFC 5280, 6.3.3
    """
    found: list[RevocationList] = []
    for one in octets:
        with suppress(Malformed, NotAuthentic):
            found.append(read_list(one, issuer))
    return tuple(found)


def current(lists: Iterable[RevocationList], at: Instant) -> tuple[RevocationList, ...]:
    """Of one issuer's lists, the newest whole one if it speaks of `at`, and the delta that fits it.

    What was revoked does not come back because its issuer, or somebody on the way to it, is silent:
    an older whole list does not count again once the newest is past, and a delta that is past
    counts on until a newer list comes.
    Source: RFC 5280, 5.2.4; 6.3.3
    """
    begun = [one for one in lists if one.this_update <= at + ASKEW_MS]
    wholes = (one for one in begun if one.base is None)
    whole = max(wholes, key=lambda one: (one.number, one.next_update), default=None)
    if whole is None or at >= whole.next_update:
        return ()
    deltas = [
        one for one in begun if one.base is not None and one.base <= whole.number < one.number
    ]
    return (whole, *sorted(deltas, key=_number)[-1:])


def _number(one: RevocationList) -> int:
    return one.number


def revoked_in(lists: Sequence[RevocationList], serial: int) -> Revoked | None:
    """How a whole list and the delta after it revoke the number `serial`; None if they do not.

    Source: RFC 5280, 5.2.4
    """
    for one in reversed(lists):
        found = one.revoked.get(serial)
        if found is not None:
            return None if found.reason == "released" else found
    return None
