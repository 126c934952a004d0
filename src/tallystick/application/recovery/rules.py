"""The ways of recovery as state machines, pure: who opens which, and which step a state allows.

    lost-phone, new-phone   cooling -> code-sent -> completed       device, operators, agent
    number-change           cooling -> completed                    device, operators
    dormant                 cooling -> completed                    operators, agent
    death, legal-order      frozen -> released                      operators
    suspension              frozen -> released                      operators

`cooling` and `code-sent` may be cancelled, and expire.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.customers.model import CustomerStatus
from tallystick.application.recovery.model import Opener, RecoveryRow
from tallystick.kernel.errors import Conflict, Expired, Malformed, NotPermitted
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import Instant
from tallystick.process.policy.language.lives import RecoveryRule
from tallystick.protocol.recovery import RecoveryKind, RecoveryState

SIGNED_FOR_MS: Final = 5 * 60_000
"""How far the moment of a signature may be from that of its arrival, before or after."""


class Path(Record, frozen=True, kw_only=True):
    """One way: who opens it, of accounts of which status, and every step that it knows.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    openers: frozenset[Opener]
    begins: RecoveryState
    steps: Mapping[RecoveryState, frozenset[RecoveryState]]
    status: CustomerStatus = CustomerStatus.ACTIVE
    code: bool = False


_ENDS: Final = frozenset({RecoveryState.CANCELLED, RecoveryState.EXPIRED})
_BY_CODE: Final[Mapping[RecoveryState, frozenset[RecoveryState]]] = {
    RecoveryState.COOLING: _ENDS | {RecoveryState.CODE_SENT},
    RecoveryState.CODE_SENT: _ENDS | {RecoveryState.CODE_SENT, RecoveryState.COMPLETED},
}
_AT_ONCE: Final[Mapping[RecoveryState, frozenset[RecoveryState]]] = {
    RecoveryState.COOLING: _ENDS | {RecoveryState.COMPLETED},
}
_FROZEN: Final[Mapping[RecoveryState, frozenset[RecoveryState]]] = {
    RecoveryState.FROZEN: frozenset({RecoveryState.RELEASED}),
}
_ANYBODY: Final = frozenset(Opener)
_STAFF: Final = frozenset({Opener.OPERATORS})

PATHS: Final[Mapping[RecoveryKind, Path]] = {
    RecoveryKind.LOST_PHONE: Path(
        openers=_ANYBODY, begins=RecoveryState.COOLING, steps=_BY_CODE, code=True
    ),
    RecoveryKind.NEW_PHONE: Path(
        openers=_ANYBODY, begins=RecoveryState.COOLING, steps=_BY_CODE, code=True
    ),
    RecoveryKind.NUMBER_CHANGE: Path(
        openers=frozenset({Opener.DEVICE, Opener.OPERATORS}),
        begins=RecoveryState.COOLING,
        steps=_AT_ONCE,
    ),
    RecoveryKind.DORMANT: Path(
        openers=frozenset({Opener.OPERATORS, Opener.AGENT}),
        begins=RecoveryState.COOLING,
        steps=_AT_ONCE,
        status=CustomerStatus.DORMANT,
    ),
    RecoveryKind.DEATH: Path(openers=_STAFF, begins=RecoveryState.FROZEN, steps=_FROZEN),
    RecoveryKind.LEGAL_ORDER: Path(openers=_STAFF, begins=RecoveryState.FROZEN, steps=_FROZEN),
    RecoveryKind.SUSPENSION: Path(openers=_STAFF, begins=RecoveryState.FROZEN, steps=_FROZEN),
}
"""The way of every kind."""


