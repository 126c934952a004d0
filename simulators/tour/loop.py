"""Plays the loop: a provider of its own, a control that fails while it serves, and the way back.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from simulators.tour.telling import Story
from tallystick.entry.evidence import take_build
from tallystick.entry.looping import Looping, Rounded
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import MfsError

FOLDER = Path("var/loop")
BUILD = Path("build/build.json")
OPEN_TO_ALL, PRIVATE = 0o644, 0o600


def main() -> int:
    """Set a provider up, serve it, and go round while a private file is opened and closed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700, parents=True)
    smsc, story = Smsc(), Story()
    provider = TourProvider(FOLDER, Es256SigningKey.generate(), smsc)
    try:
        story.scene("A provider is set up and served; the loop looks at it")
        provider.set_up()
        _build(story, provider.folder)
        url = provider.serve()
        looping = Looping(Site(provider.folder, SystemClock(), url=url))
        _calm(story, looping.round())
        file = provider.folder.master_file
        story.scene("A private file is opened to other accounts")
        _play(story, looping, lambda: file.chmod(OPEN_TO_ALL))
        story.scene("It is closed again")
        _play(story, looping, lambda: file.chmod(PRIVATE))
        _calm(story, looping.round())
    finally:
        provider.stop()
        smsc.close()
    print(f"\nthe line of time: {provider.folder.root}/loop.jsonl")
    print(f"drawn by: .venv/bin/tallystick report {provider.folder.root} --out loop.html")
    return 0


def _build(story: Story, folder: ProviderFolder, record: Path = BUILD) -> None:
    """Take the record of the last whole run of the tests, if it is of what runs here."""
    if not record.exists():
        story.fact("no tests count: there is no record of a build", "made by: make test")
        return
    try:
        build = take_build(folder, record.read_bytes())
    except MfsError as error:
        story.refused("the record of the build is not taken", error.detail)
        return
    rows = len(build.record.requirements)
    story.done(f"the tests of commit {build.record.commit[:12]} count for {rows} rows")


def _calm(story: Story, done: Rounded) -> None:
    states = Counter(done.state.findings.values())
    total = states.total()
    story.fact(
        f"rows: {states['satisfied']} of {total} satisfied,"
        f" {states['not-satisfied']} of {total} not, {states['stale']} of {total} stale"
    )
    held = len(done.state.held) - len(done.fallen)
    story.fact(
        f"{held} of {len(done.sightings)} controls are in effect, {done.open} places open",
        f"{done.probed} probes, {done.took_s:.1f} s",
    )


def _play(story: Story, looping: Looping, act: Callable[[], None]) -> None:
    began = time.monotonic()
    act()
    done = looping.round()
    took = time.monotonic() - began
    if done.line is None:
        story.refused("nothing changed", "the loop saw nothing")
        return
    for one in done.line.turned:
        tell = story.done if one.now == "enforced" else story.refused
        tell(f"{one.control}: {one.was} -> {one.now}", one.says)
    for asset, moved in done.line.residual.items():
        before, after = moved.before, moved.after
        if before != after:
            story.fact(
                f"{asset}: risk {before.risk} -> {after.risk}, open {before.open} -> {after.open}"
            )
    for flip in done.line.findings:
        story.fact(f"{flip.requirement}: {flip.was} -> {flip.now}")
    if done.proposal is not None:
        story.done("a stronger policy is proposed, for officers to sign", str(done.proposal))
    story.fact(f"seen, judged and answered within {took:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
