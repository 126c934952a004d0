"""A signed policy of appraisal as a file: its text, its version, officers' signatures over both.

    signed message = "tallystick appraisal policy v1" 0x00 | version, 8 bytes big-endian | text

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, b64url_decode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Natural, Wire
from tallystick.protocol.policy_file import MAX_FILE_BYTES, OfficerSignature, PolicyText

LABEL = b"tallystick appraisal policy v1\x00"


class AppraisalFile(Wire, frozen=True, kw_only=True):
    """The text (`policy_b64`), its version, and who approved it.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """

    v: Annotated[int, PUBLIC] = 1
    version: Annotated[Natural, PUBLIC]
    policy_b64: Annotated[PolicyText, INTERNAL]
    signatures: Annotated[tuple[OfficerSignature, ...], INTERNAL]


_files = Decoder(AppraisalFile, limit=MAX_FILE_BYTES)


def read_appraisal_file(octets: bytes) -> AppraisalFile:
    """The signed policy in `octets`; nothing of it is believed before it is verified.

    Raises TooLarge past 512 KiB, Malformed for another form or format version.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """
    file = _files.decode(octets)
    if file.v != 1:
        raise Malformed("the appraisal file has another format", remedy="sign it with this release")
    return file


def appraisal_text(file: AppraisalFile) -> str:
    """The text that the officers signed.

    Raises Malformed if it is not UTF-8 in base64url.
    Source: RFC 9334, 8.3
    """
    try:
        return b64url_decode(file.policy_b64).decode()
    except UnicodeDecodeError as error:
        raise Malformed("the text of the appraisal policy is not UTF-8") from error


def appraisal_message(text: str, version: int) -> bytes:
    """What an officer signs.

    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1
    """
    return LABEL + version.to_bytes(8, "big") + text.encode()
