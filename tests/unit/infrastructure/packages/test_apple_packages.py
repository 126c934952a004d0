"""Packages for iOS (simulated) are read, every page held against its code directory."""

import plistlib

import pytest
from tests.support.apple_package import BUNDLE, TEAM, fat, genuine, package, program, property_list

from tallystick.infrastructure.packages.ipa import read_ipa
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic


@pytest.mark.requirement("MFS-7.4.4-01")
def test_a_package_says_who_it_is() -> None:
    found = read_ipa(genuine())
    assert (found.bundle, found.team, found.build) == (BUNDLE, TEAM, "42")
    assert (found.version_name, found.least_system) == ("4.2.0", "15.0")
    assert len(found.cdhashes) == 1
    assert len(found.cdhashes[0]) == 40


@pytest.mark.requirement("MFS-7.4.4-01")
def test_an_xml_list_says_the_same_as_a_binary_one() -> None:
    told = plistlib.dumps(plistlib.loads(property_list()))
    assert read_ipa(package(told, program(told))).bundle == BUNDLE


@pytest.mark.requirement("MFS-7.4.4-01")
def test_every_slice_has_its_own_digest() -> None:
    told = property_list()
    found = read_ipa(package(told, fat(program(told), program(told, body=5000))))
    assert len(set(found.cdhashes)) == 2


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize("at", [60, 4097, 8999, -40, -70])
def test_a_changed_page_or_directory_is_refused(at: int) -> None:
    told = property_list()
    code = bytearray(program(told))
    before = read_ipa(package(told, bytes(code))).cdhashes
    code[at] ^= 1
    try:
        after = read_ipa(package(told, bytes(code))).cdhashes
    except NotAuthentic:
        return
    assert after != before


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_another_property_list_under_the_same_code_is_refused() -> None:
    code = program(property_list())
    with pytest.raises(NotAuthentic, match="property list"):
        read_ipa(package(property_list(CFBundleVersion="43"), code))


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
def test_another_identifier_and_several_teams_are_refused() -> None:
    with pytest.raises(NotAuthentic, match="identifier"):
        read_ipa(genuine(identifier="org.example.other"))
    told = property_list()
    with pytest.raises(NotAuthentic, match="several teams"):
        read_ipa(package(told, fat(program(told), program(told, team="Z9Z9Z9Z9Z9"))))


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.parametrize(
    "told",
    [
        property_list(CFBundleIdentifier=None),
        property_list(CFBundleExecutable="../../Wallet"),
        property_list(CFBundleVersion=42),
        b"bplist00" + bytes(40),
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><plist><string>&b;</string></plist>",
        plistlib.dumps(["a list"]),
    ],
)
def test_a_list_that_says_too_little_is_malformed(told: bytes) -> None:
    with pytest.raises(Malformed):
        read_ipa(package(told, program(told)))


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.parametrize("cut", [4, 31, 47, 60, 9000, 9060])
def test_a_cut_executable_is_refused(cut: int) -> None:
    told = property_list()
    with pytest.raises(MfsError):
        read_ipa(package(told, program(told)[:cut]))
