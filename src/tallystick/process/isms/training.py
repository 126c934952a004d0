"""Whether somebody's training still counts: who approves an act must be trained.

Where no register of people is kept, nobody is asked for training. Where one is kept, whoever is
not in it has none; where it cannot be read, nobody's training is known.

Source: ISO/TS 12812-2:2017, 7.3.6; 6.2.1
"""

from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.isms.model import Entry, Registers

PEOPLE = "people"


def why_untrained(registers: Registers, operator: str, now: Instant) -> str:
    """Why the operator of this id may not approve at `now`; empty if nothing stands against it.

    Source: ISO/TS 12812-2:2017, 7.3.6; 6.2.1
    """
    if registers.is_broken(PEOPLE):
        return "the register of people cannot be read"
    if PEOPLE not in registers.kept:
        return ""
    theirs = [
        one
        for one in registers.entries(PEOPLE).values()
        if one.flag("active") and one.text("operator") == operator
    ]
    if not theirs:
        return "the register of people has no training of this operator"
    if all(trained_until(one) <= now for one in theirs):
        ended = max(trained_until(one) for one in theirs)
        return f"the training of this operator ended at {iso_utc(ended)}"
    return ""


def trained_until(person: Entry) -> int:
    """When the training of a person ends (ms).

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return person.number("trained") + person.number("valid_for")


def untrained(registers: Registers, now: Instant) -> tuple[str, ...]:
    """The ids of the people who are active although their training has ended.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return tuple(
        one.id
        for one in registers.entries(PEOPLE).values()
        if one.flag("active") and trained_until(one) <= now
    )
