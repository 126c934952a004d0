"""Domains of surrogates at the desk: how they stand, what had values back, who may have many.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4; 7.4.2
"""

from typing import Final

from starlette.responses import Response

from tallystick.application.surrogates.model import OPEN, DomainRow, WarrantRow
from tallystick.application.surrogates.store import every_domain, every_warrant, how_many_held
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Child, h
from tallystick.entry.http.console.page import moment, note, page, table
from tallystick.infrastructure.store.database import Reader

_ACTS: Final = ("open-surrogate-domain", "step-surrogate-domain", "allow-detokenising")
_LEAD: Final = (
    "A surrogate stands for a card's number, an account or a telephone number elsewhere. Two people"
    " open a domain and agree what for values come back, and how many an hour."
)


async def surrogates_page(visit: Visit) -> Response:
    """The domains of surrogates, and leave that is in force.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
    """
    await visit.view("surrogates")
    domains, held, warrants = await visit.desk.read(_read)
    now = visit.desk.now()
    living = [one for one in warrants if one.until > now and one.used < one.most]
    inside = (
        h("h1", "Surrogates"),
        h("p", _LEAD, class_="lead"),
        table(
            "Domains",
            ("Domain", "Values", "Way", "State", "Held", "Had back this hour"),
            [_domain(visit, one, held.get(one.id, 0), now) for one in domains],
        )
        if domains
        else note("There is no domain."),
        h("h2", "Leave for many values"),
        table(
            "Leave", ("Warrant", "Domain", "Purpose", "Program", "Left", "Until"),
            [_warrant(one) for one in living],
        )
        if living
        else note("There is none."),
        h("ul", *_offered(visit)),
    )  # fmt: skip
    return page("Surrogates", inside, frame=await visit.frame(), here="/desk/surrogates")


def _read(reader: Reader) -> tuple[list[DomainRow], dict[str, int], list[WarrantRow]]:
    return every_domain(reader), how_many_held(reader), every_warrant(reader)


def _domain(visit: Visit, row: DomainRow, held: int, now: int) -> tuple[Child, ...]:
    desk = visit.desk.desks.payment_keys.surrogates
    used = [
        f"{purpose} {desk.spent(row.id, purpose, now)} of {hourly}"
        for purpose, hourly in row.agreed().items()
    ]
    state = f"open, generation {row.generation}" if row.state == OPEN else row.state
    return row.id, row.kind, row.way, state, str(held), ", ".join(used) or "nothing is agreed"


def _warrant(row: WarrantRow) -> tuple[Child, ...]:
    left = f"{row.most - row.used} of {row.most}"
    return (
        h("span", row.id, class_="mono"), row.domain, row.purpose,
        h("span", row.program, class_="mono"), left, moment(row.until),
    )  # fmt: skip


def _offered(visit: Visit) -> list[Child]:
    return [
        h("li", h("a", DRAFTS[name].says, href=f"/desk/acts/new/{name}"))
        for name in _ACTS
        if visit.may(name)
    ]
