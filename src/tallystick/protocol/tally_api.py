"""Public answers about the tally, the keys and the health of the service.

Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
"""

from typing import Annotated

from tallystick.kernel.classification import PUBLIC
from tallystick.kernel.model import Natural, Wire


class CheckpointReply(Wire, frozen=True, kw_only=True):
    """The newest signed checkpoint, a C2SP signed note.

    Source: C2SP tlog-checkpoint
    """

    checkpoint: Annotated[str, PUBLIC]


class ConsistencyReply(Wire, frozen=True, kw_only=True):
    """The hashes (base64url, one after the other) that prove `new` continues `old`.

    Source: RFC 9162, 2.1.4
    """

    old: Annotated[Natural, PUBLIC]
    new: Annotated[Natural, PUBLIC]
    proof: Annotated[str, PUBLIC]


class SignedKeyList(Wire, frozen=True, kw_only=True):
    """The provider's key list as its root signed it (compact JWS).

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    key_list: Annotated[str, PUBLIC]


class HealthReply(Wire, frozen=True, kw_only=True):
    """How the service is, in a word and, where it is not well, what to do.

    `suspended` names what operators suspended for everybody, each as a kind of payment, a blank,
    `by`, a blank, and a channel.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    status: Annotated[str, PUBLIC]
    remedy: Annotated[str, PUBLIC] = ""
    suspended: Annotated[tuple[str, ...], PUBLIC] = ()
