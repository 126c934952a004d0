"""Sessions of schemes and changes of PINs in cards at the door, held against pyemv."""

import importlib

import pytest
from tests.support.paycrypt import BOTH_WAYS, DERIVES, Scene, door

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytest.importorskip("pyemv", reason="pyemv is absent: install the extra for development")
psec = pytest.importorskip("psec", reason="psec is absent: install the extra for development")
ac, cvn, kd, sm = (importlib.import_module(f"pyemv.{one}") for one in ("ac", "cvn", "kd", "sm"))
pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"),
    pytest.mark.filterwarnings("ignore::Warning"),
]

PAN, PIN, OLD = "4012345678909012", "83024", "1962"
ATC, ARQC, NUMBER = "0B1F", "1122334455667788", "30901B6A"
KINDS = {
    "pek": ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS),
    "ac": ("TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS", "TDES_2KEY", DERIVES),
    "smc": ("TR31_E1_EMV_MKEY_CONFIDENTIALITY", "TDES_2KEY", DERIVES),
    "smi": ("TR31_E2_EMV_MKEY_INTEGRITY", "TDES_2KEY", DERIVES),
    "d0": ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS),
}
CARD = {"PrimaryAccountNumber": PAN, "PanSequenceNumber": "01"}
MAJOR = {"MajorKeyDerivationMode": "EMV_OPTION_A", **CARD}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


@pytest.fixture(scope="module")
def data(scene: Scene):
    return scene.client()


@pytest.fixture(scope="module")
def keys(scene: Scene):
    return {name: scene.key(*kind) for name, kind in KINDS.items()}


def own(scene, keys, name: str) -> bytes:
    return kd.derive_icc_mk_a(scene.octets(keys[name]), PAN, "01")


def session_of(kind: str, master: bytes) -> tuple[bytes, bytes]:
    """The session key of a kind, and the key of its answer, as pyemv gives them."""
    counter = bytes.fromhex(ATC)
    if kind in {"Visa", "Amex"}:
        return master, master
    if kind == "Mastercard":
        value = counter + bytes(2) + bytes.fromhex(NUMBER)
        return kd.derive_common_sk(master, value), master
    tree = kd.derive_emv2000_tree_sk(master, counter)
    return tree, tree


@pytest.mark.parametrize("kind", ["Visa", "Amex", "Mastercard", "Emv2000"])
def test_cryptograms_of_schemes_are_those_of_another_implementation(data, scene, keys, kind):
    session, answering = session_of(kind, own(scene, keys, "ac"))
    more = {} if kind in {"Visa", "Amex"} else {"ApplicationTransactionCounter": ATC}
    if kind == "Mastercard":
        more["UnpredictableNumber"] = NUMBER
    message = bytes(range(48))
    wanted = ac.generate_ac(session, message, ac.PaddingType.VISA)
    asked = {
        "KeyIdentifier": keys["ac"], "TransactionData": message.hex(),
        "MajorKeyDerivationMode": "EMV_OPTION_A",
        "SessionKeyDerivationAttributes": {kind: {**CARD, **more}},
    }  # fmt: skip
    made = data.generate_auth_request_cryptogram(**asked)
    assert made["AuthRequestCryptogram"] == wanted.hex().upper()
    answer = data.verify_auth_request_cryptogram(
        **asked, AuthRequestCryptogram=wanted.hex(),
        AuthResponseAttributes={"ArpcMethod1": {"AuthResponseCode": "3030"}},
    )["AuthResponseValue"]  # fmt: skip
    assert answer == ac.generate_arpc_1(answering, wanted, b"00").hex().upper()
    with pytest.raises(data.exceptions.VerificationFailedException):
        data.verify_auth_request_cryptogram(**asked, AuthRequestCryptogram="00" * 8)


