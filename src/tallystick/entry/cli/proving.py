"""The command that proves a provider.

Source: ISO/TS 12812-2:2017, 9.1
"""

from collections import Counter
from pathlib import Path

import click

from tallystick.entry.cli.console import (
    FOUND_SOMETHING,
    err,
    example,
    progress,
    say,
    say_json,
    table,
)
from tallystick.entry.cli.unlocking import opener_from, opener_if_given, opener_options
from tallystick.entry.evidence import ask_for_signer, services_left_out, take_build
from tallystick.entry.proving.probing import Proved, prove_opened
from tallystick.entry.proving.probing import prove as prove_beside
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.evidence import Verdict
from tallystick.process.conformance.builds import Build
from tallystick.process.conformance.findings import State, counts

_ADD = "its rows are in none of these counts; add it under services"
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    short_help="Run the probes, record what they saw, say what holds.",
    epilog=example(
        "tallystick prove ./provider --secret-file ./secret",
        "tallystick prove ./provider --url https://pay.example:8480 --due",
        "tallystick prove ./provider --secret-file ./secret --only MFS-7.3.3-03",
        "tallystick prove ./provider --secret-file ./secret --build build/build.json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--only", multiple=True, metavar="ID", help="A probe, or a row; several times.")
@click.option("--due", is_flag=True, help="Only probes whose answer is half out of date.")
@click.option("--url", default="", help="Try the service that runs there, instead of opening it.")
@click.option("--ca-file", type=_FILE, help="Believe this certificate of the service.")
@click.option("--backup", type=_FOLDER, help="Look at this backup of the provider, too.")
@click.option("--log", "log_file", type=_FILE, help="Search this log of the service, too.")
@click.option("--build", type=_FILE, help="Take this record of the build that runs, too.")
@click.option("--build-key", default="", help="From now on, count only builds that this key signs.")
@click.option("--json", "as_json", is_flag=True, help="Print run and findings as JSON.")
def prove(
    folder: Path,
    only: tuple[str, ...],
    due: bool,
    url: str,
    ca_file: Path | None,
    backup: Path | None,
    log_file: Path | None,
    build: Path | None,
    build_key: str,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> int:
    """Run the probes of the provider in FOLDER and say what holds of the rows of the catalogue.

    Without --url the provider is opened, served on loopback and tried by a phone of its own, which
    has no money; nobody may serve it meanwhile. With --url the service that runs there is tried,
    and what was seen is left in FOLDER/evidence for it to record. With --build the tests of the
    build count as well; a record of other source, or of a tree with changes, is refused. Exits with
    4 if a probe failed.
    """
    place = ProviderFolder(folder)
    if build_key:
        ask_for_signer(place, build_key)
    if build is not None:
        _took(take_build(place, build.read_bytes()))
    site = Site(
        place,
        SystemClock(),
        url=url,
        ca_file=ca_file,
        backup=backup,
        log_file=log_file,
    )
    with progress("probes") as tell:
        if url:
            site.opener = opener_if_given(secret_fd, secret_file)
            proved = prove_beside(site, only=only, due_only=due, tell=tell)
        else:
            opener = opener_from(secret_fd, secret_file)
            proved = prove_opened(site, opener, only=only, due_only=due, tell=tell)
    if as_json:
        say_json({"run": proved.run, "recorded": proved.recorded, "findings": proved.findings})
    else:
        _tell(proved)
    left_out = services_left_out(place)
    if left_out:
        err.print(f"{left_out}: {_ADD}", style="yellow", highlight=False)
    failed = any(one.verdict is Verdict.FAIL for one in proved.run.observations)
    return FOUND_SOMETHING if failed else 0


def _took(build: Build) -> None:
    record = build.record
    mark = f"signed by {build.signer[:16]}" if build.signer else "unsigned"
    err.print(
        f"build of {record.commit[:12]}, {mark}: {record.passed} tests passed,"
        f" {record.failed} failed, {len(record.requirements)} rows have tagged tests"
    )


def _tell(proved: Proved) -> None:
    seen = proved.run.observations
    rows = [(one.verdict.value, one.check, one.summary) for one in seen]
    table("probes", ("", "probe", "saw"), rows)
    failed = [one for one in seen if one.verdict is Verdict.FAIL]
    if failed:
        say("\nwhat failed")
    for one in failed:
        say(f"{one.check}: {one.summary}", style="red")
    counted = Counter(one.verdict for one in seen)
    total = len(seen)
    say(
        f"{counted[Verdict.PASS]} of {total} probes passed, {counted[Verdict.FAIL]} failed,"
        f" {counted[Verdict.UNKNOWN]} could not be made"
    )
    if proved.left is None:
        say(f"recorded as event {proved.recorded}")
    else:
        say(f"left for the service to record: {proved.left}")
    _tell_findings(proved)


def _tell_findings(proved: Proved) -> None:
    total = len(proved.findings)
    found = counts(proved.findings)
    say("rows: " + ", ".join(f"{found[one.value]} of {total} {one.value}" for one in State))
    asked = {one.requirement for one in proved.findings}
    attempted = asked & {row for one in proved.run.observations for row in one.requirements}
    say(f"the probes of this run bear on {len(attempted)} of {total} rows")


opener_options(prove)
