"""Commands about key ceremonies: list, plan, run, resume, verify.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from tallystick.entry.ceremonies.holding import begin, check_place, hold, take_up
from tallystick.entry.ceremonies.planning import Wanted, make_plan
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.ceremonies.stamped import (
    known_roots,
    stamp_elsewhere,
    stamp_file,
    verify_stamped,
)
from tallystick.entry.ceremonies.standing import verify_file
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.places import Places
from tallystick.entry.cli.signing import signers_of
from tallystick.entry.cli.unlocking import write_private
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.timestamps import Stamped
from tallystick.kernel.codec import Decoder, encode_canonical, to_plain
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import iso_utc
from tallystick.process.ceremonies import Plan, State, every_script, script_called

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_RUN: Final = (
    "--key-file officer-1=1.key --key-file officer-2=2.key --key-file officer-3=3.key"
    " --key-file officer-4=4.key"
)
_plans = Decoder(Plan, limit=64 * 1024)


@click.group(epilog=example("tallystick ceremony list"))
def ceremony() -> None:
    """What several people do with keys together, step by step and signed by all."""


@ceremony.command("list", epilog=example("tallystick ceremony list --steps"))
@click.option("--steps", is_flag=True, help="Show the steps too.")
@click.option("--json", "as_json", is_flag=True, help="Print the scripts as JSON.")
def list_scripts(steps: bool, as_json: bool) -> None:
    """Show the scripts: what each ceremony does, and what its plan has to say."""
    scripts = every_script()
    if as_json:
        say_json(scripts)
        return
    rows = [
        (one.id, str(one.version), one.title, " ".join(f"--{need}" for need in one.needs))
        for one in scripts
    ]
    table("", ("script", "version", "what it does", "needs"), rows)
    for one in scripts if steps else ():
        shown = [(step.id, step.shows, step.enters, step.check) for step in one.steps]
        table(one.id, ("step", "shown", "entered", "must hold"), shown)


@ceremony.command(
    "plan",
    short_help="Say who holds which ceremony, for one folder.",
    epilog=example(
        "tallystick ceremony plan ./provider master-make --master officer-1 --custodian officer-2"
        " --custodian officer-3 --witness officer-4 --threshold 2 --out plan.json"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("script")
@click.option("--master", "leader", required=True, help="Who leads: the master of ceremonies.")
@click.option("--custodian", "custodians", multiple=True, help="A custodian; two or more.")
@click.option("--witness", "witnesses", multiple=True, help="A witness; one or more.")
@click.option("--threshold", type=int, default=0, help="How many custodians it takes to open.")
@click.option("--mechanism", default="", help="What the key is for: aes-256, aes-192, aes-128.")
@click.option("--key", "subject", default="", help="The id of the key.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The plan's file."
)
def plan_ceremony(
    folder: Path,
    script: str,
    leader: str,
    custodians: tuple[str, ...],
    witnesses: tuple[str, ...],
    threshold: int,
    mechanism: str,
    subject: str,
    out: Path,
) -> None:
    """Write the plan of a ceremony by SCRIPT in FOLDER.

    People are officers of the provider's settings, by name, or active operators, by id. A plan
    holds in its folder and under its profile only.
    """
    wanted = Wanted(leader, custodians, witnesses, threshold, mechanism, subject)
    made = make_plan(
        ProviderFolder(folder), script_called(script), wanted, SystemClock(), operating_system
    )
    write_private(out, encode_canonical(made).decode())
    rows = [(one.role.value, one.name) for one in made.people]
    table(f"{made.id}: {made.script.title}, profile {made.profile}", ("", ""), rows)
    say(f"hold it: tallystick ceremony run {folder} {out}")


@ceremony.command(
    "run",
    short_help="Hold a ceremony.",
    epilog=example(f"tallystick ceremony run ./provider plan.json {_RUN}"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("plan", type=_FILE)
def run(folder: Path, plan: Path, key_files: Sequence[str], places: Sequence[str]) -> None:
    """Hold the ceremony of PLAN in FOLDER, from its first step.

    Each person types at this terminal, unseen, when called by name: first the passphrase of their
    key, which signs their steps, then what the step asks for. With --at a person has a terminal of
    their own on a file descriptor. After a break the steps that are done stay done: resume.
    """
    provider, planned = ProviderFolder(folder), _plans.decode_canonical(plan.read_bytes())
    _hold(provider, begin(provider, planned), key_files, places)


@ceremony.command(
    "resume",
    short_help="Go on with a ceremony after a break.",
    epilog=example(f"tallystick ceremony resume ./provider plan.json {_RUN}"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("plan", type=_FILE)
def resume(folder: Path, plan: Path, key_files: Sequence[str], places: Sequence[str]) -> None:
    """Go on with the ceremony of PLAN in FOLDER at the step that was cut short.

    That step begins anew: nothing that was entered is kept. Another plan, another folder, or a
    folder that is not as the last step left it is refused.
    """
    provider, planned = ProviderFolder(folder), _plans.decode_canonical(plan.read_bytes())
    _hold(provider, take_up(provider, planned), key_files, places)


@ceremony.command(
    "verify",
    short_help="Check a transcript, and whether the provider still fits it.",
    epilog=example(
        "tallystick ceremony verify ./provider/ceremonies/cer_....dsse --provider ./provider"
    ),
)
@click.argument("file", type=_FILE)
@click.option("--provider", type=_FOLDER, help="The folder that it was held in.")
@click.option(
    "--tsa-root", type=_FILE, help="Roots (PEM) that the time stamp beside FILE is believed by."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(file: Path, provider: Path | None, tsa_root: Path | None, as_json: bool) -> None:
    """Check the signatures, quorum and order of the transcript in FILE, and its time stamp.

    With --provider the people have to be those that it knows, and what the ceremony left has to be
    there still. Exits with 4 if it is not. The stamp, FILE with the ending .tsr, is checked by
    --tsa-root, or by the roots of --provider; `openssl ts -verify` takes it as well.
    """
    folder = None if provider is None else ProviderFolder(provider)
    found = verify_file(file, folder)
    roots = () if folder is None else known_roots(folder)
    roots = roots if tsa_root is None else (certificates_in(tsa_root.read_bytes()),)
    stamped = verify_stamped(file, found.held_at, roots) if roots else None
    if as_json:
        say_json({**to_plain(found), "stamp": to_plain(stamped)})
    else:
        say(f"{found.id}: {found.script}, profile {found.profile}, {iso_utc(found.held_at)}")
        say(f"signed by all: {', '.join(found.people)}")
        say(_told(file, stamped))
        for name in found.superseded:
            say(f"changed by a later ceremony: {name}")
        for what in found.misfits:
            say(f"does not fit: {what}", style="red")
        if provider is None:
            say("who these people are was not looked up: name the folder with --provider")
    if found.misfits:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _told(file: Path, stamped: Stamped | None) -> str:
    if stamped is not None:
        return f"stamped {iso_utc(stamped.at)} by {stamped.authority}"
    if stamp_file(file).exists():
        return "its time stamp was not checked: name a root with --tsa-root"
    return "it has no time stamp yet: the running service gives it one"


def _hold(
    provider: ProviderFolder, state: State, key_files: Sequence[str], places: Sequence[str]
) -> None:
    check_place(provider, state.plan)
    speaking = Places.of(places)
    signers = signers_of(state.plan, key_files, speaking)
    room = Room(provider, state.plan, speaking, SystemClock(), operating_system)
    transcript = hold(room, state, signers)
    say(f"held; the transcript is {transcript}")
    try:
        stamp = stamp_elsewhere(provider, transcript)
    except MfsError as error:
        say(f"not stamped yet, the running service tries again: {error.detail}", style="yellow")
        return
    if stamp is None:
        say("the running service stamps it with the time: ceremony verify")
    else:
        say(f"stamped: {stamp}")


for _command in (run, resume):
    _command.params += [
        click.Option(
            ["--key-file", "key_files"],
            multiple=True,
            metavar="NAME=FILE",
            help="The sealed key of a person; one for each.",
        ),
        click.Option(
            ["--at", "places"],
            multiple=True,
            metavar="NAME=FD",
            help="A person's own terminal, as a file descriptor that is read and written.",
        ),
    ]
