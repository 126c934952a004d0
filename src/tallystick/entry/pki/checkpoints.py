"""A time stamp over the newest checkpoint of the log, every hour.

With it nobody, the provider included, can say later that the log was another one before that hour.
The authority is the provider's own, or, by configuration, another's, whose word counts for more.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; RFC 3161; C2SP tlog-checkpoint
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.stamping import Authority
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Roots, certificates_in
from tallystick.infrastructure.modules.entropy import Entropy, operating_system
from tallystick.infrastructure.pki.profiles import ROOT
from tallystick.infrastructure.timestamps import Query, Stamped, kept_form, verify_stamp
from tallystick.infrastructure.timestamps.request import NONCE_BYTES
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import parse_checkpoint

FORMER_ROOTS: Final = "former-roots.pem"
"""Roots of authorities that stamped before: what they stamped goes on counting."""
_MOST: Final = 256 * 1024


class StampedCheckpoint(Record, frozen=True, kw_only=True):
    """A checkpoint of the log with the stamp over it (base64url of the form that is kept).

    Source: RFC 3161; C2SP tlog-checkpoint
    """

    v: int
    checkpoint: str
    stamp: str


_KEPT: Decoder[StampedCheckpoint] = Decoder(StampedCheckpoint, limit=_MOST)


def own_stamp(desk: CertificateDesk, data: bytes, entropy: Entropy = operating_system) -> bytes:
    """A stamp over `data` by the provider's own authority, verified, in the form that is kept.

    Raises Unavailable where it gives none.
    Source: RFC 3161, 2.2
    """
    nonce = int.from_bytes(entropy(NONCE_BYTES), "big")
    query = Query(digest=sha256(data), nonce=nonce)
    return kept_form(desk.stamp(query.octets()), query, desk.roots())


def other_authority(folder: CertificateFolder) -> Authority | None:
    """The authority of somebody else that the configuration names, or None.

    Raises Malformed for roots that are none, NotFound for a file that is not there.
    Source: RFC 3161, 2.4.1
    """
    settings = folder.settings()
    if not settings.authority_url:
        return None
    try:
        pem = (folder.root / settings.authority_roots).read_bytes()
    except OSError:
        raise NotFound(
            "the roots of the time-stamping authority are not there",
            remedy="name a file of certificates in PEM as authority_roots",
        ) from None
    return Authority(settings.authority_url, certificates_in(pem))


def all_roots(folder: CertificateFolder) -> Roots:
    """The roots of every authority that stamps or stamped here: the own one, and others'.

    Raises Malformed for roots that are none, NotFound for a file that is not there.
    Source: RFC 3161, 2.2
    """
    pem = pem_of(folder.register().authority(ROOT).octets).encode()
    other, former = other_authority(folder), folder.root / FORMER_ROOTS
    if other is not None:
        pem += b"\n" + (folder.root / folder.settings().authority_roots).read_bytes()
    if former.exists():
        pem += b"\n" + former.read_bytes()
    return certificates_in(pem)


def keep_former_roots(folder: CertificateFolder) -> None:
    """Keep the roots of the authority that is configured, before another takes its place.

    Source: RFC 3161, 2.2
    """
    name, former = folder.settings().authority_roots, folder.root / FORMER_ROOTS
    place = folder.root / name
    if not name or not place.exists():
        return
    before = former.read_bytes() if former.exists() else b""
    if place.read_bytes() not in before:
        folder.keep(former, before + place.read_bytes() + b"\n")


def keep_stamp(
    folder: CertificateFolder, note: str, stamp: Callable[[bytes], bytes]
) -> Path | None:
    """Stamp the checkpoint `note` and keep both; None where there is nothing new to stamp.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if not note:
        return None
    size = parse_checkpoint(note.split("\n\n", 1)[0] + "\n").size
    file = folder.stamps / f"{size}.json"
    if file.exists():
        return None
    kept = StampedCheckpoint(v=1, checkpoint=note, stamp=b64url(stamp(note.encode())))
    folder.keep(file, encode_canonical(kept))
    return file


def read_kept(octets: bytes) -> StampedCheckpoint:
    """A stamped checkpoint as it is kept, not verified; raises Malformed.

    Source: RFC 3161; C2SP tlog-checkpoint
    """
    return _KEPT.decode_canonical(octets)


def verify_kept(octets: bytes, roots: Roots) -> tuple[StampedCheckpoint, Stamped]:
    """The checkpoint in `octets` and what its stamp proves.

    Raises Malformed, NotAuthentic.
    Source: RFC 3161, 2.2
    """
    kept = read_kept(octets)
    return kept, verify_stamp(b64url_decode(kept.stamp), kept.checkpoint.encode(), roots)
