"""What an act that waits would come to, as people read it, and what of that changed.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from starlette.responses import Response

from tallystick.application.own_commands import RehearseFor
from tallystick.application.rehearsals import differences
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import note, page, table
from tallystick.kernel.errors import Broken, MfsError
from tallystick.protocol.desk import RehearsedAct

_HERE = "/desk/approvals"


async def rehearsed(visit: Visit, act: str) -> RehearsedAct:
    """What the act that waits would come to if whoever looks confirmed it now.

    Raises what refuses the look itself.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    found = await visit.desk.told(RehearseFor(act, visit.operator.id))
    if not isinstance(found, RehearsedAct):
        raise Broken("a rehearsal gives another answer")
    return found


def in_a_line(found: RehearsedAct) -> Markup:
    """The outcome for a list.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if found.would == "done":
        return h("span", "would be done", class_="good")
    return h("span", f"cannot be done now: {found.says}", class_="bad")


def outcome(found: RehearsedAct) -> tuple[Markup, ...]:
    """The outcome with all that changes.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
    """
    if found.would == "refused":
        return (note(f"It cannot be done now: {found.says}.", kind="bad"),)
    return (
        note(f"It would be done: {found.says}.", kind="good"),
        h("ul", *(h("li", one) for one in found.changes), id="outcome"),
    )


def what_changed(was: RehearsedAct, now: RehearsedAct) -> tuple[Markup, ...]:
    """How the outcome differs from what was shown before; nothing if it does not.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows = list(differences(was, now))
    if not rows:
        return ()
    return (
        note("This changed since it was shown to you.", kind="bad"),
        table("What changed", ("", "What"), rows),
    )


async def not_as_shown(visit: Visit, act: str, error: MfsError) -> Response:
    """The refusal of a confirmation: what was shown, and what would happen now.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3; WCAG 2.2, 3.3.1
    """
    was = visit.live.rehearsed.get(act)
    changed: tuple[Markup, ...] = ()
    try:
        now = await rehearsed(visit, act)
        changed = what_changed(was, now) if was is not None else outcome(now)
    except MfsError as gone:
        changed = (note(f"{gone.detail[:1].upper()}{gone.detail[1:]}."),)
    inside = (
        h("h1", "It was not done"),
        note(f"{error.detail[:1].upper()}{error.detail[1:]}.", kind="bad"),
        *changed,
        h("p", h("a", "Look at it again", href=f"{_HERE}/{act}", class_="button")),
    )
    return page(
        "It was not done", inside, frame=await visit.frame(), here=_HERE, status=error.status
    )
