"""Signatures of Android packages, schemes 2, 3 and 3.1: read octet by octet, and each verified.

    block = length (8) | pairs: length (8), scheme (4), value | length (8) | "APK Sig Block 42"
    signer = signed data, [least and most API], signatures, public key; each after its length (4)

Every signature whose algorithm is known must verify, not only the strongest; at least one such
algorithm must come with a digest of the package's chunks.

Source: ISO/TS 12812-2:2017, 7.4.4
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.credential import credential_of_spki
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

MAGIC: Final = b"APK Sig Block 42"
SECOND: Final = 0x7109871A
THIRD: Final = 0xF05368C0
THIRD_ROTATED: Final = 0x1B93AD61
MAX_BLOCK: Final = 4 * 1024 * 1024
_MAX_ITEMS: Final = 16
_PADDING: Final = 0x42726577
_NOTED: Final = frozenset((SECOND, THIRD, THIRD_ROTATED, _PADDING, 0x504B4453, 0x6DFF800D))
"""What may stand in a block: the schemes, padding, a store's list of parts, a source stamp."""
_STRIPPED: Final = 0xBEEFF00D
_LINEAGE: Final = 0x3BA06F8C
_ROTATED_FROM: Final = 0x559F8B02
_PLAIN: Final = {
    0x0101: (-37, "sha256"),
    0x0102: (-39, "sha512"),
    0x0103: (-257, "sha256"),
    0x0104: (-259, "sha512"),
    0x0201: (-7, "sha256"),
    0x0202: (-36, "sha512"),
}
"""Algorithms over a digest of chunks: number in COSE, and the hash of the chunks."""
_VERITY: Final = {0x0421: -257, 0x0423: -7}
"""Algorithms over a tree that the system keeps looking at: signature verified, tree not built."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer whose signatures verified: its certificate, and the digests that it stands for.

    `digests` are by hash; `least` and `most` the levels of API that it signs for (0 and 2^31-1 in
    scheme 2). `lineage` holds the certificates that it follows, oldest first, itself last.
    `also` says which later scheme was there when it signed; `rotated_from` from which level on
    another signer stands in scheme 3.1; 0 for none.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    certificate: Certificate
    digests: Mapping[str, bytes]
    least: int
    most: int
    lineage: tuple[str, ...]
    also: int
    rotated_from: int

    @property
    def digest(self) -> str:
        """SHA-256 of its certificate, hexadecimal: how a signer of Android is named.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return sha256(self.certificate.octets).hex()


class Octets:
    """Reads numbers and lengths from the front; what is cut off is Malformed.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    def __init__(self, octets: bytes) -> None:
        """Begin at the front of `octets`.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        """How many octets were not read yet.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return len(self._octets) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` octets.

        Raises Malformed where there are fewer.
        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        if not 0 <= count <= self.left:
            raise Malformed("a signature of the package is cut off")
        found = self._octets[self._at : self._at + count]
        self._at += count
        return found

    def number(self) -> int:
        """The next 32 bits, little-endian.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return int(struct.unpack("<I", self.take(4))[0])

    def part(self) -> bytes:
        """The next octets, as many as the number before them says.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return self.take(self.number())

    def end(self) -> None:
        """Return only if nothing is left; raises Malformed otherwise.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        if self.left:
            raise Malformed("something stands behind a signature of the package")


def read_block(octets: bytes) -> dict[int, bytes]:
    """The values of a signing block by scheme; a block without magic is Malformed.

    Raises TooLarge past 4 MiB, Malformed for a scheme that is unknown or comes twice, for padding
    that holds something and for lengths that do not meet: no signature covers the block.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if len(octets) > MAX_BLOCK:
        raise TooLarge(f"a signing block has at most {MAX_BLOCK} octets")
    if len(octets) < 32 or octets[-16:] != MAGIC:
        raise Malformed("there is no signing block before the directory of the package")
    first, last = octets[:8], octets[-24:-16]
    if first != last or int.from_bytes(first, "little") != len(octets) - 8:
        raise Malformed("the signing block says two lengths")
    found: dict[int, bytes] = {}
    pairs = Octets(octets[8:-24])
    while pairs.left:
        value = Octets(pairs.take(int.from_bytes(pairs.take(8), "little")))
        scheme = value.number()
        if scheme in found or scheme not in _NOTED:
            raise Malformed("a part of the signing block comes twice, or is not known")
        found[scheme] = value.take(value.left)
    if found.get(_PADDING, b"").strip(b"\x00"):
        raise Malformed("the padding of the signing block holds something")
    return found


def signers_of(value: bytes, scheme: int) -> tuple[Signer, ...]:
    """The signers in the `value` of a scheme, each verified.

    Raises Malformed, NotAuthentic for a signature, lineage or certificate that does not hold.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    whole = Octets(value)
    listed = tuple(_parts(whole.part()))
    whole.end()
    if not listed:
        raise Malformed("a signature scheme has no signer")
    signers = tuple(_signer(one, scheme) for one in listed)
    if len({one.digest for one in signers}) != len(signers):
        raise Malformed("a signer comes twice")
    return signers


