"""The control plane of the payment cryptography door, asked by the stock client of botocore."""

import base64
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from tests.support.approved import Moved
from tests.support.looking import leaves_of
from tests.support.paycrypt import BOTH_WAYS, CHECKS, DERIVES, Scene, door, handed_over

from tallystick.application.paycrypt import InPaycrypt
from tallystick.entry.assembly import open_platform
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.time import DAY_MS
from tallystick.protocol.desk import RevokeWorkload

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"),
    pytest.mark.filterwarnings("ignore::Warning"),
]

P0 = ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS)
K1 = ("TR31_K1_KEY_BLOCK_PROTECTION_KEY", "AES_256", BOTH_WAYS)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


@pytest.fixture(scope="module")
def control(scene: Scene):
    return scene.control()


@pytest.fixture(scope="module")
def psec():
    return pytest.importorskip("psec", reason="psec is absent: install the extra for development")


def attributes(usage, algorithm, modes) -> dict:
    return {
        "KeyUsage": usage, "KeyClass": "SYMMETRIC_KEY", "KeyAlgorithm": algorithm,
        "KeyModesOfUse": modes,
    }  # fmt: skip


def events(scene: Scene, kind: str) -> list[dict]:
    leaves = [decode_leaf(leaf) for leaf in leaves_of(scene.provider)]
    return [dict(leaf.p) for leaf in leaves if leaf.kind == kind]


def test_a_key_is_made_shown_listed_stopped_started_deleted_and_restored(control, scene):
    made = control.create_key(
        KeyAttributes=attributes(*P0), Exportable=True, Tags=[{"Key": "BIN", "Value": "401234"}]
    )["Key"]
    arn = made["KeyArn"]
    assert made["KeyState"] == "CREATE_COMPLETE"
    assert made["Enabled"]
    assert made["KeyCheckValueAlgorithm"] == "CMAC"
    assert made["KeyAttributes"]["KeyModesOfUse"]["Encrypt"]
    assert not made["KeyAttributes"]["KeyModesOfUse"]["Sign"]
    assert control.get_key(KeyIdentifier=arn)["Key"] == made
    stopped = control.stop_key_usage(KeyIdentifier=arn)["Key"]
    assert not stopped["Enabled"]
    assert stopped["UsageStopTimestamp"]
    data = scene.client()
    with pytest.raises(data.exceptions.ValidationException):
        translate(data, arn)
    assert control.start_key_usage(KeyIdentifier=arn)["Key"]["Enabled"]
    gone = control.delete_key(KeyIdentifier=arn, DeleteKeyInDays=3)["Key"]
    assert gone["KeyState"] == "DELETE_PENDING"
    assert (gone["DeletePendingTimestamp"] - gone["CreateTimestamp"]).days == 3
    with pytest.raises(control.exceptions.ConflictException):
        control.start_key_usage(KeyIdentifier=arn)
    with pytest.raises(data.exceptions.ValidationException):
        translate(data, arn)
    back = control.restore_key(KeyIdentifier=arn)["Key"]
    assert back["KeyState"] == "CREATE_COMPLETE"
    assert not back["Enabled"]
    with pytest.raises(control.exceptions.ConflictException):
        control.restore_key(KeyIdentifier=arn)
    acts = [one["act"] for one in events(scene, "paycrypt.changed") if one.get("key") in arn]
    assert acts == ["CreateKey", "StopKeyUsage", "StartKeyUsage", "DeleteKey", "RestoreKey"]
    assert {one["program"] for one in events(scene, "paycrypt.changed")} == {scene.program}


def translate(data, arn: str):
    pan = {"IsoFormat4": {"PrimaryAccountNumber": "4012345678909012"}}
    return data.translate_pin_data(
        IncomingKeyIdentifier=arn, OutgoingKeyIdentifier=arn, EncryptedPinBlock="00" * 16,
        IncomingTranslationAttributes=pan, OutgoingTranslationAttributes=pan,
    )  # fmt: skip


def test_pages_go_on_where_they_ended(control, scene):
    made = {scene.key(*P0) for _ in range(3)}
    whole = control.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    pages = list(whole)
    assert all(len(page["Keys"]) <= 2 for page in pages)
    listed = [one["KeyArn"] for page in pages for one in page["Keys"]]
    assert len(listed) == len(set(listed))
    assert made <= set(listed)
    assert not control.list_keys(KeyState="DELETE_COMPLETE")["Keys"]


