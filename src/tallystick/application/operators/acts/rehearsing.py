"""What an act would come to, tried without any effect, and what of that is shown to people.

A rehearsal does the act on a second copy of the writer's state in a turn that is thrown away: no
hand-written check stands beside an act, so that what is foretold is what the act itself does.

    proposed   tried; refused at once unless the refusal passes by itself
    looked at  tried; told in words, with a digest
    confirmed  tried; done only if the digest that was signed is still the same

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tallystick.application.operators.model import ActRow
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    InsufficientFunds,
    LimitExceeded,
    MfsError,
    NotPermitted,
)
from tallystick.kernel.model import replace
from tallystick.protocol.desk import RehearsedAct
from tallystick.protocol.operators import Act, act_header

OTHERWISE: Final = {
    "begin-approval": "its answer is a number to be told to the customer, drawn anew each time: one"
    " of a rehearsal would be the wrong one",
    "view-frozen": "its answer is what a frozen account holds, for those whom the freeze names:"
    " a rehearsal keeps it back, and by whom it will be seconded is not known when it is proposed",
    "view-sessions": "its answer is a list of a customer's sessions: a rehearsal keeps it back",
}
"""Acts that are rehearsed like the others but told otherwise, and why."""

_FOR_CERTAIN_PEOPLE = frozenset(("view-frozen",))
WITHHELD = "what it answers is for whoever does it"
ALONE = "an act that is bound to what was shown begins a batch of its own"
_NO_SIGNATURE = bytes(64)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What an act would come to: its answer and what changes, or the refusal.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    says: str
    changes: tuple[str, ...] = ()
    error: MfsError | None = None

    @property
    def would(self) -> str:
        """`done` or `refused`.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return "done" if self.error is None else "refused"

    @property
    def shown(self) -> str:
        """The digest of all that people are shown, base64url of SHA-256.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        told = {"changes": list(self.changes), "says": self.says, "would": self.would}
        return b64url(sha256(encode_canonical(told)))

    def of(self, row: ActRow) -> RehearsedAct:
        """All of it as the outcome of the act in `row`.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return RehearsedAct(
            act=row.id,
            name=row.name,
            operator=row.operator,
            expires_at=row.expires_at,
            would=self.would,
            says=self.says,
            changes=self.changes,
            shown=self.shown,
        )

    def check_shown(self, shown: str) -> None:
        """Pass if `shown` is the digest of this.

        Raises Conflict.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if shown != self.shown:
            now = "it would be done" if self.error is None else f"it cannot be done: {self.says}"
            raise Conflict(
                "what the act would do is not what was shown any more, and nothing was done",
                because=f"now {now}",
                remedy="look at it again",
            )


Rehearse = Callable[[Turn, str, bytes, tuple[str, ...], Act | None], Rehearsed]
"""Tries an act: its name, its body, signatures, and the act of whoever seconds, if that is known.

The turn lends its moment and is left alone.
"""


def refused(error: MfsError) -> Rehearsed:
    """What is shown of an act that `error` refuses.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    parts = [error.detail, error.because and f"because {error.because}", error.remedy]
    return Rehearsed("; ".join(one for one in parts if one), error=error)


def is_passing(name: str, error: MfsError) -> bool:
    """Whether what `error` says of the act `name` may come right without anybody asking otherwise.

    With time, with money that comes and goes, once something is within reach again, or, where the
    act is for certain people, with whoever seconds it.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if isinstance(error, NotPermitted) and name in _FOR_CERTAIN_PEOPLE:
        return True
    by_itself = isinstance(error, LimitExceeded | InsufficientFunds)
    return by_itself or error.retryable or error.retry_after_s is not None


def in_place_of(act: Act, operator: str) -> str:
    """A text in the place of the signature with which `operator` would second `act`.

    Nobody signed it and it verifies nowhere; it names who would.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    parts = act_header(operator), encode_canonical(seconding(act, operator)), _NO_SIGNATURE
    return ".".join(b64url(one) for one in parts)


def seconding(act: Act, operator: str) -> Act:
    """The act with which `operator` would second `act`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return replace(act, operator=operator, approves=act.id)
