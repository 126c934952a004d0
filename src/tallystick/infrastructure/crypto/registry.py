"""The registry of mechanisms: what may be used, under which ISO name and with which parameters.

A mechanism is asked for by its name here and in no other way; what is not approved is refused by
`require`, and what is not in the table does not exist. `legacy` means verify and open only,
`restricted` only where a profile says so, `prohibited` never. A row's dates count where a moment
is given: what is past its day is refused as if it had always been.

Source: ISO/TS 12812-2:2017, C; 7.4.2; ISO/TS 14742
"""

from tallystick.infrastructure.crypto.mechanisms.ciphers import cipher_rows
from tallystick.infrastructure.crypto.mechanisms.exchange import exchange_rows
from tallystick.infrastructure.crypto.mechanisms.integrity import integrity_rows
from tallystick.infrastructure.crypto.mechanisms.model import Life, Mechanism, Sort, Status
from tallystick.infrastructure.crypto.mechanisms.retail import retail_rows
from tallystick.infrastructure.crypto.mechanisms.signatures import signature_rows
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.time import Instant, iso_utc

__all__ = [
    "Life",
    "Mechanism",
    "Sort",
    "Status",
    "ends_of",
    "mechanism",
    "mechanisms",
    "require",
    "require_for_checking",
    "status_at",
]

_FAMILIES = (integrity_rows, cipher_rows, signature_rows, exchange_rows, retail_rows)
_TABLE: dict[str, Mechanism] = {row.name: row for add in _FAMILIES for row in add().rows}


def mechanism(name: str) -> Mechanism:
    """The entry called `name`, whatever its status.

    Raises NotFound for a name that is not in the registry.
    Source: ISO/TS 12812-2:2017, C
    """
    found = _TABLE.get(name)
    if found is None:
        raise NotFound(f"no mechanism is called {name[:40]!r}", remedy="see the registry's names")
    return found


def status_at(entry: Mechanism, now: Instant) -> Status:
    """The status of `entry` at `now` (ms): what the row says, or less once a day of its is past.

    Source: ISO/TS 12812-2:2017, C
    """
    today, life = iso_utc(now)[:10], entry.life
    if life.prohibited_from and today >= life.prohibited_from:
        return Status.PROHIBITED
    falls = life.legacy_from and today >= life.legacy_from
    return Status.LEGACY if falls and entry.status is Status.APPROVED else entry.status


def ends_of(entry: Mechanism) -> str:
    """The day (YYYY-MM-DD) on which new protection by `entry` ends; empty where none is set.

    Source: ISO/TS 12812-2:2017, C
    """
    days = [one for one in (entry.life.legacy_from, entry.life.prohibited_from) if one]
    return min(days, default="")


def require(
    name: str, admitted: frozenset[str] = frozenset(), *, now: Instant | None = None
) -> Mechanism:
    """The entry called `name`, only if new protection may use it; at `now`, where one is given.

    `admitted` names what a profile lets in beside: entries that are legacy or restricted. Raises
    NotPermitted for every other status but approved, NotFound for an unknown name.
    Source: ISO/TS 12812-2:2017, C
    """
    found = mechanism(name)
    status = found.status if now is None else status_at(found, now)
    tied = status in {Status.LEGACY, Status.RESTRICTED}
    if status is not Status.APPROVED and not (tied and name in admitted):
        raise NotPermitted(
            f"the mechanism {found.name} is {status.value}",
            remedy="use an approved mechanism of the registry",
            because=found.note or found.life.says,
        )
    return found


def require_for_checking(name: str, *, now: Instant | None = None) -> Mechanism:
    """The entry called `name`, if what it protected may still be checked: approved or legacy.

    Raises NotPermitted for another status, NotFound for an unknown name.
    Source: ISO/TS 12812-2:2017, C
    """
    found = mechanism(name)
    status = found.status if now is None else status_at(found, now)
    return found if status is Status.LEGACY else require(name, now=now)


def mechanisms() -> tuple[Mechanism, ...]:
    """Every entry, in the order of the families.

    Source: ISO/TS 12812-2:2017, C
    """
    return tuple(_TABLE.values())
