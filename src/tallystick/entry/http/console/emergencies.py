"""Emergencies at the desk: who took the emergency role, why, and what is to be reviewed.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
"""

from starlette.responses import Response

from tallystick.application.desk import Emergency
from tallystick.application.desk.store import last_emergencies
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import moment, note, page, pairs, table


async def emergency_page(visit: Visit) -> Response:
    """Break-glass, what runs, and what is to be reviewed.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    await visit.view("emergency")
    rows = await visit.desk.read(lambda reader: last_emergencies(reader, 20))
    own = visit.operator.id
    reviews = [
        joined_review(visit, one)
        for one in visit.desk.desks.desk.emergencies.open()
        if one.operator != own and visit.may("review-emergency")
    ]
    may = visit.may("break-glass")
    inside = (
        h("h1", "Emergency"),
        h(
            "p",
            "One person takes the emergency role for up to an hour: to stop devices and programs,"
            " and to let customers in again. Every officer is told at once, it ends by itself, and"
            " somebody else has to review it. Money, policy and operators stay out of its reach.",
            class_="lead",
        ),
        act_form(visit, "break-glass", DRAFTS["break-glass"]) if may else None,
        h("h2", "To review"),
        *(reviews or (note("Nothing for you."),)),
        h("h2", "The last ones"),
        table("Emergencies", ("Emergency", "Who", "From", "Until", "Review"),
              [_emergency(visit, one) for one in rows])
        if rows
        else note("There was none."),
    )  # fmt: skip
    return page("Emergency", inside, frame=await visit.frame(), here="/desk/emergency")


def joined_review(visit: Visit, one: Emergency) -> Markup:
    """An emergency with its reason, and the form of its review.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    says = visit.desk.desks.desk.emergencies.says(one.because)
    return h(
        "div",
        pairs(
            [
                ("Emergency", h("span", one.id, class_="mono")),
                ("Who", one.operator),
                ("Reason", says),
                ("Until", moment(one.until)),
            ]
        ),
        act_form(visit, "review-emergency", DRAFTS["review-emergency"], {"emergency": one.id}),
    )


def _emergency(visit: Visit, one: Emergency) -> tuple[Markup, str, str, str, str]:
    emergencies = visit.desk.desks.desk.emergencies
    review = "not yet"
    if one.reviewed_at:
        review = f"{one.reviewer}: {emergencies.says(one.finding)}"
    return (
        h("span", one.id, class_="mono"),
        one.operator,
        moment(one.since),
        moment(one.until),
        review,
    )
