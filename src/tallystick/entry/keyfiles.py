"""The files of a provider's keys: wrapped, and where it is wanted wrapped a second time.

    FOLDER/keys/*.block    the service's keys, wrapped by purpose under the master key
    FOLDER/wraps.json      the places of their second wraps, if they have any

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tallystick.infrastructure.keys.wraps import Wraps, is_wrapped
from tallystick.infrastructure.modules.block import BlockRoots, peek
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import NotFound, Unavailable

_places = Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The keys in the folder `root` of a provider.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    root: Path

    @property
    def wraps_file(self) -> Path:
        """Where it stands in which places the second wraps of keys are, if they have any.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "wraps.json"

    def wraps(self) -> Wraps | None:
        """The second wraps of the keys; None where they have none.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        try:
            places = _places.decode(self.wraps_file.read_bytes())
        except FileNotFoundError:
            return None
        return Wraps(tuple(Path(one) for one in places), operating_system)

    def block_files(self) -> list[tuple[Path, bytes]]:
        """The wrapped keys of the service by file, but for those whose second wrap is destroyed.

        Raises Unavailable if no place of the second wraps is there.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        wraps = self.wraps()
        found: list[tuple[Path, bytes]] = []
        for path in sorted((self.root / "keys").glob("*.block")):
            kept = path.read_bytes()
            if is_wrapped(kept):
                if wraps is None:
                    raise Unavailable("the keys have wraps elsewhere", remedy="restore wraps.json")
                try:
                    kept = wraps.open(kept)
                except NotFound:
                    continue
            found.append((path, kept))
        return found

    def blocks(self) -> list[bytes]:
        """The wrapped keys of the service.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return [block for _, block in self.block_files()]

    def roots(self, master: MasterKey, purposes: Iterable[Purpose]) -> BlockRoots:
        """What opens the key blocks of `purposes`, the generations that wrap subjects' keys too.

        Raises NotAuthentic for a changed block of a generation.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        wanted = tuple(purposes)
        if Purpose.SUBJECT not in wanted:
            return master.roots(wanted)
        return master.roots((*wanted, Purpose.SUBJECT_WRAP)).with_generations(self.blocks())

    def save_block(self, name: str, block: bytes) -> None:
        """Keep a wrapped key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        folder = self.root / "keys"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.replace_block(folder / f"{name}.block", block)

    def replace_block(self, path: Path, block: bytes) -> None:
        """Put a wrapped key in place of the file at `path`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        wraps = self.wraps()
        replace_file(path, block if wraps is None else wraps.seal(block))

    def wrap_again(self, places: Sequence[Path]) -> int:
        """Give every key a second wrap in `places`; gives how many keys there are.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self.block_files()
        wraps = Wraps(tuple(places), operating_system)
        wraps.prepare()
        sealed = [(path, wraps.seal(block)) for path, block in found]
        replace_file(self.wraps_file, encode_canonical([str(one.resolve()) for one in places]))
        for path, kept in sealed:
            replace_file(path, kept)
        return len(found)

    def free_name(self, wanted: str, kept: Container[str]) -> str:
        """A name like `wanted` for a block, whose file is none or holds none of the keys `kept`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        taken = {path.stem for path, block in self.block_files() if peek(block).id in kept}
        names = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
        return next(name for name in names if name not in taken)

    def erase_block(self, key_id: str) -> None:
        """Destroy the second wrap of the key with this id, and every file that it is in.

        Raises Unavailable if a place of wraps is not there; the files stay then.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        files = [path for path, block in self.block_files() if peek(block).id == key_id]
        wraps = self.wraps()
        if wraps is not None:
            wraps.destroy(key_id)
        for path in files:
            path.unlink(missing_ok=True)
