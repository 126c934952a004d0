"""Checks the provider's signed key list against the pinned root and finds keys in it.

Source: ISO/TS 12812-2:2017, 7.4.2; 3.5; RFC 7515, 5.2
"""

from tallystick.infrastructure.crypto.dual import DUAL, DUALS, classical_half
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import EDDSA, ES256, VerifyKey, verify_key
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, Expired, NotAuthentic, NotFound, Refused
from tallystick.kernel.model import replace
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.protocol.keylist import (
    DUAL_LIST_AT,
    LIST_AT,
    LIST_TYPE,
    KeyEntry,
    KeyList,
    ListedPurpose,
)

CLOCK_TOLERANCE_MS = 5 * MINUTE_MS

ALGORITHMS: dict[ListedPurpose, frozenset[str]] = {
    ListedPurpose.SESSION_SIGNATURE: frozenset({ES256, EDDSA}),
    ListedPurpose.DEVICE_CA: frozenset({ES256}),
    ListedPurpose.TALLY: frozenset({EDDSA, DUAL}),
    ListedPurpose.TIME_STAMP: frozenset({ES256}),
    ListedPurpose.APP_SIGNING: frozenset({ES256}),
}
"""The algorithms that each purpose may name."""

_decoder = Decoder(KeyList)


def list_header(algorithm: str) -> bytes:
    """The one header that a list signed with `algorithm` has.

    Source: RFC 7515, 4; RFC 8725, 3.11
    """
    return encode_canonical({"alg": algorithm, "typ": LIST_TYPE})


def list_address(root: VerifyKey) -> str:
    """Where the list is that whoever pins `root` takes: two signatures under a root of two halves.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return DUAL_LIST_AT if root.algorithm in DUALS else LIST_AT


def for_one_signature(entry: KeyEntry) -> KeyEntry:
    """`entry` for readers that know one signature: of a key with two halves the first.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if entry.algorithm != DUAL:
        return entry
    first = classical_half(b64url_decode(entry.public))
    return replace(entry, algorithm=EDDSA, public=b64url(first))


def verify_key_list(jws: str, pinned_root: VerifyKey, now: Instant, last_version: int) -> KeyList:
    """The list in `jws`, signed by `pinned_root`, in force at `now`, not older than the last seen.

    Raises NotAuthentic for another signer, form, purpose or algorithm; Conflict for a version below
    `last_version`; Expired before its time or after.
    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515, 5.2
    """
    try:
        header, payload, signature, signing_input = split_compact(jws)
    except Refused as error:
        raise _not_authentic() from error
    if header != list_header(pinned_root.algorithm):
        raise _not_authentic()
    pinned_root.verify(signature, signing_input)
    try:
        found = _decoder.decode_canonical(payload)
        check_entries(found)
    except Refused as error:
        raise _not_authentic() from error
    _check_freshness(found, now, last_version)
    return found


def check_entries(key_list: KeyList) -> None:
    """Return only if every entry has a known purpose, a fitting algorithm, and a sound public key.

    Raises NotAuthentic or Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if len({entry.kid for entry in key_list.entries}) != len(key_list.entries):
        raise NotAuthentic("the key list names a key twice")
    if key_list.expires_at <= key_list.issued_at:
        raise NotAuthentic("the key list ends before it begins")
    for entry in key_list.entries:
        _check_entry(entry)


def keys_in_force(key_list: KeyList, purpose: ListedPurpose, now: Instant) -> tuple[KeyEntry, ...]:
    """The keys for `purpose` that are in their time at `now`, the newest first.

    Raises NotFound if there is none.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    found = [
        entry
        for entry in key_list.entries
        if entry.purpose == purpose and entry.not_before <= now < entry.not_after
    ]
    if not found:
        raise NotFound(
            f"the key list has no {purpose.value} key in force", remedy="fetch the newest list"
        )
    return tuple(sorted(found, key=lambda entry: entry.not_before, reverse=True))


def signature_key(entry: KeyEntry) -> VerifyKey:
    """The verifying key of an entry; raises Malformed for a public half that is none.

    Source: ISO/TS 12812-2:2017, 3.5
    """
    return verify_key(entry.algorithm, b64url_decode(entry.public))


def _check_entry(entry: KeyEntry) -> None:
    try:
        purpose = ListedPurpose(entry.purpose)
    except ValueError as error:
        raise NotAuthentic("the key list has an unknown purpose") from error
    if entry.algorithm not in ALGORITHMS[purpose] or entry.not_after <= entry.not_before:
        raise NotAuthentic("an entry of the key list does not fit its purpose")
    signature_key(entry)


def _check_freshness(found: KeyList, now: Instant, last_version: int) -> None:
    if found.version < last_version:
        raise Conflict(
            f"the key list has version {found.version}, {last_version} was seen before",
            remedy="do not use it; fetch the list from the provider and report",
        )
    if found.issued_at > now + CLOCK_TOLERANCE_MS:
        raise Expired("the key list is not yet in force", remedy="check the clock")
    if now >= found.expires_at:
        raise Expired("the key list is past its time", remedy="fetch the newest list")


def _not_authentic() -> NotAuthentic:
    return NotAuthentic("the key list does not verify", remedy="fetch it again; report if it stays")
