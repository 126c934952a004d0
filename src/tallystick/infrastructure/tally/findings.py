"""What an audit of a tally reads, what it says, and what it cannot see.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.tally.verify import verify_checkpoint, verify_receipt
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import Checkpoint, Receipt, Scalar


class FindingKind(StrEnum):
    """What was done to the record, as far as the remaining rows can tell.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    ROLLED_BACK = "rolled back"
    FORKED = "forked"
    STAMP = "time stamp"
    CHECKPOINT_MISSING = "checkpoint missing"
    CHECKPOINT_SIGNATURE = "checkpoint signature"
    TILE_DIFFERS = "tile differs"
    ROW_DIFFERS = "row differs"
    BALANCE_DIFFERS = "balance differs"


class Finding(Record, frozen=True, kw_only=True):
    """One thing that does not fit: its kind, the row it names, and why.

    `row` reads `event 17`, `events 32 to 63`, `checkpoint 96`, `account acc_...`, `transfer 5`.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    kind: FindingKind
    row: str
    detail: str


class Report(Record, frozen=True, kw_only=True):
    """Outcome of an audit: what was read, up to where a root vouches for it, what was found.

    `blind_spots` says in words what this audit could not have seen with the anchors it was given.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    origin: str
    rows: int
    checkpoints: int
    vouched: int
    anchors: tuple[str, ...]
    findings: tuple[Finding, ...]
    blind_spots: tuple[str, ...]

    def intact(self) -> bool:
        """Whether nothing was found.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return not self.findings


class Projection(Record, frozen=True, kw_only=True):
    """A value in a row of state, and the field of the event that it must equal.

    `salt` opens the field's commitment; empty for a field that the event holds in clear.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    row: str
    event_index: int
    field: str
    value: Scalar
    salt: bytes = b""


class Anchor(Record, frozen=True, kw_only=True):
    """A checkpoint kept outside the audited store, verified, and perhaps a leaf that is under it.

    Source: C2SP tlog-checkpoint; ISO/TS 12812-2:2017, 7.3.3
    """

    name: str
    checkpoint: Checkpoint
    index: int = -1
    leaf: bytes = b""


class AuditReader(Protocol):
    """The stored tally, read in order.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def leaves(self, start: int, end: int) -> Iterable[tuple[int, bytes, bytes]]:
        """(index, leaf, stored leaf hash) of the rows with start <= index < end, by index.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...

    def checkpoints(self) -> Iterable[tuple[int, str]]:
        """(size, signed note) of each stored checkpoint, by size.

        Source: C2SP tlog-checkpoint
        """
        ...

    def tile_hashes(self) -> Iterable[tuple[int, int, bytes]]:
        """(level, index, hash) of each stored tile, in any order.

        Source: C2SP tlog-tiles
        """
        ...


def checkpoint_anchor(note: str, tally_key: VerifyKey, *, origin: str, name: str) -> Anchor:
    """The anchor that a kept checkpoint is, with or without the cosignatures of witnesses.

    Raises NotAuthentic when the log did not sign it: then it says nothing about this log.
    Source: C2SP tlog-checkpoint
    """
    return Anchor(name=name, checkpoint=verify_checkpoint(note, tally_key, origin=origin))


def receipt_anchor(receipt: Receipt, tally_key: VerifyKey, *, origin: str, name: str) -> Anchor:
    """The anchor that a customer's receipt is.

    Raises NotAuthentic when the receipt does not verify.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    verified = verify_receipt(receipt, tally_key, origin=origin)
    return Anchor(
        name=name,
        checkpoint=verified.checkpoint,
        index=verified.index,
        leaf=b64url_decode(receipt.leaf),
    )


def events(first: int, end: int) -> str:
    """How a finding names the events [first, end).

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return f"event {first}" if end - first == 1 else f"events {first} to {end - 1}"
