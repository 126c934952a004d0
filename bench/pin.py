"""PINs, key blocks and cryptograms at the software module, by handle: `python -m bench.pin`.

Each figure is the median of rounds of processor time in one thread, with the look-up of the handle,
the check of its use and all checks of the input. Schedules of keys are prepared once for a handle
and dropped with it; a terminal's initial key and the prefixes of its counters are kept, a
transaction's own keys are not. The floor is what the operation cannot do without, by the library
alone in the same run. Where psec is installed, it does the same work in the same run.
"""

import importlib
import random
import statistics
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from time import process_time_ns
from typing import Any, NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tallystick.infrastructure.card.dukpt_aes import InitialKey, KeyType, WorkingUsage
from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.modules.card_interface import EVERYTHING, CardMaterial
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_pins import PinBlock
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import PinFormat, encipher_4
from tallystick.kernel.time import Instant, SimulatedClock

Rows = list[dict[str, Any]]
PAN = "4012345678909012"
IBAN = "ke12eqbl00000123456789"
ROUNDS = 9
_source = random.Random(12812)


def run(quick: bool = False) -> Rows:
    """Every figure with its bound; those beside psec only where it is installed."""
    module = SoftModule(
        MasterKey(bytes(range(32))).roots(Purpose), SimulatedClock(Instant(0)), rules=EVERYTHING
    )
    scale = 1 if quick else 4
    return [
        *_translate(module, scale),
        *_key_blocks(module, scale),
        *_cryptograms(module, scale),
        *_enciphered(module, scale),
    ]