def test_an_alias_names_a_key_and_is_moved(control, scene):
    one, two = scene.key(*P0), scene.key(*P0)
    made = control.create_alias(AliasName="alias/acquirer/one", KeyArn=one)["Alias"]
    assert made == {"AliasName": "alias/acquirer/one", "KeyArn": one}
    with pytest.raises(control.exceptions.ConflictException):
        control.create_alias(AliasName="alias/acquirer/one", KeyArn=two)
    assert control.get_key(KeyIdentifier="alias/acquirer/one")["Key"]["KeyArn"] == one
    control.update_alias(AliasName="alias/acquirer/one", KeyArn=two)
    assert control.get_alias(AliasName="alias/acquirer/one")["Alias"]["KeyArn"] == two
    named = f"{scene.settings.arn_head}alias/acquirer/one"
    assert control.get_key(KeyIdentifier=named)["Key"]["KeyArn"] == two
    assert [one["AliasName"] for one in control.list_aliases(KeyArn=two)["Aliases"]] == [
        "alias/acquirer/one"
    ]
    control.update_alias(AliasName="alias/acquirer/one")
    assert "KeyArn" not in control.get_alias(AliasName="alias/acquirer/one")["Alias"]
    control.delete_alias(AliasName="alias/acquirer/one")
    with pytest.raises(control.exceptions.ResourceNotFoundException) as told:
        control.get_alias(AliasName="alias/acquirer/one")
    assert told.value.response["ResourceId"] == "alias/acquirer/one"
    assert control.create_alias(AliasName="alias/acquirer/one", KeyArn=one)["Alias"]["KeyArn"]


def test_tags_are_given_and_taken(control, scene):
    arn = scene.key(*P0)
    control.tag_resource(
        ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )
    control.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    control.untag_resource(ResourceArn=arn, TagKeys=["b"])
    assert control.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "3"}]


@pytest.mark.parametrize(
    ("usage", "algorithm", "modes"),
    [
        ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", CHECKS),
        ("TR31_P0_PIN_ENCRYPTION_KEY", "HMAC_SHA256", BOTH_WAYS),
        ("TR31_C0_CARD_VERIFICATION_KEY", "AES_128", CHECKS),
        ("TR31_B0_BASE_DERIVATION_KEY", "AES_128", BOTH_WAYS),
        ("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_128", {"Generate": True, "Encrypt": True}),
        ("TR31_E5_EMV_MKEY_CARD_PERSONALIZATION", "TDES_2KEY", DERIVES),
        ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "RSA_2048", BOTH_WAYS),
    ],
)
def test_what_does_not_go_together_is_not_made(control, usage, algorithm, modes):
    with pytest.raises(control.exceptions.ValidationException):
        control.create_key(KeyAttributes=attributes(usage, algorithm, modes), Exportable=False)


@pytest.mark.parametrize(
    ("usage", "code", "algorithm", "letter", "length"),
    [
        ("TR31_P0_PIN_ENCRYPTION_KEY", "P0", "TDES_2KEY", "B", 16),
        ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "D0", "AES_256", "D", 32),
        ("TR31_B0_BASE_DERIVATION_KEY", "B0", "AES_128", "X", 16),
        ("TR31_M6_ISO_9797_5_CMAC_KEY", "M6", "AES_128", "V", 16),
        ("TR31_C0_CARD_VERIFICATION_KEY", "C0", "TDES_2KEY", "C", 16),
        ("TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS", "E0", "TDES_2KEY", "X", 16),
        ("TR31_V2_VISA_PIN_VERIFICATION_KEY", "V2", "TDES_2KEY", "C", 16),
    ],
)
def test_keys_come_and_go_in_blocks_that_another_implementation_reads(
    psec, control, scene, usage, code, algorithm, letter, length
):
    outer = scene.key(*K1)
    octets = bytes.fromhex("0123456789abcdeffedcba9876543210") * (length // 16)
    header = psec.tr31.Header("D", code, algorithm[0], letter, "00", "E")
    block = psec.tr31.wrap(scene.octets(outer), header, octets)
    material = {"Tr31KeyBlock": {"WrappingKeyIdentifier": outer, "WrappedKeyBlock": block}}
    found = control.import_key(KeyMaterial=material)["Key"]
    assert found["KeyAttributes"]["KeyUsage"] == usage
    assert found["KeyAttributes"]["KeyAlgorithm"] == algorithm
    assert found["KeyOrigin"] == "EXTERNAL"
    assert found["Exportable"]
    out = control.export_key(
        KeyMaterial={"Tr31KeyBlock": {"WrappingKeyIdentifier": outer}},
        ExportKeyIdentifier=found["KeyArn"],
    )["WrappedKey"]
    told, again = psec.tr31.unwrap(scene.octets(outer), out["KeyMaterial"])
    assert again == octets
    assert (told.version_id, told.key_usage, told.mode_of_use) == ("D", code, letter)
    assert out["KeyCheckValue"] == found["KeyCheckValue"]
    zeros = psec.des.encrypt_tdes_ecb(octets, bytes(8)) if algorithm[0] == "T" else None
    if zeros is not None:
        assert found["KeyCheckValue"] == zeros[:3].hex().upper()
    changed = block[:-1] + ("0" if block[-1] != "0" else "1")
    material["Tr31KeyBlock"]["WrappedKeyBlock"] = changed
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=material)


