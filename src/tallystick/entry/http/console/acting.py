"""Acts at the desk: drawn up in a form, shown as they will be signed, signed by a passkey.

The challenge of the passkey is the digest of the canonical act on the page, and the act has the
digest of the body on the page: what was read is what was signed.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3; W3C WebAuthn Level 3, 7.2
"""

from starlette.responses import Response

from tallystick.application.commands import PerformAct
from tallystick.entry.http.console.bodies import (
    ALONE_MS,
    SECONDED_MS,
    body_from,
    draft_of,
    prepared,
)
from tallystick.entry.http.console.coming import asserted_in, assertion_in, field, passkey_form
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import ANYBODY, DRAFTS, Asked, Draft
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.outcomes import not_as_shown, outcome
from tallystick.entry.http.console.page import hidden, moment, note, page, pairs
from tallystick.entry.http.console.sessions import Prepared
from tallystick.infrastructure.crypto.passkeys import agree
from tallystick.infrastructure.envelope.acts import act_challenge, asserted_act
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Broken, Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.protocol.operators import ActReply

_bodies = Decoder(dict[str, object], limit=1024 * 1024)
_PAGES = {"remove-passkey": "/desk/passkeys"}
"""Acts that begin on a page of their own."""

_LABELS = {asked.name: asked.label for one in DRAFTS.values() for asked in one.fields}


async def acts_page(visit: Visit) -> Response:
    """The acts that the operator's role may do.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    await visit.view("acts")
    two = visit.desk.desks.policy.compiled.policy.operators.two_people
    rows = [
        h(
            "li",
            h("a", draft.says, href=_PAGES.get(name, f"/desk/acts/new/{name}")),
            h("span", " - two people", class_="soft") if name in two else None,
        )
        for name, draft in DRAFTS.items()
        if name != "decline-act" and (name in ANYBODY or visit.may(name))
    ]
    inside = (
        h("h1", "Acts"),
        h(
            "p",
            "What your role may do. Each act is shown as it will be recorded before your passkey"
            " signs it.",
            class_="lead",
        ),
        h("ul", *rows),
    )
    return page("Acts", inside, frame=await visit.frame(), here="/desk/acts")


async def new_act_page(visit: Visit) -> Response:
    """The form of one act.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    name: str = visit.request.path_params["name"]
    draft = draft_of(name)
    _check_role(visit, name)
    await visit.view("act-form")
    inside = (h("h1", draft.says), act_form(visit, name, draft))
    return page(draft.says, inside, frame=await visit.frame(), here="/desk/acts", narrow=True)


def act_form(
    visit: Visit,
    name: str,
    draft: Draft,
    given: dict[str, str] | None = None,
    says: str = "",
    *,
    mark: str = "",
) -> Markup:
    """A form that draws up act `name`; fields in `given` are filled in and not shown.

    `mark` tells its fields from those of other forms on the page.

    Source: WCAG 2.2, 3.3.2
    """
    known = given or {}
    shown = [_field(one, mark) for one in draft.fields if one.name not in known]
    return h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        hidden("name_of_act", name),
        *(hidden(key, value) for key, value in known.items()),
        h("div", *shown, class_="fields") if shown else None,
        h("button", says or "Go on to sign", class_="stop" if draft.dangerous else None),
        method="post",
        action="/desk/acts",
    )


def _field(asked: Asked, mark: str) -> Markup:
    identifier = f"f-{mark}-{asked.name}" if mark else f"f-{asked.name}"
    if asked.words:
        options = [h("option", one, value=one) for one in asked.words]
        return h(
            "div",
            h("label", asked.label, for_=identifier),
            h("select", *options, id=identifier, name=asked.name),
        )
    return field(
        asked.name, asked.label, asked.hint, required=asked.required, identifier=identifier
    )


async def draw_up(visit: Visit) -> Response:
    """Make the act that the form asks for, and lead to where it is signed.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    name = visit.form.get("name_of_act", "")
    draft_of(name)
    _check_role(visit, name)
    body, code = body_from(name, visit.form)
    two = visit.desk.desks.policy.compiled.policy.operators.two_people
    one = prepared(
        name,
        visit.operator.id,
        body,
        visit.desk.now(),
        visit.desk.platform.module.random(10),
        life_ms=SECONDED_MS if name in two else ALONE_MS,
        code=code,
    )
    visit.live.prepare(one)
    return redirect(f"/desk/acts/{one.act.id}")


def _check_role(visit: Visit, name: str) -> None:
    """Refuse early what the writer would refuse: the policy decides again when it is signed."""
    running = visit.desk.desks.desk.emergencies.running(visit.operator.id, name, visit.desk.now())
    if name not in ANYBODY and not visit.may(name) and not running:
        raise NotPermitted(
            "your role does not do this",
            because=f"role {visit.operator.role}",
            remedy="ask somebody whose role may",
        )


async def act_page(visit: Visit) -> Response:
    """An act that is to be signed, or what it came to.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    identifier: str = visit.request.path_params["act"]
    finished = visit.live.shown(identifier)
    if finished is not None:
        return await _result(visit, *finished)
    one = visit.live.prepared.get(identifier)
    if one is None:
        raise NotFound("no such act is being drawn up in this session", remedy="draw it up again")
    own = visit.desk.desks.operators.passkeys.of(visit.operator.id)
    if not own:
        raise NotPermitted(
            "you have no passkey", remedy="invite one with your key: tallystick operator invite"
        )
    options: dict[str, object] = {
        "challenge": b64url(act_challenge(one.octets)),
        "rp": visit.desk.settings.rp_id,
        "credentials": [passkey.credential for passkey in own],
    }
    says = "Approve with my passkey" if one.act.approves else "Sign with my passkey"
    secret = hidden("secret", visit.live.form_secret.reveal())
    title = DRAFTS[one.act.name].says if one.act.name in DRAFTS else one.act.name
    inside = (
        h("h1", f"Sign: {title}"),
        h("p", "Read it. What stands here is what your passkey signs.", class_="lead"),
        *_what_it_does(visit, one),
        *what_is_signed(one),
        passkey_form("get", options, f"/desk/acts/{identifier}", says, secret),
        h("p", h("a", "Leave it unsigned", href="/desk")),
    )
    return page(f"Sign: {title}", inside, frame=await visit.frame(), here="/desk/acts")


