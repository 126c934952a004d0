"""Coming to the desk and leaving it: an invited passkey, a sign-in, a sign-out.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; W3C WebAuthn Level 3, 7
"""

import re
from collections.abc import Mapping

from starlette.responses import Response

from tallystick.application.desk.model import JoinWithPasskey, SignIn
from tallystick.application.operators import NewcomerPasskey
from tallystick.entry.http.asked import peer_of
from tallystick.entry.http.console.desk import DeskContext, Visit
from tallystick.entry.http.console.guard import place_in_desk, redirect
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import hidden, note, page
from tallystick.entry.http.console.sessions import ABSOLUTE_MS, COOKIE
from tallystick.infrastructure.crypto.passkeys import agree, registered
from tallystick.infrastructure.crypto.webauthn import Assertion, check_assertion
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.protocol.desk import Asserted, Created

_SIGN_IN, _JOIN = b"sign-in", b"join"
FAILED_COST = 5.0
_CODE = re.compile(r"[0-9A-Z-]{8,40}")
_asserted = Decoder(Asserted, limit=32 * 1024)
_created = Decoder(Created, limit=96 * 1024)
_told = Decoder(dict[str, object], limit=8 * 1024)
_NO_SCRIPT = (
    "A passkey needs JavaScript, here and where an act is signed. Everything else at the desk works"
    " without."
)


