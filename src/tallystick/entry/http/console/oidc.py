"""Sign-in through the provider's own identity provider: to read; an act still takes a passkey.

    /desk/oidc -> identity provider -> /desk/oidc/back (code, state, iss) -> subject -> operator

The state and the PKCE verifier are bound to a cookie of this browser; nothing is kept meanwhile. A
subject stands for an operator only after that operator linked it once, signed in with a passkey.
The role is the operator's own, never what the identity provider says.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207; RFC 9700, 2.1
"""

import asyncio
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from tallystick.application.desk.model import LinkSubject, SignIn
from tallystick.client.http import HttpTransport
from tallystick.client.session import Reply
from tallystick.entry.desk_settings import OidcSettings
from tallystick.entry.http.asked import peer_of
from tallystick.entry.http.console.coming import FAILED_COST, with_session
from tallystick.entry.http.console.desk import DeskContext, Visit
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import h
from tallystick.entry.http.console.page import HEADERS, hidden, page
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.idtoken import Wanted, subject_of
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Expired, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.time import MINUTE_MS, Instant

COOKIE = "__Host-desk-oidc"
BACK = "/desk/oidc/back"
_FORM = "application/x-www-form-urlencoded"
_LIFE_S = 600
_KEYS_MS = 10 * MINUTE_MS
_TICKET_MS = 5 * MINUTE_MS
_tokens = Decoder(dict[str, object], limit=64 * 1024)


