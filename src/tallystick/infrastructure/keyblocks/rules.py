"""What a header may say: the modes and algorithms of each usage, and what may leave.

Source: X9.143, 6; ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from typing import Final

from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.kernel.errors import NotPermitted

USAGES: Final[dict[str, tuple[str, str, str]]] = {
    "B0": ("AT", "NX", "base key of DUKPT"),
    "B1": ("AT", "NX", "initial key of DUKPT"),
    "B3": ("AT", "NX", "other key derivation"),
    "C0": ("AT", "CGNV", "card verification"),
    "D0": ("AT", "BDEN", "data encryption"),
    "E0": ("AT", "NX", "chip master key: cryptograms"),
    "E1": ("AT", "NX", "chip master key: confidentiality of scripts"),
    "E2": ("AT", "NX", "chip master key: integrity of scripts"),
    "E3": ("AT", "NX", "chip master key: data authentication code"),
    "E4": ("AT", "NX", "chip master key: dynamic numbers"),
    "E5": ("AT", "NX", "chip master key: personalisation"),
    "E6": ("AT", "NX", "chip master key: other"),
    "I0": ("AT", "N", "initial value"),
    "K0": ("AT", "BDEN", "key encryption"),
    "K1": ("AT", "BDEN", "key block protection"),
    "K4": ("A", "BDEN", "key block protection of ISO 20038"),
    "M0": ("T", "CGNV", "MAC, ISO 16609 algorithm 1 with TDEA"),
    "M1": ("T", "CGNV", "MAC, ISO 9797-1 algorithm 1"),
    "M3": ("T", "CGNV", "MAC, ISO 9797-1 algorithm 3"),
    "M5": ("AT", "CGNV", "MAC, ISO 9797-1 algorithm 5"),
    "M6": ("AT", "CGNV", "MAC, CMAC"),
    "M7": ("H", "CGNV", "MAC, HMAC"),
    "P0": ("AT", "BDEN", "PIN encryption"),
    "V0": ("AT", "CGNV", "PIN verification"),
    "V1": ("T", "CGNV", "PIN verification, IBM 3624"),
    "V2": ("T", "CGNV", "PIN verification, PVV"),
}
"""For each usage its algorithms, its modes, and what it is; whatever is not here is refused."""


def check_use(fields: BlockFields) -> None:
    """Return only if the usage is known and goes with the algorithm and the mode.

    Raises NotPermitted otherwise.
    Source: X9.143, 6
    """
    known = USAGES.get(fields.usage)
    if known is None:
        raise NotPermitted(f"the key usage {fields.usage} is not served here")
    algorithms, modes, _ = known
    if fields.algorithm not in algorithms or fields.mode not in modes:
        raise NotPermitted(
            f"a key of usage {fields.usage} does not have algorithm {fields.algorithm} "
            f"and mode {fields.mode}"
        )


def check_export(exportability: str) -> None:
    """Return only if a key may leave in a key block; raises NotPermitted for one that stays.

    Source: X9.143, 6
    """
    if exportability == "N":
        raise NotPermitted("the key is not exportable", because="key-exportability")
