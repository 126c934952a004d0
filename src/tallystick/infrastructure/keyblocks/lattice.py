"""Which key may wrap which: one table, `lattice.json` beside this, and nothing else decides.

    kinds   each kind of secret key by its algorithm and length in bytes, and its strength in bits
    wraps   for each kind that wraps, every kind that may travel under it
    pairs   algorithms of key pairs, which are not rated: a block of one opens, and the module then
            has no use for what is in it

What has no row is refused. The table is held against itself when it is read: a key stands under no
kind that is weaker than it, and what a weaker kind may wrap a stronger one may too.

Source: ISO 11568; ISO 20038; X9.143; NIST SP 800-57-1, 5.6.1
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Broken, MfsError, NotPermitted
from tallystick.kernel.model import Record


class KeyKind(Record, frozen=True, kw_only=True):
    """Keys of an `algorithm` (A, T, H; RSA for a pair that wraps) of `least` to `most` bytes.

    `bits` is their strength.
    Source: NIST SP 800-57-1, 5.6.1
    """

    algorithm: str
    least: int
    most: int
    bits: int


class Lattice(Record, frozen=True, kw_only=True):
    """The table.

    Source: ISO 11568; X9.143
    """

    v: int
    pairs: tuple[str, ...]
    kinds: dict[str, KeyKind]
    wraps: dict[str, tuple[str, ...]]


RSA: Final = "RSA"
"""The algorithm of a pair that wraps."""

PAIR: Final = "pair"
"""The kind of every pair of keys."""

_lattice = Decoder(Lattice, limit=16 * 1024)


@cache
def lattice() -> Lattice:
    """The shipped table, read once; raises Broken if it is damaged, or contradicts itself.

    Source: ISO 11568; X9.143
    """
    try:
        found = read_lattice((files(__package__ or "") / "lattice.json").read_bytes())
    except (OSError, MfsError) as error:
        raise Broken(
            f"the table of wrapping keys cannot be read: {error}",
            remedy="install the package again",
        ) from error
    return found


def read_lattice(octets: bytes) -> Lattice:
    """The table in `octets`; raises Malformed for another form, Broken for one that contradicts.

    Source: ISO 11568; X9.143
    """
    found = _lattice.decode(octets)
    wrong = next(_contradictions(found), "")
    if wrong:
        raise Broken(wrong, remedy="mend the table of wrapping keys")
    return found


def kind_of(algorithm: str, length: int) -> str:
    """The kind of a key of `length` bytes, `pair` for pairs of keys.

    Raises NotPermitted where the table has none.

    Source: NIST SP 800-57-1, 5.6.1
    """
    for name, kind in lattice().kinds.items():
        if kind.algorithm == algorithm and kind.least <= length <= kind.most:
            return name
    if algorithm in lattice().pairs:
        return PAIR
    raise NotPermitted(
        f"a key of algorithm {algorithm[:1]!r} and {length} bytes is of no kind that is wrapped",
        because="key-strength",
    )


def check_lattice(wrapping: str, wrapped: str) -> None:
    """Return only if a key of the kind `wrapped` may travel under one of the kind `wrapping`.

    Raises NotPermitted otherwise.
    Source: ISO 11568; ISO 20038; X9.143
    """
    travels = lattice().wraps.get(wrapping, ())
    if wrapped not in travels and not (travels and wrapped == PAIR):
        raise NotPermitted(
            f"a key of {wrapping} does not wrap one of {wrapped}",
            remedy="wrap it under a stronger key",
            because="key-strength",
        )


def _contradictions(found: Lattice) -> Iterator[str]:
    """What is wrong with a table, in words."""
    named = {name for outer, inner in found.wraps.items() for name in (outer, *inner)}
    unknown = sorted(named - found.kinds.keys())
    if unknown:
        yield f"the table of wrapping keys names {unknown[0][:40]!r}, which is no kind of it"
        return
    yield from _weak(found)
    for name, kind in found.kinds.items():
        for other, twin in found.kinds.items():
            same = name < other and kind.algorithm == twin.algorithm
            if same and kind.least <= twin.most and twin.least <= kind.most:
                yield f"{name} and {other} are the same keys"


def _weak(found: Lattice) -> Iterator[str]:
    """Where a key would travel under a weaker one, or a stronger one could not take its place."""
    strength = {name: kind.bits for name, kind in found.kinds.items()}
    for outer, inner in found.wraps.items():
        for name in inner:
            if strength[name] > strength[outer]:
                yield f"a key of {outer} is weaker than one of {name}"
        for other, more in found.wraps.items():
            missing = sorted(set(inner) - set(more))
            if strength[other] >= strength[outer] and missing:
                yield f"{other} is as strong as {outer}, and does not wrap {missing[0]}"
