"""Operators at the desk: everybody who ever could act, who may now, and who was stopped and why.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
"""

from typing import Final

from starlette.responses import Response

from tallystick.application.operators.model import ACTIVE, SUSPENDED, Operator
from tallystick.application.operators.passkeys import MOST_PASSKEYS
from tallystick.application.operators.store import (
    act_of_event,
    operators_known,
    passkeys_of,
)
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.desk import SEES_OPERATORS, Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Child, Markup, h, joined
from tallystick.entry.http.console.page import moment, note, page, table
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotPermitted
from tallystick.protocol.desk import SteerOperator

_STEERS: Final = {
    ACTIVE: ("suspend-operator", "remove-operator"),
    SUSPENDED: ("resume-operator", "remove-operator"),
}
_WORDS: Final = {ACTIVE: "good", SUSPENDED: "bad"}
_COLUMNS = ("Who", "Role", "Enrolled", "Passkeys", "Stands", "Acts")
_steer = Decoder(SteerOperator, limit=2048)


async def staff_page(visit: Visit) -> Response:
    """Everybody who operates or did, and what may be done about them.

    Raises NotPermitted for a role that neither enrols, stops nor audits operators.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if not visit.may(*SEES_OPERATORS):
        raise NotPermitted(
            "your role does not see who operates",
            because=visit.operator.role,
            remedy="ask a security officer",
        )
    await visit.view("operators")
    found = await visit.desk.read(lambda reader: _stored(visit, reader))
    suspended = sum(row.status == SUSPENDED for row, _, _ in found)
    inside = (
        h("h1", "Operators"),
        h(
            "p",
            "One person suspends an operator: their sessions end, and nothing that they signed or"
            " gave out before counts any more. Two people resume or remove them.",
            class_="lead",
        ),
        note(f"{suspended} suspended: two people decide.", kind="bad") if suspended else None,
        table("Operators", _COLUMNS, [_row(visit, *one) for one in found]),
    )
    return page("Operators", inside, frame=await visit.frame(), here="/desk/operators")


async def passkeys_page(visit: Visit) -> Response:
    """The passkeys of who is signed in, each with the form to remove it.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2
    """
    await visit.view("passkeys")
    own = visit.operator
    found = visit.desk.desks.operators.passkeys.of(own.id)
    rows = [
        (
            h("span", one.credential, class_="mono"),
            moment(one.registered_at),
            one.aaguid or "not told",
            "on several devices" if one.synced else "on one device",
            h(
                "details",
                h("summary", "Remove it"),
                act_form(
                    visit,
                    "remove-passkey",
                    DRAFTS["remove-passkey"],
                    {"credential": one.credential},
                    mark=one.credential[:8],
                ),
            ),
        )
        for one in found
    ]
    inside = (
        h("h1", "Your passkeys"),
        h(
            "p",
            "Remove the passkey of a device that is lost, stolen or given away. If it is your only"
            " one, let a colleague suspend you: what it signs counts for nothing then.",
            class_="lead",
        ),
        table("Passkeys", ("Passkey", "Since", "Model", "Kept", "Acts"), rows)
        if rows
        else note("You have none; you sign with a key in a file."),
        h("p", h("a", "Add a passkey", href="/desk/acts/new/bind-passkey", class_="button plain")),
    )
    return page("Your passkeys", inside, frame=await visit.frame(), here="/desk/acts")


def _stored(visit: Visit, reader: Connection) -> list[tuple[Operator, int, str]]:
    """Each operator, how many passkeys may be used, and why they stand as they do."""
    found: list[tuple[Operator, int, str]] = []
    for row in operators_known(reader):
        passkeys = sum(one.status == ACTIVE for one in passkeys_of(reader, row.id))
        act = None if row.stands_event < 0 else act_of_event(reader, row.stands_event)
        why = ""
        if act is not None:
            why = _steer.decode(visit.desk.desks.operators.opened(act)).because
        found.append((row, min(passkeys, MOST_PASSKEYS), why))
    return found


def _row(visit: Visit, row: Operator, passkeys: int, why: str) -> tuple[Child, ...]:
    names = [one for one in _STEERS.get(row.status, ()) if visit.may(one)]
    forms = [
        h(
            "details",
            h("summary", DRAFTS[name].says),
            act_form(visit, name, DRAFTS[name], {"operator": row.id}, mark=f"{row.id}-{name[:6]}"),
        )
        for name in names
    ]
    return (
        joined(
            (
                h("span", visit.desk.desks.operators.name_of(row)),
                h("br"),
                h("span", row.id, class_="mono"),
            )
        ),
        row.role,
        moment(row.enrolled_at),
        str(passkeys) if passkeys else ("a key file" if row.public else "none"),
        _stands(row, why),
        joined(forms) if forms else "-",
    )


def _stands(row: Operator, why: str) -> Markup:
    says = h("span", row.status, class_=_WORDS.get(row.status, "soft"))
    if row.stands_event < 0:
        return says
    more = f" since {moment(row.stands_since)}, by {row.stood_by.replace(',', ' and ')}: {why}"
    return joined((says, h("span", more)))
