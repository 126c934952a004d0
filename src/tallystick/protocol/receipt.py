"""Formats of the tally that outsiders read: event leaf, disclosure, receipt, checkpoint text.

A receipt is three things that fit together: the leaf as it was recorded, the proof that the leaf is
in the tree of a checkpoint, and the checkpoint that the provider signed. Personal fields stand in
the leaf as commitments only; the disclosures that travel with a receipt open those its reader may
see.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 9162, 2.1.3; C2SP tlog-checkpoint
"""

import base64
import binascii
import re
from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern

Scalar = str | int
"""What a field of an event may be: a text, or an integer within 2^53."""

FieldName = Annotated[str, pattern("^[a-z][a-z0-9_]{0,39}$")]
"""Name of a field of an event; ASCII, so that every language sorts and hashes it alike."""

EventIdText = Annotated[str, pattern("^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$")]
"""Identifier of an event: `evt_`, or the id of the order or act that it records."""

EventKind = Annotated[str, pattern(r"^[a-z][a-z0-9-]{0,30}(?:\.[a-z][a-z0-9-]{0,30}){0,3}$")]
"""What happened, in dotted words: `payment.settled`, `device.enrolled`, `tally.restored`."""

Stage = Annotated[str, pattern("^[a-z]{0,20}$")]
"""How far an order had come when the event was recorded; empty for other events."""

CommitmentText = Annotated[str, pattern("^[A-Za-z0-9_-]{43}$")]
"""32 bytes of SHA-256 in base64url."""

SaltText = Annotated[str, pattern("^[A-Za-z0-9_-]{22}$")]
"""16 bytes in base64url."""

ProofText = Annotated[str, pattern("^[A-Za-z0-9_-]{0,2731}$")]
"""The hashes of an inclusion proof (up to 64), one after the other, in base64url; may be empty."""

NoteText = Annotated[str, pattern(r"^[^\x00-\x09\x0b-\x1f]{1,16384}\n$")]
"""A signed note: lines of text, an empty line, signature lines."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")


class EventLeaf(Wire, frozen=True, kw_only=True):
    """One recorded event; its canonical JSON is the leaf that the tree hashes.

    `at` is in milliseconds; `policy` is the version in force. `p` holds the public fields in clear,
    `c` a commitment for each personal or guessable one; no name stands in both.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    id: Annotated[EventIdText, INTERNAL]
    at: Annotated[Natural, PUBLIC]
    kind: Annotated[EventKind, PUBLIC]
    stage: Annotated[Stage, PUBLIC] = ""
    provider: Annotated[ShortText, PUBLIC]
    policy: Annotated[Natural, PUBLIC]
    p: Annotated[dict[FieldName, Scalar], PUBLIC]
    c: Annotated[dict[FieldName, CommitmentText], PUBLIC]


class Disclosure(Wire, frozen=True, kw_only=True):
    """Opens one commitment of a leaf; whoever has it can check `value` and show it on.

    Source: ISO/TS 12812-2:2017, 3.16; 14.2.2
    """

    field: Annotated[FieldName, INTERNAL]
    salt: Annotated[SaltText, SENSITIVE]
    value: Annotated[Scalar, SENSITIVE]


class Receipt(Wire, frozen=True, kw_only=True):
    """Proof that the provider recorded an event: leaf, proof, signed checkpoint, disclosures.

    `leaf` is the canonical JSON of an `EventLeaf` in base64url, `index` its place in the tally; the
    size of the tree that `proof` refers to stands in `checkpoint`.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 9162, 2.1.3
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    leaf: Annotated[Base64Url, INTERNAL]
    index: Annotated[Natural, PUBLIC]
    proof: Annotated[ProofText, PUBLIC]
    checkpoint: Annotated[NoteText, PUBLIC]
    disclosures: Annotated[tuple[Disclosure, ...], SENSITIVE] = ()


class Checkpoint(Wire, frozen=True, kw_only=True):
    """The state of a tally: the log's name, how many leaves it has, and the root over them.

    Source: RFC 9162, 2.1.1; C2SP tlog-checkpoint
    """

    origin: Annotated[str, PUBLIC]
    size: Annotated[Natural, PUBLIC]
    root: Annotated[bytes, PUBLIC]


def check_origin(origin: str) -> str:
    """`origin` if it can name a log: 1 to 200 characters without white space or `+`.

    Raises Malformed otherwise.
    Source: C2SP signed-note
    """
    if not _ORIGIN.fullmatch(origin):
        raise Malformed("a log's name has no white space, no plus sign and at most 200 characters")
    return origin


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The text that is signed: origin, size and root (base64), a line each.

    Source: C2SP tlog-checkpoint
    """
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in the text of a note; lines after the third are extensions and are not read.

    Raises Malformed for another shape, a size with leading zeros, or a root that is not 32 bytes.
    Source: C2SP tlog-checkpoint
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _DECIMAL.fullmatch(lines[1]):
        raise Malformed("a checkpoint has a name, a size and a root, a line each")
    size = int(lines[1])
    if size > 2**53 - 1:
        raise Malformed("a checkpoint's size is below 2^53")
    return Checkpoint(origin=lines[0], size=size, root=decode_base64(lines[2], length=32))


def decode_base64(text: str, *, length: int | None = None) -> bytes:
    """The bytes of padded standard base64 `text` in its one canonical spelling, `length` if given.

    Raises Malformed otherwise.
    Source: RFC 4648, 4
    """
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("a line of the note is not base64") from error
    if base64.b64encode(octets).decode() != text or length not in (None, len(octets)):
        raise Malformed("a line of the note is not canonical base64 of the right length")
    return octets
