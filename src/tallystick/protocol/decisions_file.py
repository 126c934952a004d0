"""Signed decisions as a file: a DSSE envelope whose payload is the text of `decisions.yaml`.

    signed message = "DSSEv1" SP length SP payloadType SP length SP payload

`keyid` names the officer and proves nothing; the signature is of 64 bytes, ES256 or EdDSA as the
officer's key is. Any verifier of DSSE can check it.

Source: ISO/TS 12812-2:2017, 6.1; Dead Simple Signing Envelope protocol
"""

import binascii
from typing import Annotated, Final

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import ShortText, Wire, pattern
from tallystick.protocol.dsse import signed_octets

MAX_FILE_BYTES: Final = 512 * 1024
PAYLOAD_TYPE: Final = "application/vnd.tallystick.decisions+yaml"

Base64 = Annotated[str, pattern("^[A-Za-z0-9+/]+={0,2}$")]
"""Padded base64, as long as the file allows."""


class EnvelopeSignature(Wire, frozen=True, kw_only=True):
    """One officer's signature.

    Source: Dead Simple Signing Envelope protocol
    """

    keyid: Annotated[ShortText, INTERNAL]
    sig: Annotated[Base64, PUBLIC]


class Envelope(Wire, frozen=True, kw_only=True, rename={"payload_type": "payloadType"}):
    """The decisions and who signed them.

    Source: Dead Simple Signing Envelope protocol
    """

    payload: Annotated[Base64, INTERNAL]
    payload_type: Annotated[str, PUBLIC]
    signatures: Annotated[tuple[EnvelopeSignature, ...], INTERNAL]


_envelopes = Decoder(Envelope, limit=MAX_FILE_BYTES)


def read_envelope(octets: bytes) -> Envelope:
    """The signed decisions in `octets`; nothing of them is believed before they are verified.

    Raises TooLarge past 512 KiB, Malformed for another form or payload.
    Source: Dead Simple Signing Envelope protocol
    """
    envelope = _envelopes.decode(octets)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Malformed("the envelope holds no decisions", remedy="give the signed decisions")
    return envelope


def write_envelope(envelope: Envelope) -> bytes:
    """The file of `envelope`.

    Source: RFC 8785
    """
    return encode_canonical(envelope)


def decisions_text(envelope: Envelope) -> str:
    """The text that the officers signed.

    Raises Malformed if it is not UTF-8 in base64.
    Source: Dead Simple Signing Envelope protocol
    """
    try:
        return decode_base64(envelope.payload).decode()
    except UnicodeDecodeError as error:
        raise Malformed("the decisions are not UTF-8") from error


def signed_message(text: str) -> bytes:
    """What an officer signs: the type and the text, each with its length before it.

    Source: Dead Simple Signing Envelope protocol
    """
    return signed_octets(PAYLOAD_TYPE, text.encode())


def encode_base64(octets: bytes) -> str:
    """Padded base64.

    Source: RFC 4648, 4
    """
    return binascii.b2a_base64(octets, newline=False).decode()


def decode_base64(text: str) -> bytes:
    """The bytes of padded base64.

    Raises Malformed for another spelling.
    Source: RFC 4648, 4
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("a field is not base64") from error
