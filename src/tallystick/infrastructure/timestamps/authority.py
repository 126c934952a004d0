"""Our time-stamping authority: a signed statement of an instant, or the reason why there is none.

Its key stays in a module and serves nothing else. A number has 127 random bits of the module, so
that no two stamps have one number, whatever was restarted or restored. Where stamps are in order,
each one's instant is later than that of the one before, in steps of a microsecond.

Source: ISO/TS 12812-2:2017, 3.23; RFC 3161; RFC 5816; ISO/IEC 18014-2
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from tallystick.infrastructure.crypto.certify import public_of, public_of_signer
from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    OCTETS,
    SEQUENCE,
    SET,
    TIME,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ecdsa import der_signature
from tallystick.infrastructure.crypto.path_rules import STAMPS
from tallystick.infrastructure.crypto.paths import check_leaf
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.timestamps.asked import Asking, read_asking
from tallystick.infrastructure.timestamps.clocks import ClockHealth
from tallystick.infrastructure.timestamps.response import SIGNED_DATA, STATEMENT
from tallystick.kernel.errors import Malformed, MfsError, NotPermitted
from tallystick.kernel.time import Instant

BAD_ALGORITHM: Final = 0
BAD_FORM: Final = 5
NO_TIME: Final = 14
OTHER_POLICY: Final = 15
EXTENDED: Final = 16
FAILED: Final = 25
"""Why nothing is granted: numbers of bits."""

_LENGTHS: Final = {
    "2.16.840.1.101.3.4.2.1": 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
}
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = write_object("1.2.840.113549.1.9.4")
_SIGNER: Final = "1.2.840.113549.1.9.16.2.47"
_FIRST: Final = 0xA0
_MILLI: Final = 0x80
_ONE: Final = write_number(1)
_THREE: Final = write_number(3)
_SHA256: Final = write(SEQUENCE, write_object("2.16.840.1.101.3.4.2.1"))
_ECDSA_SHA256: Final = write(SEQUENCE, write_object("1.2.840.10045.4.3.2"))
_STATEMENT: Final = write_object(STATEMENT)
_SIGNED_DATA: Final = write_object(SIGNED_DATA)
_GRANTED: Final = write(SEQUENCE, write_number(0))
_REJECTED: Final = write_number(2)
_ORDERED: Final = write(BOOLEAN, b"\xff")


@dataclass(frozen=True, slots=True)
class Practice:
    """What the authority promises: its policy, how exact it is (ms), whether stamps are in order.

    Source: RFC 3161, 2.4.2; ETSI EN 319 421
    """

    policy: str
    accuracy_ms: int = 1000
    ordered: bool = True


class StampingAuthority:
    """Answers questions with stamps, from whichever thread they come.

    The clock is judged and the instant taken by one thread at a time, so that order holds between
    all of them; nobody waits while another signs.
    Source: RFC 3161, 2
    """

    def __init__(
        self,
        chain: tuple[Certificate, ...],
        signer: SigningKey,
        practice: Practice,
        health: ClockHealth,
        draw: Callable[[int], bytes],
    ) -> None:
        """Take up the certificate that `chain` begins with; the rest leads towards the root.

        Raises NotPermitted if `signer` has another key, NotAuthentic for a certificate that is not
        for time stamps alone, Malformed for a policy that is no object identifier.
        Source: RFC 3161, 2.3
        """
        own = chain[0]
        check_leaf(own, STAMPS)
        if public_of_signer(signer) != public_of(own):
            raise NotPermitted("the key is not that of the authority's certificate")
        if practice.accuracy_ms < 1:
            raise NotPermitted("nobody is exact to less than a millisecond here")
        self._own = own
        self._signer = signer
        self._practice = practice
        self._health = health
        self._draw = draw
        self._last_us = 0
        self._alone = Lock()
        self._policy = write_object(practice.policy)
        self._accuracy = _accuracy(practice.accuracy_ms)
        self._named = write(SEQUENCE, own.issuer, write_number(own.serial))
        self._certificates = write(_FIRST, *sorted(one.octets for one in chain))
        self._fixed = (_attribute(write_object(_CONTENT_TYPE), _STATEMENT), _names_signer(own))

    def answer(self, octets: bytes, now: Instant) -> bytes:
        """The answer to the question in `octets`, in DER: a stamp, or why there is none.

        Source: RFC 3161, 2.4.2
        """
        try:
            asking = read_asking(octets)
        except Malformed:
            return refused(BAD_FORM)
        with self._alone:
            why = self._why_not(asking, now)
            at_us = self._instant(now) if why is None else None
        if at_us is None:
            return refused(NO_TIME if why is None else why)
        try:
            return self._granted(asking, at_us)
        except MfsError:
            return refused(FAILED)

    def _why_not(self, asking: Asking, now: Instant) -> int | None:
        length = _LENGTHS.get(asking.algorithm)
        if length is None:
            return BAD_ALGORITHM
        if len(asking.digest) != length:
            return BAD_FORM
        if asking.extended:
            return EXTENDED
        if asking.policy and asking.policy != self._practice.policy:
            return OTHER_POLICY
        if not self._own.begins <= now < self._own.ends:
            return FAILED
        return NO_TIME if self._health.doubt(now) else None

    def _instant(self, now: Instant) -> int | None:
        """The instant (microseconds) to state; None where order would make it a wrong one."""
        at_us = now * 1000
        if self._practice.ordered:
            at_us = max(at_us, self._last_us + 1)
            if at_us - now * 1000 > self._practice.accuracy_ms * 1000:
                return None
            self._last_us = at_us
        return at_us

    def _granted(self, asking: Asking, at_us: int) -> bytes:
        number = int.from_bytes(self._draw(16), "big") >> 1
        content = write(
            SEQUENCE,
            _ONE,
            self._policy,
            asking.imprint,
            write_number(number or 1),
            write(TIME, general(at_us)),
            self._accuracy,
            _ORDERED if self._practice.ordered else b"",
            b"" if asking.nonce is None else write_number(asking.nonce),
        )
        digest = _attribute(_MESSAGE_DIGEST, write(OCTETS, sha256(content)))
        attributes = b"".join(sorted((*self._fixed, digest)))
        signature = der_signature(self._signer.sign(write(SET, attributes)))
        signer = write(
            SEQUENCE,
            _ONE,
            self._named,
            _SHA256,
            write(_FIRST, attributes),
            _ECDSA_SHA256,
            write(OCTETS, signature),
        )
        data = write(
            SEQUENCE,
            _THREE,
            write(SET, _SHA256),
            write(SEQUENCE, _STATEMENT, write(_FIRST, write(OCTETS, content))),
            self._certificates if asking.certificates else b"",
            write(SET, signer),
        )
        return write(SEQUENCE, _GRANTED, write(SEQUENCE, _SIGNED_DATA, write(_FIRST, data)))


def refused(bit: int) -> bytes:
    """The answer that grants nothing, for the reason with the number `bit`.

    Source: RFC 3161, 2.4.2
    """
    octets = bytearray(bit // 8 + 1)
    octets[-1] = 0x80 >> bit % 8
    reason = write(0x03, bytes((7 - bit % 8,)), bytes(octets))
    return write(SEQUENCE, write(SEQUENCE, _REJECTED, reason))


def general(at_us: int) -> bytes:
    """The instant `at_us` (microseconds) as text in UTC, without zeros at the end.

    Source: RFC 3161, 2.4.2; ITU-T X.690, 11.7
    """
    seconds, below = divmod(at_us, 1_000_000)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y%m%d%H%M%S")
    fraction = f".{below:06d}".rstrip("0").rstrip(".") if below else ""
    return f"{text}{fraction}Z".encode("ascii")


def _accuracy(ms: int) -> bytes:
    seconds, milli = divmod(ms, 1000)
    parts = [write_number(seconds)] if seconds else []
    if milli:
        parts.append(bytes((_MILLI,)) + write_number(milli)[1:])
    return write(SEQUENCE, *parts)


def _attribute(name: bytes, value: bytes) -> bytes:
    return write(SEQUENCE, name, write(SET, value))


def _names_signer(own: Certificate) -> bytes:
    """The signed attribute that names the certificate by its SHA-256."""
    named = write(SEQUENCE, write(OCTETS, sha256(own.octets)))
    return _attribute(write_object(_SIGNER), write(SEQUENCE, write(SEQUENCE, named)))
