"""Pure rules of approvals: how a request moves, who may sign, how often somebody may be asked.

    pending -> approved | declined | expired | cancelled          nothing leads back

    asked     1 2 3 . 4 .. 5 .... 6 ........        a source is slowed from its second request on

Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2; Delegated Regulation (EU) 2018/389, 4; 5
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from tallystick.application.approvals.model import ApprovalRow, MandateRow, PaceRow, RiskRow
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.approvals import ApprovalStage

LIFE_MS: Final = 30 * MINUTE_MS
"""How long one person's request waits; of several people, a day."""

LONG_LIFE_MS: Final = DAY_MS
PAUSE_MS: Final = 10 * MINUTE_MS
MOST_WRONG: Final = 2
"""So many wrong numbers end a request: a guess is right in 2 of 90 cases at most."""

MOST_PENDING: Final = 3
NUMBERS: Final = 90
DENIED: Final = 700
DENIED_AGAIN: Final = 900
"""Risk scores, 0 to 1000, of a customer who said once, or more than once, that it was not them."""

RISK_MS: Final = DAY_MS
_FREE: Final = 3
_BASE_MS: Final = 15 * SECOND_MS
_LONGEST_MS: Final = HOUR_MS
_TRUST: Final = (
    DeviceTrust.ATTESTED_HARDWARE.value,
    DeviceTrust.SOFTWARE.value,
    DeviceTrust.UNKNOWN.value,
    DeviceTrust.NONE.value,
)


class Band(NamedTuple):
    """Up to `up_to_minor` minor units `needed` of `people` approve.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    up_to_minor: int
    needed: int
    people: tuple[str, ...]


def moved(row: ApprovalRow, stage: ApprovalStage, reason: str = "") -> ApprovalRow:
    """`row` in its final stage.

    Raises Conflict unless it is pending.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if row.stage is not ApprovalStage.PENDING:
        raise Conflict(f"the request is {row.stage}", remedy="begin a new one")
    return replace(row, stage=stage, reason=reason)


def enough(row: ApprovalRow, signed: Collection[str]) -> bool:
    """Whether the people in `signed` are as many as `row` needs, of those who may.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    may = set(row.names())
    if row.initiator and not row.initiator_may:
        may.discard(row.initiator)
    return len(may.intersection(signed)) >= row.needed > 0


def match_number(entropy: bytes) -> str:
    """Two digits, 10 to 99, out of 8 random bytes.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return str(10 + int.from_bytes(entropy, "big") % NUMBERS)


def paced(row: PaceRow, now: Instant, *, free: int) -> PaceRow:
    """`row` after one more request; the first `free` cost nothing, then the wait doubles.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    before = 0 if now - row.at > DAY_MS else row.unanswered
    over = before + 1 - free
    wait = 0 if over < 0 else min(_LONGEST_MS, _BASE_MS << min(over, 20))
    return replace(row, unanswered=before + 1, at=now, next_at=now + wait)


def free_of(subject: str) -> int:
    """How many requests of a subject are not slowed: of a source for one customer, one.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return 1 if "|" in subject else _FREE


def risk_score(row: RiskRow | None, now: Instant) -> int:
    """The fact that the policy decides by: 0 to 1000.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """
    if row is None or not row.denials or now - row.since > RISK_MS:
        return 0
    return DENIED if row.denials == 1 else DENIED_AGAIN


def weakest(trusts: Sequence[str]) -> str:
    """The weakest of several devices' trust.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    return max(trusts, key=_TRUST.index)


def read_bands(texts: Sequence[str]) -> tuple[Band, ...]:
    """The bands of a mandate, smallest amounts first.

    Raises Malformed for bands that do not rise, name somebody twice or need more people than they
    name.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    bands: list[Band] = []
    for text in texts:
        up_to, needed, people = text.split(":")
        names = tuple(people.split(","))
        band = Band(int(up_to), int(needed), names)
        if len(set(names)) != len(names) or band.needed > len(names):
            raise Malformed("a band names people once each, and as many as it needs at least")
        if bands and band.up_to_minor <= bands[-1].up_to_minor:
            raise Malformed("bands of a mandate rise")
        bands.append(band)
    return tuple(bands)


def band_of(row: MandateRow | None, amount_minor: int, owner: str) -> Band:
    """Who approves `amount_minor`: without a mandate the `owner` of the account alone.

    Raises Malformed for an amount beyond the highest band.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if row is None or not row.bands:
        return Band(amount_minor, 1, (owner,))
    for band in read_bands(row.bands.split("\n")):
        if amount_minor <= band.up_to_minor:
            return band
    raise Malformed("the mandate has no band for this amount", remedy="ask for a smaller amount")


def without(row: MandateRow, customer: str) -> tuple[str, ...]:
    """The bands of `row` without `customer`; a band that too few are left for is gone.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    left: list[str] = []
    for band in read_bands(row.bands.split("\n")):
        people = tuple(one for one in band.people if one != customer)
        if len(people) >= band.needed:
            left.append(f"{band.up_to_minor}:{band.needed}:{','.join(people)}")
    return tuple(left)


def subjects(row: ApprovalRow) -> tuple[str, str]:
    """Under which names a request is counted: its payer, and its payer with who began it.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return row.payer, f"{row.payer}|{row.source}"
