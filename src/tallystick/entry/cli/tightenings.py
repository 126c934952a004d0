"""Commands about what the policy lets the service make stricter by itself.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

from collections.abc import Iterator
from pathlib import Path

import click

from tallystick.application.policing.store import last_policy
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.inforce import kept_measures, signed_policy, wrong_measures
from tallystick.entry.judging import Judged, judge
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.policy import FOREVER, Policy, recompile
from tallystick.process.policy.explain import in_words
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Measure, effective, entry_of, in_force

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Shown(Record, frozen=True, kw_only=True):
    """An entry of the policy in force, and its measure: empty for none, ends not before when (ms).

    Source: ISO/TS 12812-2:2017, 6.1
    """

    entry: str
    on: str
    does: str
    measure: str
    since: int
    keep_until: int
    evidence: str


@click.group(epilog=example("tallystick policy tightening show ./provider"))
def tightening() -> None:
    """What the service may make stricter by itself, inside what officers signed."""


@tightening.command(
    "show",
    short_help="Say what could be tightened, and what is.",
    epilog=example("tallystick policy tightening show ./provider"),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
def show(folder: Path, as_json: bool) -> None:
    """Say what the policy of the provider in FOLDER could tighten, what is in force, until when.

    Every measure that is kept is checked again: signed by the service, from an entry that officers
    signed, recorded, and nowhere looser than their policy. Exits with 4 if one is not.
    """
    provider = ProviderFolder(folder)
    settings = provider.settings()
    with open_reader(provider.stored()) as reader:
        policy, measures = _policy(provider), kept_measures(reader)
        known = tuple(half.verify_key() for half in settings.tightening)
        wrong = wrong_measures(reader, known, settings.provider)
    shown = tuple(_shown(policy, in_force(measures, policy.header.version)))
    if as_json:
        say_json({"version": policy.header.version, "entries": shown, "wrong": wrong})
    else:
        _say_shown(policy, shown)
        if wrong:
            table("what does not hold", ("measure", "why"), wrong)
    if wrong:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@tightening.command(
    "preview",
    short_help="Say whom an entry would have touched.",
    epilog=example(
        "tallystick policy tightening preview ./provider --entry record-in-doubt"
        " --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--entry", "names", multiple=True, help="Id of an entry; all of them if left out.")
@click.option(
    "--last", default=10_000, show_default=True, type=click.IntRange(1), help="How many orders."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def preview(
    folder: Path,
    names: tuple[str, ...],
    last: int,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Decide the last orders of the provider in FOLDER again with each entry in force.

    Customers and value of the orders that would have come out otherwise are counted. Limits over
    time are not replayed, so that a lower window shows less here than it does.
    """
    provider = ProviderFolder(folder)
    policy = _policy(provider)
    wanted = names or tuple(one.id for one in policy.tightening)
    for name in wanted:
        if entry_of(policy, name) is None:
            raise NotFound(f"the policy in force has no tightening {name!r}")
    opener = opener_from(secret_fd, secret_file)
    judged = {
        name: judge(
            provider, recompile(effective(policy, (name,))), opener, SystemClock(), last=last
        )
        for name in wanted
    }
    if as_json:
        say_json(judged)
        return
    rows = [_touched(name, one) for name, one in judged.items()]
    table("", ("entry", "orders", "of", "customers", "value"), rows)


def _touched(name: str, judged: Judged) -> tuple[object, ...]:
    value = Money(judged.touched_minor, judged.currency)
    return name, judged.flipped, judged.decisions, judged.customers, value


def _policy(provider: ProviderFolder) -> Policy:
    with open_reader(provider.stored()) as reader:
        stored = last_policy(reader)
        if stored is None:
            raise NotFound("no policy is in force", remedy="serve the provider once")
        return signed_policy(reader, stored[0])[0]


def _shown(policy: Policy, current: tuple[Measure, ...]) -> Iterator[Shown]:
    by_entry = {one.entry: one for one in current}
    for entry in policy.tightening:
        measure = by_entry.get(entry.id)
        yield Shown(
            entry=entry.id,
            on=" ".join(filter(None, (entry.on.value, entry.of))),
            does=_does(entry, policy.header.currency),
            measure="" if measure is None else measure.id,
            since=0 if measure is None else measure.since,
            keep_until=0 if measure is None else measure.since + entry.keep_ms,
            evidence="" if measure is None else measure.evidence,
        )


def _does(entry: Tightening, currency: str) -> str:
    if entry.row is not None:
        return f"row {entry.row.id}: {entry.row.outcome} {entry.row.grade}".rstrip()
    if entry.lowered is None:
        return ""
    parts: list[str] = []
    if entry.lowered.per_payment_minor < FOREVER:
        parts.append(f"{Money(entry.lowered.per_payment_minor, currency)} a payment")
    for window in entry.lowered.windows:
        amount = window.max_amount
        most = f"{window.max_count} payments" if amount >= FOREVER else Money(amount, currency)
        parts.append(f"{most} within {in_words(window.window_ms)}")
    return f"limit {entry.lowered.limit}: {', '.join(parts)}"


def _say_shown(policy: Policy, shown: tuple[Shown, ...]) -> None:
    if not shown:
        say(f"policy version {policy.header.version} lets the service tighten nothing")
        return
    rows = [(one.entry, one.on, one.does, "in force" if one.measure else "") for one in shown]
    table(f"policy version {policy.header.version}", ("entry", "on", "does", ""), rows)
    for one in shown:
        if one.measure:
            until = iso_utc(one.keep_until)
            say(f"{one.entry}: since {iso_utc(one.since)}, not before {until}: {one.evidence}")


opener_options(preview)
