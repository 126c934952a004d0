"""Which PIN block may become which: formats may grow stronger, never lose their account number.

Source: ISO 9564-1, 9; PCI PIN
"""

from typing import Final

from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.errors import NotPermitted

_0, _1, _2, _3, _4 = PinFormat

FormatPair = tuple[PinFormat, PinFormat]

ALWAYS: Final[frozenset[FormatPair]] = frozenset(
    {
        (_0, _0), (_0, _3), (_0, _4),
        (_1, _0), (_1, _1), (_1, _3), (_1, _4),
        (_3, _3), (_3, _4),
        (_4, _4),
    }
)  # fmt: skip
"""Pairs that keep or raise the protection."""

BY_POLICY: Final[frozenset[FormatPair]] = frozenset(
    {(_3, _0), (_4, _0), (_4, _3), (_0, _2), (_3, _2), (_4, _2)}
)
"""Pairs that lower it: to a network that has nothing better, or to a chip whose PIN is changed."""


def check_pair(source: PinFormat, target: PinFormat, admitted: frozenset[FormatPair]) -> None:
    """Return only if a block of `source` may become one of `target`.

    `admitted` holds those of `BY_POLICY` that the policy allows; whatever is in neither table is
    refused always: formats 0, 3 and 4 never become 1, and format 2 is never read.
    Raises NotPermitted otherwise.
    Source: ISO 9564-1, 9; PCI PIN
    """
    pair = (source, target)
    if pair in ALWAYS or (pair in BY_POLICY and pair in admitted):
        return
    raise NotPermitted(
        f"a block of format {source.value} does not become one of format {target.value}",
        remedy="let the policy admit this pair" if pair in BY_POLICY else "",
        because="pin-translation",
    )
