"""The data plane of the payment cryptography door, asked by the stock client of botocore."""

import importlib
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from tests.support.paycrypt import BOTH_WAYS, CHECKS, DERIVES, Scene, door

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"),
    pytest.mark.filterwarnings("ignore::Warning"),
]

PAN = "4012345678909012"
OTHER_PAN = "4012345678909020"
TABLE = "0123456789012345"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


@pytest.fixture(scope="module")
def data(scene: Scene):
    return scene.client()


@pytest.fixture(scope="module")
def psec():
    return pytest.importorskip("psec", reason="psec is absent: install the extra for development")


@pytest.fixture(scope="module")
def pyemv():
    pytest.importorskip("pyemv", reason="pyemv is absent: install the extra for development")
    return {name: importlib.import_module(f"pyemv.{name}") for name in ("ac", "cvv", "kd", "sm")}


class Keys:
    """Keys of the door by a short name, each made once."""

    _known: ClassVar[dict[str, tuple]] = {
        "zpk4": ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS),
        "zpk": ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS),
        "zpk3": ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS),
        "bdk": ("TR31_B0_BASE_DERIVATION_KEY", "TDES_2KEY", DERIVES),
        "bdk4": ("TR31_B0_BASE_DERIVATION_KEY", "AES_128", DERIVES),
        "pvk": ("TR31_V2_VISA_PIN_VERIFICATION_KEY", "TDES_2KEY", CHECKS),
        "ibm": ("TR31_V1_IBM3624_PIN_VERIFICATION_KEY", "TDES_2KEY", CHECKS),
        "m1": ("TR31_M1_ISO_9797_1_MAC_KEY", "TDES_2KEY", CHECKS),
        "m3": ("TR31_M3_ISO_9797_3_MAC_KEY", "TDES_2KEY", CHECKS),
        "m6": ("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_256", CHECKS),
        "cvk": ("TR31_C0_CARD_VERIFICATION_KEY", "TDES_2KEY", CHECKS),
        "ac": ("TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS", "TDES_2KEY", DERIVES),
        "smc": ("TR31_E1_EMV_MKEY_CONFIDENTIALITY", "TDES_2KEY", DERIVES),
        "smi": ("TR31_E2_EMV_MKEY_INTEGRITY", "TDES_2KEY", DERIVES),
        "dn": ("TR31_E4_EMV_MKEY_DYNAMIC_NUMBERS", "TDES_2KEY", DERIVES),
        "dek": ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "AES_256", BOTH_WAYS),
        "dek3": ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS),
    }

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._made: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._made:
            self._made[name] = self._scene.key(*self._known[name])
        return self._made[name]

    def octets(self, name: str) -> bytes:
        return self._scene.octets(self[name])


@pytest.fixture(scope="module")
def keys(scene: Scene) -> Keys:
    return Keys(scene)


def fmt(number: int, pan: str = PAN) -> dict:
    return {f"IsoFormat{number}": {} if number == 1 else {"PrimaryAccountNumber": pan}}


def test_pins_are_translated_between_all_formats_as_another_implementation_does(psec, data, keys):
    key, key4 = keys.octets("zpk"), keys.octets("zpk4")
    clear = {
        0: psec.pinblock.encode_pinblock_iso_0("73915", PAN),
        3: psec.pinblock.encode_pinblock_iso_3("73915", PAN),
    }
    blocks = {one: psec.des.encrypt_tdes_ecb(key, block).hex() for one, block in clear.items()}
    blocks[4] = psec.pinblock.encipher_pinblock_iso_4(key4, "73915", PAN).hex()
    for source, block in blocks.items():
        for target in (0, 3, 4):
            found = data.translate_pin_data(
                IncomingKeyIdentifier=keys["zpk4" if source == 4 else "zpk"],
                OutgoingKeyIdentifier=keys["zpk4" if target == 4 else "zpk"],
                IncomingTranslationAttributes=fmt(source),
                OutgoingTranslationAttributes=fmt(target),
                EncryptedPinBlock=block.upper(),
            )
            told = bytes.fromhex(found["PinBlock"])
            assert found["PinBlock"].isupper() or found["PinBlock"].isdigit()
            if target == 4:
                assert psec.pinblock.decipher_pinblock_iso_4(key4, told, PAN) == "73915"
                continue
            opened = psec.des.decrypt_tdes_ecb(key, told)
            decode = getattr(psec.pinblock, f"decode_pinblock_iso_{target}")
            assert decode(opened, PAN) == "73915"
            assert found["KeyArn"] == keys["zpk"]


