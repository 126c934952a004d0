"""Keys of cards inside the software module, with what was prepared from them.

A cipher is scheduled once for each handle and kept, as are the derived keys of a wrapping key and
the initial keys of terminals: destroying the handle drops them all.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

from collections.abc import Iterable
from typing import NoReturn

from tallystick.infrastructure.card import dukpt_tdea
from tallystick.infrastructure.card.dukpt_aes import InitialKey, initial_key
from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.crypto.ff1 import Ff1
from tallystick.infrastructure.crypto.iso9797 import RetailMac
from tallystick.infrastructure.keyblocks.wrapping import Wrapping
from tallystick.infrastructure.modules.card_interface import CARD_USES, CardOperation, unpack
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

_MOST_TERMINALS = 1_024


class CardKey:
    """One key with its attributes; `operations` is all that it may do.

    Source: ISO/TS 12812-2:2017, 7.4.2; X9.143
    """

    __slots__ = (
        "_chip",
        "_cipher",
        "_ff1",
        "_octets",
        "_retail",
        "_terminals",
        "_wrapping",
        "exportability",
        "handle",
        "ident",
        "is_aes",
        "leaves",
        "limited",
        "mode",
        "operations",
    )

    def __init__(self, handle: KeyHandle, material: bytes) -> None:
        """Take the packed `material` of `handle`.

        Raises Malformed for a key of another length than its mechanism has, or of equal halves.
        Source: ISO 20038
        """
        found = unpack(material)
        if len(found.octets) != CARD_LENGTHS[handle.mechanism]:
            raise Malformed("the key has another length than its mechanism")
        self.handle = handle
        self.mode, self.exportability, self.ident = found.mode, found.exportability, found.ident
        self.is_aes = handle.mechanism.startswith("aes")
        self.operations = frozenset[CardOperation]()
        self.limited = not self.is_aes
        self.widen()
        self._octets = found.octets
        self._cipher = Aes(found.octets) if self.is_aes else Tdea(found.octets)
        self._chip: ChipKey | None = None
        self._wrapping: Wrapping | None = None
        self._retail: RetailMac | None = None
        self._ff1: dict[str, Ff1] = {}
        self._terminals: dict[bytes, InitialKey] = {}

    def narrow(self, operations: Iterable[CardOperation]) -> None:
        """Leave the key these `operations` alone; it does not leave in a key block any more.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.operations, self.leaves = frozenset(operations), False

    def widen(self) -> None:
        """Give the key every operation of its purpose and mode.

        Source: X9.143, 6
        """
        use = CARD_USES[self.handle.purpose]
        self.operations = use.modes.get(self.mode, frozenset[CardOperation]())
        self.leaves = True

    def mode_for(self, wanted: str) -> str:
        """The mode of a copy that leaves: `wanted`, or the key's own where that is empty.

        Raises NotPermitted for a mode that lets more be done than the key's own.
        Source: X9.143, 6; ISO 11568
        """
        modes = CARD_USES[self.handle.purpose].modes
        own, given = modes.get(self.mode), modes.get(wanted or self.mode)
        is_less = wanted in {"", self.mode} or wanted != "N"
        if own is None or given is None or not given <= own or not is_less:
            raise NotPermitted("the key would do more for its receiver than it does here")
        return wanted or self.mode

    def cipher(self) -> Aes | Tdea:
        """The block cipher of the key.

        Source: ISO/IEC 18033-3
        """
        return self._cipher

    def aes(self) -> Aes:
        """The block cipher of a key that is AES; NotPermitted for others.

        Source: ISO/IEC 18033-3
        """
        found = self.cipher()
        if not isinstance(found, Aes):
            raise NotPermitted("the operation takes an AES key")
        return found

    def tdea(self) -> Tdea:
        """The block cipher of a key that is TDEA; NotPermitted for others.

        Source: ISO/IEC 18033-3
        """
        found = self.cipher()
        if not isinstance(found, Tdea):
            raise NotPermitted("the operation takes a TDEA key")
        return found

    def ff1(self, alphabet: str) -> Ff1:
        """FF1 under the key on texts of `alphabet`.

        Source: NIST SP 800-38G
        """
        found = self._ff1.get(alphabet)
        if found is None:
            found = self._ff1[alphabet] = Ff1(self.aes(), alphabet)
        return found

    def retail(self) -> RetailMac:
        """The retail MAC under the key.

        Source: ISO/IEC 9797-1, algorithm 3
        """
        if self._retail is None:
            self._retail = RetailMac(self._octets)
        return self._retail

    def chip(self) -> ChipKey:
        """The key as an issuer's master key of chips.

        Source: EMV Book 2, A1
        """
        if self._chip is None:
            self._chip = ChipKey(self._octets, is_aes=self.is_aes)
        return self._chip

    def wrapping(self) -> Wrapping:
        """The key as one that protects key blocks.

        Source: X9.143, 8
        """
        if self._wrapping is None:
            self._wrapping = Wrapping(self._octets, is_aes=self.is_aes)
        return self._wrapping

    def reveal_to_wrapping(self) -> bytes:
        """The octets, for a key block or a computation that takes them; kept nowhere else.

        Source: X9.143, 8
        """
        return self._octets

    def terminal(self, initial_id: bytes) -> InitialKey:
        """The initial key of the terminal with this id (8 bytes), derived once and kept.

        Raises NotAuthentic where an initial key belongs to another terminal.
        Source: ANSI X9.24-3, 6.3
        """
        found = self._terminals.get(initial_id)
        if found is None:
            if self.handle.purpose is Purpose.DUKPT_BASE:
                octets = initial_key(self._octets, initial_id)
            elif self.ident == initial_id:
                octets = self._octets
            else:
                raise NotAuthentic("the key serial number is of another terminal")
            if len(self._terminals) >= _MOST_TERMINALS:
                self._terminals.clear()
            found = self._terminals[initial_id] = InitialKey(octets, initial_id)
        return found

    def old_terminal(self, ksn: bytes) -> bytes:
        """The initial key of TDEA DUKPT of the terminal of `ksn` (10 bytes).

        Raises NotAuthentic where an initial key belongs to another terminal.
        Source: ANSI X9.24-1, A.6
        """
        if self.handle.purpose is Purpose.DUKPT_BASE:
            return dukpt_tdea.initial_key(self._octets, ksn)
        if dukpt_tdea.terminal_of(ksn) != self.ident:
            raise NotAuthentic("the key serial number is of another terminal")
        return self._octets

    def __repr__(self) -> str:
        return f"CardKey({self.handle.purpose.value})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied")

    __getstate__ = __reduce__
