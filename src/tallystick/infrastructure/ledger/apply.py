"""Postings applied to the state: deterministic, on integers, each as a whole or not at all.

    post     legs move posted money
    hold     legs set money aside; it counts against the available balance from now on, once
    capture  what was set aside moves; what a final capture leaves is given back
    void     what was set aside is given back        expire  the same, when the time has come
    reverse  legs of an original move back, last leg first, never more than is left of it

A limit counts a posting in the same step as the money; a hold that is given back gives its use of
the limits back too.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable, Iterable

from tallystick.infrastructure.ledger.model import (
    Hold,
    Leg,
    Original,
    Posted,
    Posting,
    PostingKind,
    Reason,
    Rejected,
    Result,
)
from tallystick.infrastructure.ledger.moves import (
    check_form,
    give_limits_back,
    let_go,
    move_all,
    refusal,
    set_aside_all,
    use_limits,
)
from tallystick.infrastructure.ledger.state import LedgerState

_REVERSIBLE = frozenset({PostingKind.POST, PostingKind.CAPTURE})


def apply(state: LedgerState, postings: Iterable[Posting], now: int) -> list[Result]:
    """The result of each posting, in order; `state` has changed by those that were posted.

    A posting whose id is remembered gives its first result again if the body is the same, and is
    rejected otherwise. `now` is in milliseconds.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    results: list[Result] = []
    recent = state.recent
    for posting in postings:
        known = recent.get(posting.id)
        if known is None:
            result = _ACTS[posting.kind](state, posting, now)
            recent[posting.id] = (posting, result)
        elif _is_same(known[0], posting):
            result = known[1]
        else:
            result = Rejected(id=posting.id, reason=Reason.OTHER_BODY)
        results.append(result)
    return results