def test_a_block_of_format_1_gets_its_account_and_none_loses_it(psec, data, keys, scene):
    key = keys.octets("zpk")
    clear = bytes.fromhex("1573915" + "0a1b2c3d4")
    given = {
        "IncomingKeyIdentifier": keys["zpk"], "OutgoingKeyIdentifier": keys["zpk"],
        "EncryptedPinBlock": psec.des.encrypt_tdes_ecb(key, clear).hex(),
        "IncomingTranslationAttributes": fmt(1),
    }  # fmt: skip
    found = data.translate_pin_data(**given, OutgoingTranslationAttributes=fmt(3))
    opened = psec.des.decrypt_tdes_ecb(key, bytes.fromhex(found["PinBlock"]))
    assert psec.pinblock.decode_pinblock_iso_3(opened, PAN) == "73915"
    again = data.translate_pin_data(**given, OutgoingTranslationAttributes=fmt(1))
    assert psec.des.decrypt_tdes_ecb(key, bytes.fromhex(again["PinBlock"])).hex()[:7] == "1573915"
    given["EncryptedPinBlock"] = found["PinBlock"]
    given["IncomingTranslationAttributes"] = fmt(3)
    with pytest.raises(data.exceptions.ValidationException):
        data.translate_pin_data(**given, OutgoingTranslationAttributes=fmt(1))


@pytest.mark.parametrize(
    ("bdk", "ksn", "form", "static", "kind"),
    [
        ("bdk", "FFFF9876543210E00001", 0, "zpk", None),
        ("bdk", "FFFF9876543210E00008", 3, "zpk", "TDES_2KEY"),
        ("bdk4", "123456789012345600000001", 4, "zpk4", None),
        ("bdk4", "12345678901234560000000B", 4, "zpk4", "AES_128"),
        ("bdk4", "123456789012345600000003", 0, "zpk", "TDES_2KEY"),
    ],
)
def test_pins_go_to_terminals_and_come_back(psec, data, keys, bdk, ksn, form, static, kind):
    dukpt = {"KeySerialNumber": ksn} | ({"DukptKeyDerivationType": kind} if kind else {})
    if form == 4:
        block = psec.pinblock.encipher_pinblock_iso_4(keys.octets(static), "5829", PAN)
    else:
        encode = getattr(psec.pinblock, f"encode_pinblock_iso_{form}")
        block = psec.des.encrypt_tdes_ecb(keys.octets(static), encode("5829", PAN))
    there = data.translate_pin_data(
        IncomingKeyIdentifier=keys[static], OutgoingKeyIdentifier=keys[bdk],
        IncomingTranslationAttributes=fmt(form), OutgoingTranslationAttributes=fmt(form),
        EncryptedPinBlock=block.hex(), OutgoingDukptAttributes=dukpt,
    )  # fmt: skip
    assert there["PinBlock"].lower() != block.hex()
    back = data.translate_pin_data(
        IncomingKeyIdentifier=keys[bdk], OutgoingKeyIdentifier=keys[static],
        IncomingTranslationAttributes=fmt(form), OutgoingTranslationAttributes=fmt(form),
        EncryptedPinBlock=there["PinBlock"], IncomingDukptAttributes=dukpt,
    )  # fmt: skip
    told = bytes.fromhex(back["PinBlock"])
    if form == 4:
        assert psec.pinblock.decipher_pinblock_iso_4(keys.octets(static), told, PAN) == "5829"
    else:
        opened = psec.des.decrypt_tdes_ecb(keys.octets(static), told)
        assert getattr(psec.pinblock, f"decode_pinblock_iso_{form}")(opened, PAN) == "5829"
    with pytest.raises(data.exceptions.ValidationException):
        data.translate_pin_data(
            IncomingKeyIdentifier=keys[bdk], OutgoingKeyIdentifier=keys[static],
            IncomingTranslationAttributes=fmt(form), OutgoingTranslationAttributes=fmt(form),
            EncryptedPinBlock=there["PinBlock"],
        )  # fmt: skip


def opened(psec, keys: Keys, block: str) -> str:
    clear = psec.des.decrypt_tdes_ecb(keys.octets("zpk"), bytes.fromhex(block))
    return psec.pinblock.decode_pinblock_iso_0(clear, PAN)


