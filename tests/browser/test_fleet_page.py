"""The page of devices in a real browser: read in light and dark, wide and narrow, by keyboard."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from simulators.keymint import SimulatedFactory
from tests.browser.test_desk_pages import FOCUS, LOOK
from tests.support.chromium import BROWSER, Chromium
from tests.support.collectors import until
from tests.support.desks import events, served_desk

from tallystick.entry import fleetkeeping
from tallystick.infrastructure.modules.clock import SystemClock

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is missing: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleetpage")
    factory = SimulatedFactory(SystemClock().now())
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(fleetkeeping, "LOOK_EVERY_S", 0.2)
        desk = stack.enter_context(served_desk(folder / "p", appraisal=factory.policy_text()))
        provider, origin, codes = desk
        provider.person("+254700000001", "Ann Wanjiru")
        provider.factory = factory
        provider.person("+254700000003", "Cleo Achieng")
        until(lambda: events(provider, "fleet.counted"))
        found = Chromium(folder / "one")
        try:
            found.authenticator()
            found.go(origin + "/desk/join")
            code = codes["care-desk"][0]
            found.run(f"document.getElementById('f-code').value = {code!r}")
            found.run("document.getElementById('f-name').value = 'Cem'")
            found.submit("document.querySelector('form[data-passkey] button').click()")
            found.go(origin + "/desk/sign-in")
            found.submit("document.querySelector('form[data-passkey] button').click()")
            assert found.until("location.pathname === '/desk'")
            found.origin = origin
            yield found
        finally:
            found.close()


def _open(browser) -> None:
    browser.go(browser.origin + "/desk/fleet")
    browser.run("document.querySelector('input[value=lost-device]').checked = true")
    browser.submit("document.querySelector('main form button').click()")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320], ids=["wide", "narrow"])
def test_the_devices_can_be_read(browser, width: int, dark: bool) -> None:
    browser.look(width=width, dark=dark)
    _open(browser)
    seen = browser.run(LOOK)
    if folder := os.environ.get("TALLYSTICK_PICTURES"):
        shade = "dark" if dark else "light"
        browser.picture(Path(folder) / f"fleet-{width}-{shade}.png")
    assert seen["faults"] == []
    assert seen["texts"] > 40
    drawn = browser.run(
        "[...document.querySelectorAll('.chart svg')].map((one) => {"
        " const box = one.getBoundingClientRect();"
        " return [box.width > 200, one.getAttribute('viewBox') !== null,"
        "   one.getAttribute('aria-label').length > 20]; })"
    )
    assert drawn == [[True, True, True]] * 2
    fills = browser.run(
        "[...document.querySelectorAll('.chart rect, .chart polygon')]"
        ".map((one) => getComputedStyle(one).fill)"
    )
    assert "rgb(0, 0, 0)" not in fills, "every shape has a colour of the theme"


def test_the_keyboard_reaches_every_table_and_summary(browser) -> None:
    browser.look(width=1200, dark=False)
    _open(browser)
    wanted = browser.run("document.querySelectorAll('main [tabindex], main summary').length")
    found = set()
    for _ in range(60):
        browser.press("Tab")
        seen = browser.run(FOCUS)
        assert seen["outline"] or seen["at"].startswith("BODY"), seen
        place = browser.run(
            "[...document.querySelectorAll('main [tabindex], main summary')]"
            ".indexOf(document.activeElement)"
        )
        found.add(place)
    shut = browser.run("document.querySelectorAll('main details [tabindex]').length")
    assert len(found - {-1}) == wanted - shut
