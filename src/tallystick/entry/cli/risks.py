"""Commands about risk: run the analysis, show its result, explain one part of it.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, err, example, say, say_json, table
from tallystick.entry.cli.programmes import PROGRAMME_FILE
from tallystick.entry.cli.riskwords import explained, summary
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.process.catalogue import catalogue
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.protection import profile_markdown, protection_profile
from tallystick.process.risk.analysis import (
    Analysis,
    Options,
    analyse,
    analysis_json,
    read_analysis,
)
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for, pack_in

RESULT_FILE = "risk.json"
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_PLACE = click.Path(path_type=Path)
_RESULT = click.argument("result", type=_PLACE, default=RESULT_FILE)


@click.group(epilog=example("tallystick risk run ./provider"))
def risk() -> None:
    """Risk: from the programme to the cheapest controls that are enough, and why."""


@risk.command(
    "run",
    short_help="Analyse a programme.",
    epilog=example(
        "tallystick risk run",
        "tallystick risk run ./provider --years 100000",
        "tallystick risk run ./provider --front --json",
    ),
)
@click.argument("file", type=_PLACE, default=PROGRAMME_FILE)
@click.option("--pack", type=_FOLDER, help="Rules and controls; else what the programme uses.")
@click.option("--years", default=10_000, help="Simulated years of loss.", show_default=True)
@click.option("--seed", default="tallystick", help="Seed of the simulation.", show_default=True)
@click.option(
    "--seconds", default=10.0, help="Longest search for the cheapest set.", show_default=True
)
@click.option("--front", is_flag=True, help="Weigh cost against friction, too.")
@click.option("--out", type=_PLACE, help="Where the result goes; else risk.json beside FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def run(
    file: Path,
    pack: Path | None,
    years: int,
    seed: str,
    seconds: float,
    front: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Analyse the programme in FILE (mfs.yaml, or its folder) and write the result.

    Prints what is open, which controls are chosen and why, who would be shut out, and what a year
    may lose. Equal inputs give equal bytes. Exits with 4 if something is open. Needs the extra
    `risk`.
    """
    place = file / PROGRAMME_FILE if file.is_dir() else file
    with err.status("reading ...") as status:
        found, used = _programme(file, pack)
        options = Options(seed=seed, years=max(100, years), limit_s=seconds, front=front)
        analysis = analyse(
            found, used, options=options, stage=lambda what: status.update(f"{what} ...")
        )
    target = place.parent / RESULT_FILE if out is None else out
    octets = analysis_json(analysis)
    replace_file(target, octets)
    if as_json:
        click.echo(octets.decode())
    else:
        _print(analysis)
        say(f"\nthe whole result: {target}")
    if analysis.findings:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@risk.command(
    "show",
    short_help="Print a result again.",
    epilog=example("tallystick risk show ./provider"),
)
@_RESULT
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def show(result: Path, as_json: bool) -> None:
    """Print the RESULT (risk.json, or its folder) of an earlier run."""
    analysis = _read(result)
    if as_json:
        click.echo(analysis_json(analysis).decode())
        return
    _print(analysis)


@risk.command(
    "explain",
    short_help="Say why: a control, a finding, a path, a requirement.",
    epilog=example(
        "tallystick risk explain hardware-module ./provider",
        "tallystick risk explain sim-swap@pin ./provider",
        "tallystick risk explain MFS-7.3.2-08 ./provider",
    ),
)
@click.argument("name")
@_RESULT
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(name: str, result: Path, as_json: bool) -> None:
    """Say what the RESULT has on NAME: a control, finding, rule, instance, path or requirement."""
    parts = explained(_read(result), name)
    if as_json:
        say_json({title: rows for title, _, rows in parts})
        return
    for title, columns, rows in parts:
        table(title, columns, rows)


@risk.command(
    "profile",
    short_help="Write problem, objectives and requirements for evaluators.",
    epilog=example(
        "tallystick risk profile ./provider --out profile.md",
        "tallystick risk profile ./provider --out profile.md --json profile.json",
    ),
)
@click.argument("file", type=_PLACE, default=PROGRAMME_FILE)
@click.option(
    "--out", "target", type=_OUT, default="profile.md", show_default=True, help="The document."
)
@click.option("--json", "data", type=_OUT, help="The same as JSON.")
@click.option(
    "--seconds", default=10.0, help="Longest search for the cheapest set.", show_default=True
)
def profile(file: Path, target: Path, data: Path | None, seconds: float) -> None:
    """Write the programme in FILE in the shape of a protection profile.

    It has the security problem, the objectives (the chosen controls), the rows that they take, and
    why these are enough. It is no profile that anybody evaluated. Needs the extra `risk`.
    """
    found, used = _programme(file, None)
    with err.status("analysing ..."):
        analysis = analyse(found, used, options=Options(years=100, limit_s=seconds))
        made = protection_profile(found, used, analysis, catalogue())
    replace_file(target, profile_markdown(made).encode())
    if data is not None:
        replace_file(data, encode_canonical(made))
    enough, places = (
        sum(getattr(one, name) for one in made.threats) for name in ("enough", "places")
    )
    say(f"{target}: {len(made.threats)} threats, {len(made.objectives)} objectives")
    say(f"{len(made.requirements)} of {made.rows} rows; enough at {enough} of {places} places")


def _programme(file: Path, pack: Path | None) -> tuple[Programme, Pack]:
    """The programme in `file` or its folder, and the pack that it uses or `pack`."""
    place = file / PROGRAMME_FILE if file.is_dir() else file
    if not place.exists():
        raise NotFound(
            f"there is no programme at {place}",
            remedy="name the file or its folder; tallystick init writes one",
        )
    text = place.read_bytes().decode("utf-8", "replace")
    used = pack_for(read_programme(text).uses) if pack is None else pack_in(pack)
    return read_programme(text, used.controls), used


def _print(analysis: Analysis) -> None:
    for title, columns, rows in summary(analysis):
        table(title, columns, rows)


def _read(result: Path) -> Analysis:
    place = result / RESULT_FILE if result.is_dir() else result
    if not place.exists():
        raise NotFound(f"there is no result at {place}", remedy="run: tallystick risk run")
    return read_analysis(place.read_bytes())