def pin_call(keys: Keys, keeper: str, **how) -> dict:
    return {
        "GenerationKeyIdentifier": keys[keeper], "EncryptionKeyIdentifier": keys["zpk"],
        "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
        "GenerationAttributes": how,
    }  # fmt: skip


def verify_call(keys: Keys, keeper: str, block: str, **how) -> dict:
    return {
        "VerificationKeyIdentifier": keys[keeper], "EncryptionKeyIdentifier": keys["zpk"],
        "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
        "EncryptedPinBlock": block, "VerificationAttributes": how,
    }  # fmt: skip


def test_a_random_pin_has_the_pvv_that_another_implementation_gives(psec, data, keys):
    made = data.generate_pin_data(**pin_call(keys, "pvk", VisaPin={"PinVerificationKeyIndex": 2}))
    pin, value = opened(psec, keys, made["EncryptedPinBlock"]), made["PinData"]["VerificationValue"]
    assert value == psec.pin.generate_visa_pvv(keys.octets("pvk"), "2", pin, PAN)
    again = data.generate_pin_data(
        **pin_call(
            keys, "pvk",
            VisaPinVerificationValue={
                "EncryptedPinBlock": made["EncryptedPinBlock"], "PinVerificationKeyIndex": 2,
            },
        )
    )  # fmt: skip
    assert again["PinData"]["VerificationValue"] == value
    known = {"PinVerificationKeyIndex": 2, "VerificationValue": value}
    good = data.verify_pin_data(
        **verify_call(keys, "pvk", made["EncryptedPinBlock"], VisaPin=known)
    )
    assert good["VerificationKeyArn"] == keys["pvk"]
    known["VerificationValue"] = f"{(int(value) + 1) % 10_000:04d}"
    with pytest.raises(data.exceptions.VerificationFailedException) as wrong:
        data.verify_pin_data(**verify_call(keys, "pvk", made["EncryptedPinBlock"], VisaPin=known))
    assert wrong.value.response["Reason"] == "INVALID_PIN"


def ibm(**more) -> dict:
    return {
        "DecimalizationTable": TABLE, "PinValidationDataPadCharacter": "D",
        "PinValidationData": PAN[:12], **more,
    }  # fmt: skip


def natural(psec, keys: Keys) -> str:
    """The natural PIN, by the cipher of the other implementation and the table."""
    data = bytes.fromhex(PAN[:12] + "DDDD")
    return "".join(TABLE[int(one, 16)] for one in psec.des.encrypt_tdes_ecb(
        keys.octets("ibm"), data
    ).hex())  # fmt: skip


def test_natural_pins_and_offsets_are_what_their_definition_says(psec, data, keys):
    whole = natural(psec, keys)
    made = data.generate_pin_data(**pin_call(keys, "ibm", Ibm3624NaturalPin=ibm()))
    assert opened(psec, keys, made["EncryptedPinBlock"]) == whole[:4]
    assert made["PinData"]["PinOffset"] == "0000"
    moved = data.generate_pin_data(
        **pin_call(keys, "ibm", Ibm3624PinFromOffset=ibm(PinOffset="123456"))
    )
    wanted = "".join(
        str((int(one) + int(by)) % 10) for one, by in zip(whole, "123456", strict=False)
    )
    assert opened(psec, keys, moved["EncryptedPinBlock"]) == wanted
    drawn = data.generate_pin_data(**pin_call(keys, "ibm", Ibm3624RandomPin=ibm()), PinDataLength=6)
    pin, offset = opened(psec, keys, drawn["EncryptedPinBlock"]), drawn["PinData"]["PinOffset"]
    assert len(pin) == 6
    assert offset == "".join(
        str((int(one) - int(by)) % 10) for one, by in zip(pin, whole, strict=False)
    )
    told = data.generate_pin_data(
        **pin_call(
            keys, "ibm",
            Ibm3624PinOffset=ibm(EncryptedPinBlock=drawn["EncryptedPinBlock"]),
        )
    )  # fmt: skip
    assert told["PinData"]["PinOffset"] == offset
    block = drawn["EncryptedPinBlock"]
    data.verify_pin_data(**verify_call(keys, "ibm", block, Ibm3624Pin=ibm(PinOffset=offset)))
    other = f"{(int(offset) + 1) % 10**6:06d}"
    with pytest.raises(data.exceptions.VerificationFailedException):
        data.verify_pin_data(**verify_call(keys, "ibm", block, Ibm3624Pin=ibm(PinOffset=other)))


