"""HTML that cannot be broken by what people write: text is escaped unless it is markup already.

    h("p", "5 < 6", class_="soft")  ->  <p class="soft">5 &lt; 6</p>

Source: HTML Living Standard, 13.3; ISO/TS 12812-2:2017, 7.2.4
"""

import html
import re
from collections.abc import Iterable
from typing import Final

from tallystick.kernel.errors import Broken

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_VOID: Final = frozenset(("input", "meta", "br", "hr", "link"))
_ADDRESSES: Final = frozenset(("href", "action", "src"))


class Markup(str):
    """Text that is HTML already; only `h` and `joined` make it.

    Source: HTML Living Standard, 13.3
    """

    __slots__ = ()


Child = str | int | None
Attribute = str | int | bool | None


def h(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """The element `name`; `class_` and `for_` lose their underscore, others become hyphens.

    True stands for an attribute without value; False and None leave it away. Raises Broken for
    a handler of events, and for an address that leads away from the desk.
    Source: HTML Living Standard, 13.1.2
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if not _NAME.fullmatch(name):
        raise Broken("no such element")
    if name in _VOID:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """`children` one after the other; what is not markup is escaped.

    Source: HTML Living Standard, 13.3
    """
    return Markup("".join(_shown(child) for child in children if child is not None))


def raw(text: str) -> Markup:
    """A style or script of the package itself, which is not escaped.

    Source: HTML Living Standard, 13.1.2.1
    """
    if "</s" in text.lower():
        raise Broken("a style or script may not end itself")
    return Markup(text)


def data(identifier: str, json: str) -> Markup:
    """JSON for a script of the page: a block that browsers do not run.

    Source: HTML Living Standard, 4.12.1
    """
    safe = json.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(f'<script type="application/json" id="{html.escape(identifier)}">{safe}</script>')


def _shown(child: str | int) -> str:
    return child if isinstance(child, Markup) else html.escape(str(child), quote=True)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name) or name.startswith("on") or name == "style":
        raise Broken("no such attribute")
    if value is True:
        return f" {name}"
    text = str(value)
    if name in _ADDRESSES and not (text.startswith(("/", "#")) and not text.startswith("//")):
        raise Broken("an address of the desk begins with a slash")
    return f' {name}="{html.escape(text, quote=True)}"'
