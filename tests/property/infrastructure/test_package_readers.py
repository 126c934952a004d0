"""Whatever octets come, readers of packages answer or refuse with an error of ours, and soon."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.apk_writing import block_of, made
from tests.support.apple_package import genuine, program, property_list

from tallystick.infrastructure.packages.apk import read_apk
from tallystick.infrastructure.packages.archive import read_archive
from tallystick.infrastructure.packages.axml import read_manifest
from tallystick.infrastructure.packages.ipa import read_code, read_ipa, read_list
from tallystick.infrastructure.packages.signing import read_block, signers_of
from tallystick.kernel.errors import MfsError

APK = made("all.apk")
BLOCK = APK[slice(*block_of(APK))]
SIGNERS = read_block(BLOCK)[0xF05368C0]
MANIFEST = zipfile.ZipFile(BytesIO(APK)).read("AndroidManifest.xml")
TOLD = property_list()
IPA, CODE = genuine(), program(TOLD)
READERS = {
    "archive": (lambda octets: read_archive(octets, gap=True), APK),
    "apk": (read_apk, APK),
    "block": (read_block, BLOCK),
    "signers": (lambda octets: signers_of(octets, 0xF05368C0), SIGNERS),
    "manifest": (read_manifest, MANIFEST),
    "list": (read_list, TOLD),
    "code": (lambda octets: read_code(octets, TOLD), CODE),
    "ipa": (read_ipa, IPA),
}
CHANGES = st.lists(
    st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6
)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.requirement("MFS-7.2.5-05")
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=2000)
@given(changes=CHANGES, cut=st.integers(0, 2**20), cuts=st.booleans())
def test_changed_octets_are_answered_or_refused(
    name: str, changes: list[tuple[int, bytes]], cut: int, *, cuts: bool
) -> None:
    reader, genuine_octets = READERS[name]
    octets = bytearray(genuine_octets)
    for at, put in changes:
        start = at % len(octets)
        octets[start : start + len(put)] = put
    if cuts:
        del octets[cut % len(octets) :]
    try:
        reader(bytes(octets))
    except MfsError:
        return


@pytest.mark.requirement("MFS-7.2.5-05")
@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=2000)
@given(octets=st.binary(max_size=400))
def test_any_octets_are_answered_or_refused(name: str, octets: bytes) -> None:
    try:
        READERS[name][0](octets)
    except MfsError:
        return
