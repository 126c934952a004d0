"""A signed policy as a file: the text, its version, and the officers' signatures over both.

    signed message = "tallystick policy v1" 0x00 | version, 8 bytes big-endian | text as UTF-8

Source: ISO/TS 12812-2:2017, 6.1
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, b64url_decode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern

MAX_FILE_BYTES = 512 * 1024
LABEL = b"tallystick policy v1\x00"

PolicyText = Annotated[str, pattern("^[A-Za-z0-9_-]+$")]
"""Unpadded base64url of the policy's text; as long as the file allows."""


class OfficerSignature(Wire, frozen=True, kw_only=True):
    """One officer's approval: `alg` is ES256 or EdDSA, `sig` 64 bytes in base64url.

    With a name that ends in `-ML-DSA-65` it is 3,373 bytes: 64 of the first, then the second's.
    Source: ISO/TS 12812-2:2017, 6.1; RFC 7518, 3.1; FIPS 204
    """

    officer: Annotated[ShortText, INTERNAL]
    alg: Annotated[Annotated[str, pattern("^(?:ES256|EdDSA)(?:-ML-DSA-65)?$")], PUBLIC]
    sig: Annotated[Base64Url, PUBLIC]


class PolicyFile(Wire, frozen=True, kw_only=True):
    """The text (`policy_b64`), its version, and who approved it.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    v: Annotated[int, PUBLIC] = 1
    version: Annotated[Natural, PUBLIC]
    policy_b64: Annotated[PolicyText, INTERNAL]
    signatures: Annotated[tuple[OfficerSignature, ...], INTERNAL]


_files = Decoder(PolicyFile, limit=MAX_FILE_BYTES)


def read_policy_file(octets: bytes) -> PolicyFile:
    """The signed policy in `octets`; nothing of it is believed before it is verified.

    Raises TooLarge past 512 KiB, Malformed for another form or format version.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    file = _files.decode(octets)
    if file.v != 1:
        raise Malformed("the policy file has another format", remedy="sign it with this release")
    return file


def policy_text(file: PolicyFile) -> str:
    """The text that the officers signed.

    Raises Malformed if it is not UTF-8 in base64url.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        return b64url_decode(file.policy_b64).decode()
    except UnicodeDecodeError as error:
        raise Malformed("the policy text is not UTF-8") from error


def signed_message(text: str, version: int) -> bytes:
    """What an officer signs.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return LABEL + version.to_bytes(8, "big") + text.encode()