def _parts(octets: bytes) -> Iterator[bytes]:
    rest = Octets(octets)
    for _ in range(_MAX_ITEMS):
        if not rest.left:
            return
        yield rest.part()
    if rest.left:
        raise TooLarge(f"a list of a signature has at most {_MAX_ITEMS} members")


def _signer(octets: bytes, scheme: int) -> Signer:
    rest = Octets(octets)
    signed = rest.part()
    levels = (0, 2**31 - 1) if scheme == SECOND else (rest.number(), rest.number())
    signatures = _pairs(rest.part())
    public = rest.part()
    rest.end()
    verifier = credential_of_spki(public)
    counted = 0
    for algorithm, signature in signatures.items():
        named = _PLAIN[algorithm][0] if algorithm in _PLAIN else _VERITY.get(algorithm)
        if named is not None:
            verifier.verify(named, signature, signed)
            counted += algorithm in _PLAIN
    if not counted:
        raise NotAuthentic("no signature of the package is of an algorithm that is taken")
    return _signed(signed, scheme, levels, tuple(signatures), public)


def _signed(
    signed: bytes, scheme: int, levels: tuple[int, int], algorithms: tuple[int, ...], public: bytes
) -> Signer:
    """What a signer signed; its algorithms, levels and key are those that stand outside of it."""
    rest = Octets(signed)
    digests = _pairs(rest.part())
    certificates = tuple(_parts(rest.part()))
    if scheme != SECOND and (rest.number(), rest.number()) != levels:
        raise NotAuthentic("the levels of a signer are not those that it signed")
    attributes = _attributes(rest.part())
    if rest.left and rest.take(rest.left) != bytes(4):
        raise Malformed("something stands behind what a signer signed")
    if tuple(digests) != algorithms:
        raise NotAuthentic("the algorithms of a signer are not those that it signed")
    if not certificates or levels[0] > levels[1]:
        raise Malformed("a signer has no certificate, or is for no level")
    certificate = read_certificate(certificates[0])
    if certificate.public.spki != public:
        raise NotAuthentic("the certificate of a signer is for another key")
    lineage = _lineage(attributes[_LINEAGE]) if _LINEAGE in attributes else ()
    own = sha256(certificate.octets).hex()
    if lineage and (scheme == SECOND or lineage[-1] != own):
        raise NotAuthentic("the lineage of a signer does not end with it")
    return Signer(
        certificate=certificate,
        digests=_by_hash(digests),
        least=levels[0],
        most=levels[1],
        lineage=lineage,
        also=_number(attributes, _STRIPPED),
        rotated_from=_number(attributes, _ROTATED_FROM),
    )


def _by_hash(digests: Mapping[int, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for algorithm, digest in digests.items():
        if algorithm in _PLAIN:
            hashed = _PLAIN[algorithm][1]
            if found.setdefault(hashed, digest) != digest:
                raise NotAuthentic("a signer signed two digests of one package")
    return found


def _pairs(octets: bytes) -> dict[int, bytes]:
    """Numbers of algorithms and what belongs to each."""
    found: dict[int, bytes] = {}
    for one in _parts(octets):
        pair = Octets(one)
        algorithm = pair.number()
        if algorithm in found:
            raise Malformed("an algorithm of a signer comes twice")
        found[algorithm] = pair.part()
        pair.end()
    return found


def _attributes(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for one in _parts(octets):
        attribute = Octets(one)
        name = attribute.number()
        if name in found:
            raise Malformed("an attribute of a signer comes twice")
        found[name] = attribute.take(attribute.left)
    return found


def _number(attributes: Mapping[int, bytes], name: int) -> int:
    if name not in attributes:
        return 0
    rest = Octets(attributes[name])
    found = rest.number()
    rest.end()
    return found


def _lineage(octets: bytes) -> tuple[str, ...]:
    """The certificates of a lineage, each signed by the one before; oldest first."""
    whole = Octets(octets)
    if whole.number() != 1:
        raise Malformed("the lineage of a signer is of another version")
    before: Certificate | None = None
    algorithm, seen = 0, list[str]()
    while whole.left:
        node = Octets(whole.part())
        signed, _flags, following, signature = (
            node.part(), node.number(), node.number(), node.part(),
        )  # fmt: skip
        node.end()
        inner = Octets(signed)
        certificate, said = read_certificate(inner.part()), inner.number()
        inner.end()
        if before is not None:
            if said != algorithm or algorithm not in _PLAIN:
                raise NotAuthentic("a link of the lineage is of another algorithm")
            before.public.verify(_PLAIN[algorithm][0], signature, signed)
        before, algorithm = certificate, following
        name = sha256(certificate.octets).hex()
        if name in seen or len(seen) >= _MAX_ITEMS:
            raise Malformed("the lineage of a signer turns in a circle, or has no end")
        seen.append(name)
    if not seen:
        raise Malformed("the lineage of a signer is empty")
    return tuple(seen)