def test_a_block_of_version_b_is_written_under_an_old_key(psec, control, scene):
    outer = scene.key("TR31_K0_KEY_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS)
    inner = scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS)
    out = control.export_key(
        KeyMaterial={
            "Tr31KeyBlock": {
                "WrappingKeyIdentifier": outer,
                "KeyBlockHeaders": {"KeyExportability": "NON_EXPORTABLE"},
            }
        },
        ExportKeyIdentifier=inner,
    )["WrappedKey"]["KeyMaterial"]
    told, octets = psec.tr31.unwrap(scene.octets(outer), out)
    assert octets == scene.octets(inner)
    assert (told.version_id, told.exportability) == ("B", "N")


def exported(control, outer: str, inner: str, **headers) -> str:
    material = {"WrappingKeyIdentifier": outer, "KeyBlockHeaders": headers}
    return control.export_key(KeyMaterial={"Tr31KeyBlock": material}, ExportKeyIdentifier=inner)[
        "WrappedKey"
    ]["KeyMaterial"]


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_key_leaves_for_less_than_it_does_here_and_never_for_more(psec, control, scene):
    outer = scene.key(*K1)
    pins = scene.key(*P0)
    codes = scene.key("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_128", CHECKS)
    checks = scene.key("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_128", {"Verify": True})
    for inner, modes, letter in (
        (pins, {"Encrypt": True, "Wrap": True}, "E"),
        (pins, {"Decrypt": True, "Unwrap": True}, "D"),
        (pins, BOTH_WAYS, "B"),
        (codes, {"Verify": True}, "V"),
        (checks, {"Verify": True}, "V"),
    ):
        block = exported(
            control, outer, inner, KeyModesOfUse=modes, KeyVersion="A7",
            OptionalBlocks={"LB": "partner7", "BI": "0012345678"},
        )  # fmt: skip
        assert block.isalnum(), "the model takes letters and digits, here and at the service"
        told, octets = psec.tr31.unwrap(scene.octets(outer), block)
        assert octets == scene.octets(inner)
        assert (told.mode_of_use, told.version_num, told.blocks["LB"]) == (letter, "A7", "partner7")
        assert told.blocks["BI"] == "0012345678"
    back = {"Tr31KeyBlock": {"WrappingKeyIdentifier": outer, "WrappedKeyBlock": block}}
    again = control.import_key(KeyMaterial=back)["Key"]["KeyAttributes"]["KeyModesOfUse"]
    assert [name for name, one in again.items() if one] == ["Verify"]
    for inner, headers in (
        (checks, {"KeyModesOfUse": CHECKS}),
        (checks, {"KeyModesOfUse": {"Generate": True}}),
        (pins, {"KeyModesOfUse": {"NoRestrictions": True}}),
        (pins, {"KeyModesOfUse": CHECKS}),
        (pins, {"KeyModesOfUse": {"Sign": True}}),
        (pins, {"OptionalBlocks": {"10": "production"}}),
        (pins, {"OptionalBlocks": {"PB": "0000"}}),
        (pins, {"OptionalBlocks": {"KS": "notHex"}}),
    ):
        with pytest.raises(control.exceptions.ValidationException):
            exported(control, outer, inner, **headers)


