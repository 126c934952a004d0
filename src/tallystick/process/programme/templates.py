"""Whole programmes to start from, as texts with comments.

Source: ISO/TS 12812-2:2017, 6.1
"""

import re
from importlib.resources import files
from typing import Final

from tallystick.kernel.errors import NotFound
from tallystick.process.programme.entries import SLUG

PROFILES: Final = (
    "mobile-money-operator",
    "wallet-start-up",
    "bank-app",
    "merchant-acquirer",
)
"""The programmes that ship with the package; the first is what set-up writes unasked."""

CALLING_CODES: Final = {
    "mobile-money-operator": "254",
    "wallet-start-up": "33",
    "bank-app": "49",
    "merchant-acquirer": "27",
}
"""Where the customers of each programme are dialled, without plus."""

_ID: Final = re.compile(r"^  id: ([a-z][a-z0-9-]+)$", re.MULTILINE)
_CURRENCY: Final = re.compile(r"^  currency: ([A-Z]{3})$", re.MULTILINE)


def profile_currency(name: str) -> str:
    """The currency of the programme `name`.

    Raises NotFound.
    Source: ISO 4217; ISO/TS 12812-2:2017, 6.1
    """
    own = _CURRENCY.search(profile_text(name))
    return own[1] if own is not None else ""


def profile_text(name: str, *, provider: str = "", currency: str = "") -> str:
    """The programme `name` as text, of `provider` in `currency` where they are given.

    A provider whose name is no slug leaves the id of the template. Amounts are not converted: a
    mark asks for them where the currency is another. Raises NotFound.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    if name not in PROFILES:
        raise NotFound(
            f"no programme is called {name[:40]!r}", remedy=f"use one of {', '.join(PROFILES)}"
        )
    path = files("tallystick.process.programme").joinpath(f"profiles/{name}.yaml")
    text = path.read_text(encoding="utf-8")
    if re.match(SLUG, provider):
        text = _ID.sub(f"  id: {provider}", text, count=1)
    own = _CURRENCY.search(text)
    if currency and own is not None and own[1] != currency:
        text = re.sub(rf"\b{own[1]}\b", currency, text)
        text = text.replace(
            f"  currency: {currency}\n",
            f"  currency: {currency}  # todo: the amounts below were meant for {own[1]}\n",
            1,
        )
    return text
