"""The field `content-digest`: a hash of the body as it is sent, which a signature can cover.

SHA-256 and SHA-512 are taken. Other hashes may stand beside them and say nothing here; every hash
that is taken and given must be the one of the body.

Source: RFC 9530, 2; 5
"""

from collections.abc import Callable

from tallystick.infrastructure.crypto.digest import equal, sha256, sha512
from tallystick.infrastructure.httpsig.fields import Item, write_dictionary
from tallystick.infrastructure.httpsig.reading import read_dictionary
from tallystick.kernel.errors import Malformed, NotAuthentic

CONTENT_DIGEST = "content-digest"
SHA_256 = "sha-256"
SHA_512 = "sha-512"

_HASHES: dict[str, Callable[[bytes], bytes]] = {SHA_256: sha256, SHA_512: sha512}


def content_digest(body: bytes, *names: str) -> str:
    """The value of `content-digest` for `body`, by the hashes called `names` (SHA-256 if none).

    Raises Malformed for another hash.
    Source: RFC 9530, 2
    """
    chosen = names or (SHA_256,)
    if not set(chosen) <= set(_HASHES):
        raise Malformed(f"a body is hashed with {SHA_256} or {SHA_512}")
    return write_dictionary({name: Item(_HASHES[name](body)) for name in chosen})


def check_content_digest(value: str, body: bytes) -> None:
    """Pass if `value` is a digest of `body`.

    Raises NotAuthentic if a hash is another, or none is SHA-256 or SHA-512; Malformed for the form.
    Source: RFC 9530, 2; 6.3
    """
    taken = {name: one for name, one in read_dictionary(value).items() if name in _HASHES}
    if not taken:
        raise NotAuthentic(f"the digest of the body is by neither {SHA_256} nor {SHA_512}")
    for name, member in taken.items():
        given = member.value if isinstance(member, Item) else None
        if not isinstance(given, bytes):
            raise Malformed("a digest is octets between colons")
        if not equal(given, _HASHES[name](body)):
            raise NotAuthentic("the body is not the one that was signed")
