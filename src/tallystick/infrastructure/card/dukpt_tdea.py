"""TDEA DUKPT, for terminals that have nothing newer: derivation from base key and serial number.

Source: ANSI X9.24-1; ISO/TS 12812-2:2017, C
"""

from enum import Enum

from tallystick.infrastructure.crypto.blocks import Des, Tdea, exclusive_or
from tallystick.kernel.errors import Malformed

KSN_LENGTH = 10
_COUNTER_BITS = 21
_COUNTER = (1 << _COUNTER_BITS) - 1
_MOST_BITS = 10
_HALF = bytes.fromhex("c0c0c0c000000000")


class Variant(Enum):
    """What a transaction key is turned into, by the mask for each half.

    Source: ANSI X9.24-1, A.4.1
    """

    PIN = bytes.fromhex("00000000000000ff")
    MAC_REQUEST = bytes.fromhex("000000000000ff00")
    MAC_RESPONSE = bytes.fromhex("00000000ff000000")
    DATA_REQUEST = bytes.fromhex("0000000000ff0000")
    DATA_RESPONSE = bytes.fromhex("000000ff00000000")


def initial_key(base: bytes, ksn: bytes) -> bytes:
    """The key that was loaded into the terminal of `ksn` (10 bytes): 16 bytes.

    Source: ANSI X9.24-1, A.6
    """
    serial = terminal_of(ksn)[:8]
    left = Tdea(base).encrypt(serial)
    return left + Tdea(exclusive_or(base, _HALF * 2)).encrypt(serial)


def terminal_of(ksn: bytes) -> bytes:
    """The serial number of `ksn` with its counter cleared: 10 bytes that name the terminal.

    Source: ANSI X9.24-1, A.6
    """
    number, _ = _split(ksn)
    return (number & ~_COUNTER).to_bytes(KSN_LENGTH, "big")


def transaction_key(initial: bytes, ksn: bytes) -> bytes:
    """The key of the transaction that `ksn` counts: 16 bytes, before any variant.

    Raises Malformed for a counter of zero or with more than ten bits set.
    Source: ANSI X9.24-1, A.3
    """
    number, counter = _split(ksn)
    if counter == 0 or counter.bit_count() > _MOST_BITS:
        raise Malformed("no terminal has this transaction counter")
    register = number & ~_COUNTER & ((1 << 64) - 1)
    found = initial
    for place in range(_COUNTER_BITS - 1, -1, -1):
        if counter >> place & 1:
            register |= 1 << place
            found = _next_key(found, register.to_bytes(8, "big"))
    return found


def working_key(initial: bytes, ksn: bytes, variant: Variant) -> bytes:
    """The key of one transaction for one use: 16 bytes.

    Data keys are enciphered under themselves, as the standard has it.
    Source: ANSI X9.24-1, A.4.1
    """
    found = exclusive_or(transaction_key(initial, ksn), variant.value * 2)
    if variant in {Variant.DATA_REQUEST, Variant.DATA_RESPONSE}:
        return Tdea(found).encrypt(found)
    return found


def _split(ksn: bytes) -> tuple[int, int]:
    if len(ksn) != KSN_LENGTH:
        raise Malformed("a key serial number of TDEA DUKPT has 10 bytes")
    number = int.from_bytes(ksn, "big")
    return number, number & _COUNTER


def _next_key(found: bytes, register: bytes) -> bytes:
    halves = [_half(one, register) for one in (exclusive_or(found, _HALF * 2), found)]
    return halves[0] + halves[1]


def _half(octets: bytes, register: bytes) -> bytes:
    left, right = octets[:8], octets[8:]
    mixed = Des(left).encrypt(exclusive_or(register, right))
    return exclusive_or(mixed, right)
