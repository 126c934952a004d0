"""Recoveries, freezes and requests for approval at the desk: what runs, what waits for whom.

    /desk/cases -> a case, without whose it is -> purpose recorded -> the customer's page -> an act

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; 7.3.4; 7.4.5
"""

from collections.abc import Iterable

from starlette.responses import Response

from tallystick.application.approvals.model import ApprovalRow
from tallystick.application.customers import Customer, CustomerStatus
from tallystick.application.recovery import RecoveryRow
from tallystick.application.recovery.rules import frozen, runs
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Child, Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, page, table
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.purposes import Part, Purpose, purposes_for
from tallystick.protocol.recovery import RecoveryState

_HERE = "/desk/cases"
_MOST = 100
_OPEN = {Purpose.RECOVERY: "Open to recover", Purpose.NOT_ME: "Open: who asked?"}


async def cases_page(visit: Visit) -> Response:
    """Every case that is open, with nobody's name; each opens for the purpose that it serves.

    Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.5
    """
    await visit.view("cases")
    desks, now = visit.desk.desks, visit.desk.now()
    kept = desks.approvals.kept
    recoveries = [_recovery_row(visit, one) for one in desks.recovery.open_cases()[:_MOST]]
    waiting = [_waiting_row(visit, one) for one in kept.waiting(_MOST)]
    risky: list[tuple[Child, ...]] = [
        (
            h("span", "somebody", class_="soft"),
            "once" if one.denials == 1 else f"{one.denials} times",
            moment(one.since),
            _opens(visit, one.customer, Purpose.NOT_ME),
        )
        for one in kept.at_risk(now)[:_MOST]
    ]
    inside = (
        h("h1", "Cases"),
        h(
            "p",
            "What runs and waits, without whose it is. To open a case is to look at a person for"
            " the purpose that its button names, and is recorded.",
            class_="lead",
        ),
        h("h2", "Recoveries and stopped accounts"),
        _or_none(("Case", "Kind", "State", "Opened", "Falls due", ""), recoveries, "Recoveries"),
        h("h2", "Requests that wait for an approval"),
        _or_none(("Request", "Begun by", "Signed", "Begun", "Ends", ""), waiting, "Requests"),
        h("h2", "\N{LEFT DOUBLE QUOTATION MARK}It was not me\N{RIGHT DOUBLE QUOTATION MARK}"),
        _or_none(("Who", "Said so", "Since", ""), risky, "Risk states"),
    )
    return page("Cases", inside, frame=await visit.frame(), here=_HERE)


def _or_none(columns: tuple[str, ...], rows: list[tuple[Child, ...]], label: str) -> Markup:
    return table(label, columns, rows) if rows else note("None.")


def _recovery_row(visit: Visit, one: RecoveryRow) -> tuple[Child, ...]:
    return (
        h("span", one.id, class_="mono"),
        one.kind.value,
        one.state.value,
        moment(one.opened_at),
        _due(one),
        _opens(visit, one.customer, Purpose.RECOVERY),
    )


def _due(one: RecoveryRow) -> str:
    if one.state is RecoveryState.FROZEN:
        return "when it is released"
    if one.state is RecoveryState.COOLING:
        return f"may be finished from {moment(one.ready_at)}"
    return f"ends {moment(one.expires_at)}"


def _waiting_row(visit: Visit, one: ApprovalRow) -> tuple[Child, ...]:
    signed = len(visit.desk.desks.approvals.kept.signed(one))
    return (
        h("span", one.id, class_="mono"),
        _beginner(one),
        f"{signed} of {one.needed}",
        moment(one.begun_at),
        moment(one.expires_at),
        _opens(visit, one.payer, Purpose.NOT_ME),
    )


def _beginner(one: ApprovalRow) -> str:
    """Which sort of party began it; a customer's own id is not shown."""
    sort, _, name = one.source.partition(":")
    return "a customer" if sort == "customer" else f"{sort} {name}".strip()


