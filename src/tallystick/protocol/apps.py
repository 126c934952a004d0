"""What a device says of the application that it runs, and what it is told of it.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8; 7.4.4
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, ShortText, Wire, length, pattern
from tallystick.protocol.envelope import END


class AppClaim(Wire, frozen=True, kw_only=True):
    """The application that a device runs, in its own words: the SHA-256 of its package, in hex.

    It is worth as much as the device is; what the platform attests counts more.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    platform: Annotated[Annotated[str, pattern("^(?:android|ios)" + END)], INTERNAL]
    package: Annotated[Annotated[str, pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,199}" + END)], INTERNAL]
    version: Annotated[Natural, INTERNAL]
    digest: Annotated[Annotated[str, pattern("^[0-9a-f]{64}" + END)], INTERNAL]


class AppManifest(Wire, frozen=True, kw_only=True):
    """What the provider signs of a release, for the application itself to look at when it starts.

    `digest` is the SHA-256 of the package, `signers` those of the signers' certificates (hex), or a
    team of iOS.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    platform: Annotated[Annotated[str, pattern("^(?:android|ios)" + END)], PUBLIC]
    package: Annotated[ShortText, PUBLIC]
    version: Annotated[Natural, PUBLIC]
    name: Annotated[ShortText, PUBLIC]
    digest: Annotated[Annotated[str, pattern("^[0-9a-f]{64}" + END)], PUBLIC]
    signers: Annotated[tuple[ShortText, ...], PUBLIC]


def manifest_header(algorithm: str) -> dict[str, str]:
    """The one header that a signed manifest has, as a JWS.

    Source: RFC 7515, 4; RFC 8725, 3.11
    """
    return {"alg": algorithm, "typ": "tallystick-app"}


class AppNotice(Wire, frozen=True, kw_only=True):
    """What the holder is told: `may` is `run`, `warn` or `limit`, `says` words to show.

    `at` is when that becomes less (ms, 0: no time is set), `offered` the version to install, 0 for
    none.
    Source: ISO/TS 12812-2:2017, 7.2.8
    """

    may: Annotated[Annotated[str, pattern("^(?:run|warn|limit)" + END)], PUBLIC]
    says: Annotated[Annotated[str, length(0, 160)], PUBLIC]
    because: Annotated[ShortText, PUBLIC]
    at: Annotated[Natural, PUBLIC]
    offered: Annotated[Natural, PUBLIC]
