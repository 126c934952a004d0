"""A simulated app store that makes verdicts in the shape of Play Integrity, under keys of its own.

No real verdict is published by anybody; the form is that of the public documentation, made with an
independent implementation of JOSE. A provider takes these keys with `simulated`, and each verdict
under them is labelled so.

Source: RFC 7516, 7.1; RFC 7515, 7.1; RFC 9334, 8.4
"""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from simulators.keymint import PACKAGE, SIGNER
from tallystick.infrastructure.envelope.schedule import keys_challenge
from tallystick.kernel.codec import b64url
from tallystick.kernel.model import replace
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import Attestation

STRONG: Final = ("MEETS_DEVICE_INTEGRITY", "MEETS_STRONG_INTEGRITY")


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a verdict says; each field may be given wrong. `classic` answers a nonce.

    Source: RFC 9334, 8.4
    """

    package: str = PACKAGE
    version: int = 1
    signers: tuple[bytes, ...] = (SIGNER,)
    app: str = "PLAY_RECOGNIZED"
    device: tuple[str, ...] = STRONG
    licence: str = "LICENSED"
    late_ms: int = 0
    classic: bool = False


@dataclass
class SimulatedStore:
    """The two keys of an app, and verdicts under them.

    Source: RFC 7516, 7.1
    """

    wrapping: OctKey = field(default_factory=lambda: OctKey.generate_key(256))
    signing: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def console(self) -> tuple[str, str]:
        """Both keys as the console of a store shows them: base64.

        Source: RFC 4648, 4; RFC 5280, 4.1.2.7
        """
        wrapping = self.wrapping.raw_value
        public = self.signing.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return b64encode(wrapping).decode(), b64encode(public).decode()

    def verdict(self, challenge: bytes, at: int, said: Said | None = None) -> str:
        """The verdict for an app that asked with `challenge` at `at` (ms).

        Source: RFC 7516, 7.1; RFC 7515, 7.1
        """
        octets = json.dumps(payload(challenge, at, said or Said())).encode()
        inner = jws.serialize_compact({"alg": "ES256"}, octets, ECKey.import_key(self.signing))
        head = {"alg": "A256KW", "enc": "A256GCM"}
        return jwe.encrypt_compact(head, inner.encode(), self.wrapping)

    def beside(
        self,
        attestation: Attestation,
        told: bytes,
        keys: tuple[bytes, bytes],
        at: int,
        said: Said | None = None,
    ) -> Attestation:
        """`attestation` with a verdict about both `keys` (65 octets each), for what was `told`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return replace(attestation, verdict=self.verdict(keys_challenge(told, *keys), at, said))

    def prove(self, told: bytes, at: int, said: Said | None = None) -> DeviceProof:
        """A verdict for a provider that asked an enrolled device.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        return DeviceProof(format="play-integrity", statement=self.verdict(told, at, said))


def payload(challenge: bytes, at: int, said: Said) -> dict[str, Any]:
    """What a verdict has inside, as an object of JSON.

    Source: RFC 8259, 4
    """
    digests = [urlsafe_b64encode(one).decode() for one in said.signers]
    return {
        "requestDetails": {
            "requestPackageName": said.package,
            "nonce" if said.classic else "requestHash": b64url(challenge),
            "timestampMillis": str(at - said.late_ms),
        },
        "appIntegrity": {
            "appRecognitionVerdict": said.app,
            "packageName": said.package,
            "certificateSha256Digest": digests,
            "versionCode": str(said.version),
        },
        "deviceIntegrity": {"deviceRecognitionVerdict": list(said.device)},
        "accountDetails": {"appLicensingVerdict": said.licence},
    }


def otherwise(**fields: Any) -> Said:
    """What a genuine verdict says, with other `fields`.

    Source: RFC 9334, 8.4
    """
    return with_fields(Said(), **fields)