@pytest.mark.parametrize(
    "changed",
    [
        {"DecimalizationTable": "0000000000000000"},
        {"DecimalizationTable": "5432109876543210"},
        {"PinValidationData": "999999999999"},
    ],
)
def test_a_caller_does_not_choose_what_a_natural_pin_is_made_of(data, keys, changed):
    with pytest.raises(data.exceptions.ValidationException):
        data.generate_pin_data(**pin_call(keys, "ibm", Ibm3624NaturalPin=ibm(**changed)))


MESSAGE = bytes(range(64))


def test_macs_are_those_of_another_implementation(psec, data, keys):
    wanted = {
        "ISO9797_ALGORITHM1": ("m1", lambda key: psec.mac.generate_cbc_mac(key, MESSAGE, 1)),
        "ISO9797_ALGORITHM3": (
            "m3",
            lambda key: psec.mac.generate_retail_mac(key[:8], key[8:], MESSAGE, 1),
        ),
        "CMAC": ("m6", cmac),
    }
    for algorithm, (name, by) in wanted.items():
        asked = {"KeyIdentifier": keys[name], "MessageData": MESSAGE.hex()}
        how = {"Algorithm": algorithm}
        made = data.generate_mac(**asked, GenerationAttributes=how)
        assert bytes.fromhex(made["Mac"]) == by(keys.octets(name))
        data.verify_mac(**asked, Mac=made["Mac"], VerificationAttributes=how)
        short = data.generate_mac(**asked, GenerationAttributes=how, MacLength=4)["Mac"]
        assert short == made["Mac"][:8]
        data.verify_mac(**asked, Mac=short, VerificationAttributes=how, MacLength=4)
        changed = f"{int(made['Mac'], 16) ^ 1:0{len(made['Mac'])}X}"
        for wrong in (changed, short):
            with pytest.raises(data.exceptions.VerificationFailedException) as told:
                data.verify_mac(**asked, Mac=wrong, VerificationAttributes=how)
            assert told.value.response["Reason"] == "INVALID_MAC"


def cmac(key: bytes) -> bytes:
    one = CMAC(AES(key))
    one.update(MESSAGE)
    return one.finalize()


def test_hmac_keys_make_and_verify(data, scene):
    arn = scene.key("TR31_M7_HMAC_KEY", "HMAC_SHA256", CHECKS, Exportable=False)
    for name in ("HMAC", "HMAC_SHA256"):
        asked = {"KeyIdentifier": arn, "MessageData": "AB" * 33}
        made = data.generate_mac(**asked, GenerationAttributes={"Algorithm": name})["Mac"]
        assert len(made) == 64
        data.verify_mac(**asked, Mac=made, VerificationAttributes={"Algorithm": name})
    with pytest.raises(data.exceptions.ValidationException):
        data.generate_mac(**asked, GenerationAttributes={"Algorithm": "HMAC_SHA512"})


@pytest.mark.parametrize(
    ("member", "bdk", "ksn"),
    [
        ("DukptIso9797Algorithm1", "bdk", "FFFF9876543210E00002"),
        ("DukptIso9797Algorithm3", "bdk", "FFFF9876543210E00002"),
        ("DukptCmac", "bdk", "FFFF9876543210E00002"),
        ("DukptCmac", "bdk4", "123456789012345600000005"),
        ("DukptIso9797Algorithm1", "bdk4", "123456789012345600000005"),
    ],
)
def test_macs_of_terminals_differ_by_direction_and_counter(data, keys, member, bdk, ksn):
    asked = {"KeyIdentifier": keys[bdk], "MessageData": MESSAGE.hex()}
    seen = set()
    for number in (ksn, ksn[:-1] + "6"):
        for variant in ("REQUEST", "RESPONSE"):
            how = {member: {"KeySerialNumber": number, "DukptKeyVariant": variant}}
            made = data.generate_mac(**asked, GenerationAttributes=how)["Mac"]
            data.verify_mac(**asked, Mac=made, VerificationAttributes=how)
            seen.add(made)
    assert len(seen) == 4


