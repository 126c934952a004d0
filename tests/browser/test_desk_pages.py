"""The desk in a real browser: passkeys of a virtual authenticator, and a look at every page."""

import json
import os
import re
from pathlib import Path

import pytest
from tests.support.chromium import BROWSER, Chromium
from tests.support.desks import events, served_desk
from tests.support.served import by_one_operator

from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
NUMBER = "+254700000001"
LOOK = r"""
(() => {
  const faults = [];
  const parse = (text) => {
    const found = text.match(/[\d.]+/g).map(Number);
    return found.length > 3 && found[3] === 0 ? null : found.slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((one) => one / 255)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour) return colour;
    }
    return [255, 255, 255];
  };
  const seen = (one) => one.getClientRects().length && !one.closest(".skip");
  let texts = 0;
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("script, style, noscript, button[disabled]")) continue;
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    const style = getComputedStyle(element);
    if (own && seen(element)) {
      texts += 1;
      const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
      const need = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
      const found = ratio(parse(style.color), behind(element));
      if (found < need) faults.push(
        `contrast ${found.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
    }
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) && element.type !== "hidden"
      && element.type !== "radio" && seen(element)) {
      const edge = ratio(parse(style.borderTopColor), behind(element.parentElement));
      if (edge < 3) faults.push(`edge ${edge.toFixed(2)}: ${element.name}`);
    }
  }
  const named = (one) => (one.getAttribute("aria-label") || one.textContent
    || (one.labels && one.labels[0] && one.labels[0].textContent) || "").trim();
  for (const one of document.querySelectorAll(
    "a, button, select, summary, [tabindex], input:not([type=hidden])"))
    if (!named(one)) faults.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push("an id comes twice");
  const levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => Number(one.tagName[1]));
  if (levels.filter((one, at) => at && one > levels[at - 1] + 1).length)
    faults.push("a heading is missing");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (!document.documentElement.lang || !document.title) faults.push("no language or title");
  const whole = document.documentElement;
  if (whole.scrollWidth > whole.clientWidth) faults.push(
    `wider than the window: ${whole.scrollWidth} of ${whole.clientWidth}`);
  for (const one of document.querySelectorAll("button, .button")) {
    const box = one.getBoundingClientRect();
    if (box.width && (box.height < 24 || box.width < 24)) faults.push(`small: ${named(one)}`);
  }
  return { faults, texts, paper: getComputedStyle(document.body).backgroundColor,
    width: innerWidth };
})()
"""
FOCUS = """
(() => { const one = document.activeElement, style = getComputedStyle(one);
  return { at: one.tagName + " " + (one.id || one.name || one.textContent.trim().slice(0, 30)),
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 }; })()
"""


