"""The line of time of one provider, and the state from one round to the next.

    FOLDER/loop.jsonl        one line for each round that changed something, the oldest first
    FOLDER/loop-state.json   what the last round saw
    FOLDER/proposals/DIGEST.waits.json   since when a proposal waits for officers, and until when

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Mapping
from typing import Final

from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.protocol.measures import Touched

LINES_FILE: Final = "loop.jsonl"
STATE_FILE: Final = "loop-state.json"
VERSION: Final = 1
LIFE_MS: Final = 7 * DAY_MS
"""How long a proposal waits for officers; then it is worked out anew."""


class Level(Record, frozen=True, kw_only=True):
    """What is left for one asset: the highest risk (L x I, 1 to 25) and the places that are open.

    Source: ISO/TS 12812-2:2017, A
    """

    risk: int
    open: int

    def above(self, other: "Level") -> bool:
        """Whether more is left than in `other`.

        Source: ISO/TS 12812-2:2017, A
        """
        return (self.risk, self.open) > (other.risk, other.open) or self.open > other.open


class Turned(Record, frozen=True, kw_only=True):
    """A control whose state changed; `by` is what says so, `says` its words.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    control: str
    was: str
    now: str
    by: str
    says: str


class Moved(Record, frozen=True, kw_only=True):
    """What was left for an asset before and is after a round.

    Source: ISO/TS 12812-2:2017, A
    """

    before: Level
    after: Level


class Flip(Record, frozen=True, kw_only=True):
    """A finding that has another state.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    requirement: str
    was: str
    now: str


class LoopLine(Record, frozen=True, kw_only=True):
    """What one round changed, at `at` (ms); `residual` has every asset, moved or not.

    `fallen` are the controls that were in effect once and are not now; `in_effect` counts of
    `controls`. `proposal` is the digest of the policy that is proposed, empty for none.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    v: int
    at: int
    round: int
    turned: tuple[Turned, ...]
    residual: Mapping[str, Moved]
    policy_version: int
    proposal: str
    findings: tuple[Flip, ...]
    satisfied: int
    rows: int
    in_effect: int
    controls: int
    fallen: tuple[str, ...]


class LoopState(Record, frozen=True, kw_only=True):
    """What the last round saw; `held` are the controls that were ever in effect.

    Without those that a policy left out since, and that nobody chose.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    v: int
    at: int
    round: int
    controls: Mapping[str, str]
    held: tuple[str, ...]
    findings: Mapping[str, str]
    residual: Mapping[str, Level]
    policy_version: int
    proposal: str


class Waits(Record, frozen=True, kw_only=True):
    """A proposed policy `version` that waits for officers since `at` until `until` (ms).

    `digest` names it as the state does. `touched` is whom it would have touched, None where no
    payment was recorded.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    digest: str
    version: int
    at: int
    until: int
    touched: Touched | None


_waits: Final = Decoder(Waits)
_lines: Final = Decoder(LoopLine)
_states: Final = Decoder(LoopState)


def read_lines(octets: bytes) -> tuple[LoopLine, ...]:
    """The lines of time; raises Malformed naming the line that is none, or is out of order.

    Source: RFC 8785
    """
    found: list[LoopLine] = []
    for place, line in enumerate(octets.splitlines(), start=1):
        try:
            one = _lines.decode_canonical(line)
        except Malformed as error:
            raise Malformed(f"the loop's line {place}: {error.detail}") from error
        if found and one.at < found[-1].at:
            raise Malformed(f"the loop's line {place} is older than the line before it")
        found.append(one)
    return tuple(found)


def line_octets(line: LoopLine) -> bytes:
    """`line` as it is kept.

    Source: RFC 8785
    """
    return encode_canonical(line) + b"\n"


def read_state(octets: bytes) -> LoopState:
    """The state that a round left; raises Malformed for anything else.

    Source: RFC 8785
    """
    return _states.decode_canonical(octets)


def read_waits(octets: bytes) -> Waits:
    """Since when a proposal waits; raises Malformed for anything else.

    Source: RFC 8785
    """
    return _waits.decode_canonical(octets)
