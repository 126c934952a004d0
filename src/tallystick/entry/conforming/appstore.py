"""The kit's own app store: verdicts in the shape of Play Integrity, under keys of the kit's own.

It is simulated, and its provider is given the keys as simulated. What a device has to do right is
the hash that it asks with, which the provider judges.

Source: RFC 7516, 7.1; RFC 7515, 7.1; RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.2.5
"""

import json
from base64 import b64encode
from typing import Final

from tallystick.entry.conforming.relay import Answered, Asked
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jwe import seal_compact
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, b64url, encode, encode_canonical
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.reading import shipped_text

PACKAGE: Final = "org.example.conformance"
_JSON: Final = "application/json"
_SIGNER: Final = sha256(b"the signer of the kit's app")
_asked: Final = Decoder(dict[str, str], limit=1024)


class KitStore:
    """Gives a verdict for each request hash, or none while it is `silent`; `hashes` were asked.

    Source: RFC 7516, 7.1; RFC 9334, 8.4
    """

    def __init__(self) -> None:
        """Make both keys.

        Source: RFC 7518, 4.4
        """
        self._decryption, self._signer = operating_system(32), Es256SigningKey.generate()
        self.silent = False
        self.hashes: list[str] = []

    def console(self) -> tuple[str, str]:
        """Both keys as a store's console shows them.

        Source: RFC 4648, 4
        """
        point = self._signer.public().octets()
        spki = credential_of_point(1, point[1:33], point[33:]).spki
        return b64encode(self._decryption).decode(), b64encode(spki).decode()

    def policy_text(self) -> str:
        """The policy of appraisal of the kit's provider: it takes verdicts about the kit's app.

        Source: RFC 9334, 8.3
        """
        app = f'apps:\n  - package: {PACKAGE}\n    signers: ["{_SIGNER.hex()}"]\n'
        before, _, after = shipped_text().partition("apps: []")
        text = before + app + after.partition("\n")[2].partition("\n")[2]
        return text.replace("verdict:\n", "verdict:\n  asked: taken\n", 1)

    def take(self, asked: Asked) -> Answered:
        """A verdict for what an app asks.

        Source: RFC 9110, 9.3.3
        """
        if self.silent:
            return Answered(503, encode({"error": "the store is silent"}), _JSON)
        said = _asked.decode(asked.body).get("request_hash", "")
        self.hashes.append(said)
        return Answered(200, encode({"verdict": self._verdict(said)}), _JSON)

    def _verdict(self, said: str) -> str:
        inside = {
            "requestDetails": {
                "requestPackageName": PACKAGE,
                "requestHash": said,
                "timestampMillis": str(SystemClock().now()),
            },
            "appIntegrity": {
                "appRecognitionVerdict": "PLAY_RECOGNIZED",
                "packageName": PACKAGE,
                "certificateSha256Digest": [b64url(_SIGNER)],
                "versionCode": "1",
            },
            "deviceIntegrity": {"deviceRecognitionVerdict": ["MEETS_DEVICE_INTEGRITY"]},
            "accountDetails": {"appLicensingVerdict": "LICENSED"},
        }
        header = encode_canonical({"alg": self._signer.algorithm})
        inner = sign_compact(self._signer, header, json.dumps(inside).encode())
        return seal_compact(Secret(self._decryption), inner.encode(), operating_system)