def _what_it_does(visit: Visit, one: Prepared) -> tuple[Markup, ...]:
    """What was shown of the act that this one approves, which the signature binds."""
    found = visit.live.rehearsed.get(one.act.approves)
    if found is None or found.shown != one.act.shown:
        return ()
    return (h("h2", "What it does"), *outcome(found), h("h2", "What you sign"))


def what_is_signed(one: Prepared) -> tuple[Markup, ...]:
    """The act and its body, in words and as the very octets.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows: list[tuple[str, str | Markup]] = [("Act", one.act.name)]
    if one.act.approves:
        rows.append(("Approves", h("span", one.act.approves, class_="mono")))
    return (
        pairs([*rows, *body_rows(one.body), ("Good until", moment(one.act.expires_at))]),
        h(
            "details",
            h("summary", "The exact text"),
            h("p", "Body", class_="soft"),
            h("pre", one.body.decode(), class_="mono", id="canonical-body"),
            h("p", "Act; the digest of this is what the passkey signs", class_="soft"),
            h("pre", one.octets.decode(), class_="mono", id="canonical-act"),
            open=True,
        ),
    )


def body_rows(body: bytes) -> list[tuple[str, str | Markup]]:
    """The fields of a canonical body, labelled.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    rows: list[tuple[str, str | Markup]] = []
    for key, value in _bodies.decode(body).items():
        label = _LABELS.get(key, key.replace("_", " ").capitalize())
        text = value if isinstance(value, str) else encode_canonical(value).decode()
        rows.append((label, text[:600]))
    return rows


async def sign(visit: Visit) -> Response:
    """Take the passkey's signature and hand the act to the writer.

    The act is the one that this session prepared: a browser sends no act, only the assertion. It
    is used up whatever comes of it.

    Source: W3C WebAuthn Level 3, 7.2; ISO/TS 12812-2:2017, 7.3.3
    """
    identifier: str = visit.request.path_params["act"]
    asserted = asserted_in(visit.form.get("given", ""))
    one = visit.live.prepared.pop(identifier, None)
    if one is None:
        raise NotFound("this act was signed or left before", remedy="draw it up again")
    desk, operators = visit.desk, visit.desk.desks.operators
    assertion = assertion_in(asserted)
    passkey = operators.passkeys.get(asserted.credential)
    if passkey.operator != visit.operator.id:
        raise NotAuthentic("another person's passkey signed", remedy="use your own")
    agree(
        desk.settings.relying(),
        act_challenge(one.octets),
        b64url_decode(asserted.credential),
        passkey.public,
        assertion,
    )
    text = asserted_act(one.octets, asserted.credential, assertion)
    signed = operators.verify(text, one.body, one.act.name, desk.now())
    try:
        reply = await desk.told(PerformAct(signed))
    except Conflict as error:
        if not signed.bound:
            raise
        return await not_as_shown(visit, one.act.approves, error)
    if not isinstance(reply, ActReply):
        raise Broken("an act gives another answer")
    visit.live.finish(identifier, reply, one.code)
    return redirect(f"/desk/acts/{identifier}")


async def _result(visit: Visit, reply: ActReply, code: object) -> Response:
    waits = reply.state == "waiting"
    title = "Waiting for a second person" if waits else "Done"
    rows: list[tuple[str, str | Markup | None]] = [
        ("Act", h("span", reply.act, class_="mono")),
        ("Event in the log", str(reply.event)),
    ]
    if reply.reference:
        rows.append(("Reference", h("span", reply.reference, class_="mono")))
    inside = (
        h("h1", title),
        note(f"{reply.says[:1].upper()}{reply.says[1:]}.", kind="" if waits else "good"),
        *_once(reply, code),
        pairs(rows),
        h("p", h("a", "Home", href="/desk", class_="button plain")),
    )
    return page(title, inside, frame=await visit.frame(), here="/desk/acts")


def _once(reply: ActReply, code: object) -> tuple[Markup, ...]:
    reveal = getattr(code, "reveal", None)
    if reveal is None:
        return ()
    shown = f"{reply.reference}.{reveal()}" if reply.reference.startswith("wkl_") else reveal()
    return (
        h("h2", "Shown once"),
        h("p", shown, class_="code", id="once"),
        h(
            "p",
            "Hand it over now; it is not kept and cannot be shown again."
            " It works once a second person has approved, where the policy asks for one.",
            class_="soft",
        ),
    )
