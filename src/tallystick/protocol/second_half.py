"""An officer's key with its second half, as the officer gives it to who keeps the settings.

    signed message = "tallystick second half v1" 0x00 | canonical JSON of officer, algorithm, public

Both halves sign, so that whoever has only one of them cannot make it.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2; FIPS 204
"""

from typing import Annotated, Final, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.model import Base64Url, ShortText, Wire, pattern

LABEL: Final = b"tallystick second half v1\x00"


class SecondHalf(Wire, frozen=True, kw_only=True):
    """Whose key it is, its `algorithm`, both public halves, and a signature by both over them.

    Source: ISO/TS 12812-2:2017, 6.2.1; FIPS 204
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    officer: Annotated[ShortText, INTERNAL]
    algorithm: Annotated[Annotated[str, pattern("^(?:ES256|EdDSA)-ML-DSA-65$")], PUBLIC]
    public: Annotated[Base64Url, PUBLIC]
    sig: Annotated[Base64Url, PUBLIC]


_halves: Final = Decoder(SecondHalf)


def read_second_half(octets: bytes) -> SecondHalf:
    """What stands in `octets`; nothing of it is believed before it is verified.

    Raises Malformed for another form.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return _halves.decode_canonical(octets)


def second_half_message(officer: str, algorithm: str, public: str) -> bytes:
    """What both halves sign; `public` is base64url.

    Source: RFC 8785; ISO/TS 12812-2:2017, 6.2.1
    """
    said = {"officer": officer, "algorithm": algorithm, "public": public}
    return LABEL + encode_canonical(said)
