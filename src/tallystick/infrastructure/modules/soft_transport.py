"""RSA keys of the software module that a first wrapping key comes in under; they live in memory.

A pair is made inside, proved by a pairwise test, and forgotten after its days or with the process.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; RFC 8017, 7.1
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.crypto.blocks import with_odd_parity
from tallystick.infrastructure.crypto.registry import require
from tallystick.infrastructure.keyblocks.lattice import RSA, check_lattice, kind_of
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import CardMaterial, algorithm_of
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.kernel.errors import Broken, Conflict, Malformed, NotAuthentic, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant

RSA_OAEP: Final = "rsa-oaep-3072"
LIFE_MS: Final = 7 * DAY_MS
MOST_PAIRS: Final = 16
LENGTHS: Final = frozenset({3072, 4096})
"""The lengths of a modulus in bits; what it may wrap is in the table of wrapping keys."""

_HASHES: Final[dict[str, type[HashAlgorithm]]] = {"sha-256": SHA256, "sha-512": SHA512}
_PAIRWISE: Final = b"pairwise consistency"


@dataclass(frozen=True, slots=True)
class _Pair:
    private: rsa.RSAPrivateKey
    bits: int
    ends_at: int


class Transport(Record, frozen=True, kw_only=True):
    """The public half of a pair: its name, its certificate (PEM), until when it serves (ms).

    Source: ISO 11568; RFC 5280
    """

    name: str
    certificate: bytes
    ends_at: int


class Incoming(Record, frozen=True, kw_only=True):
    """What a key becomes that comes in under a pair.

    Source: X9.143, 6
    """

    purpose: Purpose
    mechanism: str
    mode: str
    exportability: str


class SoftTransport:
    """Makes pairs, and takes keys in that were enciphered to their public halves.

    Source: ISO 11568; RFC 8017, 7.1
    """

    __slots__ = ("_gate", "_pairs")

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate
        self._pairs: dict[str, _Pair] = {}

    def make(self, bits: int, name: str, now: Instant) -> Transport:
        """A fresh pair called `name`; takes up to seconds, on any thread.

        Raises Malformed for another length, NotPermitted where the rules do not admit it, Conflict
        for more pairs than are kept, Broken for halves that do not fit.
        Source: ISO 11568; ISO/IEC 19790
        """
        require(RSA_OAEP, self._gate.rules.admitted)
        if bits not in LENGTHS:
            raise Malformed("a transport key has 3072 or 4096 bits")
        for old in [one for one, pair in self._pairs.items() if now >= pair.ends_at]:
            self._pairs.pop(old, None)
        if len(self._pairs) >= MOST_PAIRS:
            raise Conflict("there are as many transport keys as are kept", remedy="use one again")
        private = rsa.generate_private_key(65_537, bits)
        sealed = private.public_key().encrypt(_PAIRWISE, _oaep("sha-256"))
        if private.decrypt(sealed, _oaep("sha-256")) != _PAIRWISE:
            raise Broken("a new key pair does not fit together", remedy="test the host")
        ends_at = now + LIFE_MS
        certificate = _certificate(private, name, now, ends_at, self._gate.draw(16))
        self._pairs[name] = _Pair(private, bits, ends_at)
        return Transport(name=name, certificate=certificate, ends_at=ends_at)

    def admit(
        self, name: str, sealed: bytes, digest: str, incoming: Incoming, now: Instant
    ) -> KeyHandle:
        """The key that was enciphered to the pair called `name`.

        Raises NotFound for a pair that is not there any more, NotAuthentic for what does not open
        or has another length, NotPermitted for a key that is stronger than the pair.
        Source: RFC 8017, 7.1; ISO 11568
        """
        require(RSA_OAEP, self._gate.rules.admitted)
        pair = self._pairs.get(name)
        if pair is None or now >= pair.ends_at:
            raise NotFound("the transport key is no more", remedy="ask for new parameters")
        length, letter = CARD_LENGTHS[incoming.mechanism], algorithm_of(incoming.mechanism)
        check_lattice(kind_of(RSA, pair.bits // 8), kind_of(letter, length))
        try:
            octets = pair.private.decrypt(sealed, _oaep(digest))
        except ValueError as error:
            raise NotAuthentic("the key cryptogram does not open") from error
        if len(octets) != length:
            raise NotAuthentic("the key cryptogram does not open")
        found = CardMaterial(
            mode=incoming.mode,
            exportability=incoming.exportability,
            ident=b"",
            octets=with_odd_parity(octets) if letter == "T" else octets,
        )
        return self._gate.take(incoming.purpose, incoming.mechanism, found)


def _oaep(digest: str) -> padding.OAEP:
    chosen = _HASHES[digest]
    return padding.OAEP(mgf=padding.MGF1(chosen()), algorithm=chosen(), label=None)


def _certificate(
    private: rsa.RSAPrivateKey, name: str, now: int, ends_at: int, serial: bytes
) -> bytes:
    """The certificate of a pair, signed by itself; whoever uses it compares its digest."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(int.from_bytes(serial, "big") >> 1 | 1)
        .not_valid_before(datetime.fromtimestamp(now // 1000, UTC))
        .not_valid_after(datetime.fromtimestamp(ends_at // 1000, UTC))
    )
    return built.sign(private, SHA256()).public_bytes(Encoding.PEM)
