"""A second wrap around each kept key, away from its block: destruction reaches backups.

    FOLDER/keys/X.block     the block, sealed once more under a wrap of its own; backups copy it
    PLACE/ID.wrap           32 random bytes; two places or more, and no backup copies them

To destroy a key is to destroy its wrap in every place: each copy of its block, wherever it lies, is
then noise, also to whoever has the master key.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-88, 2.5
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, AeadKey
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import NotAuthentic, NotFound, Unavailable

_MAGIC: Final = b"TKW1"
_MARK: Final = "tallystick-wraps"
_LENGTH: Final = 32


class Wraps:
    """The wraps of one provider's keys in all their places.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, places: tuple[Path, ...], entropy: Callable[[int], bytes]) -> None:
        """Keep wraps in `places`, each marked by `prepare` before.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._places = places
        self._entropy = entropy

    def prepare(self) -> None:
        """Make every place ready; raises Unavailable for one that cannot be written.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for place in self._places:
            try:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(place / _MARK, b"")
            except OSError as error:
                raise Unavailable(f"{place} cannot be written", remedy="mount it") from error

    def seal(self, block: bytes) -> bytes:
        """`block` under a wrap of its own, which is in every place before this returns.

        Raises Unavailable if a place is not there.
        Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 19772
        """
        self._check_all()
        name = peek(block).id.encode()
        wrap = self._read(peek(block).id) or self._entropy(_LENGTH)
        for place in self._places:
            replace_file(place / f"{name.decode()}.wrap", wrap)
        head = _MAGIC + len(name).to_bytes(2, "big") + name
        nonce = self._entropy(NONCE_LENGTH)
        return head + nonce + AeadKey(wrap).seal(nonce, block, head)

    def open(self, kept: bytes) -> bytes:
        """The block in `kept`, or `kept` itself where it has no second wrap.

        Raises NotFound if its wrap was destroyed, Unavailable if no place is there, NotAuthentic.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if not is_wrapped(kept):
            return kept
        end = 6 + int.from_bytes(kept[4:6], "big")
        wrap = self._read(kept[6:end].decode("ascii", "replace"))
        if wrap is None:
            raise NotFound("the wrap of this key was destroyed", remedy="use its successor")
        nonce = kept[end : end + NONCE_LENGTH]
        return AeadKey(wrap).open(nonce, kept[end + NONCE_LENGTH :], kept[:end])

    def destroy(self, key_id: str) -> None:
        """Overwrite and remove the wrap of a key in every place.

        Raises Unavailable before anything is removed if a place is not there.
        Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-88, 2.5
        """
        self._check_all()
        for place in self._places:
            path = place / f"{key_id}.wrap"
            if path.exists():
                with path.open("r+b") as file:
                    file.write(bytes(_LENGTH))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()

    def _read(self, key_id: str) -> bytes | None:
        """The wrap out of the first place that is there; None if the place has none."""
        if not key_id.replace("_", "").isalnum():
            raise NotAuthentic("the key block does not verify")
        for place in self._places:
            if (place / _MARK).exists():
                path = place / f"{key_id}.wrap"
                return path.read_bytes() if path.exists() else None
        raise Unavailable("no place of the keys' wraps is there", remedy="mount one of them")

    def _check_all(self) -> None:
        for place in self._places:
            if not (place / _MARK).exists():
                raise Unavailable(f"{place} is not there", remedy="mount it, and try again")


def is_wrapped(kept: bytes) -> bool:
    """Whether a kept block has a second wrap.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return kept[: len(_MAGIC)] == _MAGIC
