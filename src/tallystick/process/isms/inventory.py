"""The inventory of keys and mechanisms in use: found in the key store, not written down.

Source: ISO/TS 12812-2:2017, 7.4.2; 6.2.1; C
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tallystick.infrastructure.crypto.registry import (
    Mechanism,
    Status,
    ends_of,
    mechanism,
    mechanisms,
    status_at,
)
from tallystick.infrastructure.keys.table import KEY_TABLE, end_of_life
from tallystick.infrastructure.modules.block import peek
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant, iso_utc

_STORE: Final = "on line: crypto rewrap"
_SUBJECTS: Final = "on line: crypto rewrap --of subject-wrap"
_ENROL: Final = "with a new device"
_RENEW: Final = "with a new key: keys renew"
NEVER: Final = "never: what comes later has the new one"
MOVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("operators' names", "operators' acts", "emergencies", "findings on emergencies",
             "renewal secrets"),
            _STORE,
        ),
        **dict.fromkeys(
            ("subject keys", "profiles", "consents", "approvals", "approvers' signatures",
             "numbers of recoveries"),
            _SUBJECTS,
        ),
        "PIN verifiers": "when its PIN is entered: crypto rewrap --of pin-pepper",
        "seeds": "when it is enrolled anew",
        "keys of SIMs": "with another SIM",
        "passkeys": "when it is enrolled anew",
        **dict.fromkeys(("device certificates", "possession keys", "consent keys"), _ENROL),
        **dict.fromkeys(("wrapped keys", "master key"), "in a ceremony: rotate the master key"),
        **dict.fromkeys(("key list", "public halves in the settings"), _RENEW),
        "officers' signatures": "with the next policy",
        "numbers in the index": "with another number",
        **dict.fromkeys(("activation codes", "invitations"), "they end within days"),
        "certificates": "when they are renewed",
    }
)  # fmt: skip
"""By kind: how what is kept gets to another mechanism."""
COMMITTED: Final = frozenset(
    {
        "entries of the log", "checkpoints", "stamped checkpoints", "operators' signatures",
    }
)  # fmt: skip
"""Kinds that are hashed into the log, or signed: made anew they would prove nothing any more.
"""


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
    wrapped_by: str = "module-block"


class Kept(Record, frozen=True, kw_only=True):
    """So many things of one kind that one mechanism protects; `until` (ms) the last ends, or 0.

    `form` is `labelled` where each thing says its mechanism itself, `fixed` where its form admits
    one only, `old` where it is from before labels.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    kind: str
    mechanism: str
    count: int
    form: str
    until: int = 0

    @property
    def moves(self) -> str:
        """How things of this kind get to another mechanism; `never` for what the log committed to.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return MOVES.get(self.kind, NEVER if self.kind in COMMITTED else "")


class InUse(Record, frozen=True, kw_only=True):
    """A mechanism in use: its row, its status now, how many keys and kept things are of it.

    `ends` is the day (YYYY-MM-DD) on which new protection ends, empty where none is set.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    mechanism: str
    standard: str
    status: str
    strength_bits: int
    quantum_level: int
    ends: str
    keys: int
    kept: int
    kinds: tuple[str, ...]


class Inventory(Record, frozen=True, kw_only=True):
    """Every key of the key store, what is kept under them, and the mechanisms that are run.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """

    keys: tuple[KeyInUse, ...]
    mechanisms: tuple[Mechanism, ...]
    kept: tuple[Kept, ...] = ()


def inventory(blocks: Iterable[bytes], kept: Iterable[Kept] = ()) -> Inventory:
    """The inventory out of wrapped keys, by purpose and age; no key is opened for it.

    `kept` is what a survey of the record found.

    Raises NotAuthentic for what is no key block.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    found = sorted((_in_use(one) for one in blocks), key=lambda one: (one.purpose, one.created))
    run = tuple(one for one in mechanisms() if one.implemented_by)
    return Inventory(keys=tuple(found), mechanisms=run, kept=tuple(kept))


def in_use(found: Inventory, now: Instant) -> tuple[InUse, ...]:
    """The mechanisms that keys or kept things are of, those that end first in front.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    keys = Counter(one.mechanism for one in found.keys)
    kept: Counter[str] = Counter()
    for one in found.kept:
        kept[one.mechanism] += one.count
    rows = [_row(name, keys[name], kept[name], found, now) for name in {*keys, *kept}]
    return tuple(sorted(rows, key=lambda one: (one.ends or "9999", one.mechanism)))


def _row(name: str, keys: int, kept: int, found: Inventory, now: Instant) -> InUse:
    kinds = {one.kind for one in found.kept if one.mechanism == name}
    kinds |= {f"{one.purpose} key" for one in found.keys if one.mechanism == name}
    try:
        known = mechanism(name)
    except NotFound:
        known = None
    return InUse(
        mechanism=name,
        standard="" if known is None else known.standard,
        status="unknown" if known is None else status_at(known, now).value,
        strength_bits=0 if known is None else known.strength_bits,
        quantum_level=0 if known is None else known.quantum_level,
        ends="" if known is None else ends_of(known),
        keys=keys,
        kept=kept,
        kinds=tuple(sorted(kinds)),
    )


def concerns(found: Inventory, now: Instant) -> Iterator[str]:
    """What an inventory shows that should not be: mechanisms not approved, keys past their end.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    for one in found.keys:
        if one.status not in {Status.APPROVED.value, Status.RESTRICTED.value}:
            yield f"{one.purpose} key {one.id} uses {one.mechanism}, which is {one.status}"
        if one.ends and one.ends <= now:
            yield f"{one.purpose} key {one.id} ended at {iso_utc(one.ends)}"
    fine = {Status.APPROVED.value, Status.RESTRICTED.value, Status.LEGACY.value}
    for row in in_use(found, now):
        if row.kept and row.status not in fine:
            yield f"{row.kept} kept things are of {row.mechanism or 'no mechanism'}: {row.status}"


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
