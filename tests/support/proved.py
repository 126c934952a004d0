"""A provider that is set up to be proved, and one run of probes of it."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.stores import new_store

from tallystick.entry.proving.probing import Proved, prove_opened
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Done, Plan, demo_policy, set_up
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.secret import Secret
from tallystick.process.programme.templates import profile_text

CLOCK = SystemClock()


def tell(*_: int) -> None:
    """Nobody looks."""


def new_provider(root: Path, policy_text: str = "") -> tuple[ProviderFolder, Secret[bytes], Done]:
    """A provider that was just set up, with cheap PINs, and the shipped policy or another."""
    folder, secret = ProviderFolder(root), Secret(os.urandom(32))
    plan = Plan(
        provider="test-wallet",
        currency="KES",
        country="254",
        profile="demo",
        policy_text=policy_text or demo_policy(),
        roles=("security-officer",),
        sms_url="http://127.0.0.1:9/never",
        pin_memory_kib=8 * 1024,
        pin_passes=1,
        store=new_store(),
    )
    return folder, secret, set_up(folder, plan, secret, CLOCK)


def with_programme(folder: ProviderFolder, edit: Callable[[str], str] = str) -> None:
    """Write the programme of a mobile-money operator, edited, into `folder`."""
    text = edit(profile_text("mobile-money-operator"))
    folder.programme_file.write_text(text, encoding="utf-8")


def verdicts(proved: Proved) -> dict[str, Verdict]:
    """What each probe of a run came to."""
    return {one.check: one.verdict for one in proved.run.observations}


def proved(folder: ProviderFolder, secret: Secret[bytes], names: Iterable[str]) -> Proved:
    """A run of the probes `names`, of the provider opened here."""
    site = Site(folder, CLOCK)
    return prove_opened(site, secret, only=tuple(names), due_only=False, tell=tell)
