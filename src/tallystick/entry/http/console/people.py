"""Customers at the desk: found by number or id for a chosen purpose, shown as far as it opens.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.5; 14.2.1
"""

from collections.abc import Iterable

from starlette.responses import Response

from tallystick.application.customers import Customer, CustomerStatus, Profile
from tallystick.application.devices import Device
from tallystick.application.devices.store import devices_of
from tallystick.application.notices.model import NoticeRow
from tallystick.application.notices.store import notices_to
from tallystick.application.payments.model import OrderRow
from tallystick.application.payments.store import ORDER, last_orders_of
from tallystick.application.recovery.rules import suspended
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.cases import shown_approvals, shown_recoveries
from tallystick.entry.http.console.coming import field
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.devices import said_of_tries, shown_devices
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, page, pairs, table
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.ids import check_id
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.purposes import (
    PURPOSES,
    Part,
    Purpose,
    masked_name,
    masked_number,
    purposes_for,
)

WINDOW = 20_000
"""Among how many of the newest orders and notices those of one customer are looked for."""

MOST = 10
_FIND = "/desk/find"
_ACTS = ("issue-activation", "unlock-customer", "change-tier")


class Known(Record, frozen=True, kw_only=True):
    """What the store has of one customer besides the customer's own row.

    `used` has limit, amount and count of each limit account, `tries` what each device said.
    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    devices: tuple[Device, ...]
    orders: tuple[OrderRow, ...]
    notices: tuple[NoticeRow, ...]
    available_minor: int
    ceiling_minor: int
    used: tuple[tuple[str, int, int], ...]
    tries: dict[str, str]


async def find_page(visit: Visit) -> Response:
    """The form to find a customer with.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    await visit.view("find")
    return await _find_form(visit)


