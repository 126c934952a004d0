"""Makes `vectors/store-verdicts.json`: what a phone asks an app store with, and verdicts of it.

The keys are made here; no real verdict is published by anybody.

Source: RFC 7515; RFC 7516; ISO/TS 12812-2:2017, 7.2.5; 7.4.1
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.playstore import STRONG, Said, SimulatedStore, payload

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.infrastructure.envelope.schedule import keys_challenge, proof_challenge
from tallystick.kernel.codec import b64url
from tallystick.kernel.ids import random_id

FOLDER = Path(__file__).resolve().parents[1]
NOW = 1_767_225_600_000
PACKAGE = "org.example.wallet"
SIGNER = sha256(b"the signer of the verdict vectors")
DEVICE = random_id("dev", sha256(b"a device of the verdict vectors")[:16])
TOLD = sha256(b"what the device was told")
GENUINE = Said(package=PACKAGE, version=42, signers=(SIGNER,), device=STRONG)
AGE_MS = 300_000


def _wrong(store: SimulatedStore, asked: bytes) -> Iterator[dict[str, Any]]:
    """Verdicts that are not to be believed, each with what does not hold."""
    other = SimulatedStore()

    def case(name: str, holds: str, verdict: str) -> dict[str, Any]:
        return {"name": name, "holds_not": holds, "verdict": verdict}

    def said(**fields: Any) -> Said:
        return Said(**{**_fields(), **fields})

    yield case("another decryption key", "not-authentic", other.verdict(asked, NOW, GENUINE))
    signed = SimulatedStore(wrapping=store.wrapping).verdict(asked, NOW, GENUINE)
    yield case("another signer", "not-authentic", signed)
    yield case(
        "another package", "not-authentic",
        store.verdict(asked, NOW, said(package="org.example.other")),
    )  # fmt: skip
    whole = store.verdict(asked, NOW, GENUINE)
    yield case("its last character changed", "not-authentic", whole[:-2] + _turned(whole[-2:]))
    yield case("four parts", "malformed", whole.rpartition(".")[0])
    yield case("another request", "challenge", store.verdict(sha256(b"other"), NOW, GENUINE))
    yield case("made too long ago", "verdict-age", store.verdict(asked, NOW - AGE_MS - 1, GENUINE))
    yield case("made in time to come", "verdict-age", store.verdict(asked, NOW + 1, GENUINE))
    yield case("another signer of the package", "application",
               store.verdict(asked, NOW, said(signers=(sha256(b"somebody"),))))  # fmt: skip
    yield case("an application that the store does not know", "labels",
               store.verdict(asked, NOW, said(app="UNRECOGNIZED_VERSION")))  # fmt: skip
    yield case("a device without integrity", "labels",
               store.verdict(asked, NOW, said(device=())))  # fmt: skip


def _turned(end: str) -> str:
    return ("A" if end[0] != "A" else "B") + end[1]


def _fields() -> dict[str, Any]:
    return {"package": PACKAGE, "version": 42, "signers": (SIGNER,), "device": STRONG}


def main() -> None:
    """Write the file.

    Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.1
    """
    store = SimulatedStore()
    decrypting, verifying = store.console()
    points = [Es256SigningKey.generate().public().octets() for _ in range(2)]
    at_enrolment = keys_challenge(TOLD, *points)
    on_demand = proof_challenge(TOLD, DEVICE)
    made = {
        "note": "Made by vectors/generate/store_verdicts.py; every key here is a test key.",
        "source": "docs/protocol/enrolment.md",
        "now": NOW,
        "challenge": TOLD.hex(),
        "possession": b64url(points[0]),
        "consent": b64url(points[1]),
        "device": DEVICE,
        "request_hash": {"enrolment": b64url(at_enrolment), "on_demand": b64url(on_demand)},
        "package": PACKAGE,
        "signers": [SIGNER.hex()],
        "decryption": decrypting,
        "verification": verifying,
        "inside": payload(at_enrolment, NOW, GENUINE),
        "verdicts": {
            "enrolment": store.verdict(at_enrolment, NOW, GENUINE),
            "on_demand": store.verdict(on_demand, NOW, GENUINE),
        },
        "wrong": list(_wrong(store, at_enrolment)),
    }
    text = json.dumps(made, indent=1) + "\n"
    (FOLDER / "store-verdicts.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
