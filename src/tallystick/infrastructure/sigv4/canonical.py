"""The canonical text of a request, which its signature is over.

Source: AWS Signature Version 4
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.errors import NotAuthentic

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
_UNRESERVED = "-_.~"


def canonical_path(path: bytes) -> str:
    """The path as it was sent, encoded once more; raises NotAuthentic for one with detours.

    Source: AWS Signature Version 4
    """
    if not path.startswith(b"/"):
        raise NotAuthentic("the path of a request begins with a slash")
    segments = path[1:].split(b"/")
    if b"." in segments or b".." in segments or b"" in segments[:-1]:
        raise NotAuthentic("the path of a signed request has no empty or dotted segments")
    return quote_from_bytes(path, safe="/-_.~")


def canonical_query(query: bytes) -> str:
    """The parameters, each encoded in the one way, in order.

    Source: AWS Signature Version 4
    """
    if not query:
        return ""
    pairs: list[tuple[str, str]] = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_value(values: Sequence[str]) -> str:
    """The value of a header field that may have come several times: trimmed, spaces made one.

    Source: AWS Signature Version 4
    """
    return ",".join(" ".join(one.split()) for one in values)


def canonical_request(
    method: str,
    path: bytes,
    query: bytes,
    headers: Mapping[str, Sequence[str]],
    signed: Sequence[str],
    payload_hash: str,
) -> str:
    """The text of a request; `headers` by name in lower case, `signed` in order.

    Source: AWS Signature Version 4
    """
    fields = "".join(f"{name}:{canonical_value(headers[name])}\n" for name in signed)
    return "\n".join(
        (
            method, canonical_path(path), canonical_query(query), fields,
            ";".join(signed), payload_hash,
        )
    )  # fmt: skip


def text_to_sign(date: str, scope: str, request: str) -> bytes:
    """What the signature is the MAC of: algorithm, instant, scope, hash of the request.

    Source: AWS Signature Version 4
    """
    hashed = sha256(request.encode("utf-8", "surrogateescape")).hex()
    return f"{ALGORITHM}\n{date}\n{scope}\n{hashed}".encode("ascii")


def _encoded(octets: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(octets), safe=_UNRESERVED)
