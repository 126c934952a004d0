"""Plays the tour.

Source: ISO/TS 12812-2:2017, 6.2
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from simulators.cast import Cast
from simulators.keymint import SimulatedFactory
from simulators.smsc import Smsc
from simulators.tour import scenes
from simulators.tour.page import write_page
from simulators.tour.provider import TourProvider
from simulators.tour.telling import Story
from simulators.tour.town import live
from simulators.ussd_gateway import UssdGateway
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain
from tallystick.kernel.secret import Secret
from tallystick.process.catalogue.coverage import clause_summary, coverage_report

SEED = 20260101
FOLDER = Path("var/tour")
PAGE = Path("tour.html")
INTERRUPTED = 130


def main() -> int:
    """Play every scene, write the page, keep serving unless told otherwise."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700, parents=True)
    smsc, story, clock = Smsc(), Story(), SystemClock()
    key = Es256SigningKey.generate()
    provider = TourProvider(FOLDER, key, smsc)
    try:
        _play(provider, smsc, story, clock, key)
        print(
            f"\n{PAGE} tells it with a receipt to verify; {time.monotonic() - began:.0f} s in all"
        )
        if os.environ.get("TOUR_ONLY") != "1":
            _keep_serving(provider)
    except KeyboardInterrupt:
        threading.excepthook = _hush
        print("\nended before it was over")
        return INTERRUPTED
    finally:
        provider.stop()
        smsc.close()
    return 0


def _play(
    provider: TourProvider, smsc: Smsc, story: Story, clock: SystemClock, key: Es256SigningKey
) -> None:
    story.scene("A provider is set up")
    codes = provider.set_up()
    story.done("keys, a signed key list, policy version 1 signed by two officers", "no password")
    factory = SimulatedFactory(clock.now())
    provider.appraise_by(factory.policy_text())
    url = provider.serve()
    settings = provider.folder.settings()
    cast = Cast(url, settings.provider, settings.origin, settings.root.verify_key(), smsc, clock)
    for role, code in codes:
        cast.join(role, Secret(code))
    story.done(f"{len(codes)} operators enrol, each with a one-time code and a key of their own")
    gateway = UssdGateway("gw1", key, url, clock)
    cast.factory = factory
    players = scenes.enrolment(story, cast, gateway, smsc)
    scenes.attested(story, provider, players.ann)
    scenes.doubted(story, provider, players.ann)
    cast.factory = None
    receipt = scenes.paying(story, players)
    scenes.refusals(story, players)
    scenes.edited_balance(story, provider, players)
    scenes.killed(story, provider, players)
    tally = live(story, provider, players, SEED)
    story.scene("The 61 clauses, and what is proved now")
    lines = clause_summary(coverage_report(Path.cwd()))
    for line in lines:
        print(f"  {line}")
    (FOLDER / "receipt.json").write_text(json.dumps(to_plain(receipt)), encoding="utf-8")
    write_page(PAGE, story, receipt, cast.tally_key(), settings.origin, tally, lines)
    cast.close()


def _keep_serving(provider: TourProvider) -> None:
    folder = provider.folder.root
    print(f"\nthe provider keeps serving at {provider.url}; Ctrl-C ends it. Try:")
    for command in (
        f"tallystick receipt verify {FOLDER}/receipt.json --provider {folder}",
        f"tallystick tally verify {folder} --against {FOLDER}/receipt.json",
        f"tallystick recheck {folder} --secret-file {FOLDER}/secret",
        f"curl {provider.url}/metrics",
    ):
        print(f"  .venv/bin/{command}" if command.startswith("tally") else f"  {command}")
    try:
        provider.wait()
    except KeyboardInterrupt:
        print("\nending")


def _hush(_: threading.ExceptHookArgs) -> None:
    """Whoever still pays when the tour is interrupted meets a provider that is gone."""


if __name__ == "__main__":
    sys.exit(main())