def test_the_initial_key_of_a_terminal_leaves_in_place_of_its_base_key(psec, control, scene):
    outer, header = scene.key(*K1), psec.tr31.Header("D", "B0", "T", "X", "00", "E")
    base = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    block = psec.tr31.wrap(scene.octets(outer), header, base)
    material = {"Tr31KeyBlock": {"WrappingKeyIdentifier": outer, "WrappedKeyBlock": block}}
    arn = control.import_key(KeyMaterial=material)["Key"]["KeyArn"]
    out = control.export_key(
        KeyMaterial={"Tr31KeyBlock": {"WrappingKeyIdentifier": outer}},
        ExportKeyIdentifier=arn,
        ExportAttributes={"ExportDukptInitialKey": {"KeySerialNumber": "FFFF9876543210E00000"}},
    )["WrappedKey"]["KeyMaterial"]
    told, octets = psec.tr31.unwrap(scene.octets(outer), out)
    assert octets.hex() == "6ac292faa1315b4d858ab3a3d7d5933a"
    assert told.key_usage == "B1"


def sealed_to(parameters: dict, octets: bytes, digest: type = hashes.SHA256) -> str:
    pem = base64.b64decode(parameters["WrappingKeyCertificate"])
    public = x509.load_pem_x509_certificate(pem).public_key()
    return public.encrypt(
        octets, padding.OAEP(padding.MGF1(digest()), digest(), None)
    ).hex().upper()  # fmt: skip


def test_a_first_wrapping_key_comes_in_under_a_public_key(psec, control, scene):
    parameters = control.get_parameters_for_import(
        KeyMaterialType="KEY_CRYPTOGRAM", WrappingKeyAlgorithm="RSA_3072"
    )
    kek = bytes(range(1, 17))
    material = {
        "KeyAttributes": attributes("TR31_K0_KEY_ENCRYPTION_KEY", "AES_128", BOTH_WAYS),
        "Exportable": False, "ImportToken": parameters["ImportToken"],
        "WrappedKeyCryptogram": sealed_to(parameters, kek), "WrappingSpec": "RSA_OAEP_SHA_256",
    }  # fmt: skip
    outer = control.import_key(KeyMaterial={"KeyCryptogram": material})["Key"]
    assert outer["KeyOrigin"] == "EXTERNAL"
    header = psec.tr31.Header("D", "P0", "A", "B", "00", "E")
    block = psec.tr31.wrap(kek, header, bytes(range(16)))
    inner = control.import_key(
        KeyMaterial={
            "Tr31KeyBlock": {"WrappingKeyIdentifier": outer["KeyArn"], "WrappedKeyBlock": block}
        }
    )["Key"]["KeyArn"]
    assert scene.octets(inner) == bytes(range(16))
    material["WrappingSpec"] = "RSA_OAEP_SHA_512"
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial={"KeyCryptogram": material})
    material["WrappedKeyCryptogram"] = sealed_to(parameters, kek, hashes.SHA512)
    assert control.import_key(KeyMaterial={"KeyCryptogram": material})["Key"]["KeyArn"]
    material["WrappedKeyCryptogram"] = sealed_to(parameters, kek + b"x", hashes.SHA512)
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial={"KeyCryptogram": material})
    strong = {**material, "KeyAttributes": attributes(*K1)}
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial={"KeyCryptogram": strong})
    gone = {**material, "ImportToken": "import-token-" + "0" * 32}
    with pytest.raises(control.exceptions.ConflictException):
        control.import_key(KeyMaterial={"KeyCryptogram": gone})


