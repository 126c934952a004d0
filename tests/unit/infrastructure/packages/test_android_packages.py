"""Android packages that the platform's own signer made are read, and verified as it verifies."""

import re
import shutil
import subprocess

import pytest
from tests.support.apk_writing import FOLDER, Signing, bare, hand, lineage, made, signed

from tallystick.infrastructure.packages.apk import read_apk
from tallystick.kernel.errors import NotAuthentic

SECOND, THIRD, ROTATED = 0x7109871A, 0xF05368C0, 0x1B93AD61
GENUINE = ("all.apk", "second.apk", "third.apk", "two.apk", "verity.apk", "rotated.apk")


@pytest.mark.requirement("MFS-7.4.4-01")
def test_the_manifest_says_what_was_built() -> None:
    found = read_apk(made("all.apk")).manifest
    assert (found.package, found.version, found.version_name) == (
        "org.example.wallet",
        42,
        "4.2.0",
    )
    assert (found.least_system, found.target_system) == (26, 34)
    assert not found.debuggable
    assert not found.test_only


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("all.apk", ("2", "3")),
        ("second.apk", ("2",)),
        ("third.apk", ("3",)),
        ("two.apk", ("2",)),
        ("verity.apk", ("2", "3")),
        ("rotated.apk", ("2", "3")),
    ],
)
@pytest.mark.requirement("MFS-7.4.4-01")
def test_every_scheme_of_the_signer_is_verified(name: str, schemes: tuple[str, ...]) -> None:
    assert read_apk(made(name)).schemes == schemes


@pytest.mark.requirement("MFS-7.4.4-01")
def test_a_rotated_signer_follows_the_one_before() -> None:
    old, new = read_apk(made("all.apk")).signers, read_apk(made("rotated.apk"))
    assert new.lineage == (*old, *new.signers)
    assert old != new.signers


@pytest.mark.requirement("MFS-7.4.4-01")
def test_two_signers_are_both_named() -> None:
    one = read_apk(made("all.apk")).signers
    other = read_apk(made("second.apk")).signers
    assert set(read_apk(made("two.apk")).signers) == {*one, *other}


@pytest.mark.requirement("MFS-7.4.4-02")
def test_a_package_that_only_the_jar_scheme_signs_is_refused() -> None:
    with pytest.raises(NotAuthentic, match="as a whole"):
        read_apk(made("first.apk"))


@pytest.mark.requirement("MFS-7.4.4-01")
def test_scheme_3_1_is_verified_with_its_lineage() -> None:
    old, new = hand("old"), hand("new")
    mark = (0x559F8B02).to_bytes(4, "little") + (33).to_bytes(4, "little")
    package = signed(
        bare(),
        Signing(SECOND, old, attributes=[b"\x0d\xf0\xef\xbe\x03\x00\x00\x00"]),
        Signing(THIRD, old, levels=(24, 32), attributes=[mark]),
        Signing(ROTATED, new, levels=(33, 2**31 - 1), attributes=[lineage(old, new)]),
    )
    found = read_apk(package)
    assert found.schemes == ("2", "3", "3.1")
    assert len(found.lineage) == 2
    assert found.signers == (found.lineage[1],)


@pytest.mark.skipif(shutil.which("apksigner") is None, reason="apksigner is not installed")
@pytest.mark.parametrize("name", GENUINE)
@pytest.mark.requirement("MFS-7.4.4-01")
def test_the_platforms_own_verifier_names_the_same_signers(name: str) -> None:
    ran = subprocess.run(
        ["apksigner", "verify", "-v", "--print-certs", str(FOLDER / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = re.findall(
        r"^Signer #\d+ certificate SHA-256 digest: ([0-9a-f]{64})$", ran.stdout, re.MULTILINE
    )
    ours = read_apk(made(name))
    assert sorted(theirs) == sorted(ours.signers)
    for scheme in ("2", "3"):
        assert (f"Scheme v{scheme}): true" in ran.stdout) is (scheme in ours.schemes)
