"""A payment traced to its proof: order, decision, event, inclusion proof, checkpoint.

The receipt on the page is verified by the browser with the public key of the log; the desk's word
is not needed for it.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; RFC 9162, 2.1.3
"""

from collections.abc import Iterable

from starlette.responses import Response

from tallystick.application.payments.model import OrderRow
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.coming import field
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import Markup, data, h
from tallystick.entry.http.console.page import (
    SHOWS_PROOF,
    VERIFIER,
    hidden,
    moment,
    note,
    page,
    pairs,
    table,
)
from tallystick.entry.http.console.people import purpose_field
from tallystick.infrastructure.modules.interface import Purpose as KeyPurpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import b64url, encode, to_plain
from tallystick.kernel.errors import MfsError, NotFound, NotPermitted
from tallystick.kernel.ids import check_id, id_time
from tallystick.kernel.money import Money
from tallystick.process.purposes import PURPOSES, Part, purposes_for
from tallystick.protocol.receipt import Disclosure, Receipt

_HERE = "/desk/trace"
_TRACE = "trace-payment"
_OPENED_BY = {
    "amount_minor": Part.AMOUNTS,
    "fee_minor": Part.AMOUNTS,
    "payee_name": Part.NAME,
    "payer": Part.PAYMENTS,
    "payee": Part.PAYMENTS,
    "original": Part.PAYMENTS,
    "consent": Part.PAYMENTS,
}


async def trace_page(visit: Visit) -> Response:
    """The form to trace a payment with.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    await visit.view("trace")
    return await _trace_form(visit)


async def _trace_form(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    _check_role(visit)
    purposes = [one for one in purposes_for(visit.acts()) if Part.PAYMENTS in PURPOSES[one].opens]
    form = h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        h(
            "div",
            field("order", "Order", "ord_ and 26 characters.", most=40, wrong=bool(wrong)),
            purpose_field(purposes),
            class_="fields",
        ),
        h("button", "Trace"),
        method="post",
        action=_HERE,
    )
    inside = (
        h("h1", "Trace a payment"),
        h("p", "From the order to the proof that its event is in the signed log.", class_="lead"),
        note("Nothing was found.", wrong, "bad") if wrong else None,
        form,
    )
    return page(
        "Trace a payment",
        inside,
        frame=await visit.frame(),
        here=_HERE,
        status=status,
        narrow=True,
    )


def _check_role(visit: Visit) -> None:
    if not visit.may(_TRACE):
        raise NotPermitted(
            "your role does not trace payments",
            because=visit.operator.role,
            remedy="ask somebody whose role traces payments",
        )


async def trace(visit: Visit) -> Response:
    """Look an order up, record it, and lead to its page.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    _check_role(visit)
    if not visit.form.get("purpose"):
        return await _trace_form(visit, "Choose a purpose.", 400)
    purpose = visit.purpose(visit.form["purpose"])
    visit.desk.sessions.count_find(visit.operator.id, visit.desk.now())
    try:
        order = _found(visit, visit.form.get("order", "").strip())
    except MfsError as error:
        await visit.view("trace", purpose.value, found=False)
        return await _trace_form(visit, "Check the order's id, letter by letter.", error.status)
    visit.live.purposes[order.id] = purpose
    return redirect(f"/desk/payments/{order.id}")


def _found(visit: Visit, identifier: str) -> OrderRow:
    order = visit.desk.desks.payments.find(check_id(identifier, "ord"))
    if order is None:
        raise NotFound("there is no such order", remedy="look at the order's id")
    return order


