"""An Android package, believed only as far as its signers signed it.

    archive without gaps -> block before the directory -> signers of schemes 2, 3 and 3.1
        -> digests of the chunks of entries, directory and end record -> manifest

A package that only the JAR scheme signs is refused, and so is one whose signers say that a later
scheme was there which is there no more.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256, sha512
from tallystick.infrastructure.packages.archive import Archive, read_archive
from tallystick.infrastructure.packages.axml import Manifest, read_manifest
from tallystick.infrastructure.packages.signing import (
    SECOND,
    THIRD,
    THIRD_ROTATED,
    Signer,
    read_block,
    signers_of,
)
from tallystick.kernel.errors import Malformed, NotAuthentic

MANIFEST: Final = "AndroidManifest.xml"
_CHUNK: Final = 1024 * 1024
_PAGE: Final = 4096
_HASH: Final = {"sha256": sha256, "sha512": sha512}
_SIGNATURE_FILE: Final = re.compile(r"META-INF/[^/]+\.SF", re.IGNORECASE)
_SAYS_SCHEMES: Final = re.compile(rb"^X-Android-APK-Signed:([ 0-9,]+)\r?$", re.MULTILINE)
_SCHEMES: Final = {2: SECOND, 3: THIRD}


@dataclass(frozen=True, slots=True)
class AndroidPackage:
    """What was signed: the manifest, the signers, the package's SHA-256 (hexadecimal).

    `signers` are the digests of the certificates that stand for it now, `lineage` the earlier
    ones that the present one follows, oldest first, itself last; empty for none. `schemes` says
    which signature schemes were verified, such as `2`, `3`, `3.1`.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    manifest: Manifest
    signers: tuple[str, ...]
    lineage: tuple[str, ...]
    schemes: tuple[str, ...]
    digest: str


def read_apk(octets: bytes) -> AndroidPackage:
    """The Android package in `octets`, every signature of it verified.

    Raises Malformed or TooLarge for what is no package, NotAuthentic for one that nobody signed,
    whose signature or digest does not hold, or from which a signature was taken away.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    archive = read_archive(octets, gap=True)
    begins, block = _block(archive)
    signed: dict[int, tuple[Signer, ...]] = {
        scheme: signers_of(block[scheme], scheme)
        for scheme in (SECOND, THIRD, THIRD_ROTATED)
        if scheme in block
    }
    if not {SECOND, THIRD} & set(signed):
        raise NotAuthentic("the package is not signed as a whole", remedy="sign it with scheme 2")
    _check_nothing_stripped(archive, signed)
    _check_digests(archive, begins, signed)
    _check_one_hand(signed)
    newest = signed.get(THIRD_ROTATED) or signed.get(THIRD) or signed[SECOND]
    words = {SECOND: "2", THIRD: "3", THIRD_ROTATED: "3.1"}
    return AndroidPackage(
        manifest=read_manifest(archive.unpacked(MANIFEST)),
        signers=tuple(sorted(one.digest for one in newest)),
        lineage=newest[0].lineage,
        schemes=tuple(words[one] for one in signed),
        digest=sha256(octets).hex(),
    )


def _block(archive: Archive) -> tuple[int, dict[int, bytes]]:
    """Where the signing block begins, and its values; only zeros may stand before it."""
    octets, end = archive.octets, archive.directory
    size = int.from_bytes(octets[max(0, end - 24) : end - 16], "little")
    begins = end - size - 8
    if archive.entries_end == end:
        raise NotAuthentic("the package is not signed as a whole", remedy="sign it with scheme 2")
    if not archive.entries_end <= begins < archive.entries_end + _PAGE:
        raise Malformed("the signing block does not stand behind the entries of the package")
    if octets[archive.entries_end : begins].strip(b"\x00"):
        raise Malformed("something stands between the entries and the signing block")
    return begins, read_block(octets[begins:end])


def _check_nothing_stripped(archive: Archive, signed: Mapping[int, tuple[Signer, ...]]) -> None:
    """That every scheme is there which a signer or a signature file says was there."""
    said = {_SCHEMES.get(one.also, one.also) for one in signed.get(SECOND, ()) if one.also}
    if any(one.rotated_from for one in signed.get(THIRD, ())):
        said.add(THIRD_ROTATED)
    for entry in archive.entries:
        if _SIGNATURE_FILE.fullmatch(entry.name):
            for line in _SAYS_SCHEMES.findall(archive.unpacked(entry.name)):
                said |= {_SCHEMES.get(one, one) for one in _numbers(line)}
    if not said <= set(signed):
        raise NotAuthentic("a signature was taken away from the package")
    if THIRD_ROTATED in signed and THIRD not in signed:
        raise NotAuthentic("a signature was taken away from the package")


def _numbers(line: bytes) -> Iterator[int]:
    for one in line.split(b","):
        if one.strip().isdigit():
            yield int(one.strip()[:9])


def _check_digests(archive: Archive, begins: int, signed: Mapping[int, tuple[Signer, ...]]) -> None:
    """That every digest that a signer signed is that of the package."""
    found: dict[str, bytes] = {}
    for one in (signer for signers in signed.values() for signer in signers):
        for hashed, digest in one.digests.items():
            if hashed not in found:
                found[hashed] = chunked_digest(archive, begins, hashed)
            if found[hashed] != digest:
                raise NotAuthentic("the package is not what its signers signed")


def chunked_digest(archive: Archive, begins: int, hashed: str) -> bytes:
    """The digest over chunks of 1 MiB of entries, directory and end record, under `hashed`.

    In the end record the directory stands where the signing block `begins`, as before signing.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    digest, octets = _HASH[hashed], archive.octets
    end = bytearray(octets[archive.end :])
    end[16:20] = begins.to_bytes(4, "little")
    parts = (octets[:begins], octets[archive.directory : archive.end], bytes(end))
    chunks: list[bytes] = []
    for part in parts:
        for at in range(0, len(part), _CHUNK):
            chunk = part[at : at + _CHUNK]
            chunks.append(digest(b"\xa5" + len(chunk).to_bytes(4, "little") + chunk))
    return digest(b"\x5a" + len(chunks).to_bytes(4, "little") + b"".join(chunks))


def _check_one_hand(signed: Mapping[int, tuple[Signer, ...]]) -> None:
    """That all schemes lead to one signer; only scheme 2 may have several, and then alone."""
    if len(signed) == 1 and SECOND in signed:
        return
    if any(len(signers) != 1 for signers in signed.values()):
        raise NotAuthentic("several signers stand beside a scheme that takes one")
    newest = (signed.get(THIRD_ROTATED) or signed[THIRD])[0]
    line = newest.lineage or (newest.digest,)
    if any(signers[0].digest not in line for signers in signed.values()):
        raise NotAuthentic("the signature schemes of the package lead to different signers")
    if SECOND in signed and signed[SECOND][0].digest != line[0]:
        raise NotAuthentic("scheme 2 is not signed by the oldest signer of the lineage")