def test_values_of_cards_are_those_of_another_implementation(psec, pyemv, data, keys):
    card, key = {"KeyIdentifier": keys["cvk"], "PrimaryAccountNumber": PAN}, keys.octets("cvk")
    for how, wanted in (
        (
            {"CardVerificationValue1": {"CardExpiryDate": "3012", "ServiceCode": "101"}},
            psec.cvv.generate_cvv(key, PAN, "3012", "101"),
        ),
        (
            {"CardVerificationValue1": {"CardExpiryDate": "3012", "ServiceCode": "999"}},
            psec.cvv.generate_cvv(key, PAN, "3012", "999"),
        ),
        (
            {"CardVerificationValue2": {"CardExpiryDate": "1230"}},
            psec.cvv.generate_cvv(key, PAN, "1230", "000"),
        ),
    ):
        made = data.generate_card_validation_data(**card, GenerationAttributes=how)
        assert made["ValidationData"] == wanted
        data.verify_card_validation_data(**card, VerificationAttributes=how, ValidationData=wanted)
        wide = data.generate_card_validation_data(
            **card, GenerationAttributes=how, ValidationDataLength=5
        )["ValidationData"]
        assert wide[:3] == wanted
        with pytest.raises(data.exceptions.VerificationFailedException) as told:
            data.verify_card_validation_data(
                **card, VerificationAttributes=how, ValidationData=f"{(int(wanted) + 1) % 1000:03d}"
            )
        assert told.value.response["Reason"] == "INVALID_VALIDATION_DATA"


def test_dynamic_codes_are_those_of_another_implementation(pyemv, data, keys):
    track = "5123456789012345D35121010000000000000F"
    how = {
        "DynamicCardVerificationCode": {
            "UnpredictableNumber": "00000899", "PanSequenceNumber": "00",
            "ApplicationTransactionCounter": "005E", "TrackData": track,
        }
    }  # fmt: skip
    card = {"KeyIdentifier": keys["dn"], "PrimaryAccountNumber": PAN}
    made = data.generate_card_validation_data(**card, GenerationAttributes=how)["ValidationData"]
    own = pyemv["kd"].derive_icc_mk_a(keys.octets("dn"), PAN, "00")
    wanted = pyemv["cvv"].generate_cvc3(
        own, bytes.fromhex(track), bytes.fromhex("005E"), bytes.fromhex("00000899")
    )
    assert made == wanted.zfill(5)[-3:]
    data.verify_card_validation_data(**card, VerificationAttributes=how, ValidationData=made)
    value = {
        "DynamicCardVerificationValue": {
            "PanSequenceNumber": "00", "CardExpiryDate": "3012", "ServiceCode": "101",
            "ApplicationTransactionCounter": "005E",
        }
    }  # fmt: skip
    dcvv = data.generate_card_validation_data(**card, GenerationAttributes=value)["ValidationData"]
    data.verify_card_validation_data(**card, VerificationAttributes=value, ValidationData=dcvv)


@pytest.mark.parametrize(("major", "pan"), [("A", PAN), ("B", "4012345678909012345")])
def test_cryptograms_and_answers_are_those_of_another_implementation(pyemv, data, keys, major, pan):
    derive = pyemv["kd"].derive_icc_mk_a if major == "A" else pyemv["kd"].derive_icc_mk_b
    own = derive(keys.octets("ac"), pan, "01")
    session = pyemv["kd"].derive_common_sk(own, bytes.fromhex("0B1F") + bytes(6))
    clear = bytes.fromhex("00000000170000000000000008400080008000084016051700000000093800000B1F22")
    padded = clear + b"\x80" + bytes(-(len(clear) + 1) % 8)
    wanted = pyemv["ac"].generate_ac(session, padded, pyemv["ac"].PaddingType.VISA)
    asked = {
        "KeyIdentifier": keys["ac"], "TransactionData": padded.hex(),
        "MajorKeyDerivationMode": f"EMV_OPTION_{major}",
        "SessionKeyDerivationAttributes": {
            "EmvCommon": {
                "PrimaryAccountNumber": pan, "PanSequenceNumber": "01",
                "ApplicationTransactionCounter": "0B1F",
            }
        },
    }  # fmt: skip
    if hasattr(data, "generate_auth_request_cryptogram"):
        made = data.generate_auth_request_cryptogram(**asked)
        assert bytes.fromhex(made["AuthRequestCryptogram"]) == wanted
    arqc = {**asked, "AuthRequestCryptogram": wanted.hex()}
    assert "AuthResponseValue" not in data.verify_auth_request_cryptogram(**arqc)
    one = data.verify_auth_request_cryptogram(
        **arqc, AuthResponseAttributes={"ArpcMethod1": {"AuthResponseCode": "3030"}}
    )
    first = pyemv["ac"].generate_arpc_1(session, wanted, b"00")
    assert bytes.fromhex(one["AuthResponseValue"]) == first
    two = data.verify_auth_request_cryptogram(
        **arqc,
        AuthResponseAttributes={
            "ArpcMethod2": {"CardStatusUpdate": "00820000", "ProprietaryAuthenticationData": "AB"}
        },
    )
    second = pyemv["ac"].generate_arpc_2(session, wanted, bytes.fromhex("00820000"), b"\xab")
    assert bytes.fromhex(two["AuthResponseValue"]) == second
    changed = {**arqc, "AuthRequestCryptogram": bytes(8).hex()}
    with pytest.raises(data.exceptions.VerificationFailedException) as told:
        data.verify_auth_request_cryptogram(**changed)
    assert told.value.response["Reason"] == "INVALID_AUTH_REQUEST_CRYPTOGRAM"