class OidcDoors:
    """The way to the identity provider and back.

    Source: OpenID Connect Core 1.0, 3.1
    """

    def __init__(self, desk: DeskContext) -> None:
        self._desk = desk
        self._keys: tuple[Instant, bytes] | None = None
        self._tickets: dict[str, tuple[Instant, str, bytes]] = {}

    async def begin(self, visit: Visit) -> Response:
        """Lead to the identity provider, with a state and a challenge of this browser.

        Source: RFC 7636, 4; OpenID Connect Core 1.0, 3.1.2.1
        """
        oidc = self._settings()
        links = visit.session is not None and visit.session.grade == "passkey"
        cookie = b64url(self._desk.platform.module.random(32))
        kind = _kind(cookie, links=links)
        state = self._desk.sessions.challenges.make(kind, self._desk.now())
        asked = {
            "response_type": "code",
            "client_id": oidc.client_id,
            "redirect_uri": self._desk.settings.origin + BACK,
            "scope": "openid",
            "state": ("l." if links else "s.") + b64url(state),
            "nonce": _nonce(cookie),
            "code_challenge": b64url(sha256(cookie.encode())),
            "code_challenge_method": "S256",
        }
        if oidc.acr:
            asked["acr_values"] = " ".join(oidc.acr)
        to = f"{oidc.authorization_endpoint}?{urlencode(asked)}"
        answer = RedirectResponse(to, 303, HEADERS)
        answer.set_cookie(
            COOKIE, cookie, max_age=_LIFE_S, path="/", secure=True, httponly=True, samesite="lax"
        )
        return answer

    async def back(self, visit: Visit) -> Response:
        """Take the code, learn the subject, and sign its operator in, or offer to link it.

        Raises NotAuthentic for another issuer, Expired for a state that is not of this browser.
        Source: OpenID Connect Core 1.0, 3.1.2.5; RFC 9207, 2.4
        """
        oidc, query = self._settings(), visit.request.query_params
        cookie = visit.request.cookies.get(COOKIE, "")
        mode, _, state = query.get("state", "").partition(".")
        links = mode == "l"
        self._desk.accounting.admit_source(peer_of(visit.request), self._desk.now(), FAILED_COST)
        challenges = self._desk.sessions.challenges
        challenges.take(_kind(cookie, links=links), b64url_decode(state), self._desk.now())
        if query.get("iss", "") != oidc.issuer:
            raise NotAuthentic("another identity provider answered", remedy="begin again")
        if "error" in query or not query.get("code"):
            raise NotPermitted(
                "the identity provider did not sign you in", remedy="use your passkey"
            )
        subject = await self._subject(oidc, query["code"], cookie)
        if links:
            return self._offer_link(cookie, subject)
        operator = self._desk.desks.desk.views.linked(oidc.issuer, subject)
        await self._desk.told(SignIn(operator, "", 0))
        answer = with_session(visit, operator, "oidc", "/desk", via=BACK)
        answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _offer_link(self, cookie: str, subject: str) -> Response:
        """A page that this site leads on from, so that the session's strict cookie is sent."""
        now = self._desk.now()
        self._tickets = {one: kept for one, kept in self._tickets.items() if kept[0] > now}
        ticket = b64url(self._desk.platform.module.random(24))
        self._tickets[ticket] = (Instant(now + _TICKET_MS), subject, sha256(cookie.encode()))
        to = f"/desk/oidc/link?ticket={ticket}"
        inside = (h("h1", "Almost linked"), h("p", h("a", "Go on", href=to)))
        return page("Almost linked", inside, refresh=to, narrow=True)

    async def link_page(self, visit: Visit) -> Response:
        """Ask the operator whether the account that just signed in is theirs.

        Source: OpenID Connect Core 1.0, 5.7
        """
        ticket = visit.request.query_params.get("ticket", "")
        if ticket not in self._tickets:
            raise Expired("this page was open for too long", remedy="begin to link again")
        form = h(
            "form",
            hidden("secret", visit.live.form_secret.reveal()),
            hidden("ticket", ticket),
            h("button", "Link it"),
            method="post",
            action="/desk/oidc/link",
        )
        inside = (
            h("h1", "Link your account"),
            h(
                "p",
                "Whoever signs in to this account of the identity provider will read at the desk as"
                " you. Acts keep asking for your passkey.",
                class_="lead",
            ),
            form,
        )
        return page("Link your account", inside, frame=await visit.frame(), narrow=True)

    async def link(self, visit: Visit) -> Response:
        """Link the account, in a session that a passkey opened.

        Raises NotPermitted otherwise.
        Source: OpenID Connect Core 1.0, 5.7
        """
        kept = self._tickets.pop(visit.form.get("ticket", ""), None)
        cookie = visit.request.cookies.get(COOKIE, "")
        if kept is None or kept[0] <= visit.desk.now() or kept[2] != sha256(cookie.encode()):
            raise Expired("this page was open for too long", remedy="begin to link again")
        if visit.live.grade != "passkey":
            raise NotPermitted(
                "only who came with a passkey links an account",
                remedy="sign in with your passkey, and link again",
            )
        await self._desk.told(LinkSubject(self._settings().issuer, kept[1], visit.operator.id))
        return redirect("/desk")

    async def _subject(self, oidc: OidcSettings, code: str, cookie: str) -> str:
        body = urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._desk.settings.origin + BACK,
                "client_id": oidc.client_id,
                "code_verifier": cookie,
            }
        ).encode()
        reply = await asyncio.to_thread(_asked, oidc.token_endpoint, body)
        given = _tokens.decode(reply.body).get("id_token") if reply.status == 200 else None
        if not isinstance(given, str):
            raise NotAuthentic("the identity provider gave no answer", remedy="begin again")
        wanted = Wanted(
            issuer=oidc.issuer,
            client_id=oidc.client_id,
            nonce=_nonce(cookie),
            algorithms=oidc.algorithms,
            acr=frozenset(oidc.acr),
            amr=frozenset(oidc.amr),
        )
        return subject_of(given, await self._key_set(oidc), wanted, self._desk.now())

    async def _key_set(self, oidc: OidcSettings) -> bytes:
        now = self._desk.now()
        if self._keys is None or now - self._keys[0] > _KEYS_MS:
            reply = await asyncio.to_thread(_asked, oidc.jwks_uri, None)
            if reply.status != 200:
                raise NotAuthentic("the identity provider has no keys", remedy="begin again")
            self._keys = (now, reply.body)
        return self._keys[1]

    def _settings(self) -> OidcSettings:
        if self._desk.settings.oidc is None:
            raise NotFound("there is no identity provider here", remedy="use your passkey")
        return self._desk.settings.oidc


def _asked(url: str, body: bytes | None) -> Reply:
    parts = urlsplit(url)
    transport = HttpTransport(f"{parts.scheme}://{parts.netloc}", timeout_s=5.0)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        return transport.get(path) if body is None else transport.post(path, body, _FORM)
    finally:
        transport.close()


def _kind(cookie: str, *, links: bool) -> bytes:
    return (b"link" if links else b"oidc") + sha256(cookie.encode())


def _nonce(cookie: str) -> str:
    return b64url(sha256(b"nonce\x00" + cookie.encode()))
