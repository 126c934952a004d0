"""What the network's answers mean for whoever consents over a SIM; pure.

    SIM changed, or moved to another phone, after the account was opened    its age is from then
    the number is somebody else's                                         its age is nothing
    changed before the account was opened        no change: who was identified had that SIM
    no date and no monitored period              unknown, never "clean"

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from tallystick.application.signals.model import (
    UNKNOWN,
    Answers,
    SignalKind,
    SignalRow,
    SimFacts,
)
from tallystick.kernel.time import MINUTE_MS
from tallystick.process.policy.facts import FOREVER, Dependency

SIGNAL = Dependency.SIM_SIGNAL.value
FRESH_MS = MINUTE_MS
"""How long an answer is taken for the present."""

GRACE_MS = 5_000
"""How much older it may be when the writer decides than when it was found fresh."""

NOT_CONNECTED = SimFacts(FOREVER, ((SIGNAL, 0),))
"""What is told where no network is asked at all."""


def row_of_answers(customer: str, answers: Answers, now: int) -> SignalRow:
    """`answers` about `customer`, given at `now` (ms), as they are stored.

    A moment in the future of this clock counts as now.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return SignalRow(
        customer=customer,
        asked_at=now,
        sim_changed_at=min(answers.sim_changed_at, now),
        sim_seen_ms=answers.sim_seen_ms,
        device_changed_at=min(answers.device_changed_at, now),
        device_seen_ms=answers.device_seen_ms,
        recycled=int(answers.recycled),
        roaming=int(answers.roaming),
    )


def is_fresh(row: SignalRow | None, now: int, grace_ms: int = 0) -> bool:
    """Whether the last answers can be taken for the present.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return row is not None and 0 <= now - row.asked_at <= FRESH_MS + grace_ms


def facts_of(row: SignalRow | None, opened_at: int, now: int) -> SimFacts:
    """What a decision at `now` is told of the SIM of an account that was opened at `opened_at`.

    Without fresh answers, or where they do not say when the SIM changed, the signal is missing for
    as long as nothing was known; a change that is known counts all the same.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if row is None:
        return SimFacts(FOREVER, ((SIGNAL, max(0, now - opened_at)),))
    missing = not is_fresh(row, now, GRACE_MS) or row.sim_changed_at == UNKNOWN
    degraded = ((SIGNAL, max(0, now - row.asked_at)),) if missing else ()
    if row.recycled:
        return SimFacts(0, degraded)
    return SimFacts(min(_ages(row, opened_at, now)), degraded)


def _ages(row: SignalRow, opened_at: int, now: int) -> list[int]:
    """How old the SIM and its place in this phone are at least."""
    ages = [FOREVER]
    for changed_at, seen_ms in (
        (row.sim_changed_at, row.sim_seen_ms),
        (row.device_changed_at, row.device_seen_ms),
    ):
        if changed_at > opened_at:
            ages.append(now - changed_at)
        elif changed_at == 0 and 0 < seen_ms < row.asked_at - opened_at:
            ages.append(seen_ms + max(0, now - row.asked_at))
    return ages


def news(before: SignalRow | None, after: SignalRow, opened_at: int) -> tuple[SignalKind, ...]:
    """What `after` says happened that `before` did not know, since the account was opened.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    sim = max(opened_at, 0 if before is None else before.sim_changed_at)
    device = max(opened_at, 0 if before is None else before.device_changed_at)
    found = (
        (SignalKind.SIM_SWAP, after.sim_changed_at > sim),
        (SignalKind.DEVICE_SWAP, after.device_changed_at > device),
        (SignalKind.RECYCLED, bool(after.recycled) and not (before and before.recycled)),
    )
    return tuple(kind for kind, happened in found if happened)
