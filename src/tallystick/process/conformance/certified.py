"""Certificates of evaluation as a bundle shows them: what was signed, and where the log says so.

    entry -> the event that added it, with the digest of what officers signed
          -> the event that withdrew it, if one did
          -> in force | ended | not begun | withdrawn, at any instant

Source: ISO/TS 12812-2:2017, 9.1; 9.4
"""

from enum import StrEnum
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.model import Record

ADDED: Final = "certificate.added"
WITHDRAWN: Final = "certificate.withdrawn"
NEVER: Final = -1
"""The event of a withdrawal that never was."""


class Standing(StrEnum):
    """What a certificate is worth a look for at an instant.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    IN_FORCE = "in-force"
    ENDED = "ended"
    NOT_BEGUN = "not-begun"
    WITHDRAWN = "withdrawn"


class Evaluated(Record, frozen=True, kw_only=True):
    """What officers signed: component, scheme and level, by whom, and from when to when (ms).

    `digests` are the SHA-256 (hex) of what was evaluated.
    Source: ISO/TS 12812-2:2017, 9.1; 9.4
    """

    id: str
    component: str
    scheme: str
    level: str
    van: str
    protection_profile: str
    scope: str
    issuer: str
    laboratory: str
    recognition: str
    valid_from: int
    valid_to: int
    digests: tuple[str, ...]

    def file(self) -> str:
        """SHA-256 (base64url) over its canonical form, as the event that added it has it.

        Source: RFC 8785
        """
        return b64url(sha256(encode_canonical(self)))


class Certified(Record, frozen=True, kw_only=True):
    """A certificate, the event that added it, and its withdrawal: 0, empty and NEVER for none.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    certificate: Evaluated
    event: int
    withdrawn_at: int
    because: str
    withdrawn_event: int

    def events(self) -> tuple[int, ...]:
        """The events that speak of it.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return (
            (self.event,) if self.withdrawn_event == NEVER else (self.event, self.withdrawn_event)
        )

    def standing(self, now: int) -> Standing:
        """What it is at `now` (ms).

        Source: ISO/TS 12812-2:2017, 9.1
        """
        if self.withdrawn_event != NEVER and self.withdrawn_at <= now:
            return Standing.WITHDRAWN
        if now >= self.certificate.valid_to:
            return Standing.ENDED
        return Standing.NOT_BEGUN if now < self.certificate.valid_from else Standing.IN_FORCE

    def said(self) -> dict[int, tuple[str, dict[str, str | int]]]:
        """What the log must say at each of its events: the kind, and members of what is public.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        found: dict[int, tuple[str, dict[str, str | int]]] = {
            self.event: (
                ADDED,
                {"certificate": self.certificate.id, "file": self.certificate.file()},
            )
        }
        if self.withdrawn_event != NEVER:
            found[self.withdrawn_event] = (
                WITHDRAWN,
                {"certificate": self.certificate.id, "because": self.because},
            )
        return found
