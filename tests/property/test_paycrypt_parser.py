"""Whatever is sent to the payment cryptography door, it answers with an error of the model."""

import json
import random
from typing import Any
from urllib.parse import quote

import pytest
from bench.door_in_memory import OpenDoor
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.entry.paycrypt.answers import Answer
from tallystick.entry.paycrypt.door import CONTROL, DATA, Request

pytestmark = pytest.mark.requirement("MFS-11.2.3-01")

PAN = "4012345678909012"
ERRORS = {
    "ValidationException", "AccessDeniedException", "ResourceNotFoundException",
    "VerificationFailedException", "UnknownOperationException",
}  # fmt: skip
DOOR = OpenDoor()
K = DOOR.names
CARD = {
    "PrimaryAccountNumber": PAN, "PanSequenceNumber": "01",
    "ApplicationTransactionCounter": "0001",
}  # fmt: skip
IBM = {
    "DecimalizationTable": "0123456789012345", "PinValidationDataPadCharacter": "F",
    "PinValidationData": PAN[:12],
}  # fmt: skip
BODIES: list[tuple[str, dict[str, Any]]] = [
    (
        "/pindata/translate",
        {
            "IncomingKeyIdentifier": K["bdk"], "OutgoingKeyIdentifier": K["zpk4"],
            "IncomingTranslationAttributes": {"IsoFormat0": {"PrimaryAccountNumber": PAN}},
            "OutgoingTranslationAttributes": {"IsoFormat4": {"PrimaryAccountNumber": PAN}},
            "EncryptedPinBlock": "00" * 8,
            "IncomingDukptAttributes": {"KeySerialNumber": "FFFF9876543210E00001"},
        },
    ),
    (
        "/pindata/generate",
        {
            "GenerationKeyIdentifier": K["ibm"], "EncryptionKeyIdentifier": K["zpk"],
            "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN, "PinDataLength": 4,
            "GenerationAttributes": {"Ibm3624PinFromOffset": {**IBM, "PinOffset": "1234"}},
        },
    ),
    (
        "/pindata/verify",
        {
            "VerificationKeyIdentifier": K["pvk"], "EncryptionKeyIdentifier": K["zpk"],
            "PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN,
            "EncryptedPinBlock": "00" * 8,
            "VerificationAttributes": {
                "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": "1234"}
            },
        },
    ),
    (
        "/mac/generate",
        {
            "KeyIdentifier": K["bdk4"], "MessageData": "00" * 16, "MacLength": 8,
            "GenerationAttributes": {
                "DukptCmac": {
                    "KeySerialNumber": "123456789012345600000001", "DukptKeyVariant": "REQUEST",
                    "DukptDerivationType": "AES_128",
                }
            },
        },
    ),
    (
        "/mac/verify",
        {
            "KeyIdentifier": K["mac3"], "MessageData": "00" * 16, "Mac": "00" * 8,
            "VerificationAttributes": {"Algorithm": "ISO9797_ALGORITHM3"},
        },
    ),
    (
        "/cardvalidationdata/generate",
        {
            "KeyIdentifier": K["dn"], "PrimaryAccountNumber": PAN, "ValidationDataLength": 3,
            "GenerationAttributes": {
                "DynamicCardVerificationCode": {
                    "UnpredictableNumber": "0899", "PanSequenceNumber": "01",
                    "ApplicationTransactionCounter": "5E", "TrackData": "51" * 10,
                }
            },
        },
    ),
    (
        "/cardvalidationdata/verify",
        {
            "KeyIdentifier": K["cvk"], "PrimaryAccountNumber": PAN, "ValidationData": "123",
            "VerificationAttributes": {
                "CardVerificationValue1": {"CardExpiryDate": "3012", "ServiceCode": "101"}
            },
        },
    ),
    (
        "/cryptogram/verify",
        {
            "KeyIdentifier": K["ac"], "TransactionData": "00" * 32,
            "AuthRequestCryptogram": "00" * 8, "MajorKeyDerivationMode": "EMV_OPTION_A",
            "SessionKeyDerivationAttributes": {"EmvCommon": CARD},
            "AuthResponseAttributes": {
                "ArpcMethod2": {
                    "CardStatusUpdate": "00000000", "ProprietaryAuthenticationData": "AB"
                }
            },
        },
    ),
    (
        "/cryptogram/generate",
        {
            "KeyIdentifier": K["ac"], "TransactionData": "00" * 32,
            "MajorKeyDerivationMode": "EMV_OPTION_B",
            "SessionKeyDerivationAttributes": {"EmvCommon": CARD},
        },
    ),
    (
        f"/keys/{quote(K['dek'], safe='')}/encrypt",
        {
            "PlainText": "00" * 16,
            "EncryptionAttributes": {
                "Symmetric": {"Mode": "CBC", "InitializationVector": "00" * 16}
            },
        },
    ),
    (
        f"/keys/{quote(K['bdk'], safe='')}/reencrypt",
        {
            "OutgoingKeyIdentifier": K["dek"], "CipherText": "00" * 16,
            "IncomingEncryptionAttributes": {
                "Dukpt": {"KeySerialNumber": "FFFF9876543210E00001", "Mode": "ECB"}
            },
            "OutgoingEncryptionAttributes": {"Symmetric": {"Mode": "ECB"}},
        },
    ),
]  # fmt: skip
ODD: list[Any] = [
    "", "0", "00", "F" * 16, "0" * 32, "é" * 4, "\u0661" * 12, "\x00", None, True, -1, 0, 7, 2**70,
    1.5, [], {}, [{}], "alias/x", K["zpk"], K["bdk4"], "BIDIRECTIONAL", "AES_256", "TDES_3KEY",
    "ISO_FORMAT_4", "000000000000", "9" * 19, "0000", "FFFF9876543210000000",
    "FFFFFFFFFFFFFFFFFFFFFFFF",
]  # fmt: skip


