"""Makes packages for iOS out of nothing: simulated, since no compiler and signer of Apple is here.

The layout is that of Mach-O and of its code directory; the code is zeros, nobody signed it.
"""

import hashlib
import io
import plistlib
import struct
import zipfile
from typing import Any

BUNDLE, TEAM = "org.example.wallet", "A1B2C3D4E5"


def property_list(**changes: Any) -> bytes:
    """An Info.plist, with `changes`; a field changed to None is left out."""
    said = {
        "CFBundleIdentifier": BUNDLE,
        "CFBundleExecutable": "Wallet",
        "CFBundleVersion": "42",
        "CFBundleShortVersionString": "4.2.0",
        "MinimumOSVersion": "15.0",
        **changes,
    }
    binary = plistlib.PlistFormat.FMT_BINARY
    return plistlib.dumps({k: v for k, v in said.items() if v is not None}, fmt=binary)


def directory(pages: bytes, told: bytes, identifier: str = BUNDLE, team: str = TEAM) -> bytes:
    """A code directory over `pages` of 4096 octets and the property list `told`."""
    words = identifier.encode() + b"\x00" + team.encode() + b"\x00"
    name = 52
    hashes = name + len(words) + 32
    digests = b"".join(
        hashlib.sha256(pages[at : at + 4096]).digest() for at in range(0, len(pages), 4096)
    )
    size = hashes + len(digests)
    head = struct.pack(
        ">9I4BI2I", 0xFADE0C02, size, 0x20200, 0, hashes, name, 1, len(digests) // 32,
        len(pages), 32, 2, 0, 12, 0, 0, name + len(identifier) + 1,
    )  # fmt: skip
    return head + words + hashlib.sha256(told).digest() + digests


def program(told: bytes, body: int = 9000, **who: str) -> bytes:
    """A 64-bit program with a command that says where its signature is, and that signature."""
    place = 32 + 16 + body
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 16, 0, 0)
    slots = -(-place // 4096)
    words = len(who.get("identifier", BUNDLE)) + len(who.get("team", TEAM)) + 2
    blob_size = 52 + words + 32 + 32 * slots
    pages = head + struct.pack("<4I", 0x1D, 16, place, 20 + blob_size) + bytes(body)
    blob = directory(pages, told, **who)
    return pages + struct.pack(">5I", 0xFADE0CC0, 20 + len(blob), 1, 0, 20) + blob


def fat(*slices: bytes) -> bytes:
    """Several programs in one file."""
    at = 8 + 20 * len(slices)
    rows, body = b"", b""
    for one in slices:
        rows += struct.pack(">5I", 0x0100000C, 0, at + len(body), len(one), 0)
        body += one
    return struct.pack(">2I", 0xCAFEBABE, len(slices)) + rows + body


def package(told: bytes, code: bytes) -> bytes:
    """The archive of one application."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Payload/Wallet.app/Info.plist", told)
        archive.writestr("Payload/Wallet.app/Wallet", code)
    return held.getvalue()


def genuine(**who: str) -> bytes:
    """A whole package, as `who` (identifier, team) says."""
    told = property_list()
    return package(told, program(told, **who))
