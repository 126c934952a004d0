"""Commands about what the policy lets the service make stricter by itself.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from tallystick.application.policing.store import last_policy
from tallystick.application.tightenings.recorded import preview_of, recorded_payers
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    opener_from,
    opener_options,
    secret_from,
    secret_options,
)
from tallystick.entry.inforce import (
    kept_measures,
    signed_policy,
    waiting_proposals,
    wrong_measures,
)
from tallystick.entry.judging import Judged, judge
from tallystick.entry.proposals import PROPOSALS, SIGNED
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.isms.signing import sign_statement
from tallystick.process.policy import FOREVER, Policy, recompile
from tallystick.process.policy.caps import touched_by, why_beyond
from tallystick.process.policy.explain import in_words
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Measure, effective, entry_of, in_force
from tallystick.process.policy.touching import Payer
from tallystick.protocol.measures import (
    APPROVED,
    TighteningProposal,
    Touched,
    tightening_proposals,
)
from tallystick.protocol.statements import read_statement

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


class Shown(Record, frozen=True, kw_only=True):
    """An entry of the policy in force, and its measure: empty for none, ends not before when (ms).

    `cohort` is whom the measure is held to, `touched` whom it was counted to touch when it began.
    `would_touch` is whom the entry would touch now, for each cohort and for all (empty), beside
    what is in force; `beyond` the cap that this is beyond.
    Source: ISO/TS 12812-2:2017, 6.1; 14.2.2
    """

    entry: str
    on: str
    does: str
    measure: str
    since: int
    keep_until: int
    evidence: str
    cohort: str
    touched: Touched | None
    would_touch: Mapping[str, Touched]
    beyond: Mapping[str, str]


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

    And whom each entry would touch, by what is recorded of 30 days: how many customers of long
    standing, how much of what they paid, for each cohort; no secret is needed for these counts.
    What is beyond its caps waits for two officers: `tallystick policy tightening approve`.

    Every measure that is kept is checked again: signed by the service, from an entry that officers
    signed, recorded, nowhere looser than their policy, and within its caps. Exits with 4 if one is
    not.
    """
    provider = ProviderFolder(folder)
    settings, now = provider.settings(), SystemClock().now()
    with open_reader(provider.stored()) as reader:
        policy, measures = _policy(provider), kept_measures(reader)
        known = tuple(half.verify_key() for half in settings.tightening)
        officers = {name: half.verify_key() for name, half in settings.officers.items()}
        wrong = wrong_measures(reader, known, settings.provider, officers)
        waiting = tuple(one.proposal() for one in waiting_proposals(reader, now))
        payers = recorded_payers(reader, now)
        shown = tuple(_shown(reader, policy, measures, payers, now))
    if as_json:
        say_json(
            {
                "version": policy.header.version, "entries": shown, "wrong": wrong,
                "waiting": waiting,
            }
        )  # fmt: skip
    else:
        _say_shown(policy, shown)
        say_waiting(waiting, folder)
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


def _shown(
    reader: Reader,
    policy: Policy,
    measures: tuple[Measure, ...],
    payers: tuple[Payer, ...],
    now: int,
) -> Iterator[Shown]:
    current = in_force(measures, policy.header.version)
    by_entry = {one.entry: one for one in current}  # of two, the one for all began later
    base, steps = recompile(policy), [one.step for one in current]
    for entry in policy.tightening:
        measure = by_entry.get(entry.id)
        preview = preview_of(reader, base, entry, steps, now, payers)
        yield Shown(
            entry=entry.id,
            on=" ".join(filter(None, (entry.on.value, entry.of))),
            does=_does(entry, policy.header.currency),
            measure="" if measure is None else measure.id,
            since=0 if measure is None else measure.since,
            keep_until=0 if measure is None else measure.since + entry.keep_ms,
            evidence="" if measure is None else measure.evidence,
            cohort="" if measure is None else measure.cohort,
            touched=None if measure is None else touched_by(measure),
            would_touch=preview.touched,
            beyond={
                name: why_beyond(policy, entry, found, measures, now)
                for name, found in preview.touched.items()
            },
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
    rows = [(one.entry, one.on, one.does, _state(one)) for one in shown]
    table(f"policy version {policy.header.version}", ("entry", "on", "does", ""), rows)
    counted = [
        (one.entry, name or "all", *_counts(found, policy.header.currency), one.beyond[name])
        for one in shown
        for name, found in sorted(one.would_touch.items(), reverse=True)
    ]
    table(
        "\nwhom it would touch, by the last 30 days",
        ("entry", "cohort", "customers", "value", "by class of device", "beyond"),
        counted,
    )
    for one in shown:
        if one.measure:
            until = iso_utc(one.keep_until)
            say(f"{one.entry}: since {iso_utc(one.since)}, not before {until}: {one.evidence}")
        if one.touched is not None:
            customers, value, classes = _counts(one.touched, policy.header.currency)
            say(f"  counted when it began: {customers} customers, {value}; {classes}")


def _state(one: Shown) -> str:
    held = f" for {one.cohort}" if one.cohort else ""
    return f"in force{held}" if one.measure else ""


def _counts(touched: Touched, currency: str) -> tuple[str, str, str]:
    classes = ", ".join(
        f"{one.device} {one.customers} of {one.of_customers}" for one in touched.classes
    )
    value = Money(touched.value_minor, currency)
    return (
        f"{touched.customers} of {touched.of_customers}",
        f"{value} of {Money(touched.of_value_minor, currency)}",
        classes,
    )


def say_waiting(waiting: Iterable[TighteningProposal], folder: Path) -> None:
    """Tell what waits for two officers, and what they do.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    for one in waiting:
        held = f" for {one.cohort}" if one.cohort else ""
        say(
            f"{one.entry}{held} waits for two officers until {iso_utc(one.until)}: {one.beyond}",
            "bold",
        )
        say(f"  tallystick policy tightening approve {folder / PROPOSALS / one.id}.json ...")


@tightening.command(
    "approve",
    short_help="Approve a tightening beyond its caps, as an officer.",
    epilog=example(
        "tallystick policy tightening approve provider/proposals/tpr_01.json --officer officer-1"
        " --key-file offline/officer-1.key --secret-file ./secret"
    ),
)
@click.argument("file", type=_FILE)
@officer_options
@click.option(
    "--out",
    "target",
    type=_NEW,
    help="Signed file, beside FILE if left out; one that is there gets one more signature.",
)
def approve(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the proposal in FILE as an officer: the tightening may go beyond its caps.

    Two officers sign the same file. Once it stands in the folder `proposals` of the provider, the
    service takes it in within seconds and the tightening begins. Nothing else may be changed by it.
    """
    proposal = tightening_proposals.decode_canonical(file.read_bytes())
    place = target or file.with_name(file.name.removesuffix(".json") + SIGNED)
    existing = read_statement(place.read_bytes()) if place.exists() else None
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    signed = sign_statement(APPROVED, proposal, officer, signer, existing)
    replace_file(place, encode_canonical(signed))
    count = len(signed.signatures)
    say(f"{proposal.entry}: {proposal.beyond}")
    say(f"{place}: signed by {count} officer{'s' * (count > 1)}")
    if count == 1:
        say("a second officer signs the same file")


secret_options(approve)
opener_options(preview)
