"""The second signature of a dual tally key, checked in a browser's script; run by Node."""

import json
import os
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from tests.vectors.test_receipt_js import HARNESS, node_program

from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import NotAuthentic
from tallystick.protocol.receipt import Receipt

WEB = Path(__file__).resolve().parents[2] / "src" / "tallystick" / "entry" / "web"
ALONE = """
const { verifyMlDsa65 } = require(process.argv[1]);
const octets = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((one) => verifyMlDsa65(...one.map(octets)))));
"""
SIZES = (0, 1, 2, 31, 32, 47, 48, 100, 135, 136, 137, 300, 1000)


def run(program: str, script: str, given: object) -> Any:
    done = subprocess.run(
        [node_program(), "-e", program, str(WEB / script)],
        input=json.dumps(given), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def verified(*cases: tuple[bytes, bytes, bytes]) -> list[bool]:
    given = [[one.hex() for one in case] for case in cases]
    found: list[bool] = run(ALONE, "receipt-mldsa.js", given)
    return found


@pytest.mark.requirement("MFS-11.2.2-02")
def test_what_another_implementation_signs_verifies_and_no_changed_bit_does() -> None:
    signer = MLDSA65PrivateKey.generate()
    public = signer.public_key().public_bytes_raw()
    good = [(public, signer.sign(text), text) for text in (os.urandom(size) for size in SIZES)]
    assert verified(*good) == [True] * len(good)
    key, signature, text = good[-1]
    wrong = [
        (flipped(key, at), signature, text) for at in range(0, len(key) * 8, len(key) * 8 // 16)
    ]
    wrong += [
        (key, flipped(signature, at), text)
        for at in range(0, len(signature) * 8, len(signature) * 8 // 64)
    ]
    wrong += [(key, signature, flipped(text, 7)), (key, signature, text + b"\0")]
    wrong += [(key, signature[:-1], text), (key[:-1], signature, text), (key, b"", text)]
    wrong += [(MLDSA65PrivateKey.generate().public_key().public_bytes_raw(), signature, text)]
    assert verified(*wrong) == [False] * len(wrong)


def flipped(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.requirement("MFS-11.2.2-02")
def test_hints_have_one_form() -> None:
    """A signature whose hints are written in another order, or padded, is none (FIPS 204, 7.1)."""
    signer = MLDSA65PrivateKey.generate()
    public, wrong = signer.public_key().public_bytes_raw(), []
    for number in range(40):
        signature = bytearray(signer.sign(bytes([number])))
        rows = signature[-6:]
        if rows[0] >= 2:
            swapped = bytearray(signature)
            swapped[-61], swapped[-60] = signature[-60], signature[-61]
            wrong.append((public, bytes(swapped), bytes([number])))
        if rows[-1] < 55:
            padded = bytearray(signature)
            padded[-7] = 1
            wrong.append((public, bytes(padded), bytes([number])))
    assert len(wrong) > 20
    assert not any(verified(*wrong))


def signed_anew(receipt: dict[str, Any], signer: NoteSigner) -> dict[str, Any]:
    """`receipt` with its checkpoint signed by a log that has a dual key."""
    text = receipt["checkpoint"].rpartition("\n\n")[0] + "\n"
    return receipt | {"checkpoint": signer.note(text)}


@pytest.mark.requirement("MFS-11.2.2-02")
@pytest.mark.threat("THR-BE-01")
def test_a_dual_key_asks_for_both_signatures_and_half_a_key_says_what_it_left(
    repository: Path,
) -> None:
    vectors = json.loads((repository / "vectors" / "tally.json").read_text(encoding="utf-8"))
    origin, key = vectors["origin"], DualSigningKey.generate()
    public = key.public().octets()
    whole, half = b64encode(public).decode(), b64encode(public[:32]).decode()
    good = signed_anew(vectors["receipts"][3]["receipt"], NoteSigner.of(origin, key))
    text, _, lines = good["checkpoint"].rpartition("\n\n")
    first, second = lines.splitlines()
    lacking = good | {"checkpoint": f"{text}\n\n{first}\n"}
    alone = good | {"checkpoint": f"{text}\n\n{second}\n"}
    stranger = signed_anew(good, NoteSigner.of(origin, DualSigningKey.generate()))
    other = stranger["checkpoint"].rpartition("\n\n")[2].splitlines()[1]
    mixed = good | {"checkpoint": f"{text}\n\n{first}\n{other}\n"}
    place = len(second) // 2
    turned = second[:place] + ("A" if second[place] != "A" else "B") + second[place + 1 :]
    broken = good | {"checkpoint": f"{text}\n\n{first}\n{turned}\n"}
    cases = [(good, whole), (good, half), (lacking, half), (lacking, whole), (alone, whole),
             (mixed, whole), (broken, whole), (stranger, whole)]  # fmt: skip
    asked = [{"receipt": json.dumps(one), "key": k, "origin": origin} for one, k in cases]
    told = run(HARNESS, "receipt-verify.js", {"cases": asked})
    assert [one["ok"] for one in told] == [True, True, True] + [False] * 5
    signed = [one["steps"][3]["detail"] for one in told]
    assert signed[0] == "signed with Ed25519 and ML-DSA-65"
    assert "NOT checked" in signed[1]
    assert signed[2] == "signed with Ed25519"
    assert "lacks the second signature" in told[3]["reason"]
    assert "second signature" in told[6]["reason"]
    for (one, which), found in zip(cases, told, strict=True):
        if which is whole:
            assert here(one, key, origin) is found["ok"], "both readers agree"


def here(receipt: dict[str, Any], key: DualSigningKey, origin: str) -> bool:
    try:
        verify_receipt(from_plain(receipt, Receipt), key.public(), origin=origin)
    except NotAuthentic:
        return False
    return True