def _translate(module: SoftModule, scale: int) -> Rows:
    one, two = _source.randbytes(16), _source.randbytes(16)
    first, second = (
        _load(module, Purpose.PIN_ENCRYPTION, one),
        _load(module, Purpose.PIN_ENCRYPTION, two),
    )
    block = encipher_4(Aes(one), ClearPin("73915"), PAN, bytes(8))
    given = PinBlock(handle=first, form=PinFormat.ISO_4, block=block)
    form = PinFormat.ISO_4

    def ours() -> object:
        return module.pins.translate(given, second, form, pan=PAN)

    rows = [_row("pin format 4 translate", ours, 2_000 * scale, 20_000, Least("AES", 4))]
    psec = _psec("pinblock")
    if psec is not None:

        def theirs() -> object:
            pin = psec.decipher_pinblock_iso_4(one, block, PAN)
            return psec.encipher_pinblock_iso_4(two, pin, PAN)

        rows += _beside("pin format 4 translate", ours, theirs, 500 * scale, 5.0)
    for length, name in ((16, "aes-128"), (32, "aes-256")):
        rows.append(
            _row(
                f"translate from dukpt {name}",
                _dukpt(module, length, second),
                200 * scale,
                3_000,
                Least("AES", 4 + 13 * (length // 16), fresh=13),
            )
        )
    return rows


def _dukpt(module: SoftModule, length: int, target: KeyHandle) -> Callable[[], object]:
    """Blocks of a thousand terminals, each with a counter of eleven bits set: nothing is kept."""
    base = _load(module, Purpose.DUKPT_BASE, bytes(range(length)))
    kind = KeyType.AES_128 if length == 16 else KeyType.AES_256
    blocks = []
    for turn in range(1, 401):
        terminal = turn.to_bytes(8, "big")
        ksn = terminal + (0b11111111111 << 8).to_bytes(4, "big")
        handle = module.key_blocks.derive_initial(base, terminal)
        octets = module._keys.cards[handle.id].reveal_to_wrapping()
        working = InitialKey(octets, terminal).working_key(
            int.from_bytes(ksn[8:], "big"), WorkingUsage.PIN, kind
        )
        module.destroy(handle)
        block = encipher_4(Aes(working), ClearPin("73915"), PAN, bytes(8))
        blocks.append(PinBlock(handle=base, form=PinFormat.ISO_4, block=block, ksn=ksn))
    at = 0
    terminals = module._keys.cards[base.id]._terminals

    def one() -> object:
        nonlocal at
        at = (at + 1) % len(blocks)
        if at == 0:
            terminals.clear()
        return module.pins.translate(blocks[at], target, PinFormat.ISO_4, pan=PAN)

    return one


def _key_blocks(module: SoftModule, scale: int) -> Rows:
    outer, inner = _source.randbytes(32), _source.randbytes(16)
    wrap = _load(module, Purpose.KEY_WRAP, outer)
    handle = _load(module, Purpose.PIN_ENCRYPTION, inner)
    block = module.key_blocks.export_key(wrap, handle, exportability="E")

    def seal() -> object:
        return module.key_blocks.export_key(wrap, handle)

    wrapping = module._keys.cards[wrap.id].wrapping()

    def unwrap() -> object:
        return wrapping.open(block)

    def import_and_forget() -> None:
        module.destroy(module.key_blocks.import_key(wrap, block).handle)

    rows = [
        _row("key block D wrap", seal, 1_000 * scale, 10_000, Least("AES", 7)),
        _row("key block D unwrap", unwrap, 1_000 * scale, 10_000, Least("AES", 7)),
        _row(
            "key block D import, stored, forgotten",
            import_and_forget,
            300 * scale,
            None,
            Least("AES", 7),
        ),
    ]
    psec = _psec("tr31")
    if psec is not None:

        def their_seal() -> object:
            return psec.wrap(outer, psec.Header("D", "P0", "A", "B", "00", "N"), inner)

        def their_unwrap() -> object:
            return psec.unwrap(outer, block)

        rows += _beside("key block D wrap", seal, their_seal, 300 * scale, 3.0)
        rows += _beside("key block D unwrap", unwrap, their_unwrap, 300 * scale, 3.0)
    return rows


def _cryptograms(module: SoftModule, scale: int) -> Rows:
    rows: Rows = []
    card, data = Card(pan=PAN, sequence="01"), _source.randbytes(45)
    for mechanism, bound in (("tdea-2key", 5_000), ("aes-128", 20_000), ("aes-256", 20_000)):
        octets = _source.randbytes(CARD_LENGTHS[mechanism])
        handle = _load(module, Purpose.CHIP_CRYPTOGRAM, octets, mechanism)
        issuer = ChipKey(octets, is_aes=mechanism != "tdea-2key")
        good = issuer.master_of(PAN, "01").session_of(b"\x00\x07").mac(data)
        rows.append(
            _row(
                f"arqc verify and arpc, {mechanism}",
                partial(
                    module.chips.verify_cryptogram,
                    handle,
                    card,
                    b"\x00\x07",
                    data,
                    good,
                    code=b"00",
                ),
                500 * scale,
                bound,
                Least("TDEA", 5, fresh=2) if mechanism == "tdea-2key" else Least("AES", 6, fresh=2),
            )
        )
    return rows


def _enciphered(module: SoftModule, scale: int) -> Rows:
    handle, chips = module.generate(Purpose.TOKENISATION), module.chips
    made = chips.tokenise(handle, PAN, b"merchant")
    found = chips.tokenise(handle, IBAN, b"merchant", letters=True)
    acts: tuple[tuple[str, Callable[[], object], int], ...] = (
        ("ff1 tokenise, 16 digits", lambda: chips.tokenise(handle, PAN, b"merchant"), 11),
        ("ff1 detokenise, 16 digits", lambda: chips.detokenise(handle, made, b"merchant"), 11),
        (
            "ff1 tokenise, 22 digits and letters",
            lambda: chips.tokenise(handle, IBAN, b"merchant", letters=True),
            11,
        ),
        (
            "ff1 detokenise, 22 digits and letters",
            lambda: chips.detokenise(handle, found, b"merchant", letters=True),
            11,
        ),
    )
    return [_row(name, act, 500 * scale, 10_000, Least("AES", n)) for name, act, n in acts]


def _load(module: SoftModule, purpose: Purpose, octets: bytes, mechanism: str = "") -> KeyHandle:
    found = CardMaterial(mode="N", exportability="E", ident=b"", octets=octets)
    return module._take(purpose, mechanism or f"aes-{len(octets) * 8}", found.pack())


def _psec(name: str) -> Any:
    if find_spec("psec") is None:
        return None
    return importlib.import_module(f"psec.{name}")


def _rate(act: Callable[[], object], times: int) -> float:
    """How often `act` runs in a second of processor time: the median of the rounds."""
    act()
    rates = []
    for _ in range(ROUNDS):
        began = process_time_ns()
        for _ in range(times):
            act()
        rates.append(times * 1e9 / (process_time_ns() - began))
    return statistics.median(rates)


class Least(NamedTuple):
    """What an operation cannot do without: bare blocks of a cipher, and schedules of fresh keys."""

    cipher: str
    blocks: int
    fresh: int = 0

    def said(self) -> str:
        """How often a second the library alone does that, in this run."""
        bare, fresh = _bare(self.cipher)
        rate = 1 / (self.blocks * bare + self.fresh * fresh)
        schedules = f" and {self.fresh} schedules" if self.fresh else ""
        return f"{rate:,.0f}/s for {self.blocks} bare blocks of {self.cipher}{schedules}"


@cache
def _bare(cipher: str) -> tuple[float, float]:
    """Seconds of processor time of one block under a prepared key, and of preparing a key."""
    algorithm = AES(bytes(range(16))) if cipher == "AES" else TripleDES(bytes(range(24)))
    block = bytes(algorithm.block_size // 8)
    ready = Cipher(algorithm, ECB()).encryptor()
    return (
        1 / _rate(lambda: ready.update(block), 5_000),
        1 / _rate(lambda: Cipher(algorithm, ECB()).encryptor(), 2_000),
    )


def _row(
    name: str, act: Callable[[], object], times: int, bound: int | None, least: Least
) -> dict[str, Any]:
    rate = round(_rate(act, times))
    return {
        "name": name,
        "value": rate,
        "unit": "per s of processor time",
        "bound": bound,
        "met": bound is None or rate >= bound,
        "floor": least.said(),
        "load": f"{ROUNDS} rounds of {times}, one thread",
    }


def _beside(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], times: int, bound: float
) -> Rows:
    """How many times as fast as psec: rounds of both in turn, so that both meet the same noise."""
    ratios, rates = [], []
    for _ in range(ROUNDS):
        mine, other = _once(ours, times), _once(theirs, times)
        ratios.append(mine / other)
        rates.append(other)
    ratio = round(statistics.median(ratios), 1)
    return [
        {
            "name": f"{name}, times psec",
            "value": ratio,
            "unit": "times",
            "bound": bound,
            "met": ratio >= bound,
            "floor": "",
            "load": f"psec {round(statistics.median(rates))} per s; rounds of {times} in turn",
        }
    ]


def _once(act: Callable[[], object], times: int) -> float:
    began = process_time_ns()
    for _ in range(times):
        act()
    return times * 1e9 / (process_time_ns() - began)


if __name__ == "__main__":
    for one in run():
        mark = "+" if one["met"] else "x"
        print(f"{mark} {one['name']:42} {one['value']:>9} {one['unit']:24} bound {one['bound']}"
              f"  floor {one['floor'] or 'none'}; {one['load']}")  # fmt: skip