def _opens(visit: Visit, customer: str, purpose: Purpose) -> Markup | None:
    """A form that looks a customer up for `purpose`, where the role may have it."""
    if purpose not in purposes_for(visit.acts()):
        return None
    return h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        hidden("who", customer),
        hidden("purpose", purpose.value),
        h("button", _OPEN[purpose], class_="small plain"),
        method="post",
        action="/desk/find",
    )


def shown_recoveries(visit: Visit, customer: Customer, parts: frozenset[Part]) -> Iterable[Markup]:
    """The recoveries and freezes of `customer`, and what the role may do about them.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    if Part.RECOVERIES not in parts:
        return
    yield h("h2", "Recoveries")
    rows = visit.desk.desks.recovery.of(customer.id)
    shown: list[tuple[Child, ...]] = [
        (
            h("span", one.id, class_="mono"),
            one.kind.value,
            one.state.value,
            one.opener.value,
            moment(one.opened_at),
            _due(one) if not one.ended_at else f"ended {moment(one.ended_at)}",
        )
        for one in rows
    ]
    yield _or_none(("Case", "Kind", "State", "Opened by", "Opened", "Due"), shown, "Recoveries")
    running = [one for one in rows if runs(one)]
    for one in running:
        ready = one.ready_at <= visit.desk.now()
        names = ("finish-recovery", "cancel-recovery") if ready else ("cancel-recovery",)
        yield from _forms(visit, names, {"recovery": one.id})
    if any(frozen(one) for one in rows):
        yield from _forms(visit, ("view-frozen", "release-account"), {"customer": customer.id})
        return
    number = {"number": customer.account}
    if not running and customer.status is not CustomerStatus.ERASED:
        yield from _forms(visit, ("open-recovery",), number)
    if customer.status is not CustomerStatus.ERASED:
        yield from _forms(visit, ("freeze-account",), number)


def shown_approvals(visit: Visit, customer: Customer, parts: frozenset[Part]) -> Iterable[Markup]:
    """What waits for `customer`, the risk state, and what the role may do about them.

    What is to be paid, and to whom, is between the customer and who asked: it is not shown.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4; 7.4.5
    """
    if Part.APPROVALS not in parts:
        return
    kept, now = visit.desk.desks.approvals.kept, visit.desk.now()
    yield h("h2", "Requests that wait")
    pending = kept.pending(customer.id)
    rows: list[tuple[Child, ...]] = [
        (
            h("span", one.id, class_="mono"),
            _beginner(one),
            "pays" if one.payer == customer.id else "approves for somebody else",
            f"{len(kept.signed(one))} of {one.needed}",
            moment(one.expires_at),
        )
        for one in pending
    ]
    yield _or_none(("Request", "Begun by", "The customer", "Signed", "Ends"), rows, "Requests")
    for one in pending:
        yield from _forms(visit, ("cancel-approval",), {"approval": one.id})
    yield h("h2", "Risk state")
    yield note(*_risk(visit, customer, now))
    if kept.score(customer.id, now):
        yield from _forms(visit, ("clear-risk",), {"customer": customer.id})


def _risk(visit: Visit, customer: Customer, now: Instant) -> tuple[str, str]:
    kept = visit.desk.desks.approvals.kept
    row, score = kept.risk(customer.id), kept.score(customer.id, now)
    if row is None or not score:
        return "None is in force.", ""
    times = "once" if row.denials == 1 else f"{row.denials} times"
    return (
        f"The customer said {times} that it was somebody else; the score is {score} of 1000.",
        f"Since {moment(row.since)}, until {moment(row.since + DAY_MS)} or two people clear it.",
    )


def _forms(visit: Visit, names: Iterable[str], known: dict[str, str]) -> Iterable[Markup]:
    """A form for each of `names` that the role may do."""
    for name in names:
        if visit.may(name):
            draft = DRAFTS[name]
            yield h("h3", draft.says)
            mark = f"{name}-{next(iter(known.values()))}"
            yield act_form(visit, name, draft, known, draft.says, mark=mark)
