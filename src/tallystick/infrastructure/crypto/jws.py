"""JSON Web Signature in compact form, strict: three parts of canonical base64url.

The header is not interpreted here: a verifier compares it with the bytes that its protocol allows,
and so no header ever chooses an algorithm.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 7515, 3.1; 7.1; RFC 8725, 3.1
"""

from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge

MAX_JWS_CHARACTERS = 64 * 1024


def sign_compact(signer: SigningKey, header: bytes, payload: bytes) -> str:
    """`header` (canonical JSON that names the signer's algorithm) and `payload`, signed.

    Source: RFC 7515, 5.1; 7.1
    """
    signing_input = f"{b64url(header)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(signer.sign(signing_input.encode('ascii')))}"


def split_under(jws: str, header: str) -> tuple[bytes, bytes, bytes]:
    """Payload, signature and what it is over of a `jws` that must have `header` (base64url).

    Raises TooLarge past 64 KiB, NotAuthentic for another header, Malformed for another form.
    Source: RFC 7515, 5.2; RFC 8725, 3.1
    """
    if len(jws) > MAX_JWS_CHARACTERS:
        raise TooLarge(f"a signed object has at most {MAX_JWS_CHARACTERS} characters")
    given, _, rest = jws.partition(".")
    if given != header:
        raise NotAuthentic("this is not signed as the device signs")
    payload, _, signature = rest.partition(".")
    if not signature:
        raise Malformed("a signed object has three parts with dots between")
    octets, mark = b64url_decode(payload), b64url_decode(signature)
    return octets, mark, jws[: len(given) + 1 + len(payload)].encode("ascii")


def split_compact(jws: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, payload, signature and what the signature is over, none of them verified yet.

    Raises TooLarge past 64 KiB, Malformed unless there are three parts of canonical base64url of
    which the header and the signature are not empty.
    Source: RFC 7515, 5.2; 7.1
    """
    if len(jws) > MAX_JWS_CHARACTERS:
        raise TooLarge(f"a signed object has at most {MAX_JWS_CHARACTERS} characters")
    parts = jws.split(".")
    if len(parts) != 3 or not parts[0] or not parts[2]:
        raise Malformed("a signed object has three parts with dots between")
    header, payload, signature = (b64url_decode(part) for part in parts)
    return header, payload, signature, jws[: jws.rindex(".")].encode("ascii")
