"""What is fixed about the operators' desk: FOLDER/desk.json. Without the file there is no desk.

The origin and the relying party are pinned here; a page that is reached otherwise takes no passkey.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.2; W3C WebAuthn Level 3, 5.1.3
"""

import ipaddress
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.infrastructure.crypto.webauthn import Relying
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

_FILE = "desk.json"
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
"""What an identity provider may sign with; nothing symmetric."""


class OidcSettings(Record, frozen=True, kw_only=True):
    """The provider's own identity provider, its three addresses pinned, and what it must say.

    With `acr` one of these is demanded, with `amr` all of these.
    Source: OpenID Connect Core 1.0, 2; RFC 8176
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...] = ("ES256",)
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()


class DeskSettings(Record, frozen=True, kw_only=True):
    """Where the desk is reached, for whom passkeys are made, and which models count (empty: all).

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    v: int
    origin: str
    rp_id: str
    aaguids: tuple[str, ...] = ()
    oidc: OidcSettings | None = None

    def relying(self) -> Relying:
        """The relying party that passkeys are made for.

        Source: W3C WebAuthn Level 3, 5.1.3
        """
        return Relying(self.rp_id, self.origin)


_settings = Decoder(DeskSettings, limit=16 * 1024, file=_FILE)


def desk_settings(root: Path) -> DeskSettings | None:
    """The settings of the desk of the provider in folder `root`, None where there is no desk.

    Raises Malformed for settings that protect nothing.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    try:
        octets = (root / _FILE).read_bytes()
    except FileNotFoundError:
        return None
    found = _settings.decode(octets)
    check_desk(found)
    return found


def save_desk(root: Path, settings: DeskSettings) -> None:
    """Keep `settings`, which take force at the next start.

    Raises Malformed for settings that protect nothing.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    check_desk(settings)
    replace_file(root / _FILE, encode_canonical(settings))


def check_desk(settings: DeskSettings) -> None:
    """Pass if browsers would take passkeys and cookies at this origin.

    Raises Malformed.
    Source: W3C WebAuthn Level 3, 5.1.3; ISO/TS 12812-2:2017, 7.2.3
    """
    host = _host(settings.origin, "origin")
    parts = urlsplit(settings.origin)
    if settings.origin != f"{parts.scheme}://{parts.netloc}":
        raise Malformed("an origin is a scheme, a host and a port", remedy="leave the path away")
    with suppress(ValueError):
        ipaddress.ip_address(host)
        raise Malformed("passkeys need a name, not an address", remedy="say localhost, or a name")
    if host != settings.rp_id and not host.endswith(f".{settings.rp_id}"):
        raise Malformed("the relying party is the origin's host, or a domain above it")
    if settings.oidc is None:
        return
    oidc = settings.oidc
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        _host(str(getattr(oidc, name)), name)
    if not oidc.algorithms or not set(oidc.algorithms) <= set(ALGORITHMS):
        raise Malformed(f"an identity provider signs with one of {', '.join(ALGORITHMS)}")
    if not oidc.acr and not oidc.amr:
        raise Malformed("say which acr or amr the identity provider has to give")


def _host(url: str, name: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    here = host in {"localhost", "127.0.0.1"}
    if not host or parts.scheme not in ({"https", "http"} if here else {"https"}):
        raise Malformed(f"{name} is an https address", remedy="http is for localhost only")
    return host
