"""Data and messages under keys of cards at the software module: enciphered, deciphered, tagged.

Keys come from the door's callers with a mode of their own; under a base key of DUKPT the key of one
transaction does the work. No padding is added to what is enciphered: whoever asks pads.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 10116; ANSI X9.24-3
"""

from enum import StrEnum

from tallystick.infrastructure.card import dukpt_tdea
from tallystick.infrastructure.card.dukpt_aes import WorkingUsage
from tallystick.infrastructure.crypto.blocks import Aes, Tdea, with_odd_parity
from tallystick.infrastructure.crypto.iso9797 import RetailMac, cbc_mac
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import (
    CardMaterial,
    CardOperation,
    algorithm_of,
)
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.transaction_keys import Use, transaction_key
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import Record

_KCV = 3


class Mode(StrEnum):
    """How blocks hang together.

    Source: ISO/IEC 10116
    """

    ECB = "ecb"
    CBC = "cbc"


class Direction(StrEnum):
    """Whose message a key of a transaction protects: both ways, the terminal's, the host's.

    Source: ANSI X9.24-3, 6.3.2; ANSI X9.24-1, A.4.1
    """

    BOTH = "both"
    REQUEST = "request"
    RESPONSE = "response"


class Algorithm(StrEnum):
    """Which MAC: algorithm 1, 3 or 5.

    Source: ISO/IEC 9797-1
    """

    CBC = "1"
    RETAIL = "3"
    CMAC = "5"


class Terminal(Record, frozen=True, kw_only=True):
    """A transaction of a terminal: its serial number, direction, and the mechanism of its key.

    Source: ANSI X9.24-3, 6.2
    """

    ksn: bytes
    direction: Direction = Direction.BOTH
    kind: str = ""


class Ciphering(Record, frozen=True, kw_only=True):
    """The key, the mode and the initial value of something enciphered.

    Source: ISO/IEC 10116
    """

    handle: KeyHandle
    mode: Mode
    initial: bytes = b""
    terminal: Terminal | None = None


_MACS = {
    Direction.BOTH: (WorkingUsage.MAC_BOTH, dukpt_tdea.Variant.MAC_REQUEST),
    Direction.REQUEST: (WorkingUsage.MAC_GENERATION, dukpt_tdea.Variant.MAC_REQUEST),
    Direction.RESPONSE: (WorkingUsage.MAC_VERIFICATION, dukpt_tdea.Variant.MAC_RESPONSE),
}
_DATA = {
    Direction.BOTH: (WorkingUsage.DATA_BOTH, dukpt_tdea.Variant.DATA_REQUEST),
    Direction.REQUEST: (WorkingUsage.DATA_ENCRYPTION, dukpt_tdea.Variant.DATA_REQUEST),
    Direction.RESPONSE: (WorkingUsage.DATA_DECRYPTION, dukpt_tdea.Variant.DATA_RESPONSE),
}


class SoftData:
    """What callers do with their own data and messages.

    Source: ISO/IEC 10116; ISO/IEC 9797-1
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def make_key(
        self, purpose: Purpose, mechanism: str, *, mode: str, exportability: str
    ) -> KeyHandle:
        """A fresh key of cards with this mode of use and exportability.

        Raises NotPermitted for a mechanism that the purpose or the rules exclude.
        Source: X9.143, 6; ISO/IEC 18031
        """
        self._gate.admit(mechanism)
        octets = self._gate.draw(CARD_LENGTHS[mechanism])
        if algorithm_of(mechanism) == "T":
            octets = with_odd_parity(octets)
        found = CardMaterial(mode=mode, exportability=exportability, ident=b"", octets=octets)
        return self._gate.take(purpose, mechanism, found)

    def check_value(self, handle: KeyHandle, *, cmac: bool) -> bytes:
        """Three bytes that show which key it is: CMAC of zeros, or zeros enciphered.

        Source: ANSI X9.24-1; X9.143
        """
        cipher = self._gate.held(handle).cipher()
        zeros = bytes(cipher.width)
        return (cipher.cmac(zeros) if cmac else cipher.encrypt(zeros))[:_KCV]

    def attributes(self, handle: KeyHandle) -> tuple[str, str]:
        """The mode of use and the exportability of a key, as in its key block.

        Source: X9.143, 6
        """
        found = self._gate.held(handle)
        return found.mode, found.exportability

    def encrypt(self, way: Ciphering, data: bytes) -> bytes:
        """`data`, whole blocks, enciphered; raises Malformed for other lengths.

        Source: ISO/IEC 10116
        """
        cipher = self._cipher(way, CardOperation.ENCRYPT_DATA)
        if way.mode is Mode.CBC:
            return cipher.encrypt_chain(way.initial or bytes(cipher.width), data)
        return cipher.encrypt(data)

    def decrypt(self, way: Ciphering, data: bytes) -> bytes:
        """The inverse of `encrypt`.

        Source: ISO/IEC 10116
        """
        cipher = self._cipher(way, CardOperation.DECRYPT_DATA)
        if way.mode is Mode.CBC:
            return cipher.decrypt_chain(way.initial or bytes(cipher.width), data)
        return cipher.decrypt(data)

    def terminal_mac(
        self, handle: KeyHandle, algorithm: Algorithm, terminal: Terminal, message: bytes
    ) -> bytes:
        """The MAC over `message` under the key of a terminal's transaction, uncut.

        Algorithms 1 and 3 take whole blocks or pad with zeros; CMAC takes any length.
        Source: ANSI X9.24-3, 6.3.2; ANSI X9.24-1, A.4; ISO/IEC 9797-1
        """
        found = self._gate.find(handle, CardOperation.TRANSACTION_MAC)
        octets, is_aes = self._working(found, terminal, _MACS)
        if algorithm is Algorithm.RETAIL:
            self._gate.admit("retail-mac")
            if is_aes:
                raise NotPermitted("algorithm 3 takes a key of TDEA")
            return RetailMac(octets).mac(message, padding=1)
        cipher = Aes(octets) if is_aes else Tdea(octets)
        if algorithm is Algorithm.CBC:
            self._gate.admit("cbc-mac-tdea")
            return cbc_mac(cipher, message, padding=1)
        self._gate.admit("cmac-aes-128")
        return cipher.cmac(message)

    def _cipher(self, way: Ciphering, operation: CardOperation) -> Aes | Tdea:
        found = self._gate.find(way.handle, operation)
        if found.handle.purpose is Purpose.DATA_ENCRYPTION:
            if way.terminal is not None:
                raise Malformed("a serial number goes with keys of DUKPT only")
            return found.cipher()
        if way.terminal is None:
            raise Malformed("a key of DUKPT takes a serial number")
        octets, is_aes = self._working(found, way.terminal, _DATA)
        return Aes(octets) if is_aes else Tdea(octets)

    def _working(
        self, found: CardKey, terminal: Terminal, uses: dict[Direction, Use]
    ) -> tuple[bytes, bool]:
        use = uses[terminal.direction]
        return transaction_key(self._gate, found, terminal.ksn, use, terminal.kind)
