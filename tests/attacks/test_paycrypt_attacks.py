"""Attempts at the payment cryptography door: strangers, wrong keys, secrets in answers and logs."""

import importlib
import json
import socket
from http.client import HTTPConnection

import pytest
from tests.support.paycrypt import BOTH_WAYS, CHECKS, Scene, door

from tallystick.entry.assembly import open_platform
from tallystick.entry.paycrypt_settings import Row
from tallystick.infrastructure.tally.leaf import decode_leaf

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")

PAN, PIN = "4539578763621486", "8302"
P0 = ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS)
PVK = ("TR31_V2_VISA_PIN_VERIFICATION_KEY", "TDES_2KEY", CHECKS)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


def code_of(told) -> str:
    return told.value.response["Error"]["Code"]


@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_stranger_cannot_find_out_which_programs_there_are(scene: Scene):
    error = scene.control().exceptions.ClientError
    left = scene.issue("left")
    assert scene.control(program=left).list_keys(MaxResults=1)
    scene.revoke(left)
    said = set()
    for client in (scene.control, scene.client):
        for program in ("wkl_01h00000000000000000000000", scene.program, left):
            with pytest.raises(error) as told:
                asked(client(program=program, secret="x" * 43))
            answer = dict(told.value.response)
            status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
            said.add((status, json.dumps(answer, sort_keys=True)))
    assert len(said) == 1, "the answers differ"
    assert next(iter(said))[0] == 403
    assert "InvalidSignatureException" in next(iter(said))[1]


@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_program_that_has_ended_is_told_so_where_it_shows_its_secret(scene: Scene):
    error = scene.control().exceptions.ClientError
    left = scene.issue("left too")
    secret = scene.secret(left)
    assert scene.control(program=left).list_keys(MaxResults=1)
    scene.revoke(left)
    for client, status in ((scene.control, 400), (scene.client, 403)):
        with pytest.raises(error) as told:
            asked(client(program=left, secret=secret))
        assert code_of(told) == "UnrecognizedClientException"
        assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def asked(client) -> None:
    """Any call of either plane."""
    if hasattr(client, "list_keys"):
        client.list_keys()
    else:
        client.generate_mac(**mac("alias/none"))


@pytest.mark.requirement("MFS-7.3.2-01")
def test_an_unsigned_and_a_changed_request_do_nothing(scene: Scene):
    host = f"127.0.0.1:{scene.provider.paycrypt_port}"
    link = HTTPConnection(host)
    link.request("POST", "/mac/generate", b"{}", {"content-type": "application/json"})
    answer = link.getresponse()
    assert answer.status == 403
    assert answer.getheader("x-amzn-errortype") == "MissingAuthenticationTokenException"
    answer.read()
    headers = signed(scene, b'{"MaxResults":1}')
    link.request("POST", "/", b'{"MaxResults":2}', headers)
    answer = link.getresponse()
    assert answer.status == 403
    assert json.loads(answer.read())["__type"] == "InvalidSignatureException"
    link.request("POST", "/", b'{"MaxResults":1}', headers)
    assert link.getresponse().status == 200
    link.close()


