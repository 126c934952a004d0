"""The provider's list of public keys, as it is served and pinned: what each key is for and when.

The list is a JWS in compact form, signed by the provider root that clients have pinned; its payload
is canonical JSON. Versions only grow, so that an old list cannot replace a newer one.

Source: ISO/TS 12812-2:2017, 7.4.2; 3.5; RFC 7515
"""

from enum import StrEnum
from typing import Annotated, Literal

from tallystick.kernel.classification import PUBLIC
from tallystick.kernel.model import Base64Url, Natural, ShortText, Wire, pattern

LIST_TYPE = "tallystick-keylist"
"""The `typ` of the signed object's header."""

Kid = Annotated[str, pattern(r"^key_[0-9a-hjkmnp-tv-z]{26}$(?!\n)")]
"""Identifier of a key: `key_` and 26 characters of base32."""

LIST_AT, DUAL_LIST_AT = "/v1/keys", "/v1/dual-keys"
"""Where the list with one signature is served, and the one with two."""

Word = Annotated[str, pattern(r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$(?!\n)")]
"""A purpose or an algorithm by its registered name."""


class ListedPurpose(StrEnum):
    """What the provider's public keys are for.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    SESSION_SIGNATURE = "session-signature"
    DEVICE_CA = "device-ca"
    TALLY = "tally"
    TIME_STAMP = "time-stamp"
    APP_SIGNING = "app-signing"


class KeyEntry(Wire, frozen=True, kw_only=True):
    """One public key: `algorithm` is `ES256`, `EdDSA` or the name of an HPKE suite.

    It is used from `not_before` until before `not_after`, both in milliseconds.
    Source: ISO/TS 12812-2:2017, 7.4.2; 3.5
    """

    kid: Annotated[Kid, PUBLIC]
    purpose: Annotated[Word, PUBLIC]
    algorithm: Annotated[Word, PUBLIC]
    public: Annotated[Base64Url, PUBLIC]
    not_before: Annotated[Natural, PUBLIC]
    not_after: Annotated[Natural, PUBLIC]


class KeyList(Wire, frozen=True, kw_only=True):
    """The keys of `provider` in force or to come; valid from `issued_at` until `expires_at` (ms).

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    v: Annotated[Literal[1], PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    version: Annotated[Natural, PUBLIC]
    issued_at: Annotated[Natural, PUBLIC]
    expires_at: Annotated[Natural, PUBLIC]
    entries: Annotated[tuple[KeyEntry, ...], PUBLIC]
