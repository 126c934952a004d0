"""The TypeScript client in Chromium: enrols, pays and verifies; its keys outlive the page."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.chromium import BROWSER, Chromium
from tests.support.served import ORIGIN, PROVIDER, served
from tests.support.typescript import FOLDER, built

from tallystick.entry.conforming.relay import Answered, Asked, LoopbackDoor, Relay

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
SUITES = FOLDER.parents[1] / "vectors" / "suites.json"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
}


def door(url: str) -> LoopbackDoor:
    """The page, the package and the provider at one address, as behind an operator's web door."""
    relay = Relay(url)

    def handle(asked: Asked) -> Answered | None:
        name = asked.path.lstrip("/")
        if name == "suites.json":
            return Answered(200, SUITES.read_bytes(), "application/json")
        file = FOLDER / ("test/page.html" if name == "page.html" else name)
        if name.startswith("dist/") or name == "page.html":
            return Answered(200, file.read_bytes(), TYPES[file.suffix])
        return relay.handle(asked)

    return LoopbackDoor(handle)


@pytest.mark.requirement("MFS-7.3.3-11")
def test_a_page_enrols_pays_and_verifies_and_pays_again_after_a_reload(tmp_path: Path):
    built()
    with served(tmp_path / "provider") as provider:
        ben = provider.person("+254700000002", "Ben Otieno Payee")
        activation = provider.open_customer("+254700000001", "Ann Wanjiru").reference
        provider.fund("+254700000001", 100_000)
        code = provider.activation_code("+254700000001").reveal()
        root = {"algorithm": provider.done.root.algorithm, "public": provider.done.root.public}
        asked = {
            "provider": PROVIDER,
            "origin": ORIGIN,
            "root": root,
            "payee": ben.number,
            "amount": 2_500,
        }
        at = door(provider.url)
        browser = Chromium(tmp_path)
        try:
            first = told(browser, at.url, {**asked, "activation": activation, "code": code})
            again = told(browser, at.url, asked)
            other = "AA" if not root["public"].endswith("AA") else "EA"
            strange = {**root, "public": root["public"][:-2] + other}
            refused = told(browser, at.url, {**asked, "root": strange})
            lists = judged(browser)
        finally:
            browser.close()
            at.close()
        assert (first["stage"], first["amount"], first["balance"]) == ("settled", 2_500, 97_500)
        assert first["shown"][-1].endswith("Pay KES 25.00 to Ben P., fee KES 0.00?")
        assert first["refused"] == "not-authentic"
        assert again["balance"] == 95_000
        assert first["hybrid"] is again["hybrid"] is first["platform"]
        assert again["order"] != first["order"]
        assert ben.wallet.receipt(first["order"]).disclosed["amount_minor"] == 2_500
        assert ben.wallet.account().available_minor == 5_000
        assert refused["error"] == "not-authentic"
        assert lists == {"taken": int(first["lattices"]), "refused": 7, "noted": first["lattices"]}


def told(browser: Chromium, url: str, asked: dict[str, object]) -> dict[str, object]:
    browser.go("about:blank")
    browser.go(f"{url}/page.html#{quote(json.dumps(asked))}")
    browser.until("document.body && document.body.dataset.done")
    return json.loads(browser.run("document.getElementById('said').textContent"))


JUDGING = """
window.judged = null;
(async () => {
  const { verifyKeyList, verifyCheckpoint, fromBase64url } = await import("./dist/index.js");
  const { key_list: lists, checkpoint } = await (await fetch("suites.json")).json();
  const keyOf = (one) => ({ algorithm: one.algorithm, octets: fromBase64url(one.public) });
  const taken = (jws) => verifyKeyList(jws, keyOf(lists.root), lists.provider, lists.now, 3)
    .then(() => true, (error) => error.code !== "not-authentic");
  const refused = await Promise.all(lists.refused_under_both_halves.map(({ jws }) => taken(jws)));
  const noted = await verifyCheckpoint(checkpoint.note, keyOf(checkpoint.key), checkpoint.origin)
    .then(() => true, () => false);
  window.judged = JSON.stringify({
    taken: Number(await taken(lists.dual_list)),
    refused: refused.filter((one) => !one).length,
    noted,
  });
})();
"""


def judged(browser: Chromium) -> dict[str, object]:
    """What the page makes of vectors/suites.json, with the browser's own ML-DSA."""
    browser.run(JUDGING)
    return json.loads(str(browser.until("window.judged")))
