"""Signed envelopes that other programs verify: a payload, its type, and signatures over both.

Signatures have the form that those programs expect: DER for P-256, 64 octets for Ed25519. An
envelope is accepted in its canonical form only, so that no octet of it can be changed.

Source: Dead Simple Signing Envelope; ISO/IEC 14888-3; RFC 8032
"""

import base64
from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.crypto.ecdsa import der_signature, raw_signature
from tallystick.infrastructure.crypto.signature import ES256, SigningKey, VerifyKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import NotAuthentic, Refused
from tallystick.kernel.model import Record
from tallystick.protocol.dsse import signed_octets
from tallystick.protocol.receipt import decode_base64

IN_TOTO: Final = "application/vnd.in-toto+json"


class EnvelopeSignature(Record, frozen=True, kw_only=True):
    """A signature in base64, and the name of its signer.

    Source: RFC 4648, 4
    """

    keyid: str
    sig: str


class SignedEnvelope(Record, frozen=True, kw_only=True):
    """A payload in base64, its type, and the signatures over both.

    Source: RFC 4648, 4
    """

    payload: str
    payloadType: str  # noqa: N815 - the name is of the format
    signatures: tuple[EnvelopeSignature, ...]


_envelopes: Final = Decoder(SignedEnvelope, limit=4 * 1024 * 1024)


def seal_envelope(payload: bytes, signer: SigningKey, name: str) -> bytes:
    """The envelope of `payload` (an in-toto statement), signed by `signer`, who is called `name`.

    Source: Dead Simple Signing Envelope
    """
    signature = signer.sign(signed_octets(IN_TOTO, payload))
    if signer.algorithm == ES256:
        signature = der_signature(signature)
    mark = EnvelopeSignature(keyid=name, sig=base64.b64encode(signature).decode())
    return encode_canonical(
        SignedEnvelope(
            payload=base64.b64encode(payload).decode(), payloadType=IN_TOTO, signatures=(mark,)
        )
    )


def open_envelope(octets: bytes, name: str, public: VerifyKey) -> bytes:
    """The payload of an envelope that `public`, who is called `name`, signed as the only one.

    Raises NotAuthentic otherwise.
    Source: Dead Simple Signing Envelope
    """
    try:
        envelope = _envelopes.decode_canonical(octets)
        payload = decode_base64(envelope.payload)
        (mark,) = envelope.signatures
        signature = decode_base64(mark.sig)
    except (Refused, ValueError) as error:
        raise NotAuthentic("the envelope has not the form of one") from error
    if envelope.payloadType != IN_TOTO or mark.keyid != name:
        raise NotAuthentic("the envelope is of another type, or of another signer")
    if public.algorithm == ES256:
        signature = raw_signature(signature)
    public.verify(signature, signed_octets(IN_TOTO, payload))
    return payload


def signer_of(octets: bytes) -> str:
    """Who says to have signed the envelope; not verified.

    Raises NotAuthentic for another form.
    Source: Dead Simple Signing Envelope
    """
    try:
        (mark,) = _envelopes.decode_canonical(octets).signatures
    except (Refused, ValueError) as error:
        raise NotAuthentic("the envelope has not the form of one") from error
    return mark.keyid


def seal_by_all(payload: bytes, payload_type: str, signers: Mapping[str, SigningKey]) -> bytes:
    """The envelope of `payload`, signed by everyone in `signers`, by name.

    Source: Dead Simple Signing Envelope
    """
    octets = signed_octets(payload_type, payload)
    marks = tuple(
        EnvelopeSignature(keyid=name, sig=base64.b64encode(_outside(signer, octets)).decode())
        for name, signer in sorted(signers.items())
    )
    return encode_canonical(
        SignedEnvelope(
            payload=base64.b64encode(payload).decode(), payloadType=payload_type, signatures=marks
        )
    )


def payload_of(octets: bytes, payload_type: str) -> bytes:
    """What an envelope of this type says; not verified.

    Raises NotAuthentic for another form or type.
    Source: Dead Simple Signing Envelope
    """
    try:
        envelope = _envelopes.decode_canonical(octets)
        if envelope.payloadType == payload_type:
            return decode_base64(envelope.payload)
    except (Refused, ValueError) as error:
        raise NotAuthentic("the envelope has not the form of one") from error
    raise NotAuthentic("the envelope is of another type")


def open_by_all(octets: bytes, payload_type: str, publics: Mapping[str, VerifyKey]) -> bytes:
    """The payload of an envelope that everyone in `publics` signed, and nobody else.

    Raises NotAuthentic otherwise.
    Source: Dead Simple Signing Envelope
    """
    payload = payload_of(octets, payload_type)
    marks = _envelopes.decode_canonical(octets).signatures
    if [one.keyid for one in marks] != sorted(publics):
        raise NotAuthentic("the envelope is not signed by all of them once")
    said = signed_octets(payload_type, payload)
    for mark in marks:
        public = publics[mark.keyid]
        try:
            signature = decode_base64(mark.sig)
            raw = raw_signature(signature) if public.algorithm == ES256 else signature
        except (Refused, ValueError) as error:
            raise NotAuthentic("a signature of the envelope has not the form of one") from error
        public.verify(raw, said)
    return payload


def _outside(signer: SigningKey, octets: bytes) -> bytes:
    """A signature as other programs expect it."""
    signature = signer.sign(octets)
    return der_signature(signature) if signer.algorithm == ES256 else signature
