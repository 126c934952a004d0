"""Object identifiers and tags of tokens of TR-34.

Source: TR-34; RFC 5652; RFC 8017, A.2.1
"""

from typing import Final

from tallystick.infrastructure.crypto.blocks import Aes, Tdea

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED: Final = "1.2.840.113549.1.7.2"
ENVELOPED: Final = "1.2.840.113549.1.7.3"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
NONCE: Final = "1.2.840.113549.1.9.25.3"
OAEP: Final = "1.2.840.113549.1.1.7"
MGF1: Final = "1.2.840.113549.1.1.8"
LABEL: Final = "1.2.840.113549.1.1.9"
RSA: Final = "1.2.840.113549.1.1.1"
RSA_SHA256: Final = "1.2.840.113549.1.1.11"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
HASHES: Final = {SHA256: "sha-256", "2.16.840.1.101.3.4.2.3": "sha-512"}
AES: Final = "2.16.840.1.101.3.4.1.2"
TDEA: Final = "1.2.840.113549.3.7"
CIPHERS: Final[dict[str, tuple[type[Aes | Tdea], int]]] = {AES: (Aes, 16), TDEA: (Tdea, 24)}
FIRST, SECOND, BARE, SHORT_TIME = 0xA0, 0xA1, 0x80, 0x17