class Desk:
    def __init__(self, provider, origin, codes, browser, other) -> None:
        self.provider, self.origin = provider, origin
        self.browser, self.other = browser, other
        provider.person(NUMBER, "Ann Wanjiru", funds=500_000)
        ben = provider.person("+254700000002", "Ben Otieno")
        payer = provider.person("+254700000005", "Cleo Achieng", funds=900_000)
        paid = payer.wallet.pay(PaymentKind.P2P, NUMBER, Money(125_000, "KES"))
        assert ben.customer
        self.order = json.loads(_octets(paid.receipt.leaf))["p"]["order"]
        for one, code, name in (
            (browser, codes["care-desk"][0], "Cem"),
            (other, codes["operations"][0], "Oda"),
        ):
            one.authenticator()
            self.join(one, code, name)
            self.sign_in(one)
        self.paths = self._begin_everything()

    def join(self, browser, code: str, name: str) -> None:
        browser.go(self.origin + "/desk/join")
        browser.run(f"document.getElementById('f-code').value = {json.dumps(code)}")
        browser.run(f"document.getElementById('f-name').value = {json.dumps(name)}")
        browser.submit("document.querySelector('form[data-passkey] button').click()")
        assert "enrolled" in browser.run("document.body.innerText")

    def sign_in(self, browser) -> None:
        browser.go(self.origin + "/desk/sign-in")
        browser.submit("document.querySelector('form[data-passkey] button').click()")
        assert browser.until("location.pathname === '/desk'")

    def choose(self, browser, path: str, name: str, value: str, purpose: str) -> None:
        browser.go(self.origin + path)
        browser.run(f"document.getElementById('f-{name}').value = {json.dumps(value)}")
        browser.run(f"document.querySelector('input[value={purpose}]').checked = true")
        browser.submit("document.querySelector('main form button').click()")

    def sign(self, browser) -> str:
        browser.submit("document.querySelector('form[data-passkey] button').click()")
        return browser.run("document.querySelector('main').innerText")

    def act(self, browser, name: str, **fields: str) -> None:
        browser.go(f"{self.origin}/desk/acts/new/{name}")
        for field, value in fields.items():
            browser.run(f"document.getElementById('f-{field}').value = {json.dumps(value)}")
        browser.submit("document.querySelector('main form button').click()")

    def _begin_everything(self) -> dict[str, str]:
        paths = {
            name: f"/desk/{name}".removesuffix("/home")
            for name in ("home", "find", "trace", "approvals", "acts", "policy", "emergency",
                         "programs", "surrogates", "passkeys", "nothing-here", "join", "sign-in",
                         "acts/new/open-customer")
        }  # fmt: skip
        self.choose(self.browser, "/desk/find", "who", NUMBER, "customer-asked")
        paths["customer"] = self.browser.run("location.pathname")
        self.choose(self.browser, "/desk/trace", "order", self.order, "disputed-payment")
        paths["payment"] = self.browser.run("location.pathname")
        self.act(self.browser, "unlock-customer", number=NUMBER, because="identified at the desk")
        paths["to-sign"] = self.browser.run("location.pathname")
        self.act(self.other, "reverse-payment", order=self.order, because="sent twice")
        self.sign(self.other)
        self._spend(paths)
        stopped = self.provider.operators["privacy-officer"][0]._operator
        self.act(self.other, "suspend-operator", operator=stopped, because="the laptop was stolen")
        self.sign(self.other)
        paths["operators"] = "/desk/operators"
        self.browser.go(self.origin + "/desk/approvals")
        paths["approval"] = self.browser.run(
            "document.querySelector('main tbody tr:nth-of-type(2) a').getAttribute('href')"
        )
        return paths

    def _spend(self, paths: dict[str, str]) -> None:
        """An act that waits and cannot be done now: what is to be given back is spent."""
        payer = self.provider.person("+254700000006", "Dan Kamau", funds=90_000)
        payee = self.provider.person("+254700000007", "Eve Muthoni")
        paid = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(80_000, "KES"))
        order = json.loads(_octets(paid.receipt.leaf))["p"]["order"]
        payee.wallet.pay(PaymentKind.P2P, payer.number, Money(70_000, "KES"))
        self.act(self.other, "reverse-payment", order=order, because="sent to a stranger")
        assert "could not be done now" in self.sign(self.other)
        self.browser.go(self.origin + "/desk/approvals")
        paths["approval-refused"] = self.browser.run(
            "document.querySelector('main tbody a').getAttribute('href')"
        )


def _octets(text: str) -> bytes:
    import base64  # noqa: PLC0415 - beside its only use

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    with served_desk(folder / "p", policy_text=by_one_operator()) as (provider, origin, codes):
        browser, other = Chromium(folder / "one"), Chromium(folder / "two")
        try:
            yield Desk(provider, origin, codes, browser, other)
        finally:
            browser.close()
            other.close()


