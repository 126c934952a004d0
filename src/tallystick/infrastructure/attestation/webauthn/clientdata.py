"""What the browser says it was asked, and by whom.

Source: WebAuthn Level 3, 5.8.1; 7.1
"""

from typing import Any, Final

from tallystick.kernel.codec import Decoder, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic

MAX_CLIENT_DATA: Final = 4 * 1024
_DECODER: Final = Decoder(dict[str, Any], limit=MAX_CLIENT_DATA)
CREATE, GET = "webauthn.create", "webauthn.get"


def check_client_data(
    octets: bytes, *, kind: str, challenge: bytes, origins: tuple[str, ...], framed: bool = False
) -> None:
    """Return only if `octets` answer `challenge`, asked from one of `origins` as `kind`.

    Raises Malformed for another shape; NotAuthentic for another kind, challenge or origin, and for
    a page inside another one unless `framed` allows it.
    Source: WebAuthn Level 3, 7.1; 7.2
    """
    said = _DECODER.decode(octets)
    stated = said.get("challenge")
    if not isinstance(stated, str):
        raise Malformed("client data have a challenge")
    if said.get("type") != kind:
        raise NotAuthentic("client data of another kind")
    if b64url_decode(stated) != challenge:
        raise NotAuthentic("the challenge is another")
    if said.get("origin") not in origins:
        raise NotAuthentic("the origin is another")
    crossed = said.get("crossOrigin", False)
    if crossed is not False and not (framed and crossed is True):
        raise NotAuthentic("the page was inside another one")
