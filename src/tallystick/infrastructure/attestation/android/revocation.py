"""The vendor's list of attestation certificates that are no longer believed, by serial number.

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from tallystick.infrastructure.attestation.plain import object_of
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

MAX_LIST: Final = 16 * 1024 * 1024
_DECODER: Final = Decoder(dict[str, Any], limit=MAX_LIST)
_STATES: Final = frozenset(("REVOKED", "SUSPENDED"))
_SERIAL: Final = re.compile(r"[0-9a-f]{1,64}")


class RevocationList(Record, frozen=True, kw_only=True):
    """Serial numbers (lowercase hexadecimal) with what became of each; `digest` names the list.

    Source: RFC 5280, 3.3
    """

    digest: str
    entries: Mapping[str, str]

    def state(self, serial: str) -> str:
        """`revoked: reason` or `suspended: reason` for `serial`; empty where it is not listed.

        Source: RFC 5280, 3.3
        """
        return self.entries.get(serial, "")


def read_revocations(octets: bytes) -> RevocationList:
    """The list in `octets`: JSON with `entries`, serial to `status` and `reason`.

    A serial is hexadecimal without leading zeros. Raises TooLarge, and Malformed for a list with
    an entry that cannot be read: half a list would let the other half through.
    Source: RFC 8259; RFC 5280, 3.3
    """
    found: dict[str, str] = {}
    for serial, entry in object_of(_DECODER.decode(octets).get("entries")).items():
        said = object_of(entry)
        state, reason = said.get("status"), said.get("reason", "UNSPECIFIED")
        plain = serial.lower().lstrip("0") or "0"
        if not isinstance(state, str) or not isinstance(reason, str) or state not in _STATES:
            raise Malformed("an entry of the list cannot be read")
        if not _SERIAL.fullmatch(plain):
            raise Malformed("an entry of the list cannot be read")
        found[plain] = f"{state.lower()}: {reason[:40]}"
    return RevocationList(digest=b64url(sha256(octets)), entries=found)
