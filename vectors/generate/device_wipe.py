"""Makes `vectors/device-wipe.json`: words of phones and orders of a provider, right and wrong ones.

Source: RFC 7515; ISO/TS 12812-2:2017, 7.4.5
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.ids import random_id
from tallystick.protocol.devicelife import (
    WipeOrder,
    WipeWord,
    wipe_order_header,
    wipe_word_header,
)

FOLDER = Path(__file__).resolve().parents[1]
NOW = 1_767_225_600_000
KID = "session-1"
PROVIDER = "Example Pay"
DEVICE = random_id("dev", hashlib.sha256(b"a device of the wipe vectors").digest()[:16])
OTHER = random_id("dev", hashlib.sha256(b"another device of the vectors").digest()[:16])
ORDER = b64url(hashlib.sha256(b"an order of the wipe vectors").digest()[:16])


def _case(name: str, jws: str, *, taken: bool, why: str = "") -> dict[str, Any]:
    return {"name": name, "jws": jws, "taken": taken, "why": why}


def main() -> None:
    """Write the file.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    phone, provider = Es256SigningKey.generate(), Es256SigningKey.generate()
    ask = WipeWord(device=DEVICE, does="ask", at=NOW)
    done = WipeWord(device=DEVICE, does="done", order=ORDER, at=NOW)
    order = WipeOrder(provider=PROVIDER, device=DEVICE, order=ORDER, at=NOW)
    foreign = WipeOrder(provider=PROVIDER, device=OTHER, order=ORDER, at=NOW)
    elsewhere = WipeOrder(provider="Other Pay", device=DEVICE, order=ORDER, at=NOW)
    says, orders = wipe_word_header(DEVICE), wipe_order_header("ES256", KID)

    def word(signer: Es256SigningKey, header: bytes, one: WipeWord) -> str:
        return sign_compact(signer, header, encode_canonical(one))

    def told(signer: Es256SigningKey, header: bytes, one: WipeOrder) -> str:
        return sign_compact(signer, header, encode_canonical(one))

    made = {
        "note": "Made by vectors/generate/device_wipe.py; every key here is a test key.",
        "source": "docs/protocol/factors.md",
        "now": NOW,
        "provider": PROVIDER,
        "kid": KID,
        "device": DEVICE,
        "order": ORDER,
        "possession_public": b64url(phone.public().octets()),
        "provider_public": b64url(provider.public().octets()),
        "words": [
            _case("ask", word(phone, says, ask), taken=True),
            _case("done", word(phone, says, done), taken=True),
            _case("another key", word(provider, says, ask), taken=False, why="signature"),
            _case("an order's header", word(phone, orders, ask), taken=False, why="header"),
            _case(
                "another time",
                word(phone, says, WipeWord(device=DEVICE, does="ask", at=NOW - 300_001)),
                taken=False,
                why="more than five minutes before",
            ),
        ],
        "orders": [
            _case("for this device", told(provider, orders, order), taken=True),
            _case("another device", told(provider, orders, foreign), taken=False, why="device"),
            _case(
                "another provider", told(provider, orders, elsewhere), taken=False, why="provider"
            ),
            _case("the phone's own key", told(phone, orders, order), taken=False, why="signature"),
            _case("a word's header", told(provider, says, order), taken=False, why="header"),
        ],
    }
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / "device-wipe.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
