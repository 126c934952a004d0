"""Commands about policies: check, sign, compare, and try.

Source: ISO/TS 12812-2:2017, 6.1
"""

from collections.abc import Iterator
from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.policyfiles import policy_in, tell_changes
from tallystick.entry.cli.reached import say_touches
from tallystick.entry.cli.supposing import in_words, say_stood, suppose
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    opener_from,
    opener_options,
    secret_from,
    secret_options,
)
from tallystick.entry.judging import Judged, judge
from tallystick.entry.reaching import touched_by
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical, to_plain
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.process.policy import compile_policy
from tallystick.process.policy.cedar import cedar_policies, cedar_schema
from tallystick.process.policy.explain import explain, explain_steps
from tallystick.process.policy.explain import in_words as in_words_of
from tallystick.process.policy.regimes import Baseline, regime, regime_names
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.policy_file import read_policy_file

_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog=example("tallystick policy check policy.yaml"))
def policy() -> None:
    """Policies: the rules that every message meets."""


@policy.command(
    "check",
    short_help="Say whether a policy is sound.",
    epilog=example("tallystick policy check policy.yaml"),
)
@click.argument("file", type=_PATH)
def check(file: Path) -> None:
    """Read FILE (text or signed) and say whether it is sound; every defect has its position."""
    compiled = compile_policy(policy_in(file))
    rules = compiled.policy
    say(
        f"{file.name}: version {compiled.version} of {rules.header.provider} is sound:"
        f" {len(rules.decisions)} rows, {len(rules.limits)} limits, {len(rules.tiers)} tiers"
    )


@policy.command(
    "diff",
    short_help="Say in words what changes.",
    epilog=example(
        "tallystick policy diff v1.yaml v2.yaml",
        "tallystick policy diff ./provider/policy.json v2.yaml",
    ),
)
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@click.option("--reasons", is_flag=True, help="Show where a reason is worded otherwise, too.")
def compare(old: Path, new: Path, *, reasons: bool) -> None:
    """Say in words what changes from OLD to NEW, each a text or a signed file.

    First the parameters, then for whom a decision comes out otherwise: every pair of rows or caps,
    over all facts there can be, with an example.
    """
    tell_changes(policy_in(old), policy_in(new), reasons=reasons)