def posted(path: str, body: bytes, target: str = "") -> Answer:
    headers = {"x-amz-target": [target]} if target else {}
    found = DOOR.answer(Request("POST", path.encode(), b"", headers, body, "127.0.0.1"))
    assert isinstance(found, Answer)
    return found


def places(value: Any, path: tuple = ()):
    """Every place in a body that can be changed."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield (*path, name)
            yield from places(one, (*path, name))


def changed(body: dict, draw: random.Random) -> dict:
    copy = json.loads(json.dumps(body))
    for _ in range(draw.randint(1, 3)):
        found = list(places(copy))
        if not found:
            break
        *way, last = draw.choice(found)
        inner = copy
        for step in way:
            inner = inner[step]
        turn = draw.random()
        if turn < 0.2:
            del inner[last]
        elif turn < 0.3:
            inner[last + "x"] = inner[last]
        else:
            inner[last] = draw.choice(ODD)
    return copy


def test_the_bodies_themselves_are_understood() -> None:
    for path, body in BODIES:
        answer = posted(path, json.dumps(body).encode())
        assert (
            answer.status == 200
            or b"does not verify" in answer.body
            or (answer.error == "VerificationFailedException")
        ), (path, answer)


def test_changed_bodies_are_answered_by_an_error_of_the_model() -> None:
    draw, seen = random.Random(9564), set()
    for path, body in BODIES:
        for _ in range(250):
            answer = posted(path, json.dumps(changed(body, draw)).encode())
            assert answer.status in {200, 400, 403, 404}, (path, answer)
            assert not answer.error or answer.error in ERRORS, (path, answer)
            seen.add(answer.error)
    assert {"", "ValidationException", "ResourceNotFoundException"} <= seen


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*DATA, "/", "/keys/x/encrypt", "/keys//decrypt", "/keys/%25/reencrypt"]),
    st.binary(max_size=80),
    st.sampled_from(["", *CONTROL, "Nothing"]),
)
def test_anything_is_answered(path: str, body: bytes, name: str) -> None:
    target = f"PaymentCryptographyControlPlane.{name}" if path == "/" and name else ""
    if target and name in CONTROL:
        return
    answer = posted(path, body, target)
    assert answer.error in ERRORS
