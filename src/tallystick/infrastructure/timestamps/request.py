"""What is asked of a time-stamping authority.

Source: RFC 3161, 2.4.1
"""

from dataclasses import dataclass
from typing import Final

from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    NULL,
    OCTETS,
    SEQUENCE,
    write,
    write_number,
    write_object,
)

SHA256: Final = "2.16.840.1.101.3.4.2.1"
NONCE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Query:
    """A stamp for a SHA-256 of 32 octets; `policy` is empty where any policy will do.

    The certificate of the authority is asked for always: whoever verifies needs it.
    Source: RFC 3161, 2.4.1
    """

    digest: bytes
    nonce: int
    policy: str = ""

    def octets(self) -> bytes:
        """The query as it is sent; raises Malformed for a policy that is no object identifier.

        Source: RFC 3161, 2.4.1
        """
        return write(
            SEQUENCE,
            write_number(1),
            imprint(self.digest),
            *((write_object(self.policy),) if self.policy else ()),
            write_number(self.nonce),
            write(BOOLEAN, b"\xff"),
        )


def imprint(digest: bytes) -> bytes:
    """The imprint of a SHA-256.

    Source: RFC 3161, 2.4.1
    """
    algorithm = write(SEQUENCE, write_object(SHA256), write(NULL))
    return write(SEQUENCE, algorithm, write(OCTETS, digest))