def test_commands_to_cards_are_protected_as_another_implementation_does(pyemv, data, keys):
    arqc, sm = "1122334455667788", pyemv["sm"]
    own = pyemv["kd"].derive_icc_mk_a(keys.octets("smi"), PAN, "01")
    session = pyemv["kd"].derive_common_sk(own, bytes.fromhex(arqc))
    command = bytes.fromhex("8424000008999E57FD0F47CACE0007")
    padded = command + b"\x80" + bytes(-(len(command) + 1) % 8)
    made = data.generate_mac(
        KeyIdentifier=keys["smi"], MessageData=padded.hex(),
        GenerationAttributes={
            "EmvMac": {
                "MajorKeyDerivationMode": "EMV_OPTION_A", "PrimaryAccountNumber": PAN,
                "PanSequenceNumber": "01", "SessionKeyDerivationMode": "EMV_COMMON_SESSION_KEY",
                "SessionKeyDerivationValue": {"ApplicationCryptogram": arqc},
            }
        },
    )  # fmt: skip
    assert bytes.fromhex(made["Mac"]) == sm.generate_command_mac(session, command)
    own = pyemv["kd"].derive_icc_mk_a(keys.octets("smc"), PAN, "01")
    session = pyemv["kd"].derive_common_sk(own, bytes.fromhex(arqc))
    sealed = data.encrypt_data(
        KeyIdentifier=keys["smc"], PlainText=padded.hex(),
        EncryptionAttributes={
            "Emv": {
                "MajorKeyDerivationMode": "EMV_OPTION_A", "PrimaryAccountNumber": PAN,
                "PanSequenceNumber": "01", "SessionDerivationData": arqc, "Mode": "CBC",
            }
        },
    )  # fmt: skip
    wanted = sm.encrypt_command_data(session, command, sm.EncryptionType.EMV)
    assert bytes.fromhex(sealed["CipherText"]) == wanted


