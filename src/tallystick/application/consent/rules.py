"""Pure rules of quote and consent: hashes, proofs, and the one check that a consent is what it
says.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from collections.abc import Callable

from tallystick.application.consent.model import Consented, DeviceSigned, TwoOperators
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import split_under
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotAuthentic
from tallystick.protocol.payments import Consent, PaymentRequest, Quote, quote_in, restated

_LABEL = b"tallystick quote v1\x00"
_consents = Decoder(Consent, limit=4096)


def quote_digest(quote: Quote) -> bytes:
    """SHA-256 over the canonical quote, 32 bytes.

    Source: RFC 8785; ISO/IEC 10118-3
    """
    return sha256(encode_canonical(quote))


def prove_quote(digest: bytes, mac: Callable[[bytes], bytes]) -> bytes:
    """The provider's MAC over a quote digest; `mac` is bound to the quote key.

    Source: ISO/IEC 9797-2
    """
    return mac(_LABEL + digest)


def consent_of(quote: Quote, *, device: str, grade: str, consented_at: int) -> Consent:
    """The consent that a payer who saw `quote` gives at `consented_at` (ms).

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    return restated(
        quote,
        quote_hash=b64url(quote_digest(quote)),
        device=device,
        grade=grade,
        consented_at=consented_at,
    )


def evidence_of(consented: Consented) -> str:
    """The consent as it was given: the JWS, the network's message or the SIM's, or both acts.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    if isinstance(consented, DeviceSigned):
        return consented.jws
    if isinstance(consented, TwoOperators):
        return "\n".join(consented.acts)
    return consented.channel_message


def verify_signed(
    request: PaymentRequest,
    *,
    header: str,
    consent_key: VerifyKey,
    check_mac: Callable[[bytes, bytes], None],
) -> DeviceSigned:
    """The device-signed consent in `request`, after every check that needs no state:

    1. the JWS header is the device's own (`header`, in base64url, so no algorithm is negotiated);
    2. the payload is the canonical encoding of a consent;
    3. its terms hash to the quote hash that it names;
    4. the provider's MAC (`check_mac(message, tag)`) covers that hash, so these terms were quoted;
    5. the device's consent key signed all of it.

    Raises Malformed for the form, NotAuthentic for 1 and 3 to 5.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 7515, 5.2
    """
    payload, signature, signing_input = split_under(request.consent, header)
    consent = _consents.decode_canonical(payload)
    digest = quote_digest(quote_in(consent))
    if b64url(digest) != consent.quote_hash:
        raise NotAuthentic(
            "the consent does not repeat the terms of its quote",
            remedy="ask for a new quote and sign exactly what it says",
        )
    check_mac(_LABEL + digest, b64url_decode(request.proof))
    consent_key.verify(signature, signing_input)
    return DeviceSigned(consent=consent, jws=request.consent)
