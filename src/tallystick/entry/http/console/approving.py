"""Four eyes: what waits, the same text for the second person, yes or no with a reason.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from starlette.responses import Response

from tallystick.application.operators import ActRow
from tallystick.application.operators.store import waiting_acts
from tallystick.entry.http.console.acting import body_rows
from tallystick.entry.http.console.bodies import body_from, prepared
from tallystick.entry.http.console.coming import field
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.fleet import whom_it_touches
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.outcomes import (
    in_a_line,
    outcome,
    rehearsed,
    what_changed,
)
from tallystick.entry.http.console.page import hidden, moment, note, page, pairs, table
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.kernel.errors import Malformed, MfsError, NotPermitted, Refused
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.protocol.desk import DECLINE, RehearsedAct

_MOST, _MOST_REHEARSED = 100, 20
_HERE = "/desk/approvals"


async def approvals_page(visit: Visit) -> Response:
    """The acts that wait for a person of this role; one's own, to withdraw.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    await visit.view("approvals")
    now = visit.desk.now()
    rows = await visit.desk.read(lambda reader: waiting_acts(reader, now, _MOST))
    seen = [one for one in rows if visit.may(one.name) or one.operator == visit.operator.id]
    shown = [
        (
            h("a", _title(one.name), href=f"{_HERE}/{one.id}"),
            "you" if one.operator == visit.operator.id else _name(visit, one.operator),
            await _now(visit, one, now) if number < _MOST_REHEARSED else "open it",
            f"in {_left(one.expires_at, now)}",
        )
        for number, one in enumerate(seen)
    ]
    inside = (
        h("h1", "Approvals"),
        h(
            "p",
            "Acts that take two people. Nobody approves their own; what nobody approves in time"
            " is not done.",
            class_="lead",
        ),
        table("Acts that wait", ("Act", "Proposed by", "Now", "Ends"), shown)
        if shown
        else note("Nothing waits for you."),
    )
    return page("Approvals", inside, frame=await visit.frame(), here=_HERE)


async def _now(visit: Visit, row: ActRow, now: Instant) -> Markup | str:
    """What an act would come to, as of half a minute ago at most; one that was answered meanwhile
    says so.
    """
    found = visit.live.glance(row.id, now)
    if found is None:
        try:
            found = await rehearsed(visit, row.id)
        except Refused as gone:
            return gone.detail
        visit.live.glanced(found, now)
    return in_a_line(found)


def _title(name: str) -> str:
    return DRAFTS[name].says if name in DRAFTS else name


def _left(until: int, now: Instant) -> str:
    minutes = max(0, until - now) // MINUTE_MS
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _name(visit: Visit, operator: str) -> str:
    operators = visit.desk.desks.operators
    try:
        return operators.name_of(operators.get(operator))
    except MfsError:
        return operator


def _row(visit: Visit) -> ActRow:
    row = visit.desk.desks.operators.waiting(visit.request.path_params["act"])
    if not visit.may(row.name) and row.operator != visit.operator.id:
        raise NotPermitted(
            "your role does not decide on this",
            because=visit.operator.role,
            remedy="leave it to somebody whose role may",
        )
    return row


async def approval_page(visit: Visit) -> Response:
    """One act that waits, as its proposer signed it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    row = _row(visit)
    await visit.view("approval", subject=row.id)
    body = visit.desk.desks.operators.opened(row)
    own = row.operator == visit.operator.id
    first = read_signature(row.jws.partition("\n")[0])
    ended = row.expires_at < visit.desk.now()
    state = "expired" if row.state == "waiting" and ended else row.state
    found = await rehearsed(visit, row.id) if state == "waiting" else None
    inside = (
        h("h1", f"{_title(row.name)}: {state}"),
        pairs(
            [
                ("Proposed by", "you" if own else _name(visit, row.operator)),
                ("Signed with", first.grade),
                ("At", moment(first.act.issued_at)),
                ("Ends", moment(row.expires_at)),
                *body_rows(body),
            ]
        ),
        *await whom_it_touches(visit, row.name, body),
        *(_outcome(visit, found) if found else ()),
        h("p", "The exact text of the body; yours will be the same", class_="soft"),
        h("pre", body.decode(), class_="mono", id="canonical-body"),
        *(_choices(visit, found, own=own) if found else (note(row.says),)),
    )
    return page("Approval", inside, frame=await visit.frame(), here=_HERE)


def _outcome(visit: Visit, found: RehearsedAct) -> tuple[Markup, ...]:
    """What it would do, and what of that is other than when this person looked before."""
    before = visit.live.rehearsed.get(found.act, found)
    visit.live.saw(found)
    return (h("h2", "What it would do now"), *what_changed(before, found), *outcome(found))


def _choices(visit: Visit, found: RehearsedAct, *, own: bool) -> tuple[Markup, ...]:
    act = found.act
    secret = visit.live.form_secret.reveal()
    approve = h(
        "form",
        hidden("secret", secret),
        hidden("answer", "approve"),
        hidden("shown", found.shown),
        h("button", "Go on to approve"),
        method="post",
        action=f"{_HERE}/{act}",
    )
    decline = h(
        "form",
        hidden("secret", secret),
        hidden("answer", "decline"),
        h(
            "div",
            field("because", "Reason", "Whoever proposed it will read this."),
            class_="fields",
        ),
        h("button", "Withdraw it" if own else "Decline it", class_="plain"),
        method="post",
        action=f"{_HERE}/{act}",
    )
    if own:
        return (note("You proposed this: another person has to approve it."), decline)
    if found.would == "refused":
        return (note("While that is so, it can only be declined, or waited for."), decline)
    return (approve, h("h2", "Or decline"), decline)


def _last_shown(visit: Visit, act: str) -> str:
    found = visit.live.rehearsed.get(act)
    return "" if found is None else found.shown


async def answer(visit: Visit) -> Response:
    """Draw up the approval or the refusal, to be signed.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    row = _row(visit)
    desk, operator = visit.desk, visit.operator
    random = desk.platform.module.random(10)
    if visit.form.get("answer") == "decline":
        given = {"act": row.id, "because": visit.form.get("because", "")}
        body, _ = body_from(DECLINE, given)
        one = prepared(DECLINE, operator.id, body, desk.now(), random)
    elif visit.form.get("answer") == "approve":
        if row.operator == operator.id:
            raise NotPermitted(
                "one person cannot agree with themselves",
                because="two people",
                remedy="let another operator approve it",
            )
        body = desk.desks.operators.opened(row)
        shown = visit.form.get("shown", "")
        if row.state == "waiting" and (not shown or shown != _last_shown(visit, row.id)):
            raise Malformed("the answer is to another page", remedy="load the page again")
        one = prepared(
            row.name, operator.id, body, desk.now(), random, approves=row.id, shown=shown
        )
    else:
        raise Malformed("the answer is yes or no", remedy="load the page again")
    visit.live.prepare(one)
    return redirect(f"/desk/acts/{one.act.id}")
