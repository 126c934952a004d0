"""Writes Android packages and signs them by hand, so that a test can sign what no tool signs.

For scheme 3.1, which the packaged signer does not write, and for signers who say something wrong.
"""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.packages.apk import chunked_digest
from tallystick.infrastructure.packages.archive import read_archive

FOLDER = Path(__file__).parent / "packages"
ECDSA = 0x0201


def made(name: str) -> bytes:
    """A package that the platform's own signer made."""
    return (FOLDER / name).read_bytes()


def part(octets: bytes) -> bytes:
    """`octets` after their length."""
    return struct.pack("<I", len(octets)) + octets


def parts(found: Iterable[bytes]) -> bytes:
    """A list: each after its length, all after theirs."""
    return part(b"".join(part(one) for one in found))


@dataclass
class Hand:
    """A signing key and its own certificate."""

    secret: ec.EllipticCurvePrivateKey
    certificate: bytes

    def sign(self, octets: bytes) -> bytes:
        return self.secret.sign(octets, ec.ECDSA(hashes.SHA256()))

    @property
    def public(self) -> bytes:
        return self.secret.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )


def hand(name: str) -> Hand:
    """A new signer called `name`."""
    secret = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=9000))
        .sign(secret, hashes.SHA256())
    )
    return Hand(secret, built.public_bytes(Encoding.DER))


def lineage(*hands: Hand) -> bytes:
    """The attribute that says who followed whom, each signed by the one before."""
    nodes, before = [], None
    for one in hands:
        inner = part(one.certificate) + struct.pack("<I", ECDSA if before else 0)
        signature = before.sign(inner) if before else b""
        nodes.append(part(inner) + struct.pack("<2I", 0x17, ECDSA) + part(signature))
        before = one
    return struct.pack("<2I", 0x3BA06F8C, 1) + b"".join(part(one) for one in nodes)


@dataclass
class Signing:
    """How one scheme of a package is signed."""

    scheme: int
    by: Hand
    levels: tuple[int, int] = (24, 2**31 - 1)
    attributes: list[bytes] = field(default_factory=list)
    outside: tuple[int, int] | None = None

    def value(self, digest: bytes) -> bytes:
        levels = b"" if self.scheme == 0x7109871A else struct.pack("<2I", *self.levels)
        said = b"" if not levels else struct.pack("<2I", *(self.outside or self.levels))
        signed = (
            parts([struct.pack("<I", ECDSA) + part(digest)])
            + parts([self.by.certificate])
            + levels
            + parts(self.attributes)
        )
        signature = struct.pack("<I", ECDSA) + part(self.by.sign(signed))
        return parts([part(signed) + said + parts([signature]) + part(self.by.public)])


def bare(extra: dict[str, bytes] | None = None) -> bytes:
    """An archive that nobody signed, with the manifest of the fixtures."""
    with zipfile.ZipFile(io.BytesIO(made("all.apk"))) as genuine:
        held = {"AndroidManifest.xml": genuine.read("AndroidManifest.xml"), **(extra or {})}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in held.items():
            archive.writestr(name, octets)
    return target.getvalue()


def with_block(archive: bytes, pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """`archive` with a signing block of `pairs` before its directory."""
    found = read_archive(archive, gap=True)
    held = b"".join(struct.pack("<QI", len(value) + 4, scheme) + value for scheme, value in pairs)
    size = struct.pack("<Q", len(held) + 24)
    block = size + held + size + b"APK Sig Block 42"
    end = bytearray(archive[found.end :])
    end[16:20] = struct.pack("<I", found.directory + len(block))
    return archive[: found.directory] + block + archive[found.directory : found.end] + bytes(end)


def signed(archive: bytes, *how: Signing) -> bytes:
    """`archive`, signed in every way of `how`."""
    found = read_archive(archive)
    digest = chunked_digest(found, found.directory, "sha256")
    return with_block(archive, [(one.scheme, one.value(digest)) for one in how])


def block_of(package: bytes) -> tuple[int, int]:
    """Where the signing block of `package` begins and ends."""
    end = read_archive(package, gap=True).directory
    size = struct.unpack_from("<Q", package, end - 24)[0]
    return end - size - 8, end


def reblocked(package: bytes, change: Callable[[dict[int, bytes]], dict[int, bytes]]) -> bytes:
    """`package` with another block, as who takes a signature away would write it."""
    begins, ends = block_of(package)
    pairs, at = dict[int, bytes](), begins + 8
    while at < ends - 24:
        size, scheme = struct.unpack_from("<QI", package, at)
        pairs[scheme] = package[at + 12 : at + 8 + size]
        at += 8 + size
    end = bytearray(package[-22:])
    end[16:20] = struct.pack("<I", begins)
    return with_block(package[:begins] + package[ends:-22] + bytes(end), change(pairs).items())
