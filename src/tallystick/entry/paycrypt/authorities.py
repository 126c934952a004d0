"""Who certifies the pairs of the door: an authority for RSA and one for curves, made when needed.

Their certificates follow from their keys, so that a partner compares a digest once.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280
"""

from collections.abc import Callable, Iterable
from typing import Final

from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import ECDSA_P384, RSA_SIGNATURE
from tallystick.infrastructure.modules.soft import SoftModule

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
        found = [one for one in blocks if peek(one).purpose is _PURPOSE]
        self._handles = {peek(one).mechanism: module.import_block(one) for one in found}

    def of(self, algorithm: str) -> KeyHandle:
        """The authority for pairs of `algorithm` (the model's name); made where there is none.

        Raises NotPermitted where the rules do not admit its signatures.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        mechanism = RSA_SIGNATURE if algorithm.startswith("RSA") else ECDSA_P384
        known = self._handles.get(mechanism)
        if known is None:
            known = self._module.generate(_PURPOSE, mechanism=mechanism)
            self._keep(f"{_PURPOSE.value}-{mechanism}", self._module.export_block(known))
            self._handles[mechanism] = known
        return known