def test_a_key_that_stays_does_not_leave(control, scene):
    outer, inner = scene.key(*K1), scene.key(*P0, Exportable=False)
    with pytest.raises(control.exceptions.ValidationException):
        control.export_key(
            KeyMaterial={"Tr31KeyBlock": {"WrappingKeyIdentifier": outer}},
            ExportKeyIdentifier=inner,
        )
    weak = scene.key("TR31_K1_KEY_BLOCK_PROTECTION_KEY", "AES_128", BOTH_WAYS)
    strong = scene.key("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "AES_256", BOTH_WAYS)
    with pytest.raises(control.exceptions.ValidationException):
        control.export_key(
            KeyMaterial={"Tr31KeyBlock": {"WrappingKeyIdentifier": weak}},
            ExportKeyIdentifier=strong,
        )


def test_calls_that_are_not_served_say_why(control, scene):
    arn = scene.key(*P0)
    regions = {"KeyIdentifier": arn, "ReplicationRegions": ["eu-west-1"]}
    given = attributes(*P0)
    for call, asked, reason in (
        (control.add_key_replication_regions, regions, "one region"),
        (control.get_resource_policy, {"ResourceArn": arn}, "rows of the settings"),
        (
            control.create_key,
            {"KeyAttributes": given, "Exportable": True, "ReplicationRegions": ["eu-west-1"]},
            "one",
        ),
    ):
        with pytest.raises(control.exceptions.ValidationException) as told:
            call(**asked)
        assert reason in told.value.response["Error"]["Message"]
    assert control.get_default_key_replication_regions()["EnabledReplicationRegions"] == []
    data = scene.client()
    old = {"As2805Format0": {"PrimaryAccountNumber": "4012345678909012"}}
    new = {"IsoFormat0": {"PrimaryAccountNumber": "4012345678909012"}}
    for call, asked in (
        (
            data.generate_as2805_kek_validation,
            {
                "KeyIdentifier": arn, "RandomKeySendVariantMask": "VARIANT_MASK_82",
                "KekValidationType": {"KekValidationRequest": {
                    "DeriveKeyAlgorithm": "TDES_2KEY"}},
            },
        ),
        (
            data.translate_pin_data,
            {
                "IncomingKeyIdentifier": arn, "OutgoingKeyIdentifier": arn,
                "IncomingTranslationAttributes": old, "OutgoingTranslationAttributes": new,
                "EncryptedPinBlock": "00" * 8,
            },
        ),
    ):  # fmt: skip
        with pytest.raises(data.exceptions.ValidationException) as told:
            call(**asked)
        assert "AS 2805" in told.value.response["Error"]["Message"]


def test_the_secret_that_is_handed_over_is_the_one_that_signs(scene):
    assert handed_over(scene) == scene.secret()


def test_no_secret_is_written_for_a_program_that_would_ask_in_vain(scene):
    """A mistyped id would be told from a wrong secret by nobody: both do not verify."""
    last = "0" if scene.program[-1] != "0" else "1"
    mistyped = replace(scene, program=scene.program[:-1] + last)
    with pytest.raises(NotFound, match="no such program"):
        handed_over(mistyped)
    ended = replace(scene, program=scene.issue("ended"))
    assert handed_over(ended)
    officer = scene.provider.operators["security-officer"][0]
    officer.act("revoke-workload", RevokeWorkload(workload=ended.program, because="left"))
    with pytest.raises(Conflict, match="nothing any more"):
        handed_over(ended)
    assert handed_over(scene) == scene.secret()


def test_keys_are_there_after_a_restart_and_buried_when_their_days_are_over(tmp_path):
    with door(tmp_path / "provider") as scene:
        kept = scene.key(*P0)
        octets = scene.octets(kept)
        control = scene.control()
        control.create_alias(AliasName="alias/kept", KeyArn=kept)
        folder, secret = scene.provider.folder, scene.provider.secret
        gone = scene.key(*P0)
        control.delete_key(KeyIdentifier=gone, DeleteKeyInDays=3)
    clock = Moved(SystemClock())
    platform = open_platform(folder, secret, clock)
    try:
        desk = platform.desks.payment_keys
        row = desk.keys[kept.rpartition("/")[2]]
        handle = platform.paycrypt.import_block(row.block)
        assert platform.paycrypt._keys.cards[handle.id].reveal_to_wrapping() == octets
        assert desk.alias("alias/kept").key_id == row.id
        stored = b"".join(one.read_bytes() for one in folder.root.rglob("*") if one.is_file())
        assert octets not in stored
        assert octets.hex().encode() not in stored.lower()
        buried = gone.rpartition("/")[2]
        for ahead, state, length in ((0, "DELETE_PENDING", 1), (3 * DAY_MS, "DELETE_COMPLETE", 0)):
            clock.ahead_ms = ahead
            platform.writer.run([InPaycrypt(lambda desk, turn: desk.bury(turn, buried))])
            assert desk.keys[buried].state == state
            assert bool(desk.keys[buried].block) == bool(length)
    finally:
        platform.close()