@pytest.mark.parametrize("name", ["dek", "dek3"])
def test_data_are_enciphered_as_another_implementation_does(psec, data, keys, name):
    key, clear = keys.octets(name), bytes(range(48))
    width = 16 if name == "dek" else 8
    initial = bytes(range(width))
    package = psec.aes if name == "dek" else psec.des
    word = "aes" if name == "dek" else "tdes"
    for mode, wanted in (
        ({"Mode": "ECB"}, getattr(package, f"encrypt_{word}_ecb")(key, clear)),
        (
            {"Mode": "CBC", "InitializationVector": initial.hex()},
            getattr(package, f"encrypt_{word}_cbc")(key, initial, clear),
        ),
        ({"Mode": "CBC"}, getattr(package, f"encrypt_{word}_cbc")(key, bytes(width), clear)),
    ):
        how = {"Symmetric": mode}
        made = data.encrypt_data(
            KeyIdentifier=keys[name], PlainText=clear.hex(), EncryptionAttributes=how
        )
        assert bytes.fromhex(made["CipherText"]) == wanted
        back = data.decrypt_data(
            KeyIdentifier=keys[name], CipherText=made["CipherText"], DecryptionAttributes=how
        )
        assert bytes.fromhex(back["PlainText"]) == clear
    with pytest.raises(data.exceptions.ValidationException):
        data.encrypt_data(
            KeyIdentifier=keys[name], PlainText="AB", EncryptionAttributes={"Symmetric": mode}
        )
    with pytest.raises(data.exceptions.ValidationException):
        data.encrypt_data(
            KeyIdentifier=keys[name], PlainText=clear.hex(),
            EncryptionAttributes={"Symmetric": {"Mode": "OFB"}},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("bdk", "ksn", "kind"),
    [
        ("bdk", "FFFF9876543210E00004", None),
        ("bdk4", "123456789012345600000004", "AES_128"),
    ],
)
def test_data_of_terminals_are_enciphered_anew(psec, data, keys, bdk, ksn, kind):
    clear = bytes(range(32))
    dukpt = {"KeySerialNumber": ksn, "Mode": "CBC", "DukptKeyVariant": "REQUEST"}
    dukpt |= {"DukptKeyDerivationType": kind} if kind else {}
    made = data.encrypt_data(
        KeyIdentifier=keys[bdk], PlainText=clear.hex(), EncryptionAttributes={"Dukpt": dukpt}
    )
    moved = data.re_encrypt_data(
        IncomingKeyIdentifier=keys[bdk], OutgoingKeyIdentifier=keys["dek"],
        CipherText=made["CipherText"], IncomingEncryptionAttributes={"Dukpt": dukpt},
        OutgoingEncryptionAttributes={"Symmetric": {"Mode": "ECB"}},
    )  # fmt: skip
    assert psec.aes.decrypt_aes_ecb(keys.octets("dek"), bytes.fromhex(moved["CipherText"])) == clear
    dukpt["DukptKeyVariant"] = "RESPONSE"
    other = data.decrypt_data(
        KeyIdentifier=keys[bdk], CipherText=made["CipherText"],
        DecryptionAttributes={"Dukpt": dukpt},
    )  # fmt: skip
    assert bytes.fromhex(other["PlainText"]) != clear


def test_published_transactions_of_terminals_open(data, scene, psec, keys):
    """The PIN block and key of X9.24-1 A.4, and of the supplement to X9.24-3."""
    known = {
        "TDES_2KEY": ("0123456789ABCDEFFEDCBA9876543210", "FFFF9876543210E00001", 0, "zpk"),
        "AES_128": ("FEDCBA9876543210F1F1F1F1F1F1F1F1", "123456789012345600000001", 4, "zpk4"),
    }
    working = {
        "TDES_2KEY": "042666B49184CF5C68DE9628D0397B36",
        "AES_128": "AF8CB133A78F8DC2D1359F18527593FB",
    }
    for algorithm, (base, ksn, form, static) in known.items():
        arn = imported(scene, psec, "B0", base, algorithm[0], "X")
        one = bytes.fromhex(working[algorithm])
        if form == 4:
            block = psec.pinblock.encipher_pinblock_iso_4(one, "1234", PAN)
        else:
            block = psec.des.encrypt_tdes_ecb(one, psec.pinblock.encode_pinblock_iso_0("1234", PAN))
        found = data.translate_pin_data(
            IncomingKeyIdentifier=arn, OutgoingKeyIdentifier=keys[static],
            IncomingTranslationAttributes=fmt(form), OutgoingTranslationAttributes=fmt(form),
            EncryptedPinBlock=block.hex(), IncomingDukptAttributes={"KeySerialNumber": ksn},
        )  # fmt: skip
        told = bytes.fromhex(found["PinBlock"])
        if form == 4:
            assert psec.pinblock.decipher_pinblock_iso_4(keys.octets(static), told, PAN) == "1234"
        else:
            assert opened(psec, keys, found["PinBlock"]) == "1234"


def imported(scene: Scene, psec, usage: str, octets: str, algorithm: str, mode: str) -> str:
    """A known key, in a key block of the other implementation."""
    outer = scene.key("TR31_K1_KEY_BLOCK_PROTECTION_KEY", "AES_256", BOTH_WAYS)
    header = psec.tr31.Header("D", usage, algorithm, mode, "00", "E")
    block = psec.tr31.wrap(scene.octets(outer), header, bytes.fromhex(octets))
    made = scene.control().import_key(
        KeyMaterial={"Tr31KeyBlock": {"WrappingKeyIdentifier": outer, "WrappedKeyBlock": block}}
    )
    return made["Key"]["KeyArn"]