async def sign_in_page(visit: Visit) -> Response:
    """The page to sign in at.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    then = place_in_desk(visit.request.query_params.get("then", "/desk"))
    ended = then != "/desk"
    desk = visit.desk
    options: dict[str, object] = {
        "challenge": b64url(desk.sessions.challenges.make(_SIGN_IN, desk.now())),
        "rp": desk.settings.rp_id,
        "credentials": [],
    }
    form = passkey_form(
        "get", options, "/desk/sign-in", "Sign in with a passkey", hidden("then", then)
    )
    with_oidc = None
    if desk.settings.oidc is not None:
        with_oidc = h(
            "p",
            h("a", "Sign in through the identity provider", href="/desk/oidc"),
            " to read; to act you need your passkey.",
        )
    inside = (
        h("h1", "Sign in"),
        h("p", "The desk knows you by your passkey. There is no password.", class_="lead"),
        note("Your session has ended, or none was begun. You return to where you were.")
        if ended
        else None,
        form,
        with_oidc,
        h("p", "Invited? ", h("a", "Enrol a passkey with your code", href="/desk/join"), "."),
    )
    return page("Sign in", inside, narrow=True)


async def sign_in(visit: Visit) -> Response:
    """Open a session for the passkey that asserted the page's challenge.

    Source: W3C WebAuthn Level 3, 7.2; ISO/TS 12812-2:2017, 7.3.2
    """
    desk = visit.desk
    try:
        operator, credential, counter = _who(desk, visit.form.get("given", ""))
        await desk.told(SignIn(operator, credential, counter))
    except NotAuthentic:
        desk.accounting.admit_source(peer_of(visit.request), desk.now(), FAILED_COST)
        raise
    then = place_in_desk(visit.form.get("then", "/desk"))
    return with_session(visit, operator, "passkey", then, credential=credential)


def _who(desk: DeskContext, given: str) -> tuple[str, str, int]:
    asserted = _asserted.decode(given.encode())
    assertion = assertion_in(asserted)
    challenge = _challenge_in(assertion.client_data)
    desk.sessions.challenges.take(_SIGN_IN, challenge, desk.now())
    passkey = desk.desks.operators.passkeys.get(asserted.credential)
    relying = desk.settings.relying()
    counter = check_assertion(
        assertion, challenge=challenge, public=passkey.public, relying=relying
    )
    agree(relying, challenge, b64url_decode(asserted.credential), passkey.public, assertion)
    return passkey.operator, passkey.credential, counter


def assertion_in(asserted: Asserted) -> Assertion:
    """The octets of what a browser gave.

    Source: W3C WebAuthn Level 3, 5.2.2
    """
    return Assertion(
        b64url_decode(asserted.authenticator_data),
        b64url_decode(asserted.client_data),
        b64url_decode(asserted.signature),
    )


def asserted_in(given: str) -> Asserted:
    """What the script of the page put into the form.

    Raises Malformed.
    Source: W3C WebAuthn Level 3, 5.2.2
    """
    if not given:
        raise Malformed("no passkey signed", remedy="JavaScript has to be on for a passkey")
    return _asserted.decode(given.encode())


def _challenge_in(client_data: bytes) -> bytes:
    try:
        return b64url_decode(str(_told.decode(client_data).get("challenge", "")))
    except MfsError as error:
        raise NotAuthentic("the passkey did not sign this", remedy="try again") from error


def with_session(
    visit: Visit, operator: str, grade: str, then: str, *, credential: str = "", via: str = ""
) -> Response:
    """A new session in a new cookie, of the passkey `credential`; what the browser sent before
    ends.

    A page that another site led to goes on by `via`, since a strict cookie is not sent there.
    Source: RFC 6265, 5.2
    """
    desk = visit.desk
    desk.sessions.close(visit.request.cookies.get(COOKIE, ""))
    cookie = desk.sessions.open(operator, grade, desk.now(), credential)
    answer: Response
    if via:
        inside = (h("h1", "Signed in"), h("p", h("a", "Go on", href=then)))
        answer = page("Signed in", inside, refresh=then, narrow=True)
    else:
        answer = redirect(then)
    answer.set_cookie(
        COOKIE,
        cookie.reveal(),
        max_age=ABSOLUTE_MS // 1000,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return answer


async def sign_out(visit: Visit) -> Response:
    """End the session and forget its cookie.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    visit.desk.sessions.close(visit.request.cookies.get(COOKIE, ""))
    inside = (
        h("h1", "Signed out"),
        h("p", h("a", "Sign in again", href="/desk/sign-in", class_="button")),
    )
    answer = page("Signed out", inside, narrow=True)
    answer.headers["clear-site-data"] = '"cache"'
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def join_page(visit: Visit) -> Response:
    """The page where an invited person enrols a passkey.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    desk = visit.desk
    challenge = b64url(desk.sessions.challenges.make(_JOIN, desk.now()))
    options = {
        "challenge": challenge,
        "rp": desk.settings.rp_id,
        "party": desk.platform.settings.provider,
        "person": b64url(desk.platform.module.random(32)),
        "attestation": "direct" if desk.settings.aaguids else "none",
    }
    fields = h(
        "div",
        field("code", "One-time code", "As you were given it; it works once.", most=40),
        field("name", "Your name", "As colleagues read it.", most=80),
        class_="fields",
    )
    form = passkey_form(
        "create", options, "/desk/join", "Make a passkey", hidden("challenge", challenge), fields
    )
    inside = (
        h("h1", "Enrol a passkey"),
        h(
            "p",
            "Your device makes a key that never leaves it, and asks for your finger, face or PIN"
            " whenever you sign.",
            class_="lead",
        ),
        form,
    )
    return page("Enrol a passkey", inside, narrow=True)


async def join(visit: Visit) -> Response:
    """Enrol whoever has the code and the passkey.

    Source: ISO/TS 12812-2:2017, 6.2.1; W3C WebAuthn Level 3, 7.1
    """
    desk, form = visit.desk, visit.form
    now = desk.now()
    challenge = b64url_decode(form.get("challenge", ""))
    desk.sessions.challenges.take(_JOIN, challenge, now)
    desk.accounting.admit_source(peer_of(visit.request), now, FAILED_COST)
    code = Secret(form.get("code", "").strip().upper())
    name = form.get("name", "").strip()
    if not _CODE.fullmatch(code.reveal()) or not 1 <= len(name) <= 80 or not name.isprintable():
        raise Malformed("the code or the name does not fit", remedy="type them again")
    created = _created.decode(form.get("given", "").encode())
    made = {
        "id": created.credential,
        "clientDataJSON": created.client_data,
        "attestationObject": created.attestation,
    }
    aaguids = frozenset(desk.settings.aaguids)
    found = registered(desk.settings.relying(), challenge, made, aaguids)
    new = NewcomerPasskey(
        code_mac=desk.desks.operators.code_mac(code.reveal()),
        name=name,
        credential=found.credential,
        public=found.public,
        counter=found.counter,
        aaguid=found.aaguid,
        synced=found.backed_up,
    )
    await desk.told(JoinWithPasskey(new))
    inside = (
        h("h1", "Your passkey is enrolled"),
        h("p", h("a", "Sign in", href="/desk/sign-in", class_="button")),
    )
    return page("Enrolled", inside, narrow=True)


def passkey_form(
    kind: str, options: Mapping[str, object], action: str, says: str, *fields: Markup
) -> Markup:
    """A form that a passkey completes.

    Source: W3C WebAuthn Level 3, 5.1
    """
    return h(
        "form",
        *fields,
        hidden("given", ""),
        h("button", says, disabled=True),
        h("p", role="status", class_="soft"),
        h("noscript", h("p", _NO_SCRIPT, class_="note bad")),
        method="post",
        action=action,
        data_passkey=kind,
        data_options=encode(options).decode(),
    )


def field(
    name: str,
    label: str,
    hint: str = "",
    *,
    value: str = "",
    most: int = 300,
    wrong: bool = False,
    required: bool = True,
    identifier: str = "",
) -> Markup:
    """A labelled field of one line; `identifier` where a name comes twice on a page.

    Source: WCAG 2.2, 1.3.1; 3.3.2
    """
    at = identifier or f"f-{name}"
    return h(
        "div",
        h("label", label, h("span", hint, class_="hint") if hint else None, for_=at),
        h(
            "input",
            type="text",
            id=at,
            name=name,
            value=value or None,
            maxlength=most,
            required=required,
            autocomplete="off",
            spellcheck="false",
            aria_invalid="true" if wrong else None,
        ),
    )


__all__ = [
    "asserted_in",
    "assertion_in",
    "field",
    "join",
    "join_page",
    "passkey_form",
    "sign_in",
    "sign_in_page",
    "sign_out",
    "with_session",
]
