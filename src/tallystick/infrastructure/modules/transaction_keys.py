"""The key of one transaction of a terminal, derived inside the software module and used there.

Source: ISO/TS 12812-2:2017, 7.4.2; ANSI X9.24-1; ANSI X9.24-3
"""

from typing import Final

from tallystick.infrastructure.card import dukpt_tdea
from tallystick.infrastructure.card.dukpt_aes import KeyType, WorkingUsage, split_ksn
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_192,
    AES_256,
    TDEA_2KEY,
    TDEA_3KEY,
)
from tallystick.kernel.errors import NotPermitted

_TYPES: Final = {
    AES_128: KeyType.AES_128,
    AES_192: KeyType.AES_192,
    AES_256: KeyType.AES_256,
    TDEA_2KEY: KeyType.TDEA_2KEY,
    TDEA_3KEY: KeyType.TDEA_3KEY,
}

Use = tuple[WorkingUsage, dukpt_tdea.Variant]
"""What the key is for: the usage under AES DUKPT, and the variant under that of TDEA."""


def transaction_key(
    gate: CardGate, found: CardKey, ksn: bytes, use: Use, kind: str = ""
) -> tuple[bytes, bool]:
    """The octets of the key of the transaction that `ksn` names, and whether it is of AES.

    `kind` is the mechanism of that key, empty for that of the base key. Raises NotPermitted where
    the rules do not admit the derivation, or TDEA DUKPT is asked for another mechanism.
    Source: ANSI X9.24-3, 6.3; ANSI X9.24-1, A.4
    """
    usage, variant = use
    if not found.is_aes:
        gate.admit("dukpt-tdea")
        if kind not in {"", found.handle.mechanism}:
            raise NotPermitted("TDEA DUKPT derives keys of TDEA with two keys only")
        return dukpt_tdea.working_key(found.old_terminal(ksn), ksn, variant), False
    gate.admit("dukpt-aes")
    initial_id, counter = split_ksn(ksn)
    chosen = kind or found.handle.mechanism
    made = found.terminal(initial_id).working_key(counter, usage, _TYPES[chosen])
    return made, chosen.startswith("aes")
