"""The memory of a software keystore: its keys, and what it must remember between sessions.

Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
"""

from dataclasses import dataclass, field

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.live import Tries
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret


class _Pair(Record, frozen=True, kw_only=True):
    counter: int
    secret: str


class _Memory(Record, frozen=True, kw_only=True):
    possession: str
    consent: str
    pairs: tuple[_Pair, ...]
    identity: EnrolledIdentity | None
    checkpoint: str
    tries: Tries = Tries()
    hybrid: bool = False


_MEMORY: Decoder[_Memory] = Decoder(_Memory)


@dataclass(slots=True)
class Kept:
    """What a software keystore holds while it is open.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.2
    """

    possession: Es256SigningKey
    consent: Es256SigningKey
    pairs: tuple[RenewalPair, ...] = ()
    identity: EnrolledIdentity | None = None
    checkpoint: str = ""
    tries: Tries = field(default_factory=Tries)
    hybrid: bool = False

    def encoded(self) -> bytes:
        """As it is sealed in a file.

        Source: ISO/TS 12812-2:2017, 8.1.2
        """
        memory = _Memory(
            possession=b64url(self.possession.to_pkcs8().reveal()),
            consent=b64url(self.consent.to_pkcs8().reveal()),
            pairs=tuple(
                _Pair(counter=pair.counter, secret=b64url(pair.secret.reveal()))
                for pair in self.pairs
            ),
            identity=self.identity,
            checkpoint=self.checkpoint,
            tries=self.tries,
            hybrid=self.hybrid,
        )
        return encode_canonical(memory)


def kept_in(content: bytes) -> Kept:
    """What `encoded` made `content` of.

    Raises Malformed for anything else.
    Source: ISO/TS 12812-2:2017, 8.1.2
    """
    memory = _MEMORY.decode(content)
    return Kept(
        possession=Es256SigningKey.from_pkcs8(b64url_decode(memory.possession)),
        consent=Es256SigningKey.from_pkcs8(b64url_decode(memory.consent)),
        pairs=tuple(
            RenewalPair(counter=pair.counter, secret=Secret(b64url_decode(pair.secret)))
            for pair in memory.pairs
        ),
        identity=memory.identity,
        checkpoint=memory.checkpoint,
        tries=memory.tries,
        hybrid=memory.hybrid,
    )
