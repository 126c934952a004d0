# ruff: noqa: INP001
"""Writes vectors/tally.json: keys, leaves, commitments, proofs, checkpoints and receipts.

Run it from the root: `.venv/bin/python -m vectors.generate.tally`. Every input is fixed and Ed25519
is deterministic, so the file is the same on every run; a test holds it against the code.

Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162; C2SP tlog-checkpoint; C2SP tlog-cosignature
"""

import base64
import json
from functools import partial
from pathlib import Path
from typing import Any

from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteKeyKind, NoteSigner, append_signatures
from tallystick.infrastructure.tally.leaf import Commitments, encode_leaf
from tallystick.infrastructure.tally.log import Appended, TallyLog
from tallystick.infrastructure.tally.tiles import consistency_proof
from tallystick.kernel.codec import b64url, to_plain
from tallystick.kernel.ids import timed_id
from tallystick.protocol.receipt import EventLeaf, Receipt, Scalar

FILE = Path(__file__).resolve().parents[1] / "tally.json"
ORIGIN = "tally.example.com/1"
PREFIX = bytes.fromhex("302e020100300506032b657004220420")
TALLY_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER_SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
START = 1_767_225_600_000
BATCHES = (1, 4, 2, 9)
WITNESS_TIME = 1_767_225_700

NAMES = ("Amina", "Zoë \u2028 Ltd", 'quote " and \\ and / \t', "\U0001f4b0 \x7f ¢")


class _Kept:
    def __init__(self) -> None:
        self.hashes: list[bytes] = []

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        return self.hashes[start:end]

    def tile_hash(self, level: int, index: int) -> bytes | None:
        del level, index
        return None


def signing_key(secret: bytes) -> Ed25519SigningKey:
    """The Ed25519 key with the given private bytes: tests 1 and 2 of RFC 8032, 7.1.

    Source: RFC 8410, 7
    """
    return Ed25519SigningKey.from_pkcs8(PREFIX + secret)


def subject_secret(number: int, role: str) -> bytes:
    """The commitment key of a subject of the vectors.

    Source: RFC 2104
    """
    return hmac_sha256(b"tallystick test vectors", f"{role} {number}".encode())


def event(number: int) -> tuple[bytes, Commitments, list[dict[str, Any]]]:
    """One payment event: leaf, openings, and the commitments as vector cases.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    identifier = timed_id("ord", START + number, number.to_bytes(10, "big"))
    commitments = Commitments(identifier)
    cases: list[dict[str, Any]] = []
    fields: tuple[tuple[str, dict[str, Scalar]], ...] = (
        ("payer", {"payer": f"payer {number}", "amount_minor": 2**53 - 1 - number, "fee_minor": 0}),
        ("payee", {"payee_name": NAMES[number % len(NAMES)]}),
    )
    for role, values in fields:
        secret = subject_secret(number, role)
        commitments.commit(partial(hmac_sha256, secret), values)
        cases += [
            {"event_id": identifier, "subject_key": secret.hex(), "field": name, "value": value}
            for name, value in values.items()
        ]
    leaf = EventLeaf(
        id=identifier,
        at=START + number,
        kind="payment.settled",
        stage="settled",
        provider="Example Pay",
        policy=7,
        p={"currency": "KES", "grade": "device-signed"},
        c=commitments.texts(),
    )
    for case, opened in zip(cases, commitments.disclosures(frozenset(leaf.c)), strict=True):
        case |= {"salt": opened.salt, "commitment": leaf.c[opened.field]}
    return encode_leaf(leaf), commitments, cases


def _changed(receipt: Receipt, path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(receipt)
    target: Any = plain
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return plain


def invalid_receipts(good: Receipt, other: Receipt) -> list[dict[str, Any]]:
    """Receipts that must be refused, each with what was done to a good one.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    text, signature = good.checkpoint.split("\n\n")
    lines = text.split("\n")
    leaf = base64.urlsafe_b64decode(good.leaf + "==")
    cases: list[tuple[str, tuple[str | int, ...], object]] = [
        ("amount shown differs", ("disclosures", 0, "value"), 1),
        ("value is a text, not the number", ("disclosures", 1, "value"), "9007199254740985"),
        ("salt of another field", ("disclosures", 0, "salt"), good.disclosures[1].salt),
        ("field renamed", ("disclosures", 0, "field"), "fee_minor"),
        ("field shown that the event lacks", ("disclosures", 0, "field"), "currency"),
        ("field shown twice", ("disclosures",), [to_plain(good.disclosures[0])] * 2),
        ("index of a neighbour", ("index",), good.index + 1),
        ("index beyond the tree", ("index",), 10_000),
        ("negative index", ("index",), -1),
        ("leaf of a neighbour", ("leaf",), other.leaf),
        ("leaf with a space", ("leaf",), b64url(leaf.replace(b":", b": ", 1))),
        ("leaf with a doubled member", ("leaf",), b64url(leaf[:-1] + b',"v":1}')),
        ("proof of a neighbour", ("proof",), other.proof),
        ("proof cut by a hash", ("proof",), good.proof[:-43]),
        ("proof cut inside a hash", ("proof",), good.proof[:-1]),
        ("proof empty", ("proof",), ""),
        ("older checkpoint", ("checkpoint",), other.checkpoint),
        (
            "size raised",
            ("checkpoint",),
            "\n".join([lines[0], "17", lines[2]]) + f"\n\n{signature}",
        ),
        ("root changed", ("checkpoint",), f"{lines[0]}\n{lines[1]}\n{'A' * 43}=\n\n{signature}"),
        ("signature left out", ("checkpoint",), text + "\n\n"),
        ("no empty line", ("checkpoint",), good.checkpoint.replace("\n\n", "\n")),
        ("unknown member", ("paid",), True),
        ("unknown version", ("v",), 2),
    ]
    return [{"case": name, "receipt": _changed(good, path, value)} for name, path, value in cases]


