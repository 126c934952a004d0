"""A block under other roots: the same key and header, and done twice it is the same block."""

import pytest

from tallystick.infrastructure.modules.block import (
    BlockHeader,
    BlockRoots,
    rewrap,
    unwrap,
    unwrap_reference,
    wrap,
    wrap_reference,
)
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import NotAuthentic, NotPermitted

OLD, NEW, OTHER = (BlockRoots.derive(bytes([one]) * 32, tuple(Purpose)) for one in (1, 2, 3))
HEADER = BlockHeader(
    id="key_1", purpose=Purpose.STORE, mechanism="aes-256-gcm", exportable=True, created_at=5,
    profile="demo",
)  # fmt: skip
NONCE = bytes(range(12))


@pytest.mark.requirement("MFS-7.4.2-07")
@pytest.mark.parametrize(("made", "read"), [(wrap, unwrap), (wrap_reference, unwrap_reference)])
def test_a_block_moves_once_and_stays(made, read) -> None:
    block = made(OLD, HEADER, b"material", bytes(12))
    moved = rewrap(OLD, NEW, block, NONCE)
    assert read(NEW, moved) == read(OLD, block) == (HEADER, b"material")
    with pytest.raises(NotAuthentic):
        read(OLD, moved)
    assert rewrap(OLD, NEW, moved, bytes(12)) == moved


def test_a_block_under_neither_is_refused() -> None:
    block = wrap(OTHER, HEADER, b"material", NONCE)
    for changed in (block, block[:-1] + bytes([block[-1] ^ 1])):
        with pytest.raises(NotAuthentic):
            rewrap(OLD, NEW, changed, NONCE)
    with pytest.raises(NotPermitted):
        rewrap(OLD, BlockRoots.derive(bytes(32), (Purpose.QUOTE,)), block, NONCE)


def test_roots_are_told_apart_by_three_bytes() -> None:
    again = BlockRoots.derive(bytes([1]) * 32, tuple(Purpose))
    assert OLD.check_value() == again.check_value()
    assert len({one.check_value() for one in (OLD, NEW, OTHER)}) == 3
    assert len(bytes.fromhex(OLD.check_value())) == 3
