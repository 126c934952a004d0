"""PINs of accounts at the software module: a block at the door, opened where it is compared.

    digits -> block of format 4 under a key of this start -> ... -> opened, stretched, peppered here

The block binds the number that it was dialled from, so that it is worth nothing for another. The
key is made at the start, lives in memory, and has no other use: it opens no block of a card.

What is kept of a PIN: `TKP1`, memory in KiB (4 bytes), passes (1), the last 8 characters of the
pepper's id, salt (16), MAC (32). Without those first 17 bytes it is from before, at the cost that
is set now.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; ISO 9564-1, 9.4
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import NoReturn, Protocol, final

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.modules.card_gate import CardHost
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import FILL_LENGTH, decipher_4, encipher_4
from tallystick.infrastructure.pin.wallet import (
    STRETCHED,
    PinCost,
    account_of,
    check_guessable,
    stretched,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

SALT_BYTES = 16
MAGIC = b"TKP1"
_LABEL = 17
_SALTED = SALT_BYTES + STRETCHED
_NO_PIN = "0" * 4

Stretch = Callable[[ClearPin, bytes, PinCost], bytes]
"""Makes `STRETCHED` bytes out of a PIN and a salt, slowly."""


@final
class SealedPin:
    """A PIN enciphered at the door; it is not printed, compared, hashed, pickled or copied.

    Source: ISO 9564-1, 9.4; ISO/TS 12812-2:2017, 7.3.4
    """

    __slots__ = ("block",)

    def __init__(self, block: bytes) -> None:
        """Hold a `block` of format 4: 16 bytes.

        Source: ISO 9564-1, 9.4
        """
        self.block = block

    def __repr__(self) -> str:
        return "SealedPin(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "SealedPin(***)"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("sealed PINs are compared by the module")

    def __hash__(self) -> NoReturn:
        raise TypeError("a sealed PIN is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed PIN is not pickled or copied")

    __getstate__ = __reduce__


class Keeping(Record, frozen=True, kw_only=True):
    """What a PIN is kept under: the key of the pepper, what a guess costs, and the customer.

    `earlier` are peppers that what was kept before is checked under.
    Source: RFC 9106, 4; ISO 11568
    """

    pepper: KeyHandle
    cost: PinCost
    customer: str
    earlier: tuple[KeyHandle, ...] = ()


def pepper_of(kept: bytes) -> str:
    """The last 8 characters of the id of the pepper that `kept` is under; empty without a label.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    labelled = len(kept) >= _LABEL and kept.startswith(MAGIC)
    return kept[9:_LABEL].decode("ascii", "replace") if labelled else ""


def cost_of(kept: bytes) -> PinCost | None:
    """What a guess at the PIN behind `kept` costs; None for one without a label.

    Source: ISO/TS 12812-2:2017, C; RFC 9106, 4
    """
    if len(kept) != _LABEL + _SALTED or not kept.startswith(MAGIC):
        return None
    return PinCost(memory_kib=int.from_bytes(kept[4:8], "big"), passes=kept[8])


