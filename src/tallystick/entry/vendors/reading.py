"""Octets of a list to what it says, by the reader of its kind.

Source: RFC 9334, 7.4; FIDO Metadata Service 3.0, 3.1; ISO/TS 12812-2:2017, 7.2.6
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.infrastructure.attestation.android.roots import read_roots
from tallystick.infrastructure.attestation.webauthn.metadata import read_metadata
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.time import Instant
from tallystick.process.attestation.lists import ListName, VendorList

ROOTS_FILE: Final = "attestation-models.pem"
"""The roots that the file of models is signed under, in the provider's folder."""


class ReadList(NamedTuple):
    """A list, and what it says: state by serial, report by model, or name by root.

    Source: RFC 9334, 7.4
    """

    listed: VendorList
    said: Mapping[str, str]


def read_list(name: str, octets: bytes, root: Path, source: str, at: Instant) -> ReadList:
    """The list `name` in `octets`, as its `source` gave it at `at`.

    A file of models is verified under the roots in the folder `root`. Raises Malformed, TooLarge,
    NotAuthentic, or NotFound where no roots are there.
    Source: RFC 9334, 7.4; FIDO Metadata Service 3.0, 3.2
    """
    number = due_at = 0
    match name:
        case ListName.REVOKED:
            listed = read_revocations(octets)
            digest, said, members = listed.digest, dict(listed.entries), len(listed.entries)
        case ListName.ROOTS:
            roots = read_roots(octets)
            digest, said, members = roots.digest, roots.roots, len(roots.roots)
        case _:
            found = read_metadata(octets, certificates_in(_roots(root)), at)
            reports = {model: one.compromise() for model, one in found.models.items()}
            said = {model: report for model, report in reports.items() if report}
            digest, members, number = found.digest, len(found.models), found.number
            due_at = _midnight(found.next_update)
    row = VendorList(
        name=name,
        source=source,
        digest=digest,
        at=at,
        imported_at=at,
        members=members,
        number=number,
        due_at=due_at,
    )
    return ReadList(row, said)


def _roots(root: Path) -> bytes:
    try:
        return (root / ROOTS_FILE).read_bytes()
    except FileNotFoundError:
        raise NotFound(
            "nothing says under which root the models are signed",
            remedy=f"put the root's certificate into the folder as {ROOTS_FILE}",
        ) from None


def _midnight(day: str) -> int:
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise Malformed("the models name no day of the next file") from error
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)