async def payment_page(visit: Visit) -> Response:
    """An order, how it was decided, and the proof.

    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """
    _check_role(visit)
    identifier: str = visit.request.path_params["order"]
    purpose = visit.live.purposes.get(identifier)
    if purpose is None or purpose not in purposes_for(visit.acts()):
        raise NotPermitted(
            "this session has no purpose to look at this order",
            remedy="trace it and choose one",
        )
    order = _found(visit, identifier)
    payer = visit.desk.desks.customers.owner(order.payer)
    parts = await visit.view("payment", purpose.value, customer=payer.id, subject=order.id)
    receipt = _receipt(visit, order, parts)
    amount = str(Money(order.amount_minor, order.currency))
    inside = (
        h("h1", "Payment"),
        h("p", f"Purpose: {PURPOSES[purpose].says}. This view is recorded.", class_="lead"),
        pairs(
            [
                ("Order", h("span", order.id, class_="mono")),
                ("Kind", order.kind.value),
                ("Stage", order.stage.value),
                ("Amount", amount if Part.AMOUNTS in parts else "masked"),
                ("From", h("span", order.payer, class_="mono")),
                ("To", h("span", order.payee, class_="mono")),
            ]
        ),
        h("h2", "From order to checkpoint"),
        table("Steps", ("Step", "What", "When"), await _steps(visit, order, receipt)),
        h("h2", "Proof"),
        *_proof(visit, receipt),
        *_reversal(visit, order),
    )
    scripts = (VERIFIER, SHOWS_PROOF) if receipt is not None else ()
    return page("Payment", inside, frame=await visit.frame(), here=_HERE, scripts=scripts)


def _receipt(visit: Visit, order: OrderRow, parts: frozenset[Part]) -> Receipt | None:
    """The receipt with those fields open that the purpose opens; None before it is signed."""
    desks = visit.desk.desks
    opened: tuple[Disclosure, ...] = ()
    try:
        found = desks.payments.proofs.disclosures(order, order.payer)
        opened = tuple(one for one in found if _OPENED_BY.get(one.field) in parts)
    except NotFound:
        pass  # the payer was erased: the proof stays, its fields cannot be opened
    try:
        return visit.desk.platform.archive.receipt(order.event, opened)
    except NotFound:
        return None


async def _steps(
    visit: Visit, order: OrderRow, receipt: Receipt | None
) -> list[tuple[Markup | str, str, str]]:
    says = f"policy {order.policy}, row {order.row}, consent {order.grade}"
    if order.error:
        says += f": {order.error}, {order.because or order.detail}"
    steps: list[tuple[Markup | str, str, str]] = [
        ("Quoted", "the terms were offered under this id", moment(id_time(order.id))),
        ("Refused" if order.error else "Permitted", says, moment(order.at)),
    ]
    leaf = await visit.desk.read(lambda reader: TallyStore(reader).leaf(order.event))
    if leaf is not None:
        event = decode_leaf(leaf)
        steps.append((f"Recorded {event.stage}", f"event {order.event}", moment(event.at)))
    if receipt is not None:
        hashes = len(receipt.proof) * 3 // 4 // 32
        steps.append(("In the tree", f"inclusion proof of {hashes} hashes", ""))
        origin, size, root = receipt.checkpoint.split("\n")[:3]
        steps.append(("Signed", f"checkpoint of {size} events of {origin}, root {root}", ""))
    return steps


def _proof(visit: Visit, receipt: Receipt | None) -> Iterable[Markup]:
    if receipt is None:
        yield note("The event is not signed yet; load the page again in a moment.")
        return
    platform = visit.desk.platform
    public = ModuleSigner(platform.module, platform.keys.newest(KeyPurpose.TALLY)).public()
    given = {
        "receipt": to_plain(receipt),
        "key": b64url(public.octets()),
        "origin": platform.settings.origin,
    }
    text = encode(given).decode()
    yield h(
        "div",
        h("p", "With JavaScript the browser checks this receipt itself.", class_="soft"),
        id="proof",
        aria_live="polite",
    )
    yield data("receipt", text)
    yield h(
        "details",
        h("summary", "The receipt as text"),
        h("pre", encode(to_plain(receipt)).decode(), class_="mono"),
    )


def _reversal(visit: Visit, order: OrderRow) -> Iterable[Markup]:
    if order.stage.value == "settled" and visit.may("reverse-payment"):
        yield h("h2", "Give it back")
        yield act_form(visit, "reverse-payment", DRAFTS["reverse-payment"], {"order": order.id})