def signed(scene: Scene, body: bytes, path: str = "/", target: str = "ListKeys") -> dict:
    signer = importlib.import_module("botocore.auth").SigV4Auth
    request_of = importlib.import_module("botocore.awsrequest").AWSRequest
    credentials_of = importlib.import_module("botocore.credentials").Credentials
    head = {"Content-Type": "application/x-amz-json-1.0"}
    if target:
        head["X-Amz-Target"] = f"PaymentCryptographyControlPlane.{target}"
    request = request_of("POST", scene.url + path, data=body, headers=head)
    credentials = credentials_of(scene.program, scene.secret())
    signer(credentials, "payment-cryptography", scene.settings.region).add_auth(request)
    return dict(request.headers.items())


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_program_does_only_what_a_row_lets_it_do(tmp_path):
    rows = (
        Row(programs=("*",), actions=("CreateKey", "ListKeys"), resources=("*",)),
        Row(
            programs=("*",), actions=("CreateAlias", "GetAlias", "TranslatePinData"),
            resources=("alias/acquirer/*",),
        ),
        Row(programs=("wkl_nobody",), actions=("*",), resources=("*",)),
    )  # fmt: skip
    with door(tmp_path / "provider", rows=(*rows,)) as scene:
        control, data = scene.control(), scene.client()
        arn = scene.client("payment-cryptography").create_key(
            KeyAttributes={
                "KeyUsage": P0[0], "KeyClass": "SYMMETRIC_KEY", "KeyAlgorithm": P0[1],
                "KeyModesOfUse": P0[2],
            },
            Exportable=False,
        )["Key"]["KeyArn"]  # fmt: skip
        for call, given in (
            (control.get_key, {"KeyIdentifier": arn}),
            (control.delete_key, {"KeyIdentifier": arn}),
            (control.create_alias, {"AliasName": "alias/acquirer/one", "KeyArn": arn}),
            (control.create_alias, {"AliasName": "alias/other", "KeyArn": arn}),
            (control.get_key, {"KeyIdentifier": arn[:-1] + "x"}),
            (data.translate_pin_data, translation(arn, arn, "00" * 8)),
            (data.generate_mac, mac(arn)),
        ):
            with pytest.raises(control.exceptions.ClientError) as told:
                call(**given)
            assert code_of(told) == "AccessDeniedException"
        assert control.list_keys()["Keys"][0]["KeyArn"] == arn


def translation(source: str, target: str, block: str) -> dict:
    bound = {"IsoFormat0": {"PrimaryAccountNumber": PAN}}
    return {
        "IncomingKeyIdentifier": source, "OutgoingKeyIdentifier": target,
        "IncomingTranslationAttributes": bound, "OutgoingTranslationAttributes": bound,
        "EncryptedPinBlock": block,
    }  # fmt: skip


def mac(arn: str) -> dict:
    return {
        "KeyIdentifier": arn, "MessageData": "00" * 16,
        "GenerationAttributes": {"Algorithm": "CMAC"},
    }  # fmt: skip


@pytest.mark.requirement("MFS-8.2.2-01")
def test_a_card_schemes_pin_is_refused_and_the_refusal_is_an_event(tmp_path):
    with door(tmp_path / "provider", use="card-scheme") as scene:
        data, one, keeper = scene.client(), scene.key(*P0), scene.key(*PVK)
        calls = (
            (data.translate_pin_data, translation(one, one, "00" * 8)),
            (
                data.generate_pin_data,
                {
                    "GenerationKeyIdentifier": keeper, "EncryptionKeyIdentifier": one,
                    "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
                    "GenerationAttributes": {"VisaPin": {"PinVerificationKeyIndex": 1}},
                },
            ),
            (
                data.verify_pin_data,
                {
                    "VerificationKeyIdentifier": keeper, "EncryptionKeyIdentifier": one,
                    "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
                    "EncryptedPinBlock": "00" * 8,
                    "VerificationAttributes": {
                        "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": "1234"}
                    },
                },
            ),
        )  # fmt: skip
        for call, given in calls:
            with pytest.raises(data.exceptions.AccessDeniedException):
                call(**given)
        cvk = scene.key("TR31_C0_CARD_VERIFICATION_KEY", "TDES_2KEY", CHECKS)
        assert data.generate_card_validation_data(
            KeyIdentifier=cvk, PrimaryAccountNumber=PAN,
            GenerationAttributes={"CardVerificationValue2": {"CardExpiryDate": "1230"}},
        )["ValidationData"]  # fmt: skip
        folder, secret, program = scene.provider.folder, scene.provider.secret, scene.program
    platform = open_platform(folder, secret)
    try:
        leaves = [
            decode_leaf(platform.archive.store.leaf(one)) for one in range(platform.archive.size)
        ]
    finally:
        platform.close()
    refused = [dict(leaf.p) for leaf in leaves if leaf.kind == "paycrypt.refused"]
    assert {one["call"] for one in refused} == {
        "TranslatePinData", "GeneratePinData", "VerifyPinData",
    }  # fmt: skip
    assert {one["refused"] for one in refused} == {"pins-in-software"}
    assert {one["program"] for one in refused} == {program}
    counted = [dict(leaf.p) for leaf in leaves if leaf.kind == "paycrypt.calls"]
    assert sum(one.get("translate_pin_data_refused", 0) for one in counted) == 1
    assert sum(one.get("generate_card_validation_data_done", 0) for one in counted) == 1


