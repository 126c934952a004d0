"""A domain of surrogates, its keys, what is held in it, and leave to have many values back.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
"""

from typing import Final

from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import Record

OPEN: Final = "open"
DESTROYED: Final = "destroyed"
OUTER_RATE: Final = "surrogate-rate"
NO_PURPOSE: Final = "surrogate-purpose"
NO_WARRANT: Final = "surrogate-warrant"
WHY_NOT: Final = frozenset({OUTER_RATE, NO_PURPOSE, NO_WARRANT})
"""Why a value was not given back, as refusals and their events say it."""


class DomainRow(Record, frozen=True, kw_only=True):
    """A domain: `purposes` is JSON of names and of how many values an hour each may have back.

    `generation` counts its keys from 1, `keeps` last digits stay in a surrogate. Times are in
    milliseconds.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    id: str
    kind: str
    way: str
    keeps: int
    purposes: str
    state: str
    generation: int
    opened_at: int
    event: int

    def hourly(self, purpose: str) -> int:
        """How many values an hour `purpose` may have back; 0 where the domain has no such purpose.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        return self.agreed().get(purpose, 0)

    def agreed(self) -> dict[str, int]:
        """Every purpose and how many values an hour it may have back.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        return _purposes.decode(self.purposes.encode())


_purposes = Decoder(dict[str, int], limit=16 * 1024)


class DomainKeyRow(Record, frozen=True, kw_only=True):
    """The keys of one generation as the module's own blocks; empty once they were destroyed.

    `block` seals and finds, `cipher` enciphers where the domain's way is FF1.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    domain: str
    generation: int
    block: bytes
    cipher: bytes
    made_at: int
    event: int


class HeldRow(Record, frozen=True, kw_only=True):
    """A value, sealed, under its surrogate; `found_by` is the row that leads from the value here.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    id: str
    domain: str
    generation: int
    found_by: str
    sealed: bytes
    made_at: int


class FinderRow(Record, frozen=True, kw_only=True):
    """Leads from the MAC of a value to its surrogate; empty once another generation's row does.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    id: str
    domain: str
    surrogate: str


class SpentRow(Record, frozen=True, kw_only=True):
    """How many values a purpose had back in the hour that began at `hour`, in milliseconds.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    id: str
    hour: int
    values: int


class WarrantRow(Record, frozen=True, kw_only=True):
    """Two operators' leave for one program to have many values back at once.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    id: str
    domain: str
    purpose: str
    program: str
    most: int
    used: int
    until: int
    event: int


class Wanted(Record, frozen=True, kw_only=True):
    """Who wants values back, of which domain, what for, about which case, under which leave.

    `surrogates` are those whose values are wanted; `warrant` is empty for one by itself.
    Source: ISO/TS 12812-2:2017, 7.5
    """

    program: str
    domain: str
    purpose: str
    case: str
    surrogates: tuple[str, ...]
    warrant: str = ""


def key_id(domain: str, generation: int) -> str:
    """The id of the keys of a generation.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return f"{domain}/{generation}"


def held_id(domain: str, surrogate: str) -> str:
    """The id of what is held under a surrogate.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    return f"{domain}/{surrogate}"
