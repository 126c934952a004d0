"""Messages by which an enrolled device shows again, inside a session, what it is.

    device -> provider   nothing                      "what shall I answer?"
    provider -> device   a challenge, used once
    device -> provider   a form and a statement over the challenge
    provider -> device   how far the device is trusted from now on

Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 8.1.2
"""

from typing import Annotated, Final

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import Natural, ShortText, Wire, pattern
from tallystick.protocol.envelope import END, Octets32

CHALLENGES_PATH: Final = "/v1/devices/challenges"
PROOFS_PATH: Final = "/v1/devices/proofs"
SIGNALS_PATH: Final = "/v1/devices/signals"
EVIDENCE: Final = "evidence:"
"""How the word begins that names, in seconds, how old a proof may be that a step-up asks for."""

SignalName = Annotated[
    str,
    pattern(
        "^(?:rooted|hooked|emulated|debugged|repackaged|overlaid|screen-shared|outdated)" + END
    ),
]
"""What speaks against a phone, as its app notices it."""


class ProofChallenge(Wire, frozen=True, kw_only=True):
    """What the device's next proof answers, until `expires_at` (ms).

    Source: RFC 9334, 10.2
    """

    challenge: Annotated[Octets32, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]


class DeviceProof(Wire, frozen=True, kw_only=True):
    """A proof: `apple-app-attest` an assertion by the key that enrolled, as CBOR; `android-key` a
    list in CBOR, the chain of a key made for the challenge, leaf first; `play-integrity` a verdict
    as the service gave it, a compact JWE.

    The first two are base64url.
    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.3.5
    """

    format: Annotated[
        Annotated[str, pattern("^(?:apple-app-attest|android-key|play-integrity)" + END)], PUBLIC
    ]
    statement: Annotated[Annotated[str, pattern("^[A-Za-z0-9_.-]{1,10922}" + END)], SENSITIVE]


class ProofTaken(Wire, frozen=True, kw_only=True):
    """How far the device is trusted from now on, and when that was shown (ms).

    Source: RFC 9334, 8.4
    """

    trust: Annotated[ShortText, INTERNAL]
    proved_at: Annotated[Natural, PUBLIC]


class DeviceSignals(Wire, frozen=True, kw_only=True):
    """What an app notices of its own phone: names of signals, sorted, none twice.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    signals: Annotated[tuple[SignalName, ...], SENSITIVE]


MESSAGES: Final = (ProofChallenge, DeviceProof, ProofTaken, DeviceSignals)
"""What this module adds to the description of the doors."""
