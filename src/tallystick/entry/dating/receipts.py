"""A dated receipt: what shows in twenty years that a consent was recorded before an instant.

    receipt   leaf, proof under the checkpoint that was stamped first after it, disclosures
    kept      that checkpoint with the stamp over it, as the provider's folder has it
    gathered  the list that the stamp was gathered into, and the stamps over it, where there are any

Whoever verifies needs the log's public key and the root of the authority that stamped, and no word
of the provider. Making one needs no secret: what it opens is what the receipt opened.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; 11.2.2; RFC 4998, 5.3; RFC 9162, 2.1.3
"""

from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from tallystick.entry.auditing import Believed, verify_by
from tallystick.entry.dating.gathered import (
    counts_until,
    kept_stamps,
    list_of,
    read_gathered,
    read_lists,
)
from tallystick.entry.pki.archiving import stamps_file
from tallystick.entry.pki.checkpoints import read_kept, verify_kept
from tallystick.entry.pki.places import CertificateFolder
from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.tiles import inclusion_proof
from tallystick.infrastructure.tally.verify import VerifiedReceipt
from tallystick.infrastructure.timestamps.chain import read_chain, verify_chain
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.kernel.model import Base64Url, Record, replace
from tallystick.kernel.time import Instant, iso_utc
from tallystick.protocol.receipt import Receipt

_MOST: Final = 4 << 20


class Renewed(Record, frozen=True, kw_only=True):
    """The list that a stamp was gathered into, and the stamps over the list (base64url of both).

    Source: RFC 4998, 5
    """

    list: Base64Url
    stamps: Base64Url


class DatedReceipt(Record, frozen=True, kw_only=True):
    """A receipt under a stamped checkpoint, that checkpoint with its stamp, and what renewed it.

    Source: ISO/TS 12812-2:2017, 11.2.2; RFC 4998, 5
    """

    v: Literal[1] = 1
    receipt: Receipt
    kept: Base64Url
    gathered: Renewed | None = None


class Dated(Record, frozen=True, kw_only=True):
    """What holds: the receipt, the instant (ms) before which it was recorded, and who says so.

    `until` (ms) is when the proof ends as it is; `stamps` is how many stamps it rests on.
    Source: ISO/TS 12812-2:2017, 3.23; RFC 4998, 5.3
    """

    receipt: VerifiedReceipt
    before: Instant
    accuracy_ms: int
    authority: str
    until: Instant
    stamps: int


_DATED: Final = Decoder(DatedReceipt, limit=_MOST)


def read_dated(octets: bytes) -> DatedReceipt:
    """The dated receipt in a file; raises Malformed for anything else.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return _DATED.decode(octets.strip())


def date_receipt(receipt: Receipt, folder: CertificateFolder, whose: Believed) -> DatedReceipt:
    """`receipt` with the first stamp over a checkpoint that covers it, and what renewed that.

    The log of the provider in `folder` is read, not written. Raises NotAuthentic for a receipt of
    another log or of an event that this one does not have, NotFound where nothing is stamped yet.
    Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1.3.1
    """
    verified = verify_by(receipt, whose)
    file = _first_after(folder, verified.index)
    size, octets = int(file.stem), file.read_bytes()
    with open_snapshot(folder.provider.stored()) as reader:
        tally = TallyStore(reader)
        if tally.leaf(verified.index) != b64url_decode(receipt.leaf):
            raise NotAuthentic("the log has another event at the place of this receipt")
        proof = inclusion_proof(tally, verified.index, size)
    stated = read_kept(octets).checkpoint
    moved = replace(receipt, proof=b64url(b"".join(proof)), checkpoint=stated)
    listed = list_of(read_lists(folder), size, octets)
    gathered = None
    if listed is not None:
        over = stamps_file(listed.file).read_bytes()
        gathered = Renewed(list=b64url(listed.file.read_bytes()), stamps=b64url(over))
    return DatedReceipt(receipt=moved, kept=b64url(octets), gathered=gathered)


def verify_dated(dated: DatedReceipt, whose: Believed, roots: Roots, now: Instant) -> Dated:
    """What `dated` proves at `now` by the log's keys and the authority's roots.

    Raises NotAuthentic where anything does not fit, or where the proof has ended.
    Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; RFC 4998, 5.3
    """
    receipt = verify_by(dated.receipt, whose)
    octets = b64url_decode(dated.kept)
    kept, stamped = verify_kept(octets, roots)
    if kept.checkpoint != dated.receipt.checkpoint:
        raise NotAuthentic("the stamp is over another checkpoint than the receipt's")
    ends, stamps = counts_until(stamped), 1
    if dated.gathered is not None:
        document = b64url_decode(dated.gathered.list)
        if not read_gathered(document).holds(receipt.checkpoint.size, octets):
            raise NotAuthentic("the stamp is not in the list that was stamped again")
        chain = verify_chain(read_chain(b64url_decode(dated.gathered.stamps)), document, roots)
        if not stamped.at <= chain[0].at < ends:
            raise NotAuthentic("the stamp was gathered when it proved nothing any more")
        for one, after in pairwise(chain):
            if after.at >= counts_until(one):
                raise NotAuthentic("the list was stamped again when it proved nothing any more")
        ends, stamps = counts_until(chain[-1]), 1 + len(chain)
    if now >= ends:
        raise NotAuthentic(
            f"the proof ended on {iso_utc(ends)[:10]}: ask the provider for the receipt dated anew"
        )
    return Dated(
        receipt=receipt,
        before=stamped.at,
        accuracy_ms=stamped.accuracy_ms,
        authority=stamped.authority,
        until=ends,
        stamps=stamps,
    )


def _first_after(folder: CertificateFolder, index: int) -> Path:
    """The first stamped checkpoint that covers the event `index`."""
    for file in kept_stamps(folder):
        if int(file.stem) > index:
            return file
    raise NotFound(
        "no checkpoint over this event is stamped yet",
        remedy="the log is stamped every hour while the service runs: try again later",
    )
