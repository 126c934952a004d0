"""The command that writes the report for people.

Source: ISO/TS 12812-2:2017, 5; 6.1
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import err, example, say
from tallystick.entry.printing import print_page
from tallystick.entry.reporting import keep_history, material_of, provider_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import TooLarge
from tallystick.process.reports.course import point_of
from tallystick.process.reports.gathering import gather
from tallystick.process.reports.page import LIMIT, report_json, report_page
from tallystick.process.risk.analysis import Options

_PLACE = click.Path(exists=True, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command(
    short_help="Write the report for people: risk, policy and proof on one page.",
    epilog=example(
        "tallystick report ./provider --out report.html --json report.json",
        "tallystick report ./mfs.yaml --out report.html",
        "tallystick report ./provider --out report.html --pdf report.pdf",
    ),
)
@click.argument("place", metavar="[PROVIDER|mfs.yaml]", type=_PLACE, default="mfs.yaml")
@click.option("--out", type=_OUT, default="report.html", show_default=True, help="The page.")
@click.option("--json", "numbers", type=_OUT, help="The same numbers as JSON.")
@click.option("--pdf", type=_OUT, help="The page on paper; takes chromium.")
@click.option("--years", default=10_000, help="Simulated years of loss.", show_default=True)
@click.option("--seed", default="tallystick", help="Seed of the simulation.", show_default=True)
@click.option(
    "--seconds", default=10.0, help="Longest search for the cheapest set.", show_default=True
)
@click.option("--history/--no-history", default=True, help="Add a line to the provider's history.")
def report(
    place: Path,
    out: Path,
    numbers: Path | None,
    pdf: Path | None,
    years: int,
    seed: str,
    seconds: float,
    history: bool,
) -> None:
    """Analyse the programme of a PROVIDER, or the one in mfs.yaml, and write one page about it.

    Of a provider the page has what its probes, build and documents showed, its policy in force, and
    its history; of a programme alone what is declared. The page fetches nothing. No secret is
    needed. Needs the extra `risk`.
    """
    options = Options(seed=seed, years=max(100, years), limit_s=seconds, front=True)
    with err.status("reading ...") as status:
        material = material_of(
            place, SystemClock(), options, lambda what: status.update(f"{what} ...")
        )
        status.update("drawing ...")
        found = gather(material)
        octets = report_page(found, material.programme).encode()
    if len(octets) > LIMIT:
        raise TooLarge(f"the page has {len(octets)} octets", remedy="split the programme")
    replace_file(out, octets)
    written = [f"{out}: {len(octets) // 1024} KiB"]
    if numbers is not None:
        replace_file(numbers, report_json(found))
        written.append(f"{numbers}: its numbers")
    provider = provider_in(place)
    if history and provider is not None and keep_history(provider, point_of(found)):
        written.append(f"a line was added to the history, which has {len(found.history)}")
    if pdf is not None:
        print_page(out, pdf)
        written.append(f"{pdf}: {pdf.stat().st_size // 1024} KiB")
    for sentence in found.summary:
        say(sentence)
    for line in written:
        say(line)
