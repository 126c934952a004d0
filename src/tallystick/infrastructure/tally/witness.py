"""A witness: countersigns a log's checkpoint only if it continues the last one that it saw.

It needs the log's public key, no trust in the log and no copy of it. Two customers who accept only
checkpoints with a witness's cosignature cannot be shown two histories. What it saw is persisted
before it signs, so that no crash makes it forget a size for which a cosignature is out.

Source: C2SP tlog-witness; C2SP tlog-cosignature; ISO/TS 12812-2:2017, 7.3.3
"""

import re
from collections.abc import Mapping
from typing import Protocol

from tallystick.infrastructure.tally.checkpoint import (
    NoteKey,
    NoteKeyKind,
    NoteSigner,
    parse_note,
    verify_note,
)
from tallystick.infrastructure.tally.merkle import HASH_BYTES, Proof, verify_consistency
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound, TooLarge
from tallystick.kernel.model import Record
from tallystick.kernel.time import SECOND_MS, Instant
from tallystick.protocol.receipt import Checkpoint, decode_base64, parse_checkpoint

MAX_BODY_BYTES = 32 * 1024
MAX_PROOF_HASHES = 63

_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")


class AddCheckpoint(Record, frozen=True, kw_only=True):
    """A request to countersign `note`: the size last seen, as the log believes, and the proof.

    Source: C2SP tlog-witness
    """

    old_size: int
    proof: Proof
    note: str


class Seen(Record, frozen=True, kw_only=True):
    """The last checkpoint of a log that the witness accepted; `note` is kept as evidence.

    Source: C2SP tlog-witness
    """

    size: int
    root: bytes
    note: str


class Cosigned(Record, frozen=True, kw_only=True):
    """The witness's signature line, to be appended to the note (HTTP 200).

    Source: C2SP tlog-witness
    """

    line: str


class OtherSize(Record, frozen=True, kw_only=True):
    """The witness last saw another size than the request says; ask again from `size` (HTTP 409).

    Source: C2SP tlog-witness
    """

    size: int


class Inconsistent(Record, frozen=True, kw_only=True):
    """The log signed what was not shown to continue `seen` (HTTP 422; 409 for the same size).

    `fork` says that it is certain: two roots for one size, both signed by the log; keep both notes.
    Source: C2SP tlog-witness
    """

    seen: Seen
    fork: bool


Outcome = Cosigned | OtherSize | Inconsistent


class WitnessStore(Protocol):
    """Keeps, per log, the last checkpoint that was accepted.

    Source: C2SP tlog-witness
    """

    def latest(self, origin: str) -> Seen | None:
        """What was last accepted of the log `origin`.

        Source: C2SP tlog-witness
        """
        ...

    def advance(self, origin: str, before: Seen | None, after: Seen) -> None:
        """Durably replace `before` by `after`; return only when a crash cannot undo it.

        Raises Conflict when something else than `before` is kept by now.
        Source: C2SP tlog-witness
        """
        ...


class Witness:
    """Countersigns the checkpoints of the logs that it knows.

    Source: C2SP tlog-witness; ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(
        self, logs: Mapping[str, NoteKey], signer: NoteSigner, store: WitnessStore
    ) -> None:
        """Watch `logs` (by origin) and sign with `signer`, a cosignature/v1 key.

        Raises Malformed for a signer of another kind.
        Source: C2SP tlog-witness
        """
        if signer.key.kind is not NoteKeyKind.COSIGNATURE_V1:
            raise Malformed("a witness signs with a cosignature/v1 key")
        self._logs = dict(logs)
        self._signer = signer
        self._store = store

    @property
    def verifier_key(self) -> str:
        """The witness's public key as `name+id+base64`, for whoever relies on it.

        Source: C2SP signed-note
        """
        return str(self._signer.key)

    def add_checkpoint(self, request: AddCheckpoint, now: Instant) -> Outcome:
        """Countersign the checkpoint of `request` if it continues what was seen before.

        Raises Malformed for a request that cannot be right whatever was seen, NotFound for a log
        that is not watched, NotAuthentic when the log did not sign, Conflict when another request
        came between.
        Source: C2SP tlog-witness
        """
        note = parse_note(request.note)
        offered = parse_checkpoint(note.text)
        known = self._logs.get(offered.origin)
        if known is None:
            raise NotFound("this witness does not watch that log")
        verify_note(note, known)
        if not request.old_size <= offered.size or offered.size == 0:
            raise Malformed("a checkpoint has at least one leaf and is not below the old size")
        seen = self._store.latest(offered.origin)
        if request.old_size != (seen.size if seen else 0):
            return OtherSize(size=seen.size if seen else 0)
        refused = _refusal(seen, offered, request.proof)
        if refused is not None:
            return refused
        if seen is None or seen.size != offered.size:
            after = Seen(size=offered.size, root=offered.root, note=request.note)
            self._store.advance(offered.origin, seen, after)
        return Cosigned(line=self._signer.line(note.text, now // SECOND_MS))


def _refusal(seen: Seen | None, offered: Checkpoint, proof: Proof) -> Inconsistent | None:
    """None if `offered` continues `seen`; anything continues nothing, without a proof.

    Raises Malformed for a proof where there is nothing to prove.
    Source: C2SP tlog-witness; RFC 9162, 2.1.4.2
    """
    if seen is None or seen.size == offered.size:
        if proof:
            raise Malformed("from nothing, or to the same size, there is nothing to prove")
        if seen is not None and seen.root != offered.root:
            return Inconsistent(seen=seen, fork=True)
        return None
    try:
        verify_consistency(
            old_size=seen.size,
            new_size=offered.size,
            old_root=seen.root,
            new_root=offered.root,
            proof=proof,
        )
    except NotAuthentic:
        return Inconsistent(seen=seen, fork=False)
    return None


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """The request in `body`: `old N`, a line per hash (base64), an empty line, the note.

    Raises TooLarge past 32 KiB, Malformed for another form.
    Source: C2SP tlog-witness
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        head, gap, note = body.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise Malformed("the body is not UTF-8") from error
    first, *hashes = head.split("\n")
    old = _OLD.fullmatch(first)
    if old is None or not gap or len(hashes) > MAX_PROOF_HASHES:
        raise Malformed("the body is `old N`, up to 63 hashes, an empty line and a note")
    proof = tuple(decode_base64(line, length=HASH_BYTES) for line in hashes)
    return AddCheckpoint(old_size=int(old.group(1)), proof=proof, note=note)