@policy.command(
    "sign",
    short_help="Approve a policy as an officer.",
    epilog=example(
        "tallystick policy sign policy.yaml --officer officer-1 --key-file offline/officer-1.key"
        " --secret-file ./secret --out signed.json"
    ),
)
@click.argument("file", type=_PATH)
@officer_options
@click.option(
    "--out", "target", required=True, type=click.Path(path_type=Path), help="Signed file."
)
def sign(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Approve FILE as an officer; a signed file of the same text gets one more signature."""
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    existing = read_policy_file(target.read_bytes()) if target.exists() else None
    signed = sign_policy(file.read_text(encoding="utf-8"), officer, signer, existing)
    target.write_bytes(encode_canonical(signed))
    count = len(signed.signatures)
    say(f"{target}: version {signed.version}, signed by {count} officer{'s' * (count > 1)}")


@policy.command(
    "regimes",
    short_help="List regimes, or what a policy is held to.",
    epilog=example("tallystick policy regimes", "tallystick policy regimes policy.yaml"),
)
@click.argument("file", type=_PATH, required=False)
def regimes(file: Path | None) -> None:
    """List the regimes that a policy may name; of the policy in FILE, what they ask of it.

    Of several regimes the strictest demand holds, and its article is shown. Not legal advice.
    """
    if file is None:
        packs = [regime(name) for name in regime_names()]
        rows = [(one.id, iso_utc(one.effective_from)[:10], one.title, one.source) for one in packs]
        table("", ("regime", "from", "what", "source"), rows)
        say("not legal advice")
        return
    held = compile_policy(policy_in(file)).baseline
    table("", ("what", "bound", "because"), _held_to(held))


@policy.command(
    "export",
    short_help="Write a policy in another language.",
    epilog=example("tallystick policy export policy.yaml --cedar --schema-out policy.cedarschema"),
)
@click.argument("file", type=_PATH)
@click.option("--cedar", is_flag=True, required=True, help="As policies of the Cedar language.")
@click.option(
    "--schema-out", type=click.Path(path_type=Path), help="Write the schema of the export here."
)
def export(file: Path, cedar: bool, schema_out: Path | None) -> None:
    """Print the decisions of FILE as Cedar policies, for others to read, analyse and run.

    A request is permitted exactly where the decision is allow. Which row it was, what a step-up
    asks for, how long to wait, limits over time and operators' acts are not in the export.
    """
    rules = compile_policy(policy_in(file)).policy
    if schema_out is not None:
        schema_out.write_text(cedar_schema(rules), encoding="utf-8")
    click.echo(cedar_policies(rules))


@policy.command(
    "replay",
    short_help="Try a policy on what was decided before.",
    epilog=example(
        "tallystick policy replay v2.yaml --provider ./provider --last 10000 --secret-file ./secret"
    ),
)
@click.argument("candidate", type=_PATH)
@click.option(
    "--provider",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the provider.",
)
@click.option(
    "--last", default=10_000, show_default=True, type=click.IntRange(1), help="How many orders."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def replay(
    candidate: Path,
    folder: Path,
    last: int,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Decide the last orders of a provider again by CANDIDATE, and count what comes out otherwise.

    The facts of each order open with the secret; only counts and sums are shown. Orders that asked
    for more or had to wait left no facts; limits over time and funds are not replayed.
    """
    compiled = compile_policy(policy_in(candidate))
    opener = opener_from(secret_fd, secret_file)
    judged = judge(ProviderFolder(folder), compiled, opener, SystemClock(), last=last)
    if as_json:
        say_json(judged)
        return
    _say_judged(judged)


@policy.command(
    "reach",
    short_help="Say whom a policy would give less.",
    epilog=example("tallystick policy reach v2.yaml --provider ./provider"),
)
@click.argument("candidate", type=_PATH)
@click.option(
    "--provider",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the provider.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def reach(candidate: Path, folder: Path, as_json: bool) -> None:
    """Count the customers and devices that CANDIDATE lets pay less than the policy in force.

    Counted by class of devices and tier, before anybody signs; the clause that stops them is named.
    It needs no secret, and nothing names a customer.
    """
    compiled = compile_policy(policy_in(candidate))
    with open_reader(ProviderFolder(folder).stored()) as reader:
        found = touched_by(reader, compiled)
    if as_json:
        say_json(to_plain(found))
        return
    say_touches(found, compiled.version, compiled.policy.header.currency)


@policy.command(
    "explain",
    short_help="Try facts on a policy: which row decides.",
    epilog=example(
        "tallystick policy explain policy.yaml --facts amount=250000 --facts payee_known=no",
        "tallystick policy explain policy.yaml --facts channel=ussd --facts grade=pin-verified",
        "tallystick policy explain policy.yaml --facts device_age=2h --facts time_of_day=23:30",
        "tallystick policy explain policy.yaml --facts kind=cash-in --facts steps=agents:1",
    ),
)
@click.argument("file", type=_PATH)
@click.option(
    "--facts",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="One fact; say it several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts and rows as JSON.")
def explain_facts(file: Path, given: tuple[str, ...], as_json: bool) -> None:
    """Try facts on the policy in FILE: which row decides, and why those before it do not.

    What is not said is as in an ordinary payment between people: in the app, from an attested
    device and a known account, to a new payee. Durations are 90s, 15min, 12h or 3d; an amount is in
    the policy's currency.
    """
    compiled = compile_policy(policy_in(file))
    facts = suppose(given, compiled.policy.header.currency)
    tried = explain(compiled, facts)
    decision = compiled.decide(facts)
    if as_json:
        stood = explain_steps(compiled, facts)
        say_json({"facts": facts, "outcome": decision.outcome, "tried": tried, "steps": stood})
        return
    table("decided on", ("", ""), in_words(facts))
    rows = [(one.row, "matched" if one.matched else "passed by", one.says) for one in tried]
    table("\nrows tried, in order", ("row", "", "because"), rows)
    say_stood(explain_steps(compiled, facts))
    style = "green" if decision.outcome == "allow" else "yellow"
    say(f"\n{decision.outcome}: row {decision.row}: {decision.because}", style=style)


def _held_to(held: Baseline) -> Iterator[tuple[str, object, str]]:
    for operation, floor in held.factors.items():
        yield f"factors of {operation}", f"at least {floor.value}", floor.origin
    if held.idle is not None:
        yield "idle session", f"at most {in_words_of(held.idle.value)}", held.idle.origin
    if held.attempts is not None:
        yield "failures in a row", f"at most {held.attempts.value}", held.attempts.origin
    for cap in held.amounts:
        tiers = ", ".join(map(str, cap.tiers))
        yield f"tier {tiers} {cap.measure}", f"at most {cap.bound.value} minor", cap.bound.origin
    for pause in held.pauses:
        what = f"{', '.join(pause.operations)} over {', '.join(pause.channels)}"
        yield what, f"{in_words_of(pause.bound.value)} after a change of SIM", pause.bound.origin


def _say_judged(judged: Judged) -> None:
    decided = f"{judged.decisions} decisions of policy {', '.join(map(str, judged.versions))}"
    say(f"{decided}, {Money(judged.value_minor, judged.currency)}")
    touched = Money(judged.touched_minor, judged.currency)
    say(f"{judged.flipped} come out otherwise under version {judged.candidate}, {touched}")
    rows = [
        (f"{one.was} -> {one.now}", f"{one.before} -> {one.after}", one.count,
         Money(one.value_minor, judged.currency))
        for one in judged.flips
    ]  # fmt: skip
    if rows:
        table("", ("from -> to", "row -> row", "orders", "value"), rows)
    if judged.unread:
        say(f"{judged.unread} could not be read: their payers were erased")
    if judged.unlike:
        say(f"{judged.unlike} were recorded otherwise than their policy decides", style="yellow")


secret_options(sign)
opener_options(replay)
