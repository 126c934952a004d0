"""Signs a request, as the verifier beside this wants it.

Source: AWS Signature Version 4
"""

from typing import NamedTuple

from tallystick.infrastructure.crypto.digest import hmac_sha256, sha256
from tallystick.infrastructure.sigv4.canonical import (
    ALGORITHM,
    TERMINATOR,
    canonical_request,
    text_to_sign,
)
from tallystick.infrastructure.sigv4.verifying import signing_key
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, iso_utc


class Credentials(NamedTuple):
    """Whose key it is, and what for: one region and service.

    Source: AWS Signature Version 4
    """

    access_key_id: str
    secret: Secret[str]
    region: str
    service: str


def signed_headers(
    who: Credentials, path: str, host: str, content_type: str, body: bytes, now: Instant
) -> dict[str, str]:
    """The header fields of a POST of `body` to `path` that make it signed at `now`.

    Source: AWS Signature Version 4
    """
    date = iso_utc(now)[:19].replace("-", "").replace(":", "") + "Z"
    fields = {"content-type": (content_type,), "host": (host,), "x-amz-date": (date,)}
    signed = tuple(sorted(fields))
    request = canonical_request(
        "POST", path.encode("ascii"), b"", fields, signed, sha256(body).hex()
    )
    scope = f"{date[:8]}/{who.region}/{who.service}/{TERMINATOR}"
    under = signing_key(who.secret.reveal(), date[:8], who.region, who.service)
    mark = hmac_sha256(under, text_to_sign(date, scope, request)).hex()
    return {
        "content-type": content_type,
        "host": host,
        "x-amz-date": date,
        "authorization": (
            f"{ALGORITHM} Credential={who.access_key_id}/{scope},"
            f" SignedHeaders={';'.join(signed)}, Signature={mark}"
        ),
    }
