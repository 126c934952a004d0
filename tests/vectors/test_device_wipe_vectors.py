"""The published words and orders of wipes, judged as they say, also by another library."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from vectors.generate import device_wipe as made

from tallystick.application.devicelife.wiping import Wiping
from tallystick.client.wiping import Wiper
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import MfsError
from tallystick.protocol.devicelife import SignedWipe

CASES = json.loads((Path(__file__).parents[2] / "vectors/device-wipe.json").read_text())


class Held:
    """A device with the public key of the vectors, wherever it is asked for."""

    device = CASES["device"]
    possession = b64url_decode(CASES["possession_public"])

    @property
    def devices(self) -> "Held":
        return self

    def get(self, device: str) -> "Held":
        assert device == self.device
        return self

    def identity(self) -> "Held":
        return self


def judged(case: dict[str, Any], *, word: bool) -> bool:
    held: Any = Held()
    nothing: Any = None
    try:
        if word:
            signed = SignedWipe(device=CASES["device"], word=case["jws"])
            Wiping(held, nothing).verify(signed, CASES["now"])
        else:
            keys = {CASES["kid"]: Es256VerifyKey(b64url_decode(CASES["provider_public"]))}
            Wiper(nothing, held, lambda: keys, CASES["provider"], nothing)._read(case["jws"])
    except MfsError:
        return False
    return True


@pytest.mark.parametrize("case", CASES["words"], ids=lambda case: case["name"])
def test_a_word_is_taken_or_refused(case: dict[str, Any]) -> None:
    assert judged(case, word=True) is case["taken"], case["why"]


@pytest.mark.parametrize("case", CASES["orders"], ids=lambda case: case["name"])
def test_an_order_is_obeyed_or_refused(case: dict[str, Any]) -> None:
    assert judged(case, word=False) is case["taken"], case["why"]


@pytest.mark.parametrize(
    ("case", "public"),
    [(one, "possession_public") for one in CASES["words"]]
    + [(one, "provider_public") for one in CASES["orders"]],
    ids=lambda value: value["name"] if isinstance(value, dict) else value,
)
def test_another_library_finds_the_same_signatures_right(case: dict[str, Any], public: str) -> None:
    point = b64url_decode(CASES[public])
    jwk = {"kty": "EC", "crv": "P-256", "x": b64url(point[1:33]), "y": b64url(point[33:])}
    try:
        jws.deserialize_compact(case["jws"], ECKey.import_key(jwk), algorithms=["ES256"])
    except JoseError:
        assert case["why"] == "signature"
    else:
        assert case["why"] != "signature"


def test_the_maker_makes_such_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "FOLDER", tmp_path)
    made.main()
    again = json.loads((tmp_path / "device-wipe.json").read_text())
    varies = {"possession_public", "provider_public", "words", "orders"}
    assert {k: v for k, v in again.items() if k not in varies} == {
        k: v for k, v in CASES.items() if k not in varies
    }
    for list_ in ("words", "orders"):
        assert [(one["name"], one["taken"]) for one in again[list_]] == [
            (one["name"], one["taken"]) for one in CASES[list_]
        ]
