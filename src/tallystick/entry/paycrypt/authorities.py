"""Who certifies the pairs of the door: an authority for RSA and one for curves, made when needed.

Their certificates follow from their keys, so that a partner compares a digest once.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final

from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.pair_interface import ECDSA_P384, RSA_SIGNATURE
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Broken
from tallystick.kernel.time import Clock

_PURPOSE: Final = Purpose.DOOR_AUTHORITY


class Authorities:
    """The authorities of one door.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(
        self, module: SoftModule, blocks: Iterable[bytes], keep: Callable[[str, bytes], None]
    ) -> None:
        """Load those among `blocks`; a new one is handed to `keep` with a name.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._module = module
        self._keep = keep
        self._making = Lock()
        found = [one for one in blocks if peek(one).purpose is _PURPOSE]
        self._handles = {peek(one).mechanism: module.import_block(one) for one in found}

    def of(self, algorithm: str) -> KeyHandle:
        """The authority for pairs of `algorithm` (the model's name); made where there is none.

        Raises NotPermitted where the rules do not admit its signatures.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        mechanism = RSA_SIGNATURE if algorithm.startswith("RSA") else ECDSA_P384
        with self._making:
            known = self._handles.get(mechanism)
            if known is None:
                known = self._module.generate(_PURPOSE, mechanism=mechanism)
                self._keep(f"{_PURPOSE.value}-{mechanism}", self._module.export_block(known))
                self._handles[mechanism] = known
            return known

    def certificates(self) -> tuple[tuple[str, bytes], ...]:
        """The certificates (PEM) of the authorities that there are, by mechanism.

        Source: RFC 5280, 4.1
        """
        pairs = self._module.pairs
        return tuple(
            (name, pairs.certificate_of(one, one)) for name, one in sorted(self._handles.items())
        )


def shown_authorities(
    folder: ProviderFolder, opener: Opener, clock: Clock
) -> tuple[tuple[str, bytes], ...]:
    """The certificates (PEM) of the authorities of a provider's door, by mechanism.

    Raises NotFound where there is no door.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    rules = must_have(folder.root).rules()
    roots = folder.master(opener).roots((_PURPOSE,))
    module = SoftModule(roots, clock, profile=folder.settings().profile, rules=rules)
    try:
        return Authorities(module, folder.blocks(), _keep_none).certificates()
    finally:
        module.zeroise()


def _keep_none(name: str, block: bytes) -> None:
    raise Broken(f"{name} is made by the door alone")
