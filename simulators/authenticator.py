"""A simulated authenticator beside a browser: registrations in the shape of WebAuthn; no hardware.

Its root is made with it and is named `Simulated`: only a policy that lists it, with
`simulated: yes`, believes it.

Source: WebAuthn Level 3, 6.5; 8.2; ISO/TS 12812-2:2017, 8.1.1
"""

import json
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from simulators.keymint import SimulatedFactory
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope import cbor
from tallystick.infrastructure.envelope.schedule import keys_challenge
from tallystick.kernel.codec import b64url
from tallystick.protocol.enrolment import WEBAUTHN, Attestation

RELYING: Final = "wallet.example"
ORIGIN: Final = "https://wallet.example"
PERSON: Final = 0x45
"""Somebody was there and was verified; a credential is attached."""


class SimulatedAuthenticator:
    """Makes credentials and attests them with a batch key; all in this process's memory.

    Source: WebAuthn Level 3, 6.5
    """

    def __init__(self, at: int, relying: str = RELYING, origin: str = ORIGIN) -> None:
        """Make its keys at `at` (ms); it answers for `relying`, asked from `origin`.

        Source: WebAuthn Level 3, 5.8.1
        """
        self._maker = SimulatedFactory(at)
        self._relying, self._origin = relying, origin
        root, self._batch = _new(), _new()
        named = _name("Simulated Authenticator Root, no hardware")
        self._root = self._maker.certificate(named, root.public_key(), named, root, authority=True)
        self._leaf = self._maker.certificate(
            _unit("Simulated Authenticator"), self._batch.public_key(), named, root
        )

    def believed(self, text: str) -> str:
        """The policy of appraisal `text` with this root, labelled, and where browsers enrol.

        Source: RFC 9334, 8.3
        """
        pem = self._root.public_bytes(Encoding.PEM).decode()
        lines = "".join(f"      {line}\n" for line in pem.splitlines())
        root = (
            "roots:\n  - name: simulated-authenticator\n    formats: [packed]\n"
            f"    simulated: yes\n    pem: |\n{lines}"
        )
        browser = f'browser: {{relying: {RELYING}, origins: ["{ORIGIN}"]}}\nverdict:\n'
        return text.replace("roots:\n", root, 1).replace("verdict:\n", browser, 1)

    def attest(
        self,
        challenge: bytes,
        possession: bytes,
        consent: bytes,
        *,
        flags: int = PERSON,
        bare: bool = False,
    ) -> Attestation:
        """What a browser hands in for its two keys (65 octets each); `bare` attests nothing.

        Source: ISO/TS 12812-2:2017, 7.4.1; WebAuthn Level 3, 8.2
        """
        told = b64url(keys_challenge(challenge, possession, consent))
        client = json.dumps(
            {"type": "webauthn.create", "challenge": told, "origin": self._origin}
        ).encode()
        data = sha256(self._relying.encode()) + bytes((flags,)) + bytes(4) + _credential()
        attested = (
            cbor.head(5, 3)
            + (cbor.text("fmt") + cbor.text("none" if bare else "packed"))
            + (cbor.text("attStmt") + (cbor.head(5, 0) if bare else self._stated(data, client)))
            + (cbor.text("authData") + cbor.octets(data))
        )
        statement = (
            cbor.head(5, 2)
            + (cbor.text("client") + cbor.octets(client))
            + (cbor.text("attestation") + cbor.octets(attested))
        )
        return Attestation(format=WEBAUTHN, statement=b64url(statement))

    def _stated(self, data: bytes, client: bytes) -> bytes:
        signature = self._batch.sign(data + sha256(client), ec.ECDSA(SHA256()))
        return (
            cbor.head(5, 3)
            + (cbor.text("alg") + b"\x26")
            + (cbor.text("sig") + cbor.octets(signature))
            + (cbor.text("x5c") + cbor.head(4, 1))
            + cbor.octets(self._leaf.public_bytes(Encoding.DER))
        )


def _credential() -> bytes:
    point = _new().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    public = (
        cbor.head(5, 5)
        + bytes.fromhex("01020326")
        + (b"\x20\x01\x21" + cbor.octets(point[1:33]))
        + (b"\x22" + cbor.octets(point[33:]))
    )
    identifier = sha256(point)
    return bytes(16) + len(identifier).to_bytes(2, "big") + identifier + public


def _new() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _unit(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
