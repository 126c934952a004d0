"""The command about incentives: who stands where, what lifts next, what would drop.

Source: ISO/TS 12812-2:2017, 6.1
"""

from pathlib import Path

import click

from tallystick.application.controls.merits import count
from tallystick.application.incentives.store import kept_standings
from tallystick.application.policing.store import last_policy
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.incentives import subjects
from tallystick.entry.inforce import signed_policy
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc
from tallystick.process.policy import Policy
from tallystick.process.policy.explain import step_in_words
from tallystick.process.policy.incentives import (
    Counted,
    Standing,
    beginning,
    drops_by,
    lifts_next,
    standing_id,
    step_of,
    told,
    why_not_rise,
)
from tallystick.process.policy.language.model import Ladder


class Stands(Record, frozen=True, kw_only=True):
    """A subject of an incentive: its step and since when (ms), what lifts next, what would drop.

    `waits_for` says what is missing for the next step; empty where it rises at the next count.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    incentive: str
    subject: str
    step: int
    says: str
    gives: str
    since: int
    because: str
    lifts_next: str
    waits_for: str
    drops: str
    measures: dict[str, int]


@click.command(
    short_help="Say who stands on which step of an incentive.",
    epilog=example(
        "tallystick incentives ./provider",
        "tallystick incentives ./provider --subject cus_...",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--subject", default="", help="One subject only: agent, device trust or vendor.")
@click.option("--json", "as_json", is_flag=True, help="Print the subjects as JSON.")
def incentives(folder: Path, subject: str, as_json: bool) -> None:
    """Say of each subject of an incentive its step, what lifts it next, and what would drop it.

    What is counted is read from the store and the registers of the provider in FOLDER, as the
    service does it. Nothing is moved.
    """
    provider = ProviderFolder(folder)
    policy, found = _stands(provider)
    shown = tuple(one for one in found if subject in {"", one.subject})
    if subject and not shown:
        raise NotFound(f"no incentive has the subject {subject[:60]!r}")
    if as_json:
        say_json({"version": policy.header.version, "subjects": shown})
        return
    if not policy.incentives:
        say(f"policy version {policy.header.version} has no incentives")
        return
    rows = [(one.incentive, one.subject, one.step, one.gives, _next(one)) for one in shown]
    title = f"policy version {policy.header.version}"
    table(title, ("incentive", "subject", "step", "gives", "next"), rows)
    for one in shown if subject else ():
        say(f"{one.incentive}: since {iso_utc(one.since)}: {one.because}")
        say(f"  {one.says}")
        say(f"  lifts next: {one.lifts_next or 'nothing, it is the highest step'}")
        say(f"  would drop: {one.drops or 'nothing'}")


def _next(one: Stands) -> str:
    return one.waits_for or "rises at the next count"


def _stands(provider: ProviderFolder) -> tuple[Policy, tuple[Stands, ...]]:
    now = SystemClock().now()
    registers = KeptRegisters(provider.registers).read()
    with open_reader(provider.stored()) as reader:
        stored = last_policy(reader)
        if stored is None:
            raise NotFound("no policy is in force", remedy="serve the provider once")
        policy = signed_policy(reader, stored[0])[0]
        standings = {one.id: one for one in kept_standings(reader)}
        since = policy.header.effective_at
        counted = count(reader, policy.incentives, standings, registers, now, since)
    found = tuple(
        _one(policy, ladder, standings.get(standing_id(ladder.id, name)), (name, one), now)
        for ladder in policy.incentives
        for name, one in subjects(ladder, counted)
    )
    return policy, found


def _one(
    policy: Policy, ladder: Ladder, known: Standing | None, counted: tuple[str, Counted], now: int
) -> Stands:
    name, measures = counted
    stands = known or beginning(ladder, name, measures.begun)
    place, step = step_of(ladder, stands.step)
    return Stands(
        incentive=ladder.id,
        subject=name,
        step=place,
        says=told(place, step),
        gives=step_in_words(step, policy.header.currency),
        since=stands.since,
        because=stands.because,
        lifts_next=lifts_next(ladder, stands),
        waits_for=why_not_rise(ladder, stands, measures, now),
        drops=drops_by(ladder),
        measures=dict(sorted(measures.measures.items())),
    )
