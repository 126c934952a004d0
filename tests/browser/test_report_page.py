"""The report in a real browser: contrast light and dark, names, keyboard, narrow, paper."""

import html
import json
import re
import shutil
import subprocess
from itertools import count

import pytest
from tests.support.reported import course, material, report

from tallystick.entry.printing import print_page
from tallystick.kernel.model import replace
from tallystick.process.reports.page import report_page

pytest.importorskip("highspy", reason="the extra risk is not installed")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER = BROWSER or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--virtual-time-budget=4000",
    "--dump-dom",
)
LIGHT, DARK = 1, 0
AXE = r"""
<script>
"use strict";
addEventListener("load", () => {
  const faults = [], parse = (text) => {
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
    return parse(getComputedStyle(document.body).backgroundColor);
  };
  const behindText = (element) => {
    const svg = element.ownerSVGElement, box = element.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let found = behind(svg.parentElement);
    for (const shape of svg.querySelectorAll("rect")) {
      if (shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING) break;
      const one = shape.getBoundingClientRect(), fill = getComputedStyle(shape).fill;
      const inside = one.x <= x && x <= one.right && one.y <= y && y <= one.bottom;
      if (inside && fill.startsWith("rgb")) found = parse(fill);
    }
    return found;
  };
  let texts = 0, worst = 99;
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("script, style, noscript, defs, title, desc")) continue;
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), inSvg = element.ownerSVGElement;
    const ink = parse(inSvg ? style.fill : style.color);
    const paper = inSvg ? behindText(element) : behind(element);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const need = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const found = ratio(ink, paper);
    texts += 1; worst = Math.min(worst, found);
    const said = `contrast ${found.toFixed(2)}: ${element.textContent.slice(0, 30)}`;
    if (found < need) faults.push(said);
  }
  const named = (one) => (one.getAttribute("aria-label") || one.textContent
    || (one.labels && one.labels[0] && one.labels[0].textContent) || "").trim();
  for (const one of document.querySelectorAll("a, button, select, summary, [tabindex]")) {
    if (!named(one)) faults.push(`no name: ${one.outerHTML.slice(0, 60)}`);
  }
  for (const one of document.querySelectorAll("svg[role=img]")) {
    const [title, desc] = one.getAttribute("aria-labelledby").split(" ")
      .map((id) => document.getElementById(id));
    const said = title.textContent.trim() && desc.textContent.trim();
    if (!said) faults.push("a picture says nothing");
  }
  for (const one of document.querySelectorAll(".scroll")) {
    if (one.tabIndex !== 0) faults.push("a frame that scrolls is out of the keyboard's reach");
  }
  const levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => Number(one.tagName[1]));
  const leaps = levels.filter((one, at) => at && one > levels[at - 1] + 1);
  if (leaps.length) faults.push("a heading is missing");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (document.documentElement.scrollWidth > innerWidth) faults.push(
    `wider than the window: ${document.documentElement.scrollWidth} of ${innerWidth}`);
  document.body.dataset.faults = JSON.stringify(faults);
  document.body.dataset.seen = JSON.stringify({
    texts, worst, paper: getComputedStyle(document.body).backgroundColor, width: innerWidth});
});
</script>
"""
USE = """
<script>
addEventListener("load", () => {
  const select = document.getElementById("choice");
  const shown = () => [...document.querySelectorAll(".chain > div")].map(
    (one) => [...one.querySelectorAll("button")].map((each) => each.firstChild.data));
  const seen = [];
  for (const value of ["VALUES"]) {
    select.value = value;
    select.dispatchEvent(new Event("change"));
    seen.push(shown());
  }
  const button = document.querySelector(".chain > div:first-child button");
  button.focus();
  button.click();
  seen.push([[document.activeElement.firstChild.data], shown()[0]]);
  document.body.dataset.seen = JSON.stringify(seen);
});
</script>
"""

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)
number = count()


def page(more: str = "") -> str:
    found = replace(report(), history=course(5))
    return report_page(found, material().programme).replace("</body>", f"{more}</body>")


def shown(folder, text: str, *flags: str) -> str:
    file = folder / f"report-{next(number)}.html"
    file.write_text(text, encoding="utf-8")
    assert BROWSER is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    done = subprocess.run(
        [BROWSER, *FLAGS, *flags, profile, file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def told(dom: str, name: str):
    (found,) = re.findall(rf'data-{name}="([^"]*)"', dom)
    return json.loads(html.unescape(found))


def framed(text: str, width: int) -> str:
    """`text` in a frame of `width`, for a window is never so narrow; what it found is copied."""
    copied = "Object.assign(document.body.dataset, this.contentDocument.body.dataset)"
    source = html.escape(text)
    return (
        f'<!doctype html><body><iframe width="{width}" height="800" style="border:0"'
        f' onload="{copied}" srcdoc="{source}"></iframe></body>'
    )


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1120, 400], ids=["wide", "narrow"])
def test_everything_can_be_read_and_has_a_name(tmp_path, scheme: int, width: int) -> None:
    flags = (f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1200,900")
    dom = shown(tmp_path, framed(page(AXE).replace("<details>", "<details open>"), width), *flags)
    seen = told(dom, "seen")
    assert seen["paper"] == ("rgb(255, 255, 255)" if scheme == LIGHT else "rgb(20, 24, 29)")
    assert seen["texts"] > 500
    assert seen["width"] == width
    assert told(dom, "faults") == []


def test_the_look_finds_what_cannot_be_read(tmp_path) -> None:
    spoilt = page(AXE).replace("--soft: #525c66", "--soft: #b0b8c0").replace(' tabindex="0"', "")
    spoilt = spoilt.replace('aria-label="where the numbers', 'data-lost="where the numbers')
    faults = told(shown(tmp_path, spoilt, "--blink-settings=preferredColorScheme=1"), "faults")
    assert any(one.startswith("contrast") for one in faults)
    assert any("keyboard" in one for one in faults)


def test_choosing_one_thing_shows_what_hangs_on_it(tmp_path) -> None:
    trace = report().trace
    chain = max(trace.chains, key=lambda one: (len(one.risks), one.control))
    risk, check = chain.risks[0], trace.checks[0]
    values = [f"1 {chain.control}", f"0 {risk}", f"3 {check.id}"]
    script = USE.replace('"VALUES"', ", ".join(json.dumps(one) for one in values))
    by_control, by_risk, by_check, clicked = told(shown(tmp_path, page(script)), "seen")
    assert by_control == [
        sorted(chain.risks),
        [chain.control],
        list(chain.rows),
        sorted(chain.checks),
        sorted(chain.findings),
    ]
    assert by_risk[1] == [one.control for one in trace.chains if risk in one.risks]
    assert by_check[3] == [check.id]
    assert set(by_check[4]) <= set(check.bears)
    assert clicked[0] == clicked[1], "the thing that was clicked has the focus and stands alone"


def test_without_a_script_the_table_is_open(tmp_path) -> None:
    text = page()
    without = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    dom = shown(tmp_path, without)
    assert re.search(r'<details open="">\s*<summary>Every chain as a table', dom)
    assert re.search(r'id="chooser" hidden', dom)
    for chain in report().trace.chains:
        assert f'id="control-{chain.control}"' in dom


def test_it_prints(tmp_path) -> None:
    file, target = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(page(), encoding="utf-8")
    print_page(file, target)
    octets = target.read_bytes()
    assert target.stat().st_mode & 0o077 == 0, "it says where the service is weak"
    assert octets.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", octets)) >= 5
