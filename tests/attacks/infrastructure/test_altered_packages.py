"""Somebody alters a package between the provider and the phone, in every way that is known."""

import io
import struct
import zipfile

import pytest
from tests.support.apk_writing import (
    Signing,
    bare,
    block_of,
    hand,
    lineage,
    made,
    reblocked,
    signed,
    with_block,
)

from tallystick.infrastructure.packages.apk import read_apk
from tallystick.infrastructure.packages.archive import read_archive
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic

SECOND, THIRD, ROTATED = 0x7109871A, 0xF05368C0, 0x1B93AD61
pytestmark = [pytest.mark.threat("THR-APP-01"), pytest.mark.threat("THR-APP-07")]


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.parametrize("name", ["all.apk", "rotated.apk"])
def test_one_changed_octet_anywhere_is_noticed(name: str) -> None:
    """Every octet outside of the padding, which the exact digest of the register holds too."""
    package = made(name)
    begins, ends = block_of(package)
    places = {*range(0, begins, 7), *range(begins, ends, 29), *range(ends, len(package))}
    for at in sorted(places):
        changed = bytearray(package)
        changed[at] ^= 0x55
        with pytest.raises(MfsError):
            read_apk(bytes(changed))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_cut_package_is_noticed_wherever_it_is_cut() -> None:
    package = made("all.apk")
    for at in range(0, len(package), 61):
        with pytest.raises(MfsError):
            read_apk(package[:at])


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.parametrize("gone", [SECOND, THIRD])
def test_a_scheme_that_was_taken_away_is_noticed(gone: int) -> None:
    def without(pairs: dict[int, bytes]) -> dict[int, bytes]:
        return {scheme: value for scheme, value in pairs.items() if scheme != gone}

    package = reblocked(made("all.apk"), without)
    with pytest.raises(NotAuthentic, match="taken away"):
        read_apk(package)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_the_whole_block_taken_away_leaves_nothing_to_believe() -> None:
    package = made("all.apk")
    begins, ends = block_of(package)
    end = bytearray(package[-22:])
    end[16:20] = struct.pack("<I", begins)
    with pytest.raises(MfsError):
        read_apk(package[:begins] + package[ends:-22] + bytes(end))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_the_order_of_the_schemes_does_not_matter_but_a_double_one_does() -> None:
    turned = reblocked(made("all.apk"), lambda pairs: dict(reversed(pairs.items())))
    assert read_apk(turned).signers == read_apk(made("all.apk")).signers
    one = Signing(SECOND, hand("one"))
    archive = bare()
    pairs = [(SECOND, one.value(bytes(32))), (SECOND, one.value(bytes(32)))]
    with pytest.raises(Malformed, match="twice"):
        read_apk(with_block(archive, pairs))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_3_1_signature_taken_away_is_noticed() -> None:
    old = hand("old")
    mark = struct.pack("<2I", 0x559F8B02, 33)
    package = signed(bare(), Signing(THIRD, old, levels=(24, 32), attributes=[mark]))
    with pytest.raises(NotAuthentic, match="taken away"):
        read_apk(package)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_stranger_in_one_scheme_is_noticed() -> None:
    package = signed(bare(), Signing(SECOND, hand("one")), Signing(THIRD, hand("other")))
    with pytest.raises(NotAuthentic, match="different signers"):
        read_apk(package)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_lineage_that_nobody_signed_is_noticed() -> None:
    old, new, stranger = hand("old"), hand("new"), hand("stranger")
    forged = lineage(stranger, new).replace(stranger.certificate, old.certificate, 1)
    with pytest.raises(MfsError):
        read_apk(signed(bare(), Signing(THIRD, new, attributes=[forged])))
    with pytest.raises(NotAuthentic, match="does not end"):
        read_apk(signed(bare(), Signing(THIRD, new, attributes=[lineage(new, old)])))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_levels_outside_of_what_was_signed_are_noticed() -> None:
    package = signed(bare(), Signing(THIRD, hand("one"), outside=(1, 2**31 - 1)))
    with pytest.raises(NotAuthentic, match="levels"):
        read_apk(package)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_digest_of_another_package_is_noticed() -> None:
    one = hand("one")
    other = signed(bare({"assets/a": b"other"}), Signing(SECOND, one))
    begins, ends = block_of(other)
    block = other[begins:ends]
    archive = bare({"assets/a": b"thing"})
    found = read_archive(archive)
    end = bytearray(archive[found.end :])
    end[16:20] = struct.pack("<I", found.directory + len(block))
    moved = archive[: found.directory] + block + archive[found.directory : found.end] + bytes(end)
    with pytest.raises(NotAuthentic, match="not what its signers signed"):
        read_apk(moved)