class SoftWalletPins:
    """Seals PINs at the door, and keeps and compares them; tries are counted by the caller.

    `owner` is whom a block is bound to: a telephone number, or the name of a customer.
    Source: ISO 9564-1, 9.4; ISO/TS 12812-2:2017, 7.3.4
    """

    __slots__ = ("_ciphers", "_host", "_lock", "_mac", "_proved", "_stretch")

    def __init__(
        self,
        host: CardHost,
        ciphers: Mapping[str, Aes],
        mac: Callable[[KeyHandle, bytes], bytes],
        stretch: Stretch = stretched,
    ) -> None:
        self._host = host
        self._ciphers = ciphers
        self._mac = mac
        self._stretch = stretch
        self._lock = Lock()
        self._proved = False

    def peppered_by(self, mac: Callable[[KeyHandle, bytes], bytes]) -> "SoftWalletPins":
        """The same, with the pepper in the module whose `mac` this is.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return SoftWalletPins(self._host, self._ciphers, mac, self._stretch)

    def stretched_by(self, stretch: Stretch) -> "SoftWalletPins":
        """The same, with what is slow done by `stretch`.

        Source: ISO/TS 12812-2:2017, 6.2.3; RFC 9106, 4
        """
        return SoftWalletPins(self._host, self._ciphers, self._mac, stretch)

    def seal(self, handle: KeyHandle, digits: Secret[str], owner: str) -> SealedPin:
        """`digits` as a block under the key of `handle`.

        Raises Malformed for what is not 4 to 12 digits, NotPermitted for a key of another purpose.
        Source: ISO 9564-1, 9.4
        """
        cipher = self._cipher(handle)
        try:
            pin = ClearPin(digits.reveal())
        except NotAuthentic:
            raise Malformed("this is not a PIN") from None
        fill = self._host.draw(FILL_LENGTH)
        with self._lock:
            return SealedPin(encipher_4(cipher, pin, account_of(owner), fill))

    def check_new(self, handle: KeyHandle, pin: SealedPin, owner: str, number: str) -> None:
        """Return only if `pin` may be chosen by whoever has `number`.

        Raises NotPermitted for a PIN that is guessed first, NotAuthentic for another block.
        Source: ISO 9564-1, 7.2
        """
        check_guessable(self._open(handle, pin, owner), number)

    def same(self, handle: KeyHandle, one: SealedPin, other: SealedPin, owner: str) -> bool:
        """Whether both blocks hold the same PIN.

        Raises NotAuthentic for another block.
        Source: ISO 9564-1, 7.2
        """
        return self._open(handle, one, owner).same(self._open(handle, other, owner))

    def make(self, handle: KeyHandle, pin: SealedPin, owner: str, under: Keeping) -> bytes:
        """What to keep of a new PIN: label, salt and MAC, 65 bytes.

        Raises NotAuthentic for another block.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        salt = self._host.draw(SALT_BYTES)
        slow = self._stretch(self._open(handle, pin, owner), salt, under.cost)
        return label_under(under) + salt + self._tag(slow, under.pepper, under.customer)

    def check(
        self, handle: KeyHandle, pin: SealedPin, owner: str, under: Keeping, kept: bytes
    ) -> None:
        """Return only if `kept` was made of the PIN in the block, under any of the peppers.

        Raises NotAuthentic otherwise, after as long and in the same words for a block that does not
        open, which holds no PIN for this owner.
        Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
        """
        opens = True
        try:
            found = self._open(handle, pin, owner)
        except NotAuthentic:
            opens, found = False, ClearPin(_NO_PIN)
        salted = kept[-_SALTED:]
        salt, tag = salted[:SALT_BYTES], salted[SALT_BYTES:]
        slow = self._stretch(found, salt, cost_of(kept) or under.cost)
        peppers = (under.pepper, *under.earlier)
        made = [self._tag(slow, one, under.customer) for one in peppers]
        right = [equal(one, tag) for one in made]
        if not (any(right) and opens):
            raise NotAuthentic("the PIN does not verify")

    def _tag(self, slow: bytes, pepper: KeyHandle, customer: str) -> bytes:
        return self._mac(pepper, customer.encode() + b"\x00" + slow)

    def _open(self, handle: KeyHandle, pin: SealedPin, owner: str) -> ClearPin:
        cipher = self._cipher(handle)
        with self._lock:
            return decipher_4(cipher, pin.block, account_of(owner))

    def _cipher(self, handle: KeyHandle) -> Aes:
        cipher = self._ciphers.get(handle.id)
        if cipher is None:
            known = self._host.known(handle)
            raise NotPermitted(f"a {known.purpose.value} key is not for PINs of accounts")
        if not self._proved:
            self._host.prove("pinblock-4")
            self._proved = True
        return cipher


def label_under(under: Keeping) -> bytes:
    """What begins everything that is kept from now on: 17 bytes.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    numbers = under.cost.memory_kib.to_bytes(4, "big") + bytes((under.cost.passes,))
    return MAGIC + numbers + under.pepper.id[-8:].encode("ascii")


class PinModule(CryptoModule, Protocol):
    """A module that keeps PINs of accounts too.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    @property
    def wallet_pins(self) -> SoftWalletPins:
        """Its operations on them, under a key of purpose `dialled-pin`.

        Source: ISO 9564-1, 9.4
        """
        ...


def door_key(module: PinModule) -> KeyHandle:
    """A fresh key for the blocks of one process; it is gone with the process.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return module.generate(Purpose.DIALLED_PIN)
