"""A simulated phone with App Attest: objects and assertions in Apple's shape; no hardware.

Its root is made with it and is named `Simulated`: only a policy that lists it, with
`simulated: yes`, believes it, and each verdict under it says so.

Source: RFC 9334, 8.1; WebAuthn Level 3, 6.1; ISO/TS 12812-2:2017, 8.1.1
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from simulators.keymint import SimulatedFactory, octets, tagged, tlv
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope import cbor
from tallystick.infrastructure.envelope.schedule import keys_challenge
from tallystick.kernel.codec import b64url
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import APPLE_APP_ATTEST, Attestation

APPLICATION: Final = "TEAM000000.example.tallystick.wallet"
_NONCE: Final = "1.2.840.113635.100.8.2"
_PRODUCTION: Final = b"appattest".ljust(16, b"\0")


class SimulatedApple:
    """Who vouches for keys of apps: a root and an authority below it, in this process's memory.

    Source: RFC 9334, 7.4
    """

    def __init__(self, at: int) -> None:
        """Make both keys at `at` (ms).

        Source: RFC 9334, 7.4
        """
        self._maker = SimulatedFactory(at)
        root, self._key = _new(), _new()
        named, self._name = _name("Simulated App Root, no hardware"), _name("Simulated App CA")
        self._root = self._maker.certificate(named, root.public_key(), named, root, authority=True)
        self._authority = self._maker.certificate(
            self._name, self._key.public_key(), named, root, authority=True
        )

    def believed(self, text: str) -> str:
        """The policy of appraisal `text` with this root, labelled, and the simulated app.

        Source: RFC 9334, 8.3
        """
        pem = self._root.public_bytes(Encoding.PEM).decode()
        lines = "".join(f"      {line}\n" for line in pem.splitlines())
        root = (
            "roots:\n  - name: simulated-apple\n    formats: [apple-app-attest]\n"
            f"    simulated: yes\n    pem: |\n{lines}"
        )
        app = f"apps:\n  - package: {APPLICATION}\n    signers: []\n"
        return text.replace("roots:\n", root, 1).replace("apps:\n", app, 1)

    def attested(self, public: ec.EllipticCurvePublicKey, data: bytes, client: bytes) -> bytes:
        """The attestation object of a key over authenticator data and the client data hash.

        Source: WebAuthn Level 3, 8.8
        """
        nonce = tlv(0x30, tagged(1, octets(sha256(data + client))))
        leaf = self._maker.certificate(
            _name("Simulated App Key"), public, self._name, self._key, marks={_NONCE: nonce}
        )
        chain = [one.public_bytes(Encoding.DER) for one in (leaf, self._authority)]
        statement = (
            cbor.head(5, 2)
            + (cbor.text("x5c") + cbor.head(4, 2) + b"".join(map(cbor.octets, chain)))
            + (cbor.text("receipt") + cbor.octets(b"simulated receipt"))
        )
        return (
            cbor.head(5, 3)
            + (cbor.text("fmt") + cbor.text("apple-appattest"))
            + (cbor.text("attStmt") + statement)
            + (cbor.text("authData") + cbor.octets(data))
        )


class SimulatedAppKey:
    """A key of one app as a Secure Enclave would keep it, with its counter; simulated.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.1
    """

    def __init__(self, application: str = APPLICATION) -> None:
        """Make a key for `application`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._application = application
        self._key = _new()
        self.counter = 0

    @property
    def identifier(self) -> bytes:
        """The SHA-256 of its point.

        Source: WebAuthn Level 3, 8.8
        """
        return sha256(self._point())

    def attest(
        self, apple: SimulatedApple, challenge: bytes, possession: bytes, consent: bytes
    ) -> Attestation:
        """What an app hands in for the two keys of its device (65 octets each).

        Source: ISO/TS 12812-2:2017, 7.4.1; 8.1.2
        """
        data = self._head(0x40) + _PRODUCTION + (32).to_bytes(2, "big") + self.identifier
        data += self._cose()
        client = keys_challenge(challenge, possession, consent)
        attested = apple.attested(self._key.public_key(), data, client)
        statement = (
            cbor.head(5, 2)
            + (cbor.text("key") + cbor.octets(self.identifier))
            + (cbor.text("attestation") + cbor.octets(attested))
        )
        return Attestation(format=APPLE_APP_ATTEST, statement=b64url(statement))

    def assertion(self, client: bytes) -> bytes:
        """An assertion over the client data hash `client`, under the next counter.

        Source: WebAuthn Level 3, 7.2
        """
        self.counter += 1
        data = self._head(0)
        signature = self._key.sign(sha256(data + client), ec.ECDSA(SHA256()))
        return (
            cbor.head(5, 2)
            + (cbor.text("signature") + cbor.octets(signature))
            + (cbor.text("authenticatorData") + cbor.octets(data))
        )

    def prove(self, told: bytes) -> DeviceProof:
        """An assertion for a provider that asked.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return DeviceProof(format=APPLE_APP_ATTEST, statement=b64url(self.assertion(told)))

    def copy(self) -> "SimulatedAppKey":
        """The same key and counter once more, as malware with root would take it.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        copied = SimulatedAppKey(self._application)
        copied._key, copied.counter = self._key, self.counter
        return copied

    def _head(self, flags: int) -> bytes:
        relying = sha256(self._application.encode())
        return relying + bytes((flags,)) + self.counter.to_bytes(4, "big")

    def _point(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def _cose(self) -> bytes:
        point = self._point()
        return (
            cbor.head(5, 5)
            + bytes.fromhex("01020326")
            + (b"\x20\x01\x21" + cbor.octets(point[1:33]))
            + (b"\x22" + cbor.octets(point[33:]))
        )


def _new() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