@pytest.mark.requirement("MFS-7.3.4-01")
@pytest.mark.requirement("MFS-7.3.4-02")
def test_no_pin_number_or_key_is_in_a_log_an_error_or_the_store(tmp_path):
    psec = pytest.importorskip("psec", reason="psec is absent")
    with door(tmp_path / "provider") as scene:
        data, one, two = scene.client(), scene.key(*P0), scene.key(*P0)
        keeper = scene.key(*PVK)
        block = psec.des.encrypt_tdes_ecb(
            scene.octets(one), psec.pinblock.encode_pinblock_iso_0(PIN, PAN)
        ).hex()
        moved = data.translate_pin_data(**translation(one, two, block))["PinBlock"]
        right = psec.pin.generate_visa_pvv(scene.octets(keeper), "1", PIN, PAN)
        wrong = f"{(int(right) + 1) % 10_000:04d}"
        said = []
        bad = [
            (data.translate_pin_data, translation(one, two, "ff" * 8)),
            (data.translate_pin_data, translation(two, one, block)),
            (data.translate_pin_data, translation(one, keeper, block)),
            (data.generate_mac, {**mac(one), "MessageData": PAN.encode().hex()}),
            (
                data.verify_pin_data,
                {
                    "VerificationKeyIdentifier": keeper, "EncryptionKeyIdentifier": one,
                    "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
                    "EncryptedPinBlock": block,
                    "VerificationAttributes": {
                        "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": wrong}
                    },
                },
            ),
            (
                data.generate_card_validation_data,
                {
                    "KeyIdentifier": one, "PrimaryAccountNumber": PAN,
                    "GenerationAttributes": {"CardVerificationValue2": {"CardExpiryDate": "1230"}},
                },
            ),
        ]  # fmt: skip
        for call, given in bad:
            with pytest.raises(data.exceptions.ClientError) as told:
                call(**given)
            drawn = told.value.response["ResponseMetadata"]["RequestId"]
            text = json.dumps(told.value.response, default=str)
            for name in (drawn, *(arn.rpartition("/")[2] for arn in (one, two, keeper))):
                text = text.replace(name, "")  # names are drawn, and four digits come among them
            said.append(text)
        octets = [scene.octets(arn) for arn in (one, two, keeper)]
        scene_secret = scene.secret()
        folder, log = scene.provider.folder, scene.provider.log
    places = {
        "errors": "\n".join(said).encode(),
        "log": b"\n".join(log),
        "files": b"".join(path.read_bytes() for path in folder.root.rglob("*") if path.is_file()),
    }
    secrets = {
        "account": PAN.encode(), "block": block.encode(), "moved": moved.lower().encode(),
        "secret": scene_secret.encode(), "account in hexadecimal": PAN.encode().hex().encode(),
        **{f"key {number}": one for number, one in enumerate(octets)},
        **{f"key {number} in hexadecimal": one.hex().encode() for number, one in enumerate(octets)},
    }  # fmt: skip
    for place, text in places.items():
        assert text, place
        for name, secret in secrets.items():
            assert secret not in text, (place, name)
            assert secret not in text.lower(), (place, name)
    assert PIN.encode() not in places["errors"]


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_key_serves_nothing_but_its_usage(scene: Scene):
    data = scene.client()
    keys = {
        usage: scene.key(usage, algorithm, modes)
        for usage, algorithm, modes in (
            P0, PVK,
            ("TR31_C0_CARD_VERIFICATION_KEY", "TDES_2KEY", CHECKS),
            ("TR31_M3_ISO_9797_3_MAC_KEY", "TDES_2KEY", CHECKS),
            ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS),
            ("TR31_K0_KEY_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS),
        )
    }  # fmt: skip
    calls = {
        "TR31_P0_PIN_ENCRYPTION_KEY": lambda arn: data.translate_pin_data(
            **translation(arn, keys[P0[0]], "00" * 8)
        ),
        "TR31_C0_CARD_VERIFICATION_KEY": lambda arn: data.generate_card_validation_data(
            KeyIdentifier=arn, PrimaryAccountNumber=PAN,
            GenerationAttributes={"CardVerificationValue2": {"CardExpiryDate": "1230"}},
        ),
        "TR31_M3_ISO_9797_3_MAC_KEY": lambda arn: data.generate_mac(
            **{**mac(arn), "GenerationAttributes": {"Algorithm": "ISO9797_ALGORITHM3"}}
        ),
        "TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY": lambda arn: data.decrypt_data(
            KeyIdentifier=arn, CipherText="00" * 8,
            DecryptionAttributes={"Symmetric": {"Mode": "ECB"}},
        ),
    }  # fmt: skip
    for right, call in calls.items():
        for usage, arn in keys.items():
            if usage == right and right != P0[0]:
                assert call(arn)
                continue
            with pytest.raises(data.exceptions.ValidationException) as told:
                call(arn)
            wrong_use = "is not for" in str(told.value)
            assert wrong_use == (usage != right), (right, usage)


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_key_that_may_only_verify_makes_nothing(scene: Scene):
    data = scene.client()
    for usage, algorithm in (("TR31_M3_ISO_9797_3_MAC_KEY", "ISO9797_ALGORITHM3"),):
        arn = scene.key(usage, "TDES_2KEY", {"Verify": True})
        how = {"Algorithm": algorithm}
        with pytest.raises(data.exceptions.ValidationException):
            data.generate_mac(**{**mac(arn), "GenerationAttributes": how})
        with pytest.raises(data.exceptions.VerificationFailedException):
            data.verify_mac(
                KeyIdentifier=arn, MessageData="00" * 16, Mac="00" * 8, VerificationAttributes=how
            )


