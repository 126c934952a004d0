"""Every published chain of a phone: led to a root, and read as its publisher reads it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.attested import chain_in, published

from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.android.description import (
    OBJECT,
    ORIGINS,
    Authorizations,
    origin_of,
    read_description,
)
from tallystick.infrastructure.attestation.evidence import Level, Provisioning
from tallystick.infrastructure.crypto.x509 import certificates_in, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic

FOLDER = published("android-attestation", "android")
ROOTS = tuple(
    link
    for pem in json.loads((FOLDER / "roots.json").read_text())
    for link in certificates_in(pem.encode())
)
DATA = FOLDER / "testdata"
PHONES = sorted(one for one in DATA.glob("*/*/*.pem"))
LEVELS = ("SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX")
EVIDENT = {
    "SOFTWARE": Level.SOFTWARE,
    "TRUSTED_ENVIRONMENT": Level.TRUSTED_ENVIRONMENT,
    "STRONG_BOX": Level.STRONGBOX,
}
LISTS = {"purposes", "blockModes", "digests", "paddings", "rsaOaepMgfDigests"}
TEXTS = {
    "attestationId" + one
    for one in (
        "Brand",
        "Device",
        "Product",
        "Serial",
        "Imei",
        "Meid",
        "Manufacturer",
        "Model",
        "SecondImei",
    )
}


def words(listed: Authorizations) -> dict[str, Any]:
    """The list in the words of the published readings."""
    said: dict[str, Any] = {}
    for name, value in listed.values.items():
        if name == "origin":
            said[name] = origin_of(listed)
        elif isinstance(value, tuple):
            said[name] = [str(one) for one in value]
        elif isinstance(value, bool):
            said[name] = value
        elif isinstance(value, bytes):
            said[name] = value.decode() if name in TEXTS else base64.b64encode(value).decode()
        else:
            said[name] = str(value)
    if listed.root_of_trust is not None:
        trust = listed.root_of_trust
        said["rootOfTrust"] = {
            "verifiedBootKey": base64.b64encode(trust.signer).decode(),
            "deviceLocked": trust.locked,
            "verifiedBootState": trust.state,
            "verifiedBootHash": base64.b64encode(trust.digest).decode(),
        }
    if listed.application is not None:
        said["attestationApplicationId"] = {
            "packages": [
                {"name": one.name, "version": str(one.version)}
                for one in listed.application.packages
            ],
            "signatures": [base64.b64encode(one).decode() for one in listed.application.signers],
        }
    return said


def published_reading(file: Path) -> dict[str, Any]:
    """The reading beside a chain; some begin with a remark."""
    lines = file.with_suffix(".json").read_text().splitlines()
    found: dict[str, Any] = json.loads(
        "\n".join(one for one in lines if not one.lstrip().startswith("//"))
    )
    return found


def expected(reading: dict[str, Any], name: str) -> dict[str, Any]:
    return {one: value for one, value in reading[name].items() if one != "areTagsOrdered"}


def test_there_are_phones_to_read() -> None:
    assert len(PHONES) >= 10
    assert len(ROOTS) == 2


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("file", PHONES, ids=lambda one: f"{one.parent.parent.name}-{one.stem}")
def test_a_chain_is_read_as_its_publisher_reads_it(file: Path) -> None:
    chain = chain_in(file)
    evidence = verify_chain(chain, ROOTS)
    reading = published_reading(file)
    described = read_description(read_certificate(chain[0]).extensions[OBJECT])
    assert str(described.version) == reading["attestationVersion"]
    assert str(described.keystore_version) == reading["keyMintVersion"]
    assert LEVELS[described.level] == reading["attestationSecurityLevel"]
    assert LEVELS[described.keystore_level] == reading["keyMintSecurityLevel"]
    assert base64.b64encode(described.challenge).decode() == reading["attestationChallenge"]
    assert base64.b64encode(described.unique).decode() == reading["uniqueId"]
    assert words(described.software) == expected(reading, "softwareEnforced")
    assert words(described.hardware) == expected(reading, "hardwareEnforced")
    assert evidence.level is EVIDENT[reading["attestationSecurityLevel"]]
    assert evidence.key_level is EVIDENT[reading["keyMintSecurityLevel"]]
    assert evidence.above == 0
    assert evidence.root in {one.fingerprint() for one in ROOTS}


def test_ways_of_provisioning_are_told_apart() -> None:
    found = {
        one.parent.parent.name + one.stem: verify_chain(chain_in(one), ROOTS) for one in PHONES
    }
    remote = {name for name, one in found.items() if one.provisioning is Provisioning.REMOTE}
    assert any("TEE_MLDSA_RKP" in name for name in remote)
    assert not any("blueline" in name or "FACTORY" in name or "sony" in name for name in remote)


def test_identifiers_of_the_phone_are_not_kept() -> None:
    for file in PHONES:
        reading = published_reading(file)["hardwareEnforced"]
        kept = repr(verify_chain(chain_in(file), ROOTS))
        for name in ("attestationIdImei", "attestationIdSecondImei", "attestationIdSerial"):
            assert name not in reading or reading[name] not in kept


def test_a_boolean_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(Malformed, match="00 or FF"):
        verify_chain(chain_in(DATA / "invalid" / "malformed_rot_device_locked.pem"), ROOTS)


def test_a_list_out_of_order_is_noticed_and_its_changed_leaf_refused() -> None:
    chain = chain_in(DATA / "invalid" / "tags_not_in_ascending_order.pem")
    assert not read_description(read_certificate(chain[0]).extensions[OBJECT]).hardware.ordered
    with pytest.raises(NotAuthentic, match="broken"):
        verify_chain(chain, ROOTS)


@pytest.mark.parametrize("name", ["allow_while_on_body", "p256_sha384_intermediate"])
def test_a_chain_to_another_root_is_refused(name: str) -> None:
    with pytest.raises(NotAuthentic, match="no root"):
        verify_chain(chain_in(DATA / f"{name}.pem"), ROOTS)


def test_links_under_sha384_hold_where_their_root_is_believed() -> None:
    links = certificates_in((DATA / "p256_sha384_intermediate.pem").read_bytes())
    with pytest.raises(Malformed):  # the chain holds; what it calls a description is none
        verify_chain([one.octets for one in links], links[-1:])


def test_the_flag_on_the_body_is_read() -> None:
    chain = chain_in(DATA / "allow_while_on_body.pem")
    described = read_description(read_certificate(chain[0]).extensions[OBJECT])
    listed = described.software.values | described.hardware.values
    assert listed["allowWhileOnBody"] is True


def test_every_origin_has_a_word() -> None:
    assert ORIGINS[0] == "GENERATED"
