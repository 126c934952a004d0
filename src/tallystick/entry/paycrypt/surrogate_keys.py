"""Keys of domains of surrogates in the module of the door, and what is done with them.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; NIST SP 800-38G
"""

from typing import Final, NamedTuple

from tallystick.application.surrogates import Surrogates
from tallystick.application.surrogates.forms import (
    Kind,
    Way,
    inner_of_surrogate,
    inner_of_value,
    surrogate_of_inner,
    value_of_inner,
)
from tallystick.application.surrogates.model import DomainKeyRow, DomainRow, HeldRow, held_id
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import NotFound

_NONCE: Final = 12


class LoadedKeys(NamedTuple):
    """The keys of one generation of a domain, ready.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    row: DomainKeyRow
    holding: KeyHandle
    cipher: KeyHandle | None


class SurrogateKeys:
    """Keys of domains in the module, brought there when they are first needed.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, module: SoftModule) -> None:
        """Bring keys into `module`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.module = module
        self._handles: dict[bytes, KeyHandle] = {}

    def newest(self, desk: Surrogates, turn: Turn, domain: DomainRow) -> LoadedKeys:
        """The newest keys of a domain, made with this turn where there are none yet.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = desk.key(domain.id, domain.generation)
        if row is None:
            block = self._fresh(Purpose.SURROGATE)
            cipher = self._fresh(Purpose.TOKENISATION) if domain.way == Way.FF1 else b""
            desk.equip(turn, domain.id, block, cipher)
        return self.of(desk, domain, domain.generation)

    def of(self, desk: Surrogates, domain: DomainRow, generation: int) -> LoadedKeys:
        """The keys of one generation; raises NotFound for those that are destroyed.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = desk.key(domain.id, generation)
        if row is None:
            raise NotFound("the domain has no keys of that generation")
        cipher = self._load(row.cipher) if row.cipher else None
        return LoadedKeys(row, self._load(row.block), cipher)

    def every(self, desk: Surrogates, domain: DomainRow) -> list[LoadedKeys]:
        """Every generation that is not destroyed, the newest first.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return [self.of(desk, domain, row.generation) for row in desk.generations(domain.id)]

    def drop_ended(self, desk: Surrogates) -> None:
        """Take keys out of the module that are kept no more.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        kept = {block for row in desk.keys.values() for block in (row.block, row.cipher)}
        for block in [one for one in self._handles if one not in kept]:
            self.module.destroy(self._handles.pop(block))

    def finder(self, keys: LoadedKeys, value: str) -> str:
        """The name under which the surrogate of `value` is looked up.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        tag = self.module.mac(keys.holding, b"finder\x00" + value.encode("ascii"))
        return f"{keys.row.domain}/{tag.hex()}"

    def seal(self, keys: LoadedKeys, value: str, surrogate: str) -> bytes:
        """`value` sealed for its surrogate, with the nonce in front.

        Source: ISO/IEC 19772
        """
        nonce, bound = self.module.random(_NONCE), held_id(keys.row.domain, surrogate).encode()
        return nonce + self.module.seal(keys.holding, nonce, value.encode("ascii"), bound)

    def open(self, keys: LoadedKeys, held: HeldRow) -> str:
        """The value of `held`; raises NotAuthentic for a row that was changed or moved.

        Source: ISO/IEC 19772
        """
        nonce, sealed = held.sealed[:_NONCE], held.sealed[_NONCE:]
        return self.module.open(keys.holding, nonce, sealed, held.id.encode()).decode("ascii")

    def encipher(self, keys: LoadedKeys, kind: Kind, value: str) -> str:
        """The surrogate of `value` by FF1.

        Source: NIST SP 800-38G
        """
        inner = inner_of_value(kind, value)
        made = self.module.chips.tokenise(
            _cipher(keys), inner, _tweak(keys, kind), letters=kind is Kind.ACCOUNT
        )
        return surrogate_of_inner(kind, made)

    def decipher(self, keys: LoadedKeys, kind: Kind, surrogate: str) -> str:
        """The value of a surrogate by FF1.

        Source: NIST SP 800-38G
        """
        inner = inner_of_surrogate(kind, surrogate)
        found = self.module.chips.detokenise(
            _cipher(keys), inner, _tweak(keys, kind), letters=kind is Kind.ACCOUNT
        )
        return value_of_inner(kind, found)

    def _fresh(self, purpose: Purpose) -> bytes:
        handle = self.module.generate(purpose)
        block = self.module.export_block(handle)
        self._handles[block] = handle
        return block

    def _load(self, block: bytes) -> KeyHandle:
        found = self._handles.get(block)
        if found is None:
            found = self._handles[block] = self.module.import_block(block)
        return found


def _cipher(keys: LoadedKeys) -> KeyHandle:
    if keys.cipher is None:
        raise NotFound("the domain has no keys of that generation")
    return keys.cipher


def _tweak(keys: LoadedKeys, kind: Kind) -> bytes:
    return f"{keys.row.domain}/{kind.value}".encode("ascii")
