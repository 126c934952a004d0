"""Ids, UUIDs and instants as OSCAL wants them, the same for the same thing on every run.

Source: OSCAL 1.2.1; RFC 9562, 5.8
"""

import re
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import iso_utc

OSCAL_VERSION: Final = "1.2.1"

NS: Final = "https://tallystick.example/ns/mfs"
"""The namespace of our properties; an identifier, and no address that anybody fetches."""

RMF_NS: Final = "http://csrc.nist.gov/ns/rmf"

_TOKEN = re.compile(r"[^0-9A-Za-z._-]+")
_SPACE = re.compile(r"\s+")


def uuid_of(*parts: str) -> str:
    """A UUID that is a function of `parts` alone: their SHA-256 with version 5 and variant set.

    Source: RFC 9562, 5.8
    """
    octets = bytearray(sha256("\x1f".join(("tallystick-oscal", *parts)).encode())[:16])
    octets[6] = (octets[6] & 0x0F) | 0x50
    octets[8] = (octets[8] & 0x3F) | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def control_id(requirement: str) -> str:
    """The token of a requirement: `MFS-7.3.2-01` gives `mfs-7.3.2-01`.

    Source: OSCAL 1.2.1
    """
    return requirement.lower()


def statement_id(requirement: str) -> str:
    """The id of the part of a control that says what is asked.

    Source: OSCAL 1.2.1
    """
    return f"{control_id(requirement)}_smt"


def objective_id(requirement: str) -> str:
    """The id of the part of a control that says how it is verified.

    Source: OSCAL 1.2.1
    """
    return f"{control_id(requirement)}_obj"


def as_token(text: str) -> str:
    """`text` as a token: letters, digits, points, dashes; never starts with a digit.

    Raises Malformed for a text of which nothing is left.
    Source: OSCAL 1.2.1
    """
    cleaned = _TOKEN.sub("-", text).strip("-.")
    if not cleaned:
        raise Malformed(f"{text[:20]!r} cannot be made a token")
    return cleaned if cleaned[0].isalpha() else f"n-{cleaned}"


def line(text: str) -> str:
    """`text` on one line, without white space at its ends.

    Source: OSCAL 1.2.1
    """
    return _SPACE.sub(" ", text).strip()


def stamp(instant: int) -> str:
    """`instant` (ms) with its time zone.

    Source: RFC 3339, 5.6
    """
    return iso_utc(instant)
