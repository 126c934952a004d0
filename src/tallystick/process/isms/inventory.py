"""The inventory of keys and mechanisms in use: found in the key store, not written down.

Source: ISO/TS 12812-2:2017, 7.4.2; 6.2.1; C
"""

from collections.abc import Iterable, Iterator

from tallystick.infrastructure.crypto.registry import Mechanism, Status, mechanism, mechanisms
from tallystick.infrastructure.keys.table import KEY_TABLE, end_of_life
from tallystick.infrastructure.modules.block import peek
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant, iso_utc


class KeyInUse(Record, frozen=True, kw_only=True):
    """A key of the service: what for, by which mechanism, since when and until when (ms).

    `ends` is 0 for a key that lives as long as what it protects; `status` and `strength_bits` are
    the registry's, `holders` the roles of processes that may load it.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    id: str
    purpose: str
    mechanism: str
    standard: str
    status: str
    strength_bits: int
    created: int
    ends: int
    holders: tuple[str, ...]


class Inventory(Record, frozen=True, kw_only=True):
    """Every key of the key store, and the mechanisms of the registry that this version runs.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    keys: tuple[KeyInUse, ...]
    mechanisms: tuple[Mechanism, ...]


def inventory(blocks: Iterable[bytes]) -> Inventory:
    """The inventory out of wrapped keys, by purpose and age; no key is opened for it.

    Raises NotAuthentic for what is no key block.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    found = sorted((_in_use(one) for one in blocks), key=lambda one: (one.purpose, one.created))
    run = tuple(one for one in mechanisms() if one.implemented_by)
    return Inventory(keys=tuple(found), mechanisms=run)


def concerns(found: Inventory, now: Instant) -> Iterator[str]:
    """What an inventory shows that should not be: mechanisms not approved, keys past their end.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    for one in found.keys:
        if one.status not in {Status.APPROVED.value, Status.RESTRICTED.value}:
            yield f"{one.purpose} key {one.id} uses {one.mechanism}, which is {one.status}"
        if one.ends and one.ends <= now:
            yield f"{one.purpose} key {one.id} ended at {iso_utc(one.ends)}"


def _in_use(block: bytes) -> KeyInUse:
    header = peek(block)
    try:
        known = mechanism(header.mechanism)
        standard, status, bits = known.standard, known.status.value, known.strength_bits
    except NotFound:
        standard, status, bits = "", "unknown", 0
    return KeyInUse(
        id=header.id,
        purpose=header.purpose.value,
        mechanism=header.mechanism,
        standard=standard,
        status=status,
        strength_bits=bits,
        created=header.created_at,
        ends=end_of_life(header),
        holders=tuple(one.value for one in KEY_TABLE[header.purpose].holders),
    )
