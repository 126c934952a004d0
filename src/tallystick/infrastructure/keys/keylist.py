"""Makes and signs the provider's key list; the root's owner runs this away from the server.

Source: ISO/TS 12812-2:2017, 7.4.2; 3.5; RFC 7515, 5.1
"""

from collections.abc import Iterable

from tallystick.infrastructure.crypto.dual import DUAL
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.key_list import check_entries, list_header
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.interface import (
    DUAL_SIGNATURE,
    ECDSA_P256,
    ED25519,
    CryptoModule,
    KeyHandle,
    Purpose,
)
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.time import Instant
from tallystick.protocol.keylist import KeyEntry, KeyList, ListedPurpose

_ALGORITHMS = {ECDSA_P256: "ES256", ED25519: "EdDSA", DUAL_SIGNATURE: DUAL}


def entry_of(
    module: CryptoModule, handle: KeyHandle, *, not_before: Instant, not_after: Instant
) -> KeyEntry:
    """The public half of a key in `module` as an entry of the list.

    Raises NotPermitted for a purpose that is not listed.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    _check_listed(handle.purpose)
    return KeyEntry(
        kid=handle.id,
        purpose=handle.purpose.value,
        algorithm=_ALGORITHMS.get(handle.mechanism, handle.mechanism),
        public=b64url(module.public_octets(handle)),
        not_before=not_before,
        not_after=not_after,
    )


def issue_key_list(
    root: SigningKey,
    *,
    provider: str,
    version: int,
    issued_at: Instant,
    expires_at: Instant,
    entries: Iterable[KeyEntry],
) -> str:
    """The list as a JWS in compact form, signed by the provider `root`.

    Raises NotAuthentic or Malformed for entries that a reader would refuse, NotPermitted for one
    that would live longer than the table of keys allows.
    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515, 5.1
    """
    found = KeyList(
        provider=provider,
        version=version,
        issued_at=issued_at,
        expires_at=expires_at,
        entries=tuple(sorted(entries, key=lambda entry: (entry.purpose, entry.not_before))),
    )
    if version < 1:
        raise Malformed("the versions of a key list begin with 1")
    check_entries(found)
    for entry in found.entries:
        _check_life(entry)
    return sign_compact(root, list_header(root.algorithm), encode_canonical(found))


def _check_listed(purpose: Purpose) -> None:
    if purpose.value not in {listed.value for listed in ListedPurpose}:
        raise NotPermitted(f"a {purpose.value} key is not for the key list")


def _check_life(entry: KeyEntry) -> None:
    life = KEY_TABLE[Purpose(entry.purpose)].max_life_ms
    if entry.not_after - entry.not_before > life:
        raise NotPermitted(
            f"a {entry.purpose} key would live too long",
            remedy=f"let it end {life} ms after its beginning or earlier",
        )
