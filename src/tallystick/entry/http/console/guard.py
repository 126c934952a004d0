"""What lets a request in: same origin, form secret, live session; and how a refusal looks.

A form is taken only from a page of this origin (Sec-Fetch-Site, Origin) with the secret of the
session in it. A session that has ended leads to the sign-in and from there back to the page.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.2.4; W3C Fetch Metadata Request Headers
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tallystick.entry.http.asked import asked_for, body_of, count_answer
from tallystick.entry.http.console.desk import DeskContext, Visit
from tallystick.entry.http.console.markup import h
from tallystick.entry.http.console.page import HEADERS, note, page
from tallystick.entry.http.console.sessions import COOKIE, DeskSession
from tallystick.kernel.errors import (
    Broken,
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    RateLimited,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant

MAX_FORM_BYTES = 128 * 1024
_FORM = "application/x-www-form-urlencoded"
_COST = 0.2
_HOME = "/desk"

Door = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(desk: DeskContext, name: str, door: Door, *, public: bool = False) -> Endpoint:
    """`door` as an endpoint, behind the guard; a `public` one takes who is not signed in.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    async def endpoint(request: Request) -> Response:
        asked_for(request, f"desk.{name}")
        visit = Visit(desk, request)
        try:
            await _let_in(visit, public=public)
            if visit.session is None and not public:
                return _to_sign_in(request)
            answer = await door(visit)
        except MfsError as error:
            count_answer(desk.accounting, request, error.status, error.code)
            return await refused(visit, error)
        except Exception:  # noqa: BLE001 - whoever waits is answered, and learns nothing inner
            count_answer(desk.accounting, request, Broken.status, Broken.code)
            return await refused(visit, Broken("the desk made an error", remedy="go home"))
        count_answer(desk.accounting, request, answer.status_code, "")
        return answer

    return endpoint


async def _let_in(visit: Visit, *, public: bool) -> None:
    request, desk = visit.request, visit.desk
    now = desk.now()
    if request.method == "POST":
        check_origin(request, desk.settings.origin)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            raise Malformed("the desk takes forms only")
        body = await body_of(request, desk.accounting, now, cost=_COST, limit=MAX_FORM_BYTES)
        visit.form = read_form(body)
    visit.session = _session_of(visit, now)
    if request.method == "POST" and visit.session is not None and not public:
        given = Secret(visit.form.get("secret", ""))
        if given != visit.session.form_secret:
            raise NotPermitted(
                "the form is not of this session", remedy="load the page again and send it anew"
            )


def _session_of(visit: Visit, now: Instant) -> DeskSession | None:
    """The live session of the browser; it ends here if its operator may not act any more or was
    stopped since it began, or its passkey ended.
    """
    desk, cookie = visit.desk, visit.request.cookies.get(COOKIE, "")
    found = desk.sessions.find(cookie, now)
    if found is not None and not _holds(desk, found):
        desk.sessions.close(cookie)
        return None
    return found


def _holds(desk: DeskContext, session: DeskSession) -> bool:
    operators, credential = desk.desks.operators, session.credential
    known = not credential or operators.passkeys.is_active(credential)
    return known and operators.vouches(session.operator, session.opened_at)


def check_origin(request: Request, origin: str) -> None:
    """Pass if a page of `origin` itself sent the form.

    Raises NotPermitted.
    Source: W3C Fetch Metadata Request Headers, 2.3; RFC 6454, 7
    """
    site = request.headers.get("sec-fetch-site", "")
    sent_by = request.headers.get("origin", "")
    if site != "same-origin" or sent_by != origin:
        raise NotPermitted(
            "another page sent this form", remedy="open the desk itself and fill the form there"
        )


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of a name that comes twice, a comma between.

    Raises Malformed.
    Source: WHATWG URL Standard, 5
    """
    try:
        found = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=60,
        )
    except ValueError as error:
        raise Malformed("the form is not well formed") from error
    form: dict[str, str] = {}
    for name, value in found:
        form[name] = f"{form[name]},{value}" if name in form else value
    return form


def _to_sign_in(request: Request) -> Response:
    back = request.url.path if request.method == "GET" else _HOME
    return redirect(f"/desk/sign-in?then={quote(back, safe='')}")


def place_in_desk(given: str) -> str:
    """`given` if it is a path of the desk, else its home; never another site.

    Source: CWE-601
    """
    plain = given.startswith(("/desk/", "/desk?")) or given == _HOME
    strange = any(one in given for one in ("\\", "//", "..", ":")) or not given.isprintable()
    return given if plain and not strange and len(given) <= 200 else _HOME


def redirect(to: str) -> RedirectResponse:
    """Lead on to a page of the desk.

    Source: RFC 9110, 15.4.4
    """
    return RedirectResponse(to, 303, HEADERS)


async def refused(visit: Visit, error: MfsError) -> Response:
    """A refusal as a page that says what to do; it shows nothing that was sent.

    Source: ISO/TS 12812-2:2017, 7.3.4; WCAG 2.2, 3.3.1
    """
    frame = None
    if visit.session is not None:
        try:
            frame = await visit.frame()
        except MfsError:
            frame = None
    title = _TITLES.get(type(error), "This was refused")
    because = f"Because {error.because}. " if error.because else ""
    remedy = f"What to do: {error.remedy}." if error.remedy else ""
    inside = (
        h("h1", title),
        note(f"{error.detail[:1].upper()}{error.detail[1:]}.", (because + remedy).strip(), "bad"),
        h(
            "p",
            h("a", "Home", href=_HOME, class_="button plain"),
        ),
    )
    return page(title, inside, frame=frame, status=error.status, narrow=True)


_TITLES: dict[type[MfsError], str] = {
    Broken: "Something is broken",
    Expired: "This is past its time",
    Malformed: "Something was mistyped",
    NotFound: "There is no such thing here",
    RateLimited: "Too many at once",
    NotAuthentic: "This could not be verified",
    NotPermitted: "This is not allowed",
}
