"""vectors/tally.json against the code that made it, and against arithmetic written here anew."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from vectors.generate import tally as generator

from tallystick.infrastructure.crypto.signature import Ed25519VerifyKey
from tallystick.infrastructure.tally.checkpoint import NoteKey
from tallystick.infrastructure.tally.verify import (
    check_consistency,
    verify_checkpoint,
    verify_cosignature,
    verify_receipt,
)
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.protocol.receipt import Receipt

decoder = Decoder(Receipt)


@pytest.fixture(scope="module")
def vectors(repository: Path) -> dict:
    return json.loads((repository / "vectors" / "tally.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def key(vectors: dict) -> Ed25519VerifyKey:
    return Ed25519VerifyKey(base64.b64decode(vectors["tally_key"]))


def receipt_of(plain: dict) -> Receipt:
    return decoder.decode(json.dumps(plain).encode())


def test_the_file_is_what_the_generator_writes(repository: Path) -> None:
    assert (repository / "vectors" / "tally.json").read_text("ascii") == generator.encoded()


def test_commitments_follow_the_written_rule(vectors: dict) -> None:
    assert len(vectors["commitments"]) == 64
    for case in vectors["commitments"]:
        secret, name = bytes.fromhex(case["subject_key"]), case["field"]
        seed = hmac.new(secret, case["event_id"].encode(), hashlib.sha256).digest()
        salt = hashlib.sha256(seed + b"\0" + name.encode()).digest()[:16]
        assert base64.urlsafe_b64encode(salt).rstrip(b"=").decode() == case["salt"]
        pair = json.dumps([name, case["value"]], ensure_ascii=False, separators=(",", ":"))
        opened = hashlib.sha256(b"tallystick-field-v1\0" + salt + pair.encode()).digest()
        assert base64.urlsafe_b64encode(opened).rstrip(b"=").decode() == case["commitment"]


def test_leaves_are_canonical_json_and_hashed_as_written(vectors: dict) -> None:
    for case in vectors["leaves"]:
        octets = case["leaf"].encode()
        again = json.dumps(
            json.loads(octets), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        assert again.encode() == octets
        assert hashlib.sha256(b"\0" + octets).hexdigest() == case["hash"]


@pytest.mark.requirement("MFS-7.3.3-07")
@pytest.mark.requirement("MFS-11.2.2-02")
def test_every_good_receipt_verifies_and_discloses_what_it_shows(vectors: dict, key) -> None:
    for number, case in enumerate(vectors["receipts"]):
        receipt = receipt_of(case["receipt"])
        verified = verify_receipt(receipt, key, origin=vectors["origin"])
        assert verified.index == number
        assert sorted(verified.disclosed) == case["disclosed"]
        assert encode(receipt) == encode(decoder.decode(encode(receipt)))
    cosigned = receipt_of(vectors["cosigned_receipt"])
    assert verify_receipt(cosigned, key, origin=vectors["origin"]).index == 15


@pytest.mark.requirement("MFS-11.2.2-02")
def test_every_bad_receipt_is_refused(vectors: dict, key) -> None:
    assert len(vectors["invalid_receipts"]) >= 20
    for case in vectors["invalid_receipts"]:
        with pytest.raises((NotAuthentic, Malformed)):
            verify_receipt(receipt_of(case["receipt"]), key, origin=vectors["origin"])


def test_a_good_receipt_is_refused_under_another_key_or_name(vectors: dict, key) -> None:
    receipt = receipt_of(vectors["receipts"][3]["receipt"])
    other = Ed25519VerifyKey(base64.b64decode(vectors["other_key"]))
    with pytest.raises(NotAuthentic):
        verify_receipt(receipt, other, origin=vectors["origin"])
    with pytest.raises(NotAuthentic):
        verify_receipt(receipt, key, origin="tally.example.com/2")


def test_checkpoints_continue_each_other(vectors: dict, key) -> None:
    by_size = {
        one["size"]: verify_checkpoint(one["note"], key, origin=vectors["origin"])
        for one in vectors["checkpoints"]
    }
    for one in vectors["checkpoints"]:
        assert by_size[one["size"]].root.hex() == one["root"]
    for case in vectors["consistency"]:
        proof = tuple(bytes.fromhex(one) for one in case["proof"])
        old, new = by_size[case["old_size"]], by_size[case["new_size"]]
        check_consistency(old, new, proof)
        if old != new:
            with pytest.raises(NotAuthentic):
                check_consistency(new, old, proof)


def test_the_cosignature_states_its_time(vectors: dict) -> None:
    case = vectors["cosignature"]
    witness = NoteKey.parse(case["verifier_key"])
    assert verify_cosignature(case["note"], witness) == case["time"]
    with pytest.raises(NotAuthentic):
        verify_cosignature(case["note"].replace("\n16\n", "\n17\n"), witness)