PAGES = ("home", "find", "trace", "approvals", "acts", "policy", "emergency", "programs",
         "surrogates",
         "nothing-here", "join", "sign-in", "acts/new/open-customer", "customer", "payment",
         "to-sign", "approval", "approval-refused", "operators", "passkeys")  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320], ids=["wide", "narrow"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_read_and_has_names(desk, page: str, width: int, dark: bool) -> None:
    browser = desk.other if page == "operators" else desk.browser
    browser.look(width=width, dark=dark)
    browser.go(desk.origin + desk.paths[page])
    seen = browser.run(LOOK)
    if folder := os.environ.get("TALLYSTICK_PICTURES"):
        name = f"{page.replace('/', '-')}-{width}-{'dark' if dark else 'light'}.png"
        browser.picture(Path(folder) / name)
    assert seen["faults"] == []
    assert seen["texts"] > 5
    assert seen["width"] == width
    assert seen["paper"] == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")


def test_the_look_finds_what_is_wrong(desk) -> None:
    desk.browser.look(width=1200, dark=False)
    desk.browser.go(desk.origin + "/desk/find")
    desk.browser.run(
        "document.querySelector('.lead').style.color = '#bbbbbb';"
        "document.querySelector('label').textContent = '';"
        "document.querySelector('h1').remove(); 1"
    )
    faults = desk.browser.run(LOOK)["faults"]
    assert any(one.startswith("contrast") for one in faults)
    assert any(one.startswith("no name") for one in faults)
    assert "not one h1" in faults


@pytest.mark.parametrize("page", ["sign-in", "find", "customer", "approval"])
def test_the_keyboard_reaches_everything_and_gets_out_again(desk, page: str) -> None:
    desk.browser.look(width=1200, dark=False)
    desk.browser.go(desk.origin + desk.paths[page])
    reachable = (
        "[...document.querySelectorAll("
        "'a, button, input:not([type=hidden]), select, textarea, summary, [tabindex]')]"
        ".filter((one) => one.getClientRects().length && !one.disabled && !one.dataset.met"
        " && !(one.type === 'radio' && document.querySelector(`[name=${one.name}][data-met]`)))"
    )
    wanted = desk.browser.run(f"{reachable}.length")
    first = None
    for _ in range(wanted):
        desk.browser.press("Tab")
        seen = desk.browser.run(FOCUS)
        first = first or seen["at"]
        assert seen["outline"] or seen["at"].startswith("BODY"), seen
        desk.browser.run("document.activeElement.dataset.met = '1'")
    assert first == "A To the content"
    assert desk.browser.run(f"{reachable}.map((one) => one.outerHTML.slice(0, 80))") == []
    for _ in range(wanted + 3):  # out at the end of the page, and in again at its beginning
        desk.browser.press("Tab")
        if desk.browser.run(FOCUS)["at"] == first:
            return
    pytest.fail("the keyboard does not get out")


def test_no_page_makes_the_browser_complain(desk) -> None:
    for path in desk.paths.values():
        desk.browser.go(desk.origin + path)
    assert desk.browser.complaints() == []


def test_the_browser_checks_the_proof_itself_and_finds_a_change(desk) -> None:
    desk.browser.go(desk.origin + desk.paths["payment"])
    assert desk.browser.until("document.getElementById('proof').dataset.verdict") == "fits"
    found = desk.browser.run(
        "(async () => { const given = JSON.parse(document.getElementById('receipt').textContent);"
        " given.receipt.index += 1;"
        " return (await verifyReceipt(given.receipt, given.key, given.origin)).ok; })()"
    )
    assert found is False


def test_what_is_read_is_what_the_passkey_signs(desk) -> None:
    desk.browser.go(desk.origin + desk.paths["to-sign"])
    same = desk.browser.run(
        "(async () => { const act = document.getElementById('canonical-act').textContent;"
        " const body = document.getElementById('canonical-body').textContent;"
        " const hash = async (text) => btoa(String.fromCharCode(...new Uint8Array("
        "   await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))))"
        "   .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '');"
        " const options = JSON.parse(document.querySelector('form[data-passkey]').dataset.options);"
        " return [await hash('tallystick act v1\\0' + act) === options.challenge,"
        "   JSON.parse(act).body_hash === await hash(body)]; })()"
    )
    assert same == [True, True]
    assert "Waiting for a second person" in desk.sign(desk.browser)
    assert events(desk.provider, "operator.signed")[-1]["p"]["grade"] == "passkey"


def test_four_eyes_in_two_browsers(desk) -> None:
    desk.act(desk.other, "reverse-payment", order=desk.order, because="sent twice, again")
    desk.sign(desk.other)
    act = desk.other.run("document.querySelector('main .mono').textContent")
    desk.browser.go(f"{desk.origin}/desk/approvals/{act}")
    theirs = desk.browser.run("document.getElementById('canonical-body').textContent")
    desk.other.go(f"{desk.origin}/desk/approvals/{act}")
    assert desk.other.run("document.getElementById('canonical-body').textContent") == theirs
    assert "another person has to approve" in desk.other.run("document.body.innerText")
    desk.browser.submit("document.querySelector('main form button').click()")
    assert "given back" in desk.sign(desk.browser)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_changed_before_it_was_signed_can_be_read(desk, dark: bool) -> None:
    payer = desk.provider.person(f"+25470000007{int(dark)}", "Fay Njeri", funds=90_000)
    payee = desk.provider.person(f"+25470000008{int(dark)}", "Gil Oduor")
    paid = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(60_000, "KES"))
    order = json.loads(_octets(paid.receipt.leaf))["p"]["order"]
    desk.act(desk.other, "reverse-payment", order=order, because="sent to a stranger")
    desk.sign(desk.other)
    act = desk.other.run("document.querySelector('main .mono').textContent")
    desk.browser.look(width=320, dark=dark)
    desk.browser.go(f"{desk.origin}/desk/approvals/{act}")
    assert "+KES 600.00" in desk.browser.run("document.getElementById('outcome').innerText")
    desk.browser.submit("document.querySelector('main form button').click()")
    assert "+KES 600.00" in desk.browser.run("document.getElementById('outcome').innerText")
    payee.wallet.pay(PaymentKind.P2P, payer.number, Money(60_000, "KES"))
    told = desk.sign(desk.browser)
    assert "It was not done" in told
    assert "is not so any more" in told
    assert "Look at it again" in told
    seen = desk.browser.run(LOOK)
    if folder := os.environ.get("TALLYSTICK_PICTURES"):
        name = f"not-as-shown-320-{'dark' if dark else 'light'}.png"
        desk.browser.picture(Path(folder) / name)
    assert seen["faults"] == []
    desk.browser.complaints()  # the refusal's status is no fault of the page
    desk.browser.run("document.querySelector('main a.button').focus()")
    desk.browser.press("Enter")
    assert desk.browser.until("document.querySelector('h1').innerText.includes('waiting')")
    assert "This changed since it was shown" in desk.browser.run("document.body.innerText")
    assert desk.browser.run(LOOK)["faults"] == []


