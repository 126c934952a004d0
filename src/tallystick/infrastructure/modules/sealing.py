"""What is sealed at rest says by which mechanism and under which key, so that both can change.

A sealed field is a label of 13 bytes (`TKS1`, the number of the mechanism, the last 8 characters of
the key's id), a nonce of 12 bytes, and the ciphertext with its tag; the label is authenticated with
it. Fields from before labels are a nonce and a ciphertext, and open under whichever key fits.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; C; ISO/IEC 19772
"""

from collections.abc import Sequence
from typing import Final

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH
from tallystick.infrastructure.modules.interface import (
    AES_256_CCM,
    AES_256_GCM,
    HKDF_CCM,
    HKDF_SHA256,
    CryptoModule,
    KeyHandle,
)
from tallystick.kernel.errors import NotAuthentic

MAGIC: Final = b"TKS1"
LABEL_LENGTH: Final = 13
KIND_LENGTH: Final = 5
"""Of a label: what it is and the number of the mechanism, without the key."""
_TAG: Final = 8
_NUMBERS: Final = {AES_256_GCM: 1, HKDF_SHA256: 2, HKDF_CCM: 3, AES_256_CCM: 4}
_NAMES: Final = {1: AES_256_GCM, 2: AES_256_GCM, 3: AES_256_CCM, 4: AES_256_CCM}
"""By number: a key of the mechanism itself, or one that HKDF-SHA256 makes out of a subject's."""
_OTHER: Final = {HKDF_CCM: 2, HKDF_SHA256: 3}
"""What keys of a mechanism sealed by another: their value stayed when the mechanism changed."""


def label_of(handle: KeyHandle) -> bytes:
    """The label of what is sealed under `handle`: 13 bytes.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    return MAGIC + bytes((_NUMBERS[handle.mechanism],)) + handle.id[-_TAG:].encode("ascii")


def mechanism_of(sealed: bytes) -> str:
    """The mechanism that a sealed field (or its first 13 bytes) names; that of old fields else.

    Empty for a label of a mechanism that there is none of.
    Source: ISO/TS 12812-2:2017, C
    """
    return _NAMES.get(sealed[4], "") if sealed[:4] == MAGIC else AES_256_GCM


def key_tag_of(sealed: bytes) -> str:
    """The last 8 characters of the id of the key that sealed; empty for a field without a label.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return sealed[5:LABEL_LENGTH].decode("ascii", "replace") if sealed[:4] == MAGIC else ""


def seal_field(module: CryptoModule, handle: KeyHandle, octets: bytes, context: bytes) -> bytes:
    """`octets` sealed under `handle` and bound to `context`, labelled.

    Source: ISO/IEC 19772
    """
    label, nonce = label_of(handle), module.random(NONCE_LENGTH)
    return label + nonce + module.seal(handle, nonce, octets, label + context)


def open_field(
    module: CryptoModule, handles: Sequence[KeyHandle], sealed: bytes, context: bytes
) -> bytes:
    """What was sealed under one of `handles` and bound to `context`; with or without a label.

    Raises NotAuthentic for anything else, NotFound for a handle that was destroyed.
    Source: ISO/IEC 19772
    """
    for handle in handles:
        label = _label_in(sealed, handle)
        if label:
            try:
                return _opened(module, handle, sealed[LABEL_LENGTH:], label + context)
            except NotAuthentic:
                break
    for handle in handles:
        try:
            return _opened(module, handle, sealed, context)
        except NotAuthentic:
            continue
    raise NotAuthentic("the sealed data does not verify")


def _label_in(sealed: bytes, handle: KeyHandle) -> bytes:
    """The label of `sealed` if the key of `handle` sealed it, by either mechanism; else empty."""
    label = label_of(handle)
    if sealed.startswith(label):
        return label
    other = _OTHER.get(handle.mechanism)
    if other is None:
        return b""
    label = MAGIC + bytes((other,)) + label[-_TAG:]
    return label if sealed.startswith(label) else b""


def _opened(module: CryptoModule, handle: KeyHandle, sealed: bytes, aad: bytes) -> bytes:
    return module.open(handle, sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], aad)


class StoreSeals:
    """Seals columns of the store under the newest store key, opens them under any that is loaded.

    Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
    """

    __slots__ = ("_handles", "_label", "_module")

    def __init__(self, module: CryptoModule, handles: Sequence[KeyHandle]) -> None:
        """Take the store keys, the newest first.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._module = module
        self._handles = tuple(handles)
        self._label = label_of(self._handles[0])

    def seal(self, octets: bytes, context: bytes) -> bytes:
        """`octets` under the newest key, bound to `context`.

        Source: ISO/IEC 19772
        """
        return seal_field(self._module, self._handles[0], octets, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` sealed, now or under an earlier key; raises NotAuthentic for anything else.

        Source: ISO/IEC 19772
        """
        return open_field(self._module, self._handles, sealed, context)

    @property
    def label(self) -> bytes:
        """The label of what is sealed now; what has another one is to be sealed anew.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._label
