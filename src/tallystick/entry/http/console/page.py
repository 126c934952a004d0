"""The frame of every page: head, navigation, alarm, and the headers that go with it.

Source: W3C CSP Level 3; WCAG 2.2; ISO/TS 12812-2:2017, 7.2.4
"""

import base64
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Final

from starlette.responses import Response

from tallystick.entry.http.console.markup import Child, Markup, h, joined, raw
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.time import iso_utc


def _file(name: str) -> str:
    return files("tallystick.entry.web").joinpath(name).read_text(encoding="utf-8")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode())).decode()}'"


_STYLE: Final = _file("desk.css")
_SCRIPT: Final = _file("desk.js")
VERIFIER: Final = (_file("receipt-mldsa.js") + _file("receipt-verify.js")).replace("</", "<\\/")
SHOWS_PROOF: Final = _file("desk-proof.js")
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hashed(_STYLE)}",
        f"script-src {_hashed(_SCRIPT)} {_hashed(VERIFIER)} {_hashed(SHOWS_PROOF)}",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(),"
        " microphone=(), geolocation=(), payment=(), usb=()"
    ),
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
}
"""The headers of every answer of the desk."""

PLACES: Final = (
    ("/desk", "Home"),
    ("/desk/find", "Find a customer"),
    ("/desk/trace", "Trace a payment"),
    ("/desk/approvals", "Approvals"),
    ("/desk/cases", "Cases"),
    ("/desk/acts", "Acts"),
    ("/desk/policy", "Policy"),
    ("/desk/fleet", "Fleet"),
    ("/desk/operators", "Operators"),
    ("/desk/emergency", "Emergency"),
    ("/desk/programs", "Programs"),
    ("/desk/surrogates", "Surrogates"),
)
"""Where the navigation leads."""


class Frame:
    """What surrounds a page: who is signed in, the alarm, the form to sign out.

    The navigation leads everywhere but to the pages in `closed`.
    Source: WCAG 2.2, 3.2.3
    """

    def __init__(
        self,
        who: str = "",
        secret: str = "",
        alarm: str = "",
        waiting: int = 0,
        closed: frozenset[str] = frozenset(),
    ) -> None:
        self.who = who
        self.secret = secret
        self.alarm = alarm
        self.waiting = waiting
        self.closed = closed


def page(
    title: str,
    inside: Iterable[Child],
    *,
    frame: Frame | None = None,
    here: str = "",
    status: int = 200,
    scripts: Sequence[str] = (),
    refresh: str = "",
    narrow: bool = False,
) -> Response:
    """A whole page as an answer, with all headers.

    Source: HTML Living Standard, 4; WCAG 2.2, 2.4
    """
    around = frame or Frame()
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", http_equiv="refresh", content=f"0;url={refresh}") if refresh else None,
        h("title", f"{title} - Tallystick desk"),
        h("style", raw(_STYLE)),
    )
    body = h(
        "body",
        h("a", "To the content", href="#content", class_="skip"),
        _header(around, here),
        _alarm(around.alarm),
        h("main", *inside, id="content", class_="narrow" if narrow else None),
        *(h("script", raw(one)) for one in (*scripts, _SCRIPT)),
    )
    text = "<!doctype html>\n" + h("html", head, body, lang="en")
    return Response(text, status, HEADERS, media_type="text/html; charset=utf-8")


def _header(frame: Frame, here: str) -> Markup:
    brand = h("a", "Tallystick desk", href="/desk", class_="brand")
    if not frame.who:
        return h("header", h("div", brand, class_="bar"))
    links = [
        h(
            "li",
            h(
                "a",
                f"{name} ({frame.waiting})" if name == "Approvals" and frame.waiting else name,
                href=path,
                aria_current="page" if path == here else None,
            ),
        )
        for path, name in PLACES
        if path not in frame.closed
    ]
    leave = h(
        "form",
        hidden("secret", frame.secret),
        h("button", "Sign out", class_="plain small"),
        method="post",
        action="/desk/sign-out",
    )
    return h(
        "header",
        h(
            "div",
            brand,
            h("nav", h("ul", *links), aria_label="Desk"),
            h("div", h("span", frame.who), leave, class_="who"),
            class_="bar",
        ),
    )


def _alarm(says: str) -> Markup | None:
    return h("div", h("p", says), class_="alarm", role="alert") if says else None


def hidden(name: str, value: str) -> Markup:
    """A field that nobody sees.

    Source: HTML Living Standard, 4.10.5.1.1
    """
    return h("input", type="hidden", name=name, value=value)


def pairs(rows: Iterable[tuple[str, Child]]) -> Markup:
    """Names and values under each other.

    Source: HTML Living Standard, 4.4.9
    """
    return h("dl", *(joined((h("dt", name), h("dd", value))) for name, value in rows))


def table(label: str, columns: Sequence[str], rows: Iterable[Sequence[Child]]) -> Markup:
    """A table that scrolls in a frame of its own, and stacks on a narrow screen.

    Source: WCAG 2.2, 1.3.1; 1.4.10
    """
    head = h("thead", h("tr", *(h("th", one, scope="col") for one in columns)))
    body = h("tbody", *(_row(columns, row) for row in rows))
    inside = h("table", head, body, class_="stack")
    return h("div", inside, class_="scroll", role="region", aria_label=label, tabindex=0)


def _row(columns: Sequence[str], row: Sequence[Child]) -> Markup:
    first, *rest = row
    cells = (
        h("td", cell, data_of=name or None) for name, cell in zip(columns[1:], rest, strict=True)
    )
    return h("tr", h("th", first, scope="row"), *cells)


def moment(instant: int) -> str:
    """An instant (ms) for people: date, time to the second, UTC.

    Source: RFC 3339, 5.6
    """
    return f"{iso_utc(instant)[:19].replace('T', ' ')} UTC"


def note(says: str, more: str = "", kind: str = "") -> Markup:
    """Something to be read first.

    Source: WCAG 2.2, 4.1.3
    """
    return h(
        "div",
        h("p", says),
        h("p", more) if more else None,
        class_=f"note {kind}".strip(),
        role="alert" if kind == "bad" else "status",
    )