def build() -> dict[str, Any]:
    """The content of the file.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    tally, other = signing_key(TALLY_SECRET), signing_key(OTHER_SECRET)
    signer = NoteSigner.of(ORIGIN, tally)
    witness = NoteSigner.of("witness.example.com/1", other, NoteKeyKind.COSIGNATURE_V1)
    log, kept = TallyLog(ORIGIN), _Kept()
    leaves: list[dict[str, str]] = []
    openings: list[dict[str, Any]] = []
    notes: list[tuple[Appended, str]] = []
    receipts: list[dict[str, Any]] = []
    made: list[Receipt] = []
    for count in BATCHES:
        first = log.frontier.size
        events = [event(number) for number in range(first, first + count)]
        appended = log.append([leaf for leaf, _, _ in events])
        kept.hashes += appended.leaf_hashes
        notes.append((appended, log.sign(appended, signer)))
        for position, (leaf, commitments, cases) in enumerate(events):
            leaves.append({"leaf": leaf.decode(), "hash": appended.leaf_hashes[position].hex()})
            openings += cases
            shown = frozenset({"amount_minor", "payer", "payee_name"} if position else {"payer"})
            receipt = appended.receipt(position, notes[-1][1], commitments.disclosures(shown))
            made.append(receipt)
            receipts.append({"receipt": to_plain(receipt), "disclosed": sorted(shown)})
    final, note = notes[-1]
    cosigned = append_signatures(note, witness.line(note.split("\n\n")[0] + "\n", WITNESS_TIME))
    return {
        "note": "Made by vectors/generate/tally.py; the keys are published test keys.",
        "origin": ORIGIN,
        "tally_key": base64.b64encode(tally.public().octets()).decode(),
        "verifier_key": str(signer.key),
        "other_key": base64.b64encode(other.public().octets()).decode(),
        "leaves": leaves,
        "commitments": openings,
        "checkpoints": [
            {"size": one.size, "root": one.root.hex(), "note": text} for one, text in notes
        ],
        "consistency": [
            {
                "old_size": old,
                "new_size": final.size,
                "proof": [one.hex() for one in consistency_proof(kept, old, final.size)],
            }
            for old in (1, 5, 7, 16)
        ],
        "cosignature": {
            "verifier_key": str(witness.key),
            "time": WITNESS_TIME,
            "note": cosigned,
        },
        "receipts": receipts,
        "cosigned_receipt": _changed(made[-1], ("checkpoint",), cosigned),
        "invalid_receipts": invalid_receipts(made[-5], made[3]),
    }


def encoded() -> str:
    """The text of the file.

    Source: RFC 8259
    """
    return json.dumps(build(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(encoded(), encoding="ascii")
