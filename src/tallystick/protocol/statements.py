"""Statements that officers sign away from the server: of certificates, of releases, of applications
and of tightenings beyond their caps.

    signed message = "tallystick statement v1" 0x00 | about as UTF-8 | 0x00 | body octets

`about` says what the body is, so that no signature serves two purposes; the body is canonical JSON.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern
from tallystick.protocol.policy_file import OfficerSignature

MAX_STATEMENT_BYTES = 64 * 1024
LABEL = b"tallystick statement v1\x00"

About = Annotated[
    str,
    pattern(
        "^(?:certificate-added|certificate-withdrawn|release|tightening-approved"
        "|app-released|app-withdrawn|app-denied|app-rolled-out|app-files)$"
    ),
]
"""What a statement says."""


class SignedStatement(Wire, frozen=True, kw_only=True):
    """A body, what it is, and who signed both.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """

    v: Annotated[int, PUBLIC] = 1
    about: Annotated[About, PUBLIC]
    body: Annotated[Base64Url, INTERNAL]
    signatures: Annotated[tuple[OfficerSignature, ...], INTERNAL]


class StatementRecorded(Wire, frozen=True, kw_only=True):
    """What became of a statement: the event that records it.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    says: Annotated[ShortText, INTERNAL]
    event: Annotated[Natural, PUBLIC]


_statements = Decoder(SignedStatement, limit=MAX_STATEMENT_BYTES)


def read_statement(octets: bytes) -> SignedStatement:
    """The statement in `octets`; nothing of it is believed before it is verified.

    Raises TooLarge past 64 KiB, Malformed.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return _statements.decode(octets)


def statement_message(about: str, body: bytes) -> bytes:
    """What an officer signs.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return LABEL + about.encode() + b"\x00" + body
