"""Key blocks: what a key is for cannot be parted from it, and only the right roots open it."""

import json

import pytest
from tests.unit.infrastructure.modules.module_under_test import MASTER, build

from tallystick.infrastructure.modules import block as key_block
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace


def exported(purpose: Purpose = Purpose.SUBJECT, **more) -> bytes:
    module = build(**more)
    return module.export_block(module.generate(purpose))


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("purpose", [Purpose.SUBJECT, Purpose.TALLY])
def test_every_flipped_bit_of_a_block_is_refused(purpose: Purpose) -> None:
    octets = exported(purpose)
    module = build()
    for place in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises((NotAuthentic, NotPermitted)):
            module.import_block(bytes(changed))
    assert module.handles() == ()
    module.import_block(octets)


def test_every_shortened_or_lengthened_block_is_refused() -> None:
    octets = exported()
    module = build()
    for length in range(len(octets)):
        with pytest.raises(NotAuthentic):
            module.import_block(octets[:length])
    for more in (octets + b"\x00", octets * 2, octets + bytes(10_000)):
        with pytest.raises(NotAuthentic):
            module.import_block(more)


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_rewritten_header_is_refused_for_every_purpose() -> None:
    octets = exported(Purpose.QUOTE)
    end = 6 + int.from_bytes(octets[4:6], "big")
    header = json.loads(octets[6:end])
    module = build()
    for change in [
        *({"purpose": purpose.value} for purpose in Purpose if purpose is not Purpose.QUOTE),
        {"mechanism": "aes-256-gcm"},
        {"exportable": False},
        {"created_at": header["created_at"] + 1},
        {"profile": "production"},
        {"id": "key_" + "0" * 26},
    ]:
        text = json.dumps(header | change, sort_keys=True, separators=(",", ":")).encode()
        forged = b"TKB1" + len(text).to_bytes(2, "big") + text + octets[end:]
        with pytest.raises((NotAuthentic, NotPermitted)):
            module.import_block(forged)
    assert module.handles() == ()


@pytest.mark.requirement("MFS-7.4.2-02")
@pytest.mark.parametrize(
    "clear", [bytes(32), b"\x01" * 32, b"", b"TKB1", b"TKB1\x00\x00" + bytes(60)]
)
def test_a_self_made_clear_key_is_not_imported(clear: bytes) -> None:
    with pytest.raises(NotAuthentic):
        build().import_block(clear)


def test_another_master_key_opens_nothing() -> None:
    with pytest.raises(NotAuthentic):
        build(master=bytes(32)).import_block(exported())


@pytest.mark.requirement("MFS-7.4.2-10")
@pytest.mark.parametrize(("made", "used"), [("test", "production"), ("production", "test")])
def test_test_keys_and_production_keys_do_not_mix(made: str, used: str) -> None:
    octets = exported(profile=made)
    with pytest.raises(NotPermitted, match=made):
        build(profile=used).import_block(octets)


def _handed(**roots: str) -> bytes:
    return json.dumps({"generations": [], "roots": roots}, separators=(",", ":")).encode()


def test_roots_of_one_purpose_open_no_block_of_another() -> None:
    tally = exported(Purpose.TALLY)
    front = build([Purpose.QUOTE])
    with pytest.raises(NotPermitted, match="no access"):
        front.import_block(tally)
    with pytest.raises(NotPermitted, match="no access"):
        front.generate(Purpose.TALLY)
    assert front.handles() == ()
    roots = BlockRoots.derive(MASTER, [Purpose.QUOTE])
    root = json.loads(roots.to_octets().reveal())["roots"]["quote"]
    forged = BlockRoots.from_octets(_handed(tally=root))
    with pytest.raises(NotAuthentic):
        key_block.unwrap(forged, tally)


def test_roots_travel_whole_and_do_not_print() -> None:
    roots = BlockRoots.derive(MASTER, Purpose)
    again = BlockRoots.from_octets(roots.to_octets().reveal())
    assert again.purposes() == tuple(sorted(roots.purposes()))
    assert Purpose.SESSION_WRAP not in roots.purposes()
    assert key_block.unwrap(again, exported())[0].purpose is Purpose.SUBJECT
    assert repr(roots) == "BlockRoots(***)"
    with pytest.raises(TypeError):
        roots.__reduce__()
    for wrong in (b"", b"{", b'{"tally":"AAAA"}', b'{"nobody":"AAAA"}', b'{"tally": ""}'):
        with pytest.raises(Malformed):
            BlockRoots.from_octets(wrong)


def test_equal_keys_give_different_blocks_and_none_shows_its_key() -> None:
    header = key_block.peek(exported())
    roots = BlockRoots.derive(MASTER, Purpose)
    secret = b"\x5a" * 32
    one = key_block.wrap(roots, header, secret, bytes(12))
    two = key_block.wrap(roots, replace(header, id="key_" + "1" * 26), secret, bytes(12))
    assert one[-48:] != two[-48:]
    assert secret not in one
    assert key_block.unwrap(roots, one) == (header, secret)


def test_two_keys_with_one_id_do_not_load() -> None:
    octets = exported()
    module = build()
    handle = module.import_block(octets)
    roots = BlockRoots.derive(MASTER, Purpose)
    header = replace(key_block.peek(octets), created_at=handle.created_at + 1)
    with pytest.raises(Conflict):
        module.import_block(key_block.wrap(roots, header, bytes(32), bytes(12)))


def test_a_block_is_small_and_says_what_it_is() -> None:
    octets = exported()
    header = key_block.peek(octets)
    assert (header.purpose, header.mechanism) == (Purpose.SUBJECT, "hkdf-sha256")
    assert len(octets) < 300
