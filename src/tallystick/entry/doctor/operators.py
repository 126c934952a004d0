"""Operators and programs: can every act of two people be done, who is stopped, what ends soon?

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3; 7.5
"""

from collections.abc import Iterator
from pathlib import Path

from tallystick.application.desk.store import workloads
from tallystick.application.operators.model import ACTIVE
from tallystick.application.operators.store import active_roles, suspended_by
from tallystick.application.policing.store import last_policy
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.inforce import signed_policy
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.policy.language.model import OperatorRules

SOON_MS = 30 * DAY_MS
"""How long before its end a program is named."""

_WHAT = "operators"
_TWO = 2
_MOST_NAMED = 6
_INVITE = "invite operators: tallystick operator invite URL --role ROLE"
_DECIDE = "two people decide: resume-operator or remove-operator"
_ANEW = (
    "issue a new one, let the program change over, revoke the old: docs/how-to/operate-the-desk.md"
)


def look_at_operators(folder: ProviderFolder, now: Instant) -> Iterator[Finding]:
    """Acts that too few may sign, operators who are suspended, programs that end; none unserved.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """
    place = folder.place()
    if isinstance(place, Path) and not place.exists():
        return
    try:
        with open_reader(place) as reader:
            stored = last_policy(reader) if reader.shapes() else None
            if stored is None:
                return
            yield _enough(reader, signed_policy(reader, stored[0])[0].operators)
            for one, by in suspended_by(reader).items():
                yield soon(_WHAT, f"{one} is suspended by {by}", _DECIDE)
            yield from _programs(reader, now)
    except MfsError as error:
        yield wrong(_WHAT, error.detail, error.remedy or "look at the record first")


def _enough(reader: Connection, rules: OperatorRules) -> Finding:
    active = active_roles(reader)
    few = [
        act
        for act in rules.two_people
        if sum(act in rules.roles.get(role, ()) for role in active.values()) < _TWO
    ]
    if not few:
        return fine(_WHAT, f"{len(active)} may act, enough for every act of two people")
    more = f" and {len(few) - _MOST_NAMED} more" if len(few) > _MOST_NAMED else ""
    named = ", ".join(few[:_MOST_NAMED])
    return soon(_WHAT, f"fewer than two may sign, so that nobody can do: {named}{more}", _INVITE)


def _programs(reader: Connection, now: Instant) -> Iterator[Finding]:
    for one in reversed(workloads(reader)):
        if one.status != ACTIVE or now > one.expires_at + SOON_MS:
            continue
        day = iso_utc(one.expires_at)[:10]
        if now >= one.expires_at:
            yield wrong("programs", f"{one.id} ended on {day}: it is refused", _ANEW)
        elif one.expires_at - now < SOON_MS:
            yield soon("programs", f"{one.id} ends on {day}", _ANEW)
