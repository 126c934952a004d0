"""JSON Web Encryption in compact form under A256KW and A256GCM; no other pair is known.

Source: RFC 7516, 3.1; 5.2; RFC 7518, 4.4; 5.3
"""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.secret import Secret

MAX_JWE: Final = 64 * 1024
_HEADER: Final = Decoder(dict[str, str], limit=1024)
_KEY_OCTETS: Final = 32


def open_compact(wrapping: Secret[bytes], jwe: str) -> bytes:
    """The content of `jwe`, whose content key is wrapped under `wrapping` (32 octets).

    Raises TooLarge past 64 KiB, Malformed for another form or algorithm, NotAuthentic where the
    key does not unwrap or the tag does not fit.
    Source: RFC 7516, 5.2
    """
    if len(jwe) > MAX_JWE:
        raise TooLarge(f"an encrypted object has at most {MAX_JWE} characters")
    parts = jwe.split(".")
    if len(parts) != 5 or len(wrapping.reveal()) != _KEY_OCTETS:
        raise Malformed("an encrypted object has five parts and a key of 32 octets")
    head, wrapped, iv, ciphertext, tag = (b64url_decode(part) for part in parts)
    named = _HEADER.decode(head)
    if named.get("alg") != "A256KW" or named.get("enc") != "A256GCM" or "zip" in named:
        raise Malformed("an encrypted object under another algorithm")
    if len(iv) != 12 or len(tag) != 16 or len(wrapped) != _KEY_OCTETS + 8:
        raise Malformed("a part of an encrypted object has another length")
    try:
        content = aes_key_unwrap(wrapping.reveal(), wrapped)
        return AESGCM(content).decrypt(iv, ciphertext + tag, parts[0].encode("ascii"))
    except (InvalidUnwrap, InvalidTag, ValueError) as error:
        raise NotAuthentic("the encrypted object is not authentic") from error


def seal_compact(wrapping: Secret[bytes], content: bytes, entropy: Callable[[int], bytes]) -> str:
    """`content` under a content key of its own, wrapped under `wrapping` (32 octets).

    `entropy(n)` gives n unpredictable octets.
    Source: RFC 7516, 5.1; RFC 7518, 4.4; 5.3
    """
    once, iv = entropy(_KEY_OCTETS), entropy(12)
    head = b64url(encode_canonical({"alg": "A256KW", "enc": "A256GCM"}))
    sealed = AESGCM(once).encrypt(iv, content, head.encode("ascii"))
    parts = (aes_key_wrap(wrapping.reveal(), once), iv, sealed[:-16], sealed[-16:])
    return ".".join((head, *(b64url(one) for one in parts)))