def many(data, arn: str) -> None:
    for _ in range(200):
        data.generate_mac(**mac(arn))


def test_too_many_calls_are_throttled_and_the_stock_client_tries_again(tmp_path):
    with door(tmp_path / "provider", rate=2) as scene:
        arn = scene.key("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_128", CHECKS)
        data = scene.client()
        with pytest.raises(data.exceptions.ThrottlingException):
            many(data, arn)
        patient = scene.client(attempts=6)
        calls = (patient.generate_mac(**mac(arn))["ResponseMetadata"] for _ in range(200))
        assert any(one["RetryAttempts"] for one in calls)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /mac/generate HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\n" + b"x: " + b"y" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"POST /keys/%00%ff/encrypt HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        b"POST /\xff\xfe HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        b"".join((b"POST / HTTP/1.1\r\n", *(b"h%d: a\r\n" % one for one in range(100)), b"\r\n")),
    ],
)
def test_what_is_no_request_is_answered_and_the_door_stays_open(scene: Scene, octets: bytes):
    with socket.create_connection(("127.0.0.1", scene.provider.paycrypt_port), timeout=20) as link:
        link.sendall(octets)
        answer = link.recv(4096)
    assert not answer or answer.split(b" ")[1] in {b"400", b"403", b"404", b"413"}
    assert b"500" not in answer[:16]
    assert scene.control().list_keys(MaxResults=1)