def expire_due(state: LedgerState, now: int) -> list[Posting]:
    """The postings that give back the holds whose time has come, earliest first; apply them next.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return [
        Posting(id=f"{hold_id}/expire", kind=PostingKind.EXPIRE, ref=hold_id)
        for hold_id in state.due(now)
    ]


def _is_same(first: Posting, again: Posting) -> bool:
    if first.body_hash or again.body_hash:
        return first.body_hash == again.body_hash and first.kind is again.kind
    return (first.kind, first.legs, first.ref, first.expires_at, first.final) == (
        again.kind,
        again.legs,
        again.ref,
        again.expires_at,
        again.final,
    )


def _post(state: LedgerState, posting: Posting, now: int) -> Result:
    legs = posting.legs
    reason = check_form(legs)
    if reason is not None:
        return Rejected(id=posting.id, reason=reason)
    refused = use_limits(state, posting, legs[0].amount, now)
    if refused is not None:
        return refused
    reason = move_all(state, legs)
    if reason is not None:
        give_limits_back(state, posting, legs[0].amount, now)
        return Rejected(id=posting.id, reason=reason)
    return _journal(state, posting, legs, PostingKind.POST, now)


def _journal(
    state: LedgerState, posting: Posting, legs: tuple[Leg, ...], kind: PostingKind, now: int
) -> Posted:
    for number, leg in enumerate(legs):
        state.line(posting, number, leg, kind, now)
    return Posted(id=posting.id, kind=kind, seq=state.next_seq - len(legs), at=now)


def _hold(state: LedgerState, posting: Posting, now: int) -> Result:
    legs = posting.legs
    reason = check_form(legs)
    if reason is None and posting.expires_at <= now:
        reason = Reason.MALFORMED
    if reason is not None:
        return Rejected(id=posting.id, reason=reason)
    refused = use_limits(state, posting, legs[0].amount, now)
    if refused is not None:
        return refused
    reason = set_aside_all(state, legs)
    if reason is not None:
        give_limits_back(state, posting, legs[0].amount, now)
        return Rejected(id=posting.id, reason=reason)
    hold = Hold(
        id=posting.id,
        legs=legs,
        remaining=[leg.amount for leg in legs],
        placed_at=now,
        expires_at=posting.expires_at,
        uses=tuple((account, limit.id, limit.window_ms) for limit, account in posting.limits),
    )
    state.add_hold(hold)
    state.changed_holds[hold.id] = hold
    return _journal(state, posting, legs, PostingKind.HOLD, now)


def _capture(state: LedgerState, posting: Posting, now: int) -> Result:
    hold = state.holds.get(posting.ref)
    if hold is None:
        return Rejected(id=posting.id, reason=Reason.NO_HOLD)
    reason = _check_capture(state, posting.legs, hold, now)
    if reason is not None:
        return Rejected(id=posting.id, reason=reason)
    wanted = posting.legs or _left(hold)
    for number, leg in enumerate(wanted):
        let_go(state, leg, leg.amount)
        state.accounts[leg.debit].posted_debit += leg.amount
        state.accounts[leg.credit].posted_credit += leg.amount
        hold.remaining[number] -= leg.amount
    taken = tuple(leg for leg in wanted if leg.amount)
    posted = _journal(state, posting, taken, PostingKind.CAPTURE, now)
    if posting.final:
        _release(state, posting, hold, PostingKind.VOID, now, first_leg=len(taken))
    state.changed_holds[hold.id] = hold
    state.originals[posting.id] = Original(id=posting.id, legs=taken, returned=[0] * len(taken))
    return posted


def _left(hold: Hold) -> tuple[Leg, ...]:
    return tuple(
        Leg(debit=leg.debit, credit=leg.credit, amount=amount)
        for leg, amount in zip(hold.legs, hold.remaining, strict=True)
    )


def _check_capture(
    state: LedgerState, legs: tuple[Leg, ...], hold: Hold, now: int
) -> Reason | None:
    if not hold.is_open():
        return Reason.HOLD_DONE
    if now >= hold.expires_at:
        return Reason.HOLD_EXPIRED
    amounts = _amounts(legs, hold.legs, hold.remaining)
    if isinstance(amounts, Reason):
        return amounts
    for held in hold.legs:
        reason = refusal(state.accounts.get(held.debit), state.accounts.get(held.credit))
        if reason is not None:
            return reason
    return None


def _void(state: LedgerState, posting: Posting, now: int) -> Result:
    hold = state.holds.get(posting.ref)
    if hold is None:
        return Rejected(id=posting.id, reason=Reason.NO_HOLD)
    if not hold.is_open():
        return Rejected(id=posting.id, reason=Reason.HOLD_DONE)
    if posting.legs or (posting.kind is PostingKind.EXPIRE and now < hold.expires_at):
        return Rejected(id=posting.id, reason=Reason.MALFORMED)
    if any(one not in state.accounts for leg in hold.legs for one in (leg.debit, leg.credit)):
        return Rejected(id=posting.id, reason=Reason.NO_ACCOUNT)
    seq = state.next_seq
    _release(state, posting, hold, posting.kind, now, first_leg=0)
    state.changed_holds[hold.id] = hold
    return Posted(id=posting.id, kind=posting.kind, seq=seq, at=now)


def _release(
    state: LedgerState, posting: Posting, hold: Hold, kind: PostingKind, now: int, *, first_leg: int
) -> None:
    """Give back all that is left of a hold, and of the limits that counted it."""
    untouched = hold.remaining == [leg.amount for leg in hold.legs]
    for account_id, limit_id, window_ms in hold.uses:
        used = state.limits.get((account_id, limit_id))
        if used is not None and used.window_ms == window_ms:
            used.give_back(hold.remaining[0], int(untouched), hold.placed_at)
            state.changed_limits[account_id, limit_id] = used
    number = first_leg
    for leg in _left(hold):
        if leg.amount:
            let_go(state, leg, leg.amount)
            state.line(posting, number, leg, kind, now)
            number += 1
    hold.remaining = [0] * len(hold.legs)


def _reverse(state: LedgerState, posting: Posting, now: int) -> Result:
    original = _original(state, posting.ref)
    if original is None:
        return Rejected(id=posting.id, reason=Reason.NO_ORIGINAL)
    left = [
        leg.amount - returned
        for leg, returned in zip(original.legs, original.returned, strict=True)
    ]
    amounts = _amounts(_turned(posting.legs), original.legs, left)
    if isinstance(amounts, Reason):
        return Rejected(id=posting.id, reason=amounts)
    refused = use_limits(state, posting, amounts[0], now)
    if refused is not None:
        return refused
    back = tuple(
        Leg(debit=leg.credit, credit=leg.debit, amount=amount)
        for leg, amount in zip(reversed(original.legs), reversed(amounts), strict=True)
        if amount
    )
    reason = move_all(state, back)
    if reason is not None:
        give_limits_back(state, posting, amounts[0], now)
        return Rejected(id=posting.id, reason=reason)
    for number, amount in enumerate(amounts):
        original.returned[number] += amount
    state.originals[original.id] = state.changed_originals[original.id] = original
    return _journal(state, posting, back, PostingKind.REVERSE, now)


def _amounts(legs: tuple[Leg, ...], firsts: tuple[Leg, ...], left: list[int]) -> list[int] | Reason:
    """How much of each of `firsts` is asked for, at most what is `left`; all without `legs`."""
    if not legs:
        return list(left) if any(left) else Reason.MORE_THAN_LEFT
    if len(legs) > len(firsts):
        return Reason.MALFORMED
    amounts = [0] * len(left)
    for number, (leg, first) in enumerate(zip(legs, firsts, strict=False)):
        if (leg.debit, leg.credit) != (first.debit, first.credit) or leg.amount <= 0:
            return Reason.MALFORMED
        if leg.amount > left[number]:
            return Reason.MORE_THAN_LEFT
        amounts[number] = leg.amount
    return amounts


def _turned(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    return tuple(Leg(debit=leg.credit, credit=leg.debit, amount=leg.amount) for leg in legs)


def _original(state: LedgerState, posting_id: str) -> Original | None:
    known = state.originals.get(posting_id)
    if known is not None:
        return known
    recent = state.recent.get(posting_id)
    if recent is None or not isinstance(recent[1], Posted) or recent[0].kind not in _REVERSIBLE:
        return None
    legs = recent[0].legs
    return Original(id=posting_id, legs=legs, returned=[0] * len(legs))


_ACTS: dict[PostingKind, Callable[[LedgerState, Posting, int], Result]] = {
    PostingKind.POST: _post,
    PostingKind.HOLD: _hold,
    PostingKind.CAPTURE: _capture,
    PostingKind.VOID: _void,
    PostingKind.EXPIRE: _void,
    PostingKind.REVERSE: _reverse,
}
