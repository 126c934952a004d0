# ruff: noqa: INP001
"""Writes vectors/suites.json: key lists, checkpoints and officers' approvals of two signatures.

Run it from the root: `.venv/bin/python -m vectors.generate.suites`. Keys and texts are fixed, but
ML-DSA-65 signs another way each time: a new file is another one, and as good.

Source: ISO/TS 12812-2:2017, 7.4.2; C; FIPS 204; RFC 8032; C2SP tlog-checkpoint
"""

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from vectors.generate.tally import OTHER_SECRET, TALLY_SECRET, signing_key

from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.key_list import for_one_signature, list_header
from tallystick.infrastructure.crypto.signature import EDDSA, SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteKey, NoteSigner
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.protocol.keylist import KeyEntry, KeyList
from tallystick.protocol.policy_file import signed_message

FILE = Path(__file__).resolve().parents[1] / "suites.json"
ORIGIN, PROVIDER = "tally.example.com/1", "Example Pay"
NOW = 1_767_225_600_000
DAY = 86_400_000
ROOT = DualSigningKey(signing_key(TALLY_SECRET), bytes(range(32)))
TALLY = DualSigningKey(signing_key(OTHER_SECRET), bytes(range(32, 64)))
OFFICER = DualSigningKey(
    Es256SigningKey(ec.derive_private_key(0xC9AFA9D845BA75166B5C, ec.SECP256R1())),
    bytes(range(64, 96)),
)
POLICY, VERSION = "policy: the text as the officers read it\n", 7
TEXT = f"{ORIGIN}\n7\n{base64.b64encode(bytes(range(32))).decode()}\n"


def _entry(number: int, purpose: str, key: SigningKey) -> KeyEntry:
    return KeyEntry(
        kid=f"key_{number:026d}",
        purpose=purpose,
        algorithm=key.algorithm,
        public=b64url(key.public().octets()),
        not_before=NOW - number * DAY,
        not_after=NOW + 30 * DAY,
    )


def _list(entries: tuple[KeyEntry, ...]) -> bytes:
    found = KeyList(
        provider=PROVIDER, version=3, issued_at=NOW, expires_at=NOW + 7 * DAY, entries=entries
    )
    return encode_canonical(found)


def _spoilt(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


def _lists() -> dict[str, Any]:
    session = _entry(1, "session-signature", signing_key(OTHER_SECRET))
    entries = (session, _entry(2, "tally", TALLY))
    payload = _list(entries)
    whole = sign_compact(ROOT, list_header(ROOT.algorithm), payload)
    once = sign_compact(
        ROOT.classical, list_header(EDDSA), _list(tuple(map(for_one_signature, entries)))
    )
    signing_input, _, mark = whole.rpartition(".")
    signature = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
    stolen = DualSigningKey(ROOT.classical, bytes(32)).sign(signing_input.encode())
    wrong = {
        "the list of one signature": once,
        "the first signature alone": f"{signing_input}.{b64url(signature[:64])}",
        "the second signature alone": f"{signing_input}.{b64url(signature[64:])}",
        "the first signature spoilt": f"{signing_input}.{b64url(_spoilt(signature, 3))}",
        "the second signature spoilt": f"{signing_input}.{b64url(_spoilt(signature, 400))}",
        "the second signature of another key": f"{signing_input}.{b64url(stolen)}",
        "the header of one signature": sign_compact(ROOT, list_header(EDDSA), payload),
    }
    return {
        "now": NOW,
        "provider": PROVIDER,
        "root": {"algorithm": ROOT.algorithm, "public": b64url(ROOT.public().octets())},
        "first_half": {"algorithm": EDDSA, "public": b64url(ROOT.classical.public().octets())},
        "dual_list": whole,
        "classical_list": once,
        "refused_under_both_halves": [{"why": why, "jws": jws} for why, jws in wrong.items()],
    }


def _checkpoints() -> dict[str, Any]:
    note = NoteSigner.of(ORIGIN, TALLY).note(TEXT)
    text, _, tail = note.rpartition("\n\n")
    first, second = tail.splitlines()
    other = NoteSigner.of(ORIGIN, DualSigningKey(TALLY.classical, bytes(32))).note(TEXT)
    name, octets = second.rpartition(" ")[0], base64.b64decode(second.rpartition(" ")[2])
    spoilt = f"{name} {base64.b64encode(_spoilt(octets, 900)).decode()}"
    wrong = {
        "the first line alone": [first],
        "the second line alone": [second],
        "the second line of another key": [first, other.splitlines()[-1]],
        "the second line spoilt": [first, spoilt],
        "the second line, and it again spoilt": [first, second, spoilt],
    }
    refused = {why: f"{text}\n\n" + "".join(f"{x}\n" for x in x_) for why, x_ in wrong.items()}
    return {
        "origin": ORIGIN,
        "key": {"algorithm": TALLY.algorithm, "public": b64url(TALLY.public().octets())},
        "key_as_text": str(NoteKey(ORIGIN, TALLY.public())),
        "note": note,
        "refused": [{"why": why, "note": one} for why, one in refused.items()],
    }


def _approvals() -> dict[str, Any]:
    message = signed_message(POLICY, VERSION)
    signature = OFFICER.sign(message)
    return {
        "public": {"algorithm": OFFICER.algorithm, "public": b64url(OFFICER.public().octets())},
        "text": POLICY,
        "version": VERSION,
        "message": b64url(message),
        "signature": b64url(signature),
        "refused": [
            {"why": "the first signature alone", "signature": b64url(signature[:64])},
            {"why": "the first spoilt", "signature": b64url(_spoilt(signature, 5))},
            {"why": "the second spoilt", "signature": b64url(_spoilt(signature, 500))},
        ],
    }


def document() -> dict[str, Any]:
    """The vectors as a document.

    Source: FIPS 204
    """
    return {
        "about": "Two signatures of which both count; docs/protocol/key-list.md and tally.md.",
        "key_list": _lists(),
        "checkpoint": _checkpoints(),
        "approval": _approvals(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