def test_an_ended_session_returns_to_where_one_was(desk) -> None:
    desk.other.go(desk.origin + "/desk/policy")
    desk.other.submit("document.querySelector('.who button').click()")
    desk.other.go(desk.origin + "/desk/policy")
    assert desk.other.run("location.pathname") == "/desk/sign-in"
    assert "You return to where you were" in desk.other.run("document.body.innerText")
    desk.other.submit("document.querySelector('form[data-passkey] button').click()")
    assert desk.other.run("location.pathname") == "/desk/policy"


def test_a_passkey_that_does_not_verify_the_person_opens_nothing(desk, tmp_path) -> None:
    browser = Chromium(tmp_path)
    try:
        browser.authenticator()
        browser.go(desk.origin + "/desk/sign-in")
        browser.run("document.querySelector('form[data-passkey] button').click()")
        said = browser.until(
            "(document.querySelector('form [role=status]').textContent.match(/No passkey.*/)"
            " || [''])[0]"
        )
        assert "Nothing was signed" in said
        assert browser.run("document.querySelector('form[data-passkey] button').disabled") is False
        assert browser.run("location.pathname") == "/desk/sign-in"
    finally:
        browser.close()


def test_without_scripts_all_but_the_passkey_works(desk) -> None:
    desk.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        desk.choose(desk.browser, "/desk/find", "who", NUMBER, "lost-device")
        assert "Ann Wanjiru" in desk.browser.run("document.querySelector('h1').textContent")
        desk.act(desk.browser, "issue-activation", number=NUMBER)
        button = "document.querySelector('form[data-passkey] button').disabled"
        assert desk.browser.run(button) is True
    finally:
        desk.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    desk.browser.go(desk.origin + "/desk/sign-in")
    html = desk.browser.run("document.documentElement.outerHTML")
    assert re.search(r"<noscript>.*needs JavaScript", html, re.DOTALL)