async def _find_form(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    purposes = purposes_for(visit.acts())
    inside: tuple[Markup | None, ...]
    if purposes:
        inside = (
            note("Nobody was found.", wrong, "bad") if wrong else None,
            h(
                "form",
                hidden("secret", visit.live.form_secret.reveal()),
                h(
                    "div",
                    field(
                        "who",
                        "Number or id",
                        "Telephone number with plus, till number, acc_ or cus_ id.",
                        most=40,
                        wrong=bool(wrong),
                    ),
                    purpose_field(purposes),
                    class_="fields",
                ),
                h("button", "Find"),
                method="post",
                action=_FIND,
            ),
        )
    else:
        inside = (note("Your role has no purpose to look at a customer."),)
    says = "Every search is recorded with its purpose, found or not. Choose the true one."
    shown = (h("h1", "Find a customer"), h("p", says, class_="lead"), *inside)
    return page(
        "Find a customer",
        shown,
        frame=await visit.frame(),
        here=_FIND,
        status=status,
        narrow=True,
    )


def purpose_field(purposes: Iterable[Purpose]) -> Markup:
    """The choice of a purpose; none is chosen beforehand.

    Source: ISO/TS 12812-2:2017, 7.3.4; WCAG 2.2, 1.3.1
    """
    choices = [
        h(
            "label",
            h("input", type="radio", name="purpose", value=one.value, required=True),
            h("span", PURPOSES[one].says),
            class_="choice",
        )
        for one in purposes
    ]
    return h("fieldset", h("legend", "Purpose"), *choices)


async def find(visit: Visit) -> Response:
    """Look a customer up, record it, and lead to the page.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    if not visit.form.get("purpose"):
        return await _find_form(visit, "Choose a purpose.", Malformed.status)
    purpose = visit.purpose(visit.form["purpose"])
    visit.desk.sessions.count_find(visit.operator.id, visit.desk.now())
    who = visit.form.get("who", "")
    typed = "".join(one for one in who if one not in " -()\u00a0")
    try:
        customer = _looked_up(visit, typed)
    except (NotFound, Malformed) as error:
        await visit.view("find", purpose.value, found=False)
        says = f"{error.detail[:1].upper()}{error.detail[1:]}. Check it digit by digit."
        return await _find_form(visit, says, error.status)
    visit.live.purposes[customer.id] = purpose
    return redirect(f"/desk/customers/{customer.id}")


def _looked_up(visit: Visit, typed: str) -> Customer:
    customers = visit.desk.desks.customers
    if typed.startswith("cus_"):
        return customers.get(check_id(typed, "cus"))
    plausible = typed.startswith("acc_") or typed.removeprefix("+").isdigit()
    if not plausible or not typed.isascii() or len(typed) > 40:
        raise Malformed("that is no number and no id")
    return customers.by_alias(typed)


async def customer_page(visit: Visit) -> Response:
    """A customer, as far as the purpose of this session opens it.

    Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
    """
    identifier = check_id(visit.request.path_params["customer"], "cus")
    purpose = visit.live.purposes.get(identifier)
    if purpose is None or purpose not in purposes_for(visit.acts()):
        raise NotPermitted(
            "this session has no purpose to look at this customer",
            remedy="find the customer and choose one",
        )
    customer = visit.desk.desks.customers.get(identifier)
    parts = await visit.view("customer", purpose.value, customer=identifier)
    profile = _profile(visit, customer)
    known = await visit.desk.read(lambda reader: _known(reader, customer))
    name = _name(profile, parts)
    inside = (
        h("h1", name),
        h("p", f"Purpose: {PURPOSES[purpose].says}. This view is recorded.", class_="lead"),
        pairs(_facts(visit, customer, profile, parts)),
        *shown_devices(visit, known.devices, known.tries, parts),
        *shown_recoveries(visit, customer, parts),
        *shown_approvals(visit, customer, parts),
        *_limits(visit, customer, known, parts),
        *_payments(visit, customer, known, parts),
        *_notices(known, parts),
        *_acts(visit, customer),
    )
    return page("Customer", inside, frame=await visit.frame(), here=_FIND)


def _profile(visit: Visit, customer: Customer) -> Profile | None:
    try:
        return visit.desk.desks.customers.profile(customer)
    except MfsError:
        return None


def _name(profile: Profile | None, parts: frozenset[Part]) -> str:
    if profile is None:
        return "Erased"
    return profile.name if Part.NAME in parts else masked_name(profile.name)


def _known(reader: Connection, customer: Customer) -> Known:
    orders = RowCache(ORDER, OrderRow, reader, capacity=MOST)
    ids = last_orders_of(reader, customer.account, MOST, WINDOW)
    orders.prefetch(ids)
    state = LedgerState()
    LedgerStore(reader).load_accounts(state, (customer.account,))
    account = state.accounts.get(customer.account)
    used = [
        (one.limit_id, one.amount, one.count)
        for (owner, _), one in sorted(state.limits.items())
        if owner == customer.account
    ]
    devices = tuple(devices_of(reader, customer.id))
    return Known(
        devices=devices,
        tries=said_of_tries(reader, devices),
        orders=tuple(row for one in ids if (row := orders.get(one)) is not None),
        notices=tuple(notices_to(reader, customer.id, MOST, WINDOW)),
        available_minor=0 if account is None else account.available() + account.floor,
        ceiling_minor=0 if account is None else account.ceiling,
        used=tuple(used),
    )


def _facts(
    visit: Visit, customer: Customer, profile: Profile | None, parts: frozenset[Part]
) -> list[tuple[str, str | Markup]]:
    blocked = customer.pin_blocked_until > visit.desk.now()
    pin = "none is set"
    if customer.pin:
        pin = "blocked" if blocked else f"set, {customer.pin_failures} wrong tries"
    number = "" if profile is None else profile.msisdn
    return [
        ("Customer", h("span", customer.id, class_="mono")),
        ("Number", number if Part.NUMBER in parts else masked_number(number)),
        ("Kind", customer.kind.value),
        ("Status", customer.status.value),
        ("Tier", str(customer.tier)),
        ("Opened", iso_utc(customer.opened_at)[:10]),
        ("PIN", pin),
    ]


def _limits(
    visit: Visit, customer: Customer, known: Known, parts: frozenset[Part]
) -> Iterable[Markup]:
    if Part.LIMITS not in parts and Part.BALANCE not in parts:
        return
    currency = visit.desk.platform.settings.currency
    yield h("h2", "Limits")
    rows: list[tuple[str, str]] = []
    if Part.BALANCE in parts:
        rows.append(("Available", str(Money(known.available_minor, currency))))
    tier = visit.desk.desks.policy.compiled.policy.tiers.get(customer.tier)
    if tier is not None:
        ceiling = tier.max_balance_minor
        most = str(Money(ceiling, currency)) if ceiling < 2**53 else "no ceiling"
        rows.append(("May keep", f"{most} ({tier.label})"))
    for limit, amount, count in known.used:
        says = f"{count} payments"
        rows.append((f"Used of {limit}", f"{says}, {Money(amount, currency)}"))
    if not known.used:
        rows.append(("Used", "nothing in any window"))
    yield pairs(rows)


def _payments(
    visit: Visit, customer: Customer, known: Known, parts: frozenset[Part]
) -> Iterable[Markup]:
    if Part.PAYMENTS not in parts:
        return
    yield h("h2", "Last payments")
    if not known.orders:
        yield note(f"None among the last {WINDOW:,} of the service.")
        return
    traces = visit.may("trace-payment")
    for one in known.orders:
        if traces:
            visit.live.purposes.setdefault(one.id, visit.live.purposes[customer.id])
    rows = [
        (
            h("a", one.id, href=f"/desk/payments/{one.id}", class_="mono")
            if traces
            else h("span", one.id, class_="mono"),
            "out" if one.payer == customer.account else "in",
            one.kind.value,
            one.stage.value + (f": {one.because or one.detail}" if one.error else ""),
            str(Money(one.amount_minor, one.currency)) if Part.AMOUNTS in parts else "masked",
            moment(one.at),
        )
        for one in known.orders
    ]
    yield table("Last payments", ("Order", "Direction", "Kind", "Stage", "Amount", "At"), rows)


def _notices(known: Known, parts: frozenset[Part]) -> Iterable[Markup]:
    if Part.NOTICES not in parts:
        return
    yield h("h2", "Notices sent")
    if not known.notices:
        yield note(f"None among the last {WINDOW:,} of the service.")
        return
    rows = [(one.template.value, moment(one.created_at), _delivery(one)) for one in known.notices]
    yield table("Notices sent", ("About", "At", "Delivery"), rows)


def _delivery(one: NoticeRow) -> str:
    if one.delivered_at:
        return f"taken at try {one.attempts}"
    return f"waits, {one.attempts} tries" if one.due_at else f"given up after {one.attempts} tries"


def _acts(visit: Visit, customer: Customer) -> Iterable[Markup]:
    """What may be done for the customer, who is named by account: the number stays masked."""
    if customer.status is CustomerStatus.ERASED:
        return
    names = [name for name in (*_ACTS, _stops(visit, customer)) if visit.may(name)]
    if names:
        yield h("h2", "Acts")
        for name in names:
            known = {"number": customer.account}
            yield h("h3", DRAFTS[name].says)
            yield act_form(visit, name, DRAFTS[name], known, DRAFTS[name].says, mark=name)


def _stops(visit: Visit, customer: Customer) -> str:
    """Which act suspends the customer or ends that; a freeze alone is no matter of either."""
    if customer.status is not CustomerStatus.SUSPENDED:
        return "suspend-customer"
    rows = visit.desk.desks.recovery.of(customer.id)
    return "resume-customer" if any(suspended(one) for one in rows) else ""
