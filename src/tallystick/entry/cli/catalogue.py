"""Commands about the requirement catalogue.

Source: ISO/TS 12812-2:2017, 5; 9.1
"""

from pathlib import Path
from typing import cast

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.infrastructure.store.files import replace_file
from tallystick.process.catalogue import apply_overlay, load_overlay
from tallystick.process.catalogue import catalogue as load_catalogue
from tallystick.process.catalogue.coverage import coverage_report, render_markdown
from tallystick.process.library import library_files
from tallystick.process.risk.packs import shipped_pack


@click.group(epilog=example("tallystick catalogue show MFS-7.3.3-01"))
def catalogue() -> None:
    """The 250 requirements, 102 threats and 61 clauses, as data."""


@catalogue.command("show", epilog=example("tallystick catalogue show MFS-7.3.3-01"))
@click.argument("identifier", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(identifier: str, as_json: bool) -> None:
    """Show one requirement (MFS-...) or threat (THR-...)."""
    loaded = load_catalogue()
    found = (
        loaded.threat(identifier)
        if identifier.startswith("THR-")
        else loaded.requirement(identifier)
    )
    if as_json:
        say_json(found)
        return
    rows = [(name, getattr(found, name)) for name in type(found).__struct_fields__]
    table("", ("", ""), [(name, _plain(value)) for name, value in rows])


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        several = cast("tuple[object, ...]", value)
        return ", ".join(str(one) for one in several) or "-"
    return value if value != "" else "-"


@catalogue.command(
    "overlay",
    short_help="Say how far an overlay confirms the catalogue.",
    epilog=example("tallystick catalogue overlay ~/overlay.yaml"),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def overlay(file: Path) -> None:
    """Say how far FILE, kept by a holder of the standard, confirms the reconstruction."""
    loaded = load_catalogue()
    say(apply_overlay(loaded, load_overlay(file, loaded)).standing())


@catalogue.command(
    "library",
    short_help="Write the catalogue as a library of CISO Assistant.",
    epilog=example(
        "tallystick catalogue library ./library",
        "tallystick catalogue library ./library --version 2",
    ),
)
@click.argument("target", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--version",
    default=1,
    type=click.IntRange(min=1),
    show_default=True,
    help="A higher one replaces what is loaded.",
)
def library(target: Path, version: int) -> None:
    """Write the rows, threats and controls to FOLDER as libraries that CISO Assistant loads.

    One file has the framework, with the services as implementation groups and the controls of the
    shipped pack as reference controls. Each other file maps rows to a framework that must be loaded
    before it.
    """
    files = library_files(load_catalogue(), shipped_pack(), version)
    target.mkdir(parents=True, exist_ok=True)
    for name, octets in files.items():
        replace_file(target / name, octets)
        say(f"{target / name}: {len(octets)} bytes")


@catalogue.command(
    "coverage",
    short_help="Print which test proves which requirement.",
    epilog=example("tallystick catalogue coverage . --results junit.xml"),
)
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--results", type=click.Path(exists=True, path_type=Path), help="JUnit XML of a run.")
def coverage(root: Path, results: Path | None) -> None:
    """Print which requirement is proved by which test of the repository at ROOT."""
    click.echo(render_markdown(coverage_report(root, results)))
