"""The tour's page in a real browser: a served payment's receipt fits, and parts when altered."""

import re
import shutil
import subprocess
from collections import Counter

import pytest
from simulators.tour.page import render
from simulators.tour.telling import Line, Story
from simulators.tour.town import Tally
from tests.support.served import ORIGIN, served

from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER = BROWSER or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--virtual-time-budget=8000",
    "--dump-dom",
)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    with served(folder / "provider") as provider:
        payer = provider.person("+254700000001", "Ann <b>Wanjiru</b>", funds=500_000)
        provider.person("+254700000002", "Ben Otieno")
        paid = payer.wallet.pay(PaymentKind.P2P, "+254700000002", Money(125_000, "KES"))
        key = provider.tally_key()
    story = Story()
    story.scenes.append(
        ("Payments", [Line("done", "Ann paid <script>alert(1)</script>", "signed")])
    )
    town = Tally(
        settled=Counter({"p2p": 7}), refused=Counter({"over a limit": 2}), seconds=[0.1, 1.2, 2.4]
    )
    return folder, story, paid.receipt, key, town


def shown(page, key=None, receipt=None, fragment=""):
    folder, story, right, right_key, town = page
    text = render(
        story,
        receipt or right,
        key or right_key,
        ORIGIN,
        town,
        ["  6.1  General: 1 of 6 proved, cited 3 times"],
    )
    file = folder / "tour.html"
    file.write_text(text, encoding="utf-8")
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"{file.as_uri()}{fragment}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_the_halves_fit(page):
    dom = shown(page)
    assert 'data-verdict="fits"' in dom
    assert "the halves fit: verified here" in dom
    assert "KES 1,250.00" in dom


def test_one_altered_byte_parts_the_halves(page):
    dom = shown(page, fragment="#flip")
    assert 'data-verdict="parted"' in dom
    assert "the halves do not fit" in dom
    assert "KES 9,250.00" in dom


DEPTH = re.compile(r"var\(--joint\) \* ([0-9.]+)")
NOTCHES, CORNERS = 3, 2


def edges(dom):
    """The depths of both edges, which the page cuts: by what is shown, by what was recorded."""
    shapes = dict(re.findall(r'class="half (left|right)" style="clip-path: polygon\(([^"]*)"', dom))
    left, right = (
        [float(one) for one in DEPTH.findall(shapes[side])] for side in ("left", "right")
    )
    return [1 - depth for depth in left][1:-1], right[1:-1]


def clashes(dom):
    shown_edge, recorded_edge = edges(dom)
    pairs = zip(shown_edge, recorded_edge, strict=True)
    differing = [at for at, (one, other) in enumerate(pairs) if abs(one - other) > 0.001]
    return {at // (NOTCHES * CORNERS) for at in differing}


def test_the_edges_are_cut_by_the_commitments_and_fit_only_if_they_are_equal(page):
    fields = [one.field for one in page[2].disclosures]
    whole = shown(page)
    assert len(edges(whole)[0]) == len(fields) * NOTCHES * CORNERS
    assert clashes(whole) == set()
    parted = clashes(shown(page, fragment="#flip"))
    assert parted == {fields.index("amount_minor")}


def test_the_key_of_another_provider_parts_the_halves(page):
    other = Es256SigningKey.generate().public()
    assert 'data-verdict="parted"' in shown(page, key=other)


def test_an_event_moved_to_another_place_parts_the_halves(page):
    receipt = page[2]
    assert 'data-verdict="parted"' in shown(page, receipt=replace(receipt, index=receipt.index - 1))


def test_the_page_loads_nothing_and_runs_no_text_of_others(page):
    dom = shown(page)
    assert not re.search(r'(src|href)="(https?:)?//', dom)
    assert "<script>alert(1)" not in dom
    assert "&lt;script&gt;alert(1)" in dom