def may_open(kind: RecoveryKind, opener: Opener, status: CustomerStatus) -> Path:
    """The way of `kind`, if `opener` may open it for an account of `status`.

    Raises NotPermitted.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    path = PATHS[kind]
    if opener not in path.openers:
        raise NotPermitted(
            f"a {kind} is not opened so",
            because=f"{opener} is no proof for it",
            remedy="go to the provider with papers",
        )
    if status is not path.status:
        raise NotPermitted(
            f"the account is {status}",
            because=f"a {kind} is of another account",
            remedy="open what fits the state of the account",
        )
    return path


def check_fields(kind: RecoveryKind, *, lost: str, new_number: str) -> None:
    """Pass if a lost device and a new number are named where `kind` takes them, and only there.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if bool(new_number) != (kind is RecoveryKind.NUMBER_CHANGE):
        raise Malformed("a change of number, and only that, names the new number")
    if lost and kind is not RecoveryKind.LOST_PHONE:
        raise Malformed("only a lost phone names a device")


def times(rule: RecoveryRule, now: Instant) -> tuple[int, int, int]:
    """Half-time, the end of the cooling-off, and the end of what opens at `now` (ms).

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    ready = now + rule.cooling_ms
    return now + rule.cooling_ms // 2, ready, ready + rule.expires_ms


def moved(row: RecoveryRow, state: RecoveryState, now: Instant, by: str) -> RecoveryRow:
    """`row` one step on, to `state`.

    Raises Conflict for a step that its way does not know, NotPermitted (when) for a finish before
    the cooling-off is over, Expired after its end.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if state not in PATHS[row.kind].steps.get(row.state, frozenset()):
        raise Conflict(
            f"a {row.kind} that is {row.state} does not become {state}",
            remedy="look at the recovery; open a new one if it is over",
        )
    finishing = state in {RecoveryState.CODE_SENT, RecoveryState.COMPLETED}
    if finishing and now < row.ready_at:
        raise NotPermitted(
            "the recovery is cooling off",
            because="its owner has time to say no",
            remedy="come back when that is over",
            retry_after_s=-(-(row.ready_at - now) // 1000),
        )
    if finishing and now >= row.expires_at:
        raise Expired("the recovery is past its time", remedy="open a new one")
    if state is RecoveryState.CODE_SENT:
        return replace(row, state=state)
    return replace(row, state=state, ended_at=now, ended_by=by, next_at=0)


def silent(row: RecoveryRow) -> bool:
    """Whether `row` is a freeze on a death or an order: its customer is not told, also afterwards.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    return row.kind in {RecoveryKind.DEATH, RecoveryKind.LEGAL_ORDER}


def frozen(row: RecoveryRow) -> bool:
    """Whether `row` is a freeze on a death or an order that is in force.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    return row.state is RecoveryState.FROZEN and silent(row)


def suspended(row: RecoveryRow) -> bool:
    """Whether `row` is a suspension of a customer that is in force.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    return row.state is RecoveryState.FROZEN and row.kind is RecoveryKind.SUSPENSION


def runs(row: RecoveryRow) -> bool:
    """Whether `row` may still be finished or cancelled.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    return row.state in {RecoveryState.COOLING, RecoveryState.CODE_SENT}


def since(row: RecoveryRow, now: Instant) -> int | None:
    """Milliseconds for which the account of `row` has been one that is recovered; None if not.

    A recovery that was cancelled or expired lowers nothing.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if runs(row):
        return 0
    if row.state is RecoveryState.COMPLETED:
        return max(0, now - row.ended_at)
    return None


def check_again(rows: tuple[RecoveryRow, ...], opener: Opener, now: Instant, after: int) -> None:
    """Pass if one more recovery may be opened beside and after `rows` of the same account.

    One runs at a time, so opening again never shortens a cooling-off. Within `after` ms of one that
    was cancelled no agent opens another: two operators must.
    Raises Conflict, NotPermitted.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if any(runs(row) for row in rows):
        raise Conflict("a recovery of this account runs", remedy="finish or cancel it first")
    lately = any(
        row.state is RecoveryState.CANCELLED and now - row.ended_at < after for row in rows
    )
    if lately and opener is Opener.AGENT:
        raise NotPermitted(
            "a recovery of this account was cancelled lately",
            because="somebody said no",
            remedy="go to the provider with your papers",
        )


def check_moment(at: int, now: Instant) -> None:
    """Pass if a signature of the moment `at` arrived in time (both ms).

    Raises Expired.
    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    if abs(now - at) > SIGNED_FOR_MS:
        raise Expired("this was signed at another time", remedy="sign it again")