@pytest.mark.parametrize("counter", ["0000", "0001", "0B1F", "7FFF", "FFFF"])
def test_the_tree_of_emv_2000_has_the_leaves_of_another_implementation(
    data, scene, keys, counter
):  # fmt: skip
    master = own(scene, keys, "smi")
    session = kd.derive_emv2000_tree_sk(master, bytes.fromhex(counter))
    made = mac(data, keys, "EMV2000", {"ApplicationTransactionCounter": counter})
    assert made == sm.generate_command_mac(session, bytes(15)).hex().upper()


def mac(data, keys, mode: str, value: dict) -> str:
    return data.generate_mac(
        KeyIdentifier=keys["smi"], MessageData=(bytes(15) + b"\x80").hex(),
        GenerationAttributes={
            "EmvMac": {
                **MAJOR, "SessionKeyDerivationMode": mode, "SessionKeyDerivationValue": value,
            }
        },
    )["Mac"]  # fmt: skip


def test_macs_over_commands_of_schemes_are_those_of_another_implementation(data, scene, keys):
    master = own(scene, keys, "smi")
    visa = kd.derive_visa_sm_sk(master, bytes.fromhex(ATC))
    made = mac(data, keys, "VISA", {"ApplicationTransactionCounter": ATC})
    assert made == sm.generate_command_mac(visa, bytes(15)).hex().upper()
    common = kd.derive_common_sk(master, bytes.fromhex(ARQC))
    made = mac(data, keys, "MASTERCARD_SESSION_KEY", {"ApplicationCryptogram": ARQC})
    assert made == sm.generate_command_mac(common, bytes(15)).hex().upper()
    for mode, value in (
        ("VISA", {"ApplicationCryptogram": ARQC}),
        ("EMV2000", {"ApplicationCryptogram": ARQC}),
        ("EMV_COMMON_SESSION_KEY", {"ApplicationTransactionCounter": ATC}),
        ("AMEX", {"ApplicationTransactionCounter": ATC}),
        ("UNION_PAY", {"ApplicationTransactionCounter": ATC}),
    ):
        with pytest.raises(data.exceptions.ValidationException):
            mac(data, keys, mode, value)


def change(data, keys, scene, method: dict, head: bytes, **more) -> dict:
    block = psec.pinblock.encode_pinblock_iso_0(PIN, PAN)
    sealed = psec.des.encrypt_tdes_ecb(scene.octets(keys["pek"]), block)
    asked = {
        "NewPinPekIdentifier": keys["pek"], "NewEncryptedPinBlock": sealed.hex(),
        "PinBlockFormat": "ISO_FORMAT_0", "MessageData": head.hex(),
        "SecureMessagingIntegrityKeyIdentifier": keys["smi"],
        "SecureMessagingConfidentialityKeyIdentifier": keys["smc"],
        "DerivationMethodAttributes": method, **more,
    }  # fmt: skip
    return data.generate_mac_emv_pin_change(**asked)


def issued(scene, keys, sort) -> object:
    """The card as pyemv has it."""
    octets = [scene.octets(keys[one]) for one in ("ac", "smi", "smc")]
    return sort(*octets, PAN, "01")


@pytest.mark.parametrize("current", [None, OLD])
def test_a_pin_change_of_visa_is_that_of_another_implementation(data, scene, keys, current):
    card = issued(scene, keys, cvn.VisaCVN10)
    counter, cryptogram = bytes.fromhex(ATC), bytes.fromhex(ARQC)
    whole = card.generate_pin_change_command(PIN, cryptogram, counter, current_pin=current)
    method = {
        **MAJOR, "ApplicationTransactionCounter": ATC,
        "AuthorizationRequestKeyIdentifier": keys["ac"],
    }  # fmt: skip
    if current is not None:
        block = psec.pinblock.encode_pinblock_iso_0(current, PAN)
        sealed = psec.des.encrypt_tdes_ecb(scene.octets(keys["pek"]), block)
        method["CurrentPinAttributes"] = {
            "CurrentPinPekIdentifier": keys["pek"], "CurrentEncryptedPinBlock": sealed.hex(),
        }  # fmt: skip
    found = change(data, keys, scene, {"Visa": method}, whole[:5] + counter + cryptogram)
    assert found["EncryptedPinBlock"] + found["Mac"] == whole[5:].hex().upper()
    told = found["VisaAmexDerivationOutputs"]
    assert told["AuthorizationRequestKeyArn"] == keys["ac"]
    assert ("CurrentPinPekArn" in told) == (current is not None)