def _shifted(archive: bytes, by: int, *, octets: bytes) -> bytes:
    """`archive` behind `octets`, with every offset corrected, as Janus writes it."""
    found = read_archive(archive)
    directory = bytearray(archive[found.directory : found.end])
    at = 0
    while at < len(directory):
        offset = struct.unpack_from("<I", directory, at + 42)[0]
        struct.pack_into("<I", directory, at + 42, offset + by)
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
    end = bytearray(archive[found.end :])
    struct.pack_into("<I", end, 16, found.directory + by)
    return octets + archive[: found.directory] + bytes(directory) + bytes(end)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_code_in_front_of_the_archive_is_refused() -> None:
    dex = b"dex\n035\x00" + bytes(104)
    with pytest.raises(Malformed, match="before"):
        read_archive(_shifted(bare(), len(dex), octets=dex))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_an_entry_that_comes_twice_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("classes.dex", b"good")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("classes.dex", b"evil")
    with pytest.raises(Malformed, match="twice"):
        read_archive(target.getvalue())


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.parametrize("name", ["../a", "/a", "a//b", "a\\b", "a/./b", "a\nb", "c:a"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, b"a")
    with pytest.raises(Malformed, match="leads out"):
        read_archive(target.getvalue())


@pytest.mark.requirement("MFS-7.4.4-02")
def test_headers_that_contradict_each_other_are_refused() -> None:
    archive = bytearray(bare())
    for at, octet in ((8, 0), (14, archive[14] ^ 1), (18, archive[18] ^ 1), (30, 0x42)):
        changed = bytearray(archive)
        changed[at] = octet
        with pytest.raises(Malformed):
            read_archive(bytes(changed))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_comment_or_octets_behind_the_end_are_refused() -> None:
    archive = bare()
    commented = archive[:-2] + struct.pack("<H", 4) + b"evil"
    for one in (archive + b"x", commented):
        with pytest.raises(Malformed):
            read_archive(one)


@pytest.mark.requirement("MFS-7.4.4-02")
def test_octets_between_entries_and_block_are_refused() -> None:
    package = made("all.apk")
    begins, _ = block_of(package)
    behind = read_archive(package, gap=True).entries_end
    assert behind < begins, "the signer pads to a page"
    changed = bytearray(package)
    changed[behind + 3] = 1
    with pytest.raises(Malformed, match="stands between"):
        read_apk(bytes(changed))
    grown = bytearray(package)
    end = read_archive(package, gap=True).end
    grown[begins:begins] = bytes(4096)
    struct.pack_into("<I", grown, end + 4096 + 16, block_of(package)[1] + 4096)
    with pytest.raises(Malformed, match="does not stand behind"):
        read_apk(bytes(grown))


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_bomb_is_not_unpacked_further_than_its_size() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(8_000_000))
    packed = bytearray(target.getvalue())
    found = read_archive(bytes(packed))
    for place in (22, found.directory + 24):
        struct.pack_into("<I", packed, place, 100)
    with pytest.raises(Malformed, match="not what its header says"):
        read_archive(bytes(packed)).unpacked("bomb")
