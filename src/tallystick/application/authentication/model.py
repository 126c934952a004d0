"""Activation codes and live sessions.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
"""

from dataclasses import dataclass

from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

_DIGITS = 8


class Activation(Record, frozen=True, kw_only=True):
    """A single-use activation code as stored: only its MAC, its end and the tries it has seen.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    id: str
    customer: str
    code_mac: bytes
    expires_at: int
    attempts: int
    used_at: int
    issued_by: str


@dataclass(slots=True)
class Session:
    """A live session; exists in memory only, its keys wrapped under a key that never leaves it.

    `window_high` and `window_bits` are the replay window of its requests. `factors` are the
    categories given in it, `factor_at` when the last one was (ms), 0 for never.
    Source: ISO/TS 12812-2:2017, 7.3.2; 3.22
    """

    id: str
    device: str
    customer: str
    account: str
    channel: str
    wrapped: bytes
    wrap_day: int
    established_at: int
    last_seen: int
    idle_ms: int
    expires_at: int
    window_high: int
    window_bits: int
    factors: tuple[str, ...] = ()
    factor_at: int = 0


@dataclass(slots=True)
class Dialled:
    """A live menu session of somebody who dials, as its door reported it.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    id: str
    customer: str
    established_at: int
    last_seen: int
    idle_ms: int
    expires_at: int


def new_code(entropy: bytes) -> Secret[str]:
    """An activation code out of 16 random bytes: eight digits in two groups.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    digits = f"{int.from_bytes(entropy, 'big') % 10**_DIGITS:0{_DIGITS}d}"
    return Secret(f"{digits[:4]}-{digits[4:]}")
