"""Checks a receipt, a checkpoint and the growth of a tally with public keys only; no I/O, no state.

This is what a customer's device, a merchant or an arbitrator runs. Each refusal says, in words for
the reader of the receipt, what does not fit.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 9162, 2.1.3.2; 2.1.4.2
"""

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.tally.checkpoint import Note, NoteKey, parse_note, verify_note
from tallystick.infrastructure.tally.leaf import decode_leaf, open_commitment
from tallystick.infrastructure.tally.merkle import (
    HASH_BYTES,
    Proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import (
    Checkpoint,
    EventLeaf,
    Receipt,
    Scalar,
    parse_checkpoint,
)

MAX_PROOF_HASHES = 64


class VerifiedReceipt(Record, frozen=True, kw_only=True):
    """What a receipt proves: the event, its place, the checkpoint over it, and the opened fields.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    event: EventLeaf
    index: int
    checkpoint: Checkpoint
    disclosed: dict[str, Scalar]

    def of(self, order: str, *stages: str) -> "VerifiedReceipt":
        """The receipt itself, if it is of `order`, at one of `stages` where any is named.

        A receipt that verifies proves something, not what was asked for. Raises NotAuthentic.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        if self.event.id != order:
            raise NotAuthentic("the receipt is of another order", remedy="keep it, and report it")
        if stages and self.event.stage not in stages:
            raise NotAuthentic("the receipt does not say that the order was done")
        return self


def verify_receipt(receipt: Receipt, tally_key: VerifyKey, *, origin: str) -> VerifiedReceipt:
    """What `receipt` proves under the `tally_key` (Ed25519) of the log `origin`.

    Fields that nobody disclosed stay closed, which is no fault.
    Raises NotAuthentic with the reason when anything does not fit.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, tally_key, origin=origin)
    try:
        leaf = b64url_decode(receipt.leaf)
        proof = decode_proof(receipt.proof)
        event = decode_leaf(leaf)
    except Malformed as error:
        raise NotAuthentic("the receipt's event or proof does not have the right form") from error
    verify_inclusion(
        index=receipt.index,
        size=checkpoint.size,
        leaf=leaf_hash(leaf),
        proof=proof,
        root=checkpoint.root,
    )
    return VerifiedReceipt(
        event=event,
        index=receipt.index,
        checkpoint=checkpoint,
        disclosed=_disclosed(event, receipt),
    )


def _disclosed(event: EventLeaf, receipt: Receipt) -> dict[str, Scalar]:
    disclosed: dict[str, Scalar] = {}
    for disclosure in receipt.disclosures:
        if disclosure.field in disclosed:
            raise NotAuthentic("the receipt shows a field twice")
        disclosed[disclosure.field] = open_commitment(event, disclosure)
    return disclosed


def verify_checkpoint(note: str, tally_key: VerifyKey, *, origin: str) -> Checkpoint:
    """The checkpoint in `note`, if the log `origin` signed it with `tally_key`.

    Raises NotAuthentic for another log, another key, or a note that has not the form of one.
    Source: C2SP tlog-checkpoint
    """
    parsed, checkpoint = _read(note, origin)
    verify_note(parsed, NoteKey(origin, tally_key))
    return checkpoint


def own_checkpoint(note: str, *, origin: str) -> Checkpoint:
    """The checkpoint in a `note` that the caller verified when it kept it, by the key of that time.

    Raises NotAuthentic for another log, or a note that has not the form of one.
    Source: C2SP tlog-checkpoint
    """
    return _read(note, origin)[1]


def _read(note: str, origin: str) -> tuple[Note, Checkpoint]:
    """A note taken apart, and the checkpoint of the log `origin` that it is."""
    try:
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed.text)
    except Malformed as error:
        raise NotAuthentic("the checkpoint does not have the form of one") from error
    if checkpoint.origin != origin:
        raise NotAuthentic("the checkpoint is of another log than the provider's")
    return parsed, checkpoint


def verify_cosignature(note: str, witness: NoteKey) -> int:
    """When (seconds) the `witness` took the checkpoint in `note` for the continuation of its last.

    Raises NotAuthentic when it did not sign, or the note has not the form of one.
    Source: C2SP tlog-cosignature
    """
    try:
        parsed = parse_note(note)
    except Malformed as error:
        raise NotAuthentic("the checkpoint does not have the form of one") from error
    return verify_note(parsed, witness)


def check_consistency(old: Checkpoint, new: Checkpoint, proof: Proof) -> None:
    """Accept only if the tally under `new` is that under `old`, continued.

    Raises NotAuthentic for another log, a smaller size, or a history that was changed.
    Source: RFC 9162, 2.1.4.2
    """
    if old.origin != new.origin:
        raise NotAuthentic("the two checkpoints are of different logs")
    verify_consistency(
        old_size=old.size,
        new_size=new.size,
        old_root=old.root,
        new_root=new.root,
        proof=proof,
    )


def decode_proof(text: str) -> Proof:
    """The hashes that stand one after the other in base64url `text`.

    Raises Malformed for a broken hash or more than 64.
    Source: RFC 9162, 2.1.3
    """
    octets = b64url_decode(text)
    if len(octets) % HASH_BYTES or len(octets) > HASH_BYTES * MAX_PROOF_HASHES:
        raise Malformed("a proof is up to 64 hashes of 32 bytes")
    return tuple(octets[at : at + HASH_BYTES] for at in range(0, len(octets), HASH_BYTES))
