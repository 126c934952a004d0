"""An authority inside the test, which states and signs whatever it is told, also what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from simulators.time_authority import POLICY, Issued, issue

from tallystick.entry.stamping import Authority
from tallystick.infrastructure.crypto.der import (
    BOOLEAN,
    INTEGER,
    NULL,
    OCTETS,
    SEQUENCE,
    SET,
    TIME,
    Members,
    number,
    single,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in
from tallystick.infrastructure.timestamps.request import SHA256 as SHA256_NAME
from tallystick.infrastructure.timestamps.request import imprint

NO_PARAMETERS = write(NULL)
RSA, ECDSA = "1.2.840.113549.1.1.1", "1.2.840.10045.4.3.2"
NAMED = "1.2.840.113549.1.9.16.2.47"


def algorithm(name: str, *parameters: bytes) -> bytes:
    return write(SEQUENCE, write_object(name), *parameters)


def attribute(name: str, value: bytes) -> bytes:
    return write(SEQUENCE, write_object(name), write(SET, value))


@dataclass
class Forger:
    """Signs as `signer`, whom `chain` leads to `root`; every part can be told otherwise."""

    root: Issued = field(default_factory=lambda: issue("Forged root", curve=True))
    signer: Issued | None = None
    chain: tuple[Issued, ...] = ()
    status: bytes = b""
    policy: str = POLICY
    at: str = ""
    accuracy: bytes = b"\x80\x01\x05"
    more: tuple[bytes, ...] = ()
    digest: bytes | None = None
    nonce: int | None = None
    said: dict[str, bytes] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    twice: bool = False
    sign: Callable[[bytes], bytes] | None = None
    hashed: str = SHA256_NAME
    scheme: str = ""
    content_type: str = "1.2.840.113549.1.9.16.1.4"
    version: int = 3

    def __post_init__(self) -> None:
        if self.signer is None:
            self.signer = issue("Forged stamps", self.root, stamps=True, curve=True)

    @property
    def roots(self) -> tuple[Certificate, ...]:
        return certificates_in(self.root.pem())

    def authority(self) -> Authority:
        """What asks for time stamps, with this forger in place of a network."""
        return Authority("https://tsa.example/", self.roots, exchange=lambda _, q: self.answer(q))

    def answer(self, query: bytes) -> bytes:
        """A response to `query`."""
        members = Members(single(query, SEQUENCE))
        members.take(INTEGER)
        asked = Members(members.take(SEQUENCE))
        asked.take(SEQUENCE)
        digest = asked.take(OCTETS).body
        nonce = next(number(one) for one in members.rest() if one.tag == INTEGER)
        return self.response(self.digest or digest, nonce if self.nonce is None else self.nonce)

    def statement(self, digest: bytes, nonce: int) -> bytes:
        at = self.at or datetime.now(UTC).strftime("%Y%m%d%H%M%SZ")
        return write(
            SEQUENCE,
            write_number(1),
            write_object(self.policy),
            imprint(digest),
            write_number(77),
            write(TIME, at.encode()),
            write(SEQUENCE, write_number(1), self.accuracy),
            write(BOOLEAN, b"\xff"),
            write_number(nonce),
            *self.more,
        )

    def response(self, digest: bytes, nonce: int) -> bytes:
        assert self.signer is not None
        content = self.statement(digest, nonce)
        named = write(
            SEQUENCE,
            write(SEQUENCE, write(SEQUENCE, write(OCTETS, sha256(self.signer.der())))),
        )
        attributes = {
            "1.2.840.113549.1.9.3": write_object(self.content_type),
            "1.2.840.113549.1.9.4": write(OCTETS, sha256(content)),
            NAMED: named,
        } | self.said
        kept = [attribute(n, v) for n, v in attributes.items() if n not in self.left_out]
        kept += kept[:1] if self.twice else []
        signed = write(SET, *sorted(kept))
        signature = (self.sign or self._signature)(signed)
        return self._message(content, signed, signature)

    def _signature(self, signed: bytes) -> bytes:
        assert self.signer is not None
        private = self.signer.private
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(signed, PKCS1v15(), SHA256())
        return private.sign(signed, ec.ECDSA(SHA256()))

    def _message(self, content: bytes, signed: bytes, signature: bytes) -> bytes:
        assert self.signer is not None
        parsed = self.signer.certificate
        rsa_key = isinstance(self.signer.private, rsa.RSAPrivateKey)
        scheme = (
            algorithm(self.scheme or RSA, NO_PARAMETERS)
            if rsa_key
            else algorithm(self.scheme or ECDSA)
        )
        signer = write(
            SEQUENCE,
            write_number(1),
            write(SEQUENCE, parsed.issuer.public_bytes(), write_number(parsed.serial_number)),
            algorithm(self.hashed),
            b"\xa0" + signed[1:],
            scheme,
            write(OCTETS, signature),
            write(0xA1, attribute("1.2.3.4", write_number(5))),
        )
        held = [self.signer.der(), *(one.der() for one in self.chain)]
        data = write(
            SEQUENCE,
            write_number(self.version),
            write(SET, algorithm(self.hashed)),
            write(SEQUENCE, write_object(self.content_type), write(0xA0, write(OCTETS, content))),
            write(0xA0, *held),
            write(SET, signer),
        )
        status = self.status or write(SEQUENCE, write_number(0), write(SEQUENCE, b"\x0c\x02ok"))
        return write(
            SEQUENCE,
            status,
            write(SEQUENCE, write_object("1.2.840.113549.1.7.2"), write(0xA0, data)),
        )
