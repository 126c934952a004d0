"""Keys of cards and PINs: which operation each purpose has, and what a policy lets in beside.

One key has one usage of X9.143. The mode of use narrows the operations further: a key that may only
decipher opens PIN blocks and seals none.

Source: ISO/TS 12812-2:2017, 7.4.2; X9.143, 6; ISO 11568
"""

from enum import StrEnum
from typing import Final, NoReturn, final

from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_192,
    AES_256,
    CARD_LENGTHS,
    TDEA_2KEY,
    TDEA_3KEY,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.pair_interface import CERTIFICATE, PAIR_MECHANISMS
from tallystick.infrastructure.pin.translation import BY_POLICY, FormatPair
from tallystick.infrastructure.pin.verification import DECIMALISATION
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record


class CardOperation(StrEnum):
    """What can be done with a key of cards.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    __hash__ = str.__hash__

    WRAP_KEY = "wrap-key"
    UNWRAP_KEY = "unwrap-key"
    OPEN_PIN = "open-pin"
    SEAL_PIN = "seal-pin"
    MAKE_PIN_VALUE = "make-pin-value"
    VERIFY_PIN_VALUE = "verify-pin-value"
    DERIVE_INITIAL = "derive-initial"
    TRANSACTION_MAC = "transaction-mac"
    MAKE_CARD_VALUE = "make-card-value"
    VERIFY_CARD_VALUE = "verify-card-value"
    CRYPTOGRAM = "cryptogram"
    ENCIPHER_SCRIPT = "encipher-script"
    SCRIPT_MAC = "script-mac"
    DYNAMIC_CODE = "dynamic-code"
    MAKE_MAC = "make-mac"
    VERIFY_MAC = "verify-mac"
    TOKENISE = "tokenise"
    DETOKENISE = "detokenise"
    ENCRYPT_DATA = "encrypt-data"
    DECRYPT_DATA = "decrypt-data"
    SEAL_TERMINAL_PIN = "seal-terminal-pin"


_OP = CardOperation
_Modes = dict[str, frozenset[CardOperation]]


def _two_ways(forward: CardOperation, backward: CardOperation) -> _Modes:
    both = frozenset({forward, backward})
    return {
        "B": both,
        "N": both,
        "E": frozenset({forward}),
        "D": frozenset({backward}),
    }


def _checked(make: CardOperation, verify: CardOperation) -> _Modes:
    both = frozenset({make, verify})
    return {
        "C": both,
        "N": both,
        "G": frozenset({make}),
        "V": frozenset({verify}),
    }


def _derived(*operations: CardOperation) -> _Modes:
    return {"X": frozenset(operations), "N": frozenset(operations)}


class CardUse(Record, frozen=True, kw_only=True):
    """How a purpose stands in a key block: its usage, and the operations of each mode.

    `mode` and `exportability` are those of a key that is generated here.
    Source: X9.143, 6
    """

    usage: str
    modes: dict[str, frozenset[CardOperation]]
    mode: str
    exportability: str


def _use(usage: str, modes: _Modes, mode: str, exportability: str) -> CardUse:
    return CardUse(usage=usage, modes=modes, mode=mode, exportability=exportability)


_PIN_VALUE = _checked(_OP.MAKE_PIN_VALUE, _OP.VERIFY_PIN_VALUE)
_MAC = _checked(_OP.MAKE_MAC, _OP.VERIFY_MAC)
_OF_A_TERMINAL = (
    *(_OP.OPEN_PIN, _OP.SEAL_TERMINAL_PIN, _OP.TRANSACTION_MAC),
    *(_OP.ENCRYPT_DATA, _OP.DECRYPT_DATA),
)

CARD_USES: Final[dict[Purpose, CardUse]] = {
    Purpose.KEY_WRAP: _use("K1", _two_ways(_OP.WRAP_KEY, _OP.UNWRAP_KEY), "B", "N"),
    Purpose.PIN_ENCRYPTION: _use("P0", _two_ways(_OP.SEAL_PIN, _OP.OPEN_PIN), "B", "E"),
    Purpose.PIN_PVV: _use("V2", _PIN_VALUE, "C", "N"),
    Purpose.PIN_IBM3624: _use("V1", _PIN_VALUE, "C", "N"),
    Purpose.PIN_REFERENCE: _use("V0", _PIN_VALUE, "C", "N"),
    Purpose.DUKPT_BASE: _use("B0", _derived(_OP.DERIVE_INITIAL, *_OF_A_TERMINAL), "X", "N"),
    Purpose.DUKPT_INITIAL: _use("B1", _derived(*_OF_A_TERMINAL), "X", "E"),
    Purpose.CARD_VERIFICATION: _use(
        "C0", _checked(_OP.MAKE_CARD_VALUE, _OP.VERIFY_CARD_VALUE), "C", "N"
    ),
    Purpose.CHIP_CRYPTOGRAM: _use("E0", _derived(_OP.CRYPTOGRAM), "X", "N"),
    Purpose.CHIP_CONFIDENTIALITY: _use("E1", _derived(_OP.ENCIPHER_SCRIPT), "X", "N"),
    Purpose.CHIP_INTEGRITY: _use("E2", _derived(_OP.SCRIPT_MAC), "X", "N"),
    Purpose.CHIP_DYNAMIC: _use("E4", _derived(_OP.DYNAMIC_CODE), "X", "N"),
    Purpose.CARD_MAC: _use("M6", _MAC, "C", "E"),
    Purpose.CARD_MAC_RETAIL: _use("M3", _MAC, "C", "E"),
    Purpose.CARD_MAC_CBC: _use("M1", _MAC, "C", "E"),
    Purpose.TOKENISATION: _use("D0", _two_ways(_OP.TOKENISE, _OP.DETOKENISE), "B", "N"),
    Purpose.DATA_ENCRYPTION: _use("D0", _two_ways(_OP.ENCRYPT_DATA, _OP.DECRYPT_DATA), "B", "N"),
}
"""Every purpose of cards; all others have none of these operations."""

PURPOSE_OF_USAGE: Final[dict[str, Purpose]] = {
    use.usage: purpose
    for purpose, use in CARD_USES.items()
    if purpose is not Purpose.DATA_ENCRYPTION
}
"""What a key is for that comes in with a usage; keys of usage D0 make tokens."""

PURPOSE_AT_A_DOOR: Final = {**PURPOSE_OF_USAGE, "D0": Purpose.DATA_ENCRYPTION}
"""The same where whoever brings the key enciphers data with it."""

CONSTRUCTIONS: Final = (
    "cmac-aes-128", "retail-mac", "cbc-mac-tdea", "kbkdf-cmac-aes", "dukpt-aes", "dukpt-tdea",
    "keyblock-a", "keyblock-b", "keyblock-c", "keyblock-d", "keyblock-e",
    "pinblock-0", "pinblock-1", "pinblock-2", "pinblock-3", "pinblock-4",
    "pin-pvv", "pin-ibm3624", "pin-reference",
    "card-value", "chip-aes", "chip-tdea", "chip-cvc3", "ff1-aes-256",
    "x963-kdf", "concat-kdf", CERTIFICATE, *PAIR_MECHANISMS,
)  # fmt: skip
"""What is built on those keys, by the registry's names; each proves itself before its first use."""


