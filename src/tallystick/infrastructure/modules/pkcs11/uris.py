"""The name of a token, and of a key in it: `pkcs11:token=...;object=...?pin-source=...`.

A PIN in the address is refused: addresses stand in command lines and in logs.

Source: RFC 7512, 2; ISO/TS 12812-2:2017, 7.4.2
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tallystick.kernel.errors import Malformed, NotPermitted

_PATH = frozenset({"token", "serial", "slot-id", "object", "id", "type"})
_QUERY = frozenset({"pin-source", "module-path", "x-vendor"})
_MATCHED = frozenset({"manufacturer", "model", "library-description", "library-manufacturer"})
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/?|%]*")


@dataclass(frozen=True, slots=True)
class KeyUri:
    """What an address says; empty where it says nothing. `key_id` are the octets of CKA_ID.

    Source: RFC 7512, 2.3
    """

    label: str = ""
    serial: str = ""
    slot: int | None = None
    name: str = ""
    key_id: bytes = b""
    library: str = ""
    pin: str = ""
    vendor: str = "generic"


def read_key_uri(text: str) -> KeyUri:
    """The token and key that `text` names.

    Raises Malformed for another scheme, an attribute twice or one that is not understood,
    NotPermitted for an address with a PIN in it.
    Source: RFC 7512, 2.3; 2.4; 7
    """
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() != "pkcs11":
        raise Malformed("the address of a key in a token begins with pkcs11:")
    path, _, query = rest.partition("?")
    found = dict(_attributes(path, ";", _PATH)) | dict(_attributes(query, "&", _QUERY))
    if found.get("type", b"secret-key") not in {b"secret-key", b"private"}:
        raise Malformed("the address names something that is no key", remedy="say type=secret-key")
    slot = _text(found, "slot-id")
    if slot and not (slot.isascii() and slot.isdigit() and len(slot) < 20):
        raise Malformed("slot-id is a number")
    return KeyUri(
        label=_text(found, "token"),
        serial=_text(found, "serial"),
        slot=int(slot) if slot else None,
        name=_text(found, "object"),
        key_id=found.get("id", b""),
        library=_text(found, "module-path"),
        pin=_place(_text(found, "pin-source")),
        vendor=_text(found, "x-vendor") or "generic",
    )


def _attributes(text: str, between: str, known: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    for part in filter(None, text.split(between)):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise NotPermitted("an address has no PIN in it", remedy="use pin-source=file:/PATH")
        if not equals or name in seen:
            raise Malformed(f"{name[:30]!r} has no value, or two, in the address of a key")
        if name not in known:
            matched = " yet" if name in _MATCHED else ""
            raise Malformed(f"{name[:30]!r} is not understood{matched} in the address of a key")
        if _ESCAPE.search(value) or not _ALLOWED.fullmatch(value):
            raise Malformed(f"the value of {name} is not written as an address wants it")
        seen.add(name)
        yield name, unquote_to_bytes(value)


def _text(found: dict[str, bytes], name: str) -> str:
    try:
        return found.get(name, b"").decode()
    except UnicodeDecodeError:
        raise Malformed(f"the value of {name} is not UTF-8") from None


def _place(source: str) -> str:
    """`pin-source` in the form that a PIN's place has elsewhere; a bare path is a file.

    Source: RFC 7512, 2.4
    """
    return f"file:{source}" if source.startswith("/") else source