def test_a_pin_change_of_mastercard_is_that_of_another_implementation(data, scene, keys):
    card = issued(scene, keys, cvn.MasterCardCVN16)
    counter, cryptogram = bytes.fromhex(ATC), bytes.fromhex(ARQC)
    whole = card.generate_pin_change_command(PIN, cryptogram, counter)
    method = {"Mastercard": {**MAJOR, "ApplicationCryptogram": ARQC}}
    found = change(data, keys, scene, method, whole[:5] + counter + cryptogram)
    assert found["EncryptedPinBlock"] + found["Mac"] == whole[5:].hex().upper()


@pytest.mark.parametrize(
    ("mode", "padding", "place"),
    [
        ("CBC", "ISO_IEC_7816_4", "NONE"), ("CBC", "NO_PADDING", "NONE"),
        ("ECB", "NO_PADDING", "NONE"), ("ECB", "ISO_IEC_7816_4", "FRONT_OF_PIN_BLOCK"),
        ("CBC", "ISO_IEC_7816_4", "FRONT_OF_PIN_BLOCK"),
    ],
)  # fmt: skip
def test_a_pin_change_in_the_common_session_is_step_by_step_right(
    data, scene, keys, mode, padding, place
):
    confidential, integral = (
        kd.derive_common_sk(own(scene, keys, one), bytes.fromhex(ARQC)) for one in ("smc", "smi")
    )
    clear = sm.format_iso9564_2_pin_block(PIN)
    if place != "NONE":
        clear = b"\x08" + clear
    if padding != "NO_PADDING":
        clear += b"\x80"
        clear += bytes(-len(clear) % 8)
    seal = psec.des.encrypt_tdes_ecb if mode == "ECB" else (
        lambda key, octets: psec.des.encrypt_tdes_cbc(key, bytes(8), octets))  # fmt: skip
    sealed, head = seal(confidential, clear), bytes.fromhex("8424000208") + bytes(8)
    method = {
        "EmvCommon": {
            **MAJOR, "ApplicationCryptogram": ARQC, "Mode": mode, "PinBlockPaddingType": padding,
            "PinBlockLengthPosition": place,
        }
    }  # fmt: skip
    found = change(data, keys, scene, method, head)
    assert found["EncryptedPinBlock"] == sealed.hex().upper()
    assert found["Mac"] == sm.generate_command_mac(integral, head + sealed).hex().upper()


@pytest.mark.requirement("MFS-7.4.2-03")
def test_keys_for_something_else_change_no_pin_and_a_schemes_pin_is_not_in_software(
    data, scene, keys, tmp_path
):
    method = {"Mastercard": {**MAJOR, "ApplicationCryptogram": ARQC}}
    head = bytes(13)
    fields = {
        "NewPinPekIdentifier": "pek", "SecureMessagingIntegrityKeyIdentifier": "smi",
        "SecureMessagingConfidentialityKeyIdentifier": "smc",
    }  # fmt: skip
    for field, right in fields.items():
        for name, arn in keys.items():
            if name == right:
                continue
            with pytest.raises(data.exceptions.ValidationException):
                change(data, keys, scene, method, head, **{field: arn})
    for bad in ({"NewEncryptedPinBlock": "00" * 8}, {"DerivationMethodAttributes": {
        "Amex": {**MAJOR, "ApplicationTransactionCounter": ATC,
                 "AuthorizationRequestKeyIdentifier": keys["ac"]}}}):  # fmt: skip
        with pytest.raises(data.exceptions.ValidationException):
            change(data, keys, scene, method, head, **bad)
    with door(tmp_path / "provider", use="card-scheme") as strict:
        there = strict.client()
        made = {name: strict.key(*kind) for name, kind in KINDS.items()}
        with pytest.raises(there.exceptions.AccessDeniedException):
            change(there, made, strict, method, head)