class CardRules(Record, frozen=True, kw_only=True):
    """What the policy lets a module do with cards beyond what is approved.

    `admitted` names restricted and legacy mechanisms, `translations` pairs of PIN formats that
    lower protection. PINs are refused where the module has no hardware boundary unless
    `pins_in_software`. `least_pin` is the shortest PIN that may be chosen. With `writes_version_b`
    keys leave in the older key block for partners whose wrapping key is TDEA.
    Source: ISO/TS 12812-2:2017, 8.2.2; 8.2.3; C
    """

    admitted: frozenset[str] = frozenset()
    translations: frozenset[FormatPair] = frozenset()
    pins_in_software: bool = False
    least_pin: int = 4
    writes_version_b: bool = False
    decimalisation: str = DECIMALISATION


STRICT: Final = CardRules()
"""Nothing but what is approved, and no PIN in software."""

EVERYTHING: Final = CardRules(
    admitted=frozenset({*CONSTRUCTIONS, *CARD_LENGTHS}),
    translations=BY_POLICY,
    pins_in_software=True,
)
"""For tests and for moving keys off old systems."""


class ImportedKey(Record, frozen=True, kw_only=True):
    """A key that came in a key block, and the reasons that belong into the event about it.

    Source: ISO/TS 12812-2:2017, 7.4.2; X9.143
    """

    handle: KeyHandle
    reasons: tuple[str, ...]


@final
class CardMaterial:
    """What a module keeps of a key of cards: attributes and octets, wrapped together.

    `ident` is the initial key id or serial number of a terminal, empty for other keys. It is not
    printed, encoded, pickled or copied.
    Source: X9.143, 6; ISO 11568
    """

    __slots__ = ("exportability", "ident", "mode", "octets")

    def __init__(self, *, mode: str, exportability: str, ident: bytes, octets: bytes) -> None:
        """Hold the `octets` of a key and its attributes.

        Source: X9.143, 6
        """
        self.mode = mode
        self.exportability = exportability
        self.ident = ident
        self.octets = octets

    def __repr__(self) -> str:
        return f"CardMaterial({self.mode}{self.exportability})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("key material is not pickled or copied")

    __getstate__ = __reduce__

    def pack(self) -> bytes:
        """One string of octets for the module's own key block.

        Source: ISO 20038
        """
        head = f"{self.mode}{self.exportability}".encode("ascii")
        return head + bytes((len(self.ident),)) + self.ident + self.octets


def unpack(material: bytes) -> CardMaterial:
    """The attributes and octets that `CardMaterial.pack` put together.

    Source: ISO 20038
    """
    end = 3 + material[2]
    return CardMaterial(
        mode=chr(material[0]),
        exportability=chr(material[1]),
        ident=material[3:end],
        octets=material[end:],
    )


def mechanism_of(algorithm: str, length: int) -> str:
    """The mechanism of a key whose block says `algorithm` and that has `length` bytes.

    Raises NotPermitted where there is none.
    Source: X9.143, 6
    """
    wanted = {"A": (AES_256, AES_192, AES_128), "T": (TDEA_3KEY, TDEA_2KEY)}.get(algorithm, ())
    for name in wanted:
        if CARD_LENGTHS[name] == length:
            return name
    raise NotPermitted("the module has no use for a key of this algorithm and length")


def algorithm_of(mechanism: str) -> str:
    """The letter of `mechanism` in a key block.

    Source: X9.143, 6
    """
    return "A" if mechanism.startswith("aes") else "T"
