"""Commands about the programme file: check, show, draw, exchange, and sign decisions.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.process.conformance.tables import comma_separated
from tallystick.process.programme.checks import ModelFinding, check_programme
from tallystick.process.programme.decisions import read_decisions, sign_decisions
from tallystick.process.programme.drawing.svg import draw
from tallystick.process.programme.exchange.foreign import read_json, read_yaml
from tallystick.process.programme.exchange.otm import export_otm, sketch_otm
from tallystick.process.programme.exchange.threagile import sketch_threagile
from tallystick.process.programme.exchange.writing import programme_text
from tallystick.process.programme.layers import layer_rows, layer_table
from tallystick.process.programme.model import Programme
from tallystick.process.programme.organisation import (
    check_organisation,
    operators_text,
    staffing,
)
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.programme.summary import summarise
from tallystick.protocol.decisions_file import read_envelope, write_envelope

PROGRAMME_FILE = "mfs.yaml"
_PLACE = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_HERE = click.argument("file", type=_PLACE, default=PROGRAMME_FILE)


@click.group(epilog=example("tallystick programme check ./provider/mfs.yaml"))
def programme() -> None:
    """The programme file: what is run, for whom, with whom, and what is feared."""


@programme.command(
    "check",
    short_help="Say whether a programme is sound, and what is odd.",
    epilog=example("tallystick programme check", "tallystick programme check ./provider"),
)
@_HERE
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(file: Path, as_json: bool) -> None:
    """Read FILE (mfs.yaml, or its folder) and say what is wrong, each with line and column.

    What is odd but no error comes with what to do about it: parts that nothing uses, proofs that
    ended, duties that do not go together, questions that an import left open. Exits with 1 for an
    error, with 4 for a finding.
    """
    text = _text(file)
    found = _findings(text, read_programme(text), SystemClock().now())
    if as_json:
        say_json(to_plain(found))
    elif found:
        rows = [(f"{one.at.line}:{one.at.column}", one.says, one.remedy) for one in found]
        count = f"{len(rows)} finding{'s' * (len(rows) > 1)}"
        table(f"{_path(file)}: sound, with {count}", ("at", "what", "do"), rows)
    else:
        say(f"{_path(file)}: sound, and nothing is odd", style="green")
    if found:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@programme.command(
    "show",
    short_help="Print a summary of a programme.",
    epilog=example("tallystick programme show ./provider"),
)
@_HERE
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(file: Path, as_json: bool) -> None:
    """Print what the programme in FILE has, by section."""
    found = summarise(_programme(file))
    if as_json:
        say_json(dict(found))
        return
    table(str(_path(file)), ("", ""), found)


@programme.command(
    "operators",
    short_help="Print the operators' section of a policy.",
    epilog=example("tallystick programme operators ./provider"),
)
@_HERE
def operators(file: Path) -> None:
    """Print the roles of operators that follow from the posts of FILE, for a policy."""
    click.echo(operators_text(staffing(_programme(file)).rules), nl=False)


@programme.command(
    "diagram",
    short_help="Draw the data flows of a programme.",
    epilog=example("tallystick programme diagram flows.svg --programme ./provider"),
)
@click.argument("target", metavar="FILE.svg", type=_OUT)
@click.option(
    "--programme", "file", type=_PLACE, default=PROGRAMME_FILE, show_default=True, help="Of what."
)
def diagram(target: Path, file: Path) -> None:
    """Draw the data flows to FILE.svg: zones side by side, layers one below the other.

    Line style and label say the bearer, a padlock says end-to-end. The picture needs no other file.
    """
    found = _programme(file)
    replace_file(target, draw(found).encode())
    say(f"{target}: {len(found.nodes)} nodes, {len(found.flows)} flows")


@programme.command(
    "layers",
    short_help="Say what protects each flow on each layer.",
    epilog=example(
        "tallystick programme layers ./provider",
        "tallystick programme layers ./provider --csv layers.csv",
    ),
)
@_HERE
@click.option("--csv", "target", type=_OUT, help="Write the table there (comma-separated).")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def layers(file: Path, target: Path | None, as_json: bool) -> None:
    """Print which protection each flow of FILE has on which of the seven layers.

    The last column says what to ask about: a flow with nothing on layers 2 to 4, nothing on layers
    5 to 7, or one that others than its ends see in clear.
    """
    found = _programme(file)
    head, rows = layer_table(found)
    if target is not None:
        replace_file(target, comma_separated(head, rows))
        say(f"{target}: {len(rows)} flows")
    elif as_json:
        say_json(to_plain(layer_rows(found)))
    else:
        wide = [(row[0], row[2], *(one or "-" for one in row[3:])) for row in rows]
        table("", (head[0], *head[2:]), wide)


@programme.command(
    "export",
    short_help="Write a programme for another tool.",
    epilog=example("tallystick programme export --otm ./provider --out model.otm.json"),
)
@_HERE
@click.option("--otm", is_flag=True, required=True, help="As Open Threat Model 0.2.0.")
@click.option("--out", "target", type=_OUT, help="Write it there instead of to the output.")
def export(file: Path, otm: bool, target: Path | None) -> None:
    """Write the programme in FILE as a document that other threat-modelling tools read."""
    text = export_otm(_programme(file))
    if target is None:
        click.echo(text, nl=False)
        return
    replace_file(target, text.encode())
    say(f"written: {target}")


@programme.command(
    "import",
    short_help="Begin a programme from another tool's model.",
    epilog=example(
        "tallystick programme import --otm model.otm.json",
        "tallystick programme import --threagile threagile.yaml --out mfs.yaml",
    ),
)
@click.option("--otm", type=_FILE, help="An Open Threat Model document.")
@click.option("--threagile", type=_FILE, help="A Threagile model.")
@click.option(
    "--out", "target", type=_OUT, default=PROGRAMME_FILE, show_default=True, help="Where to."
)
def bring(otm: Path | None, threagile: Path | None, target: Path) -> None:
    """Write an mfs.yaml with what the model says, and a `todo` wherever it says nothing.

    A file that is there is never overwritten.
    """
    if (otm is None) == (threagile is None):
        raise click.UsageError("give one of --otm and --threagile")
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="write to another file with --out")
    if otm is not None:
        sketch = sketch_otm(read_json(otm.read_bytes()))
    else:
        sketch = sketch_threagile(read_yaml(threagile.read_bytes() if threagile else b""))
    text = programme_text(sketch)
    read = read_programme(text)
    target.write_text(text, encoding="utf-8")
    say(f"{target}: {len(read.nodes)} nodes, {len(read.flows)} flows, {len(read.assets)} assets")
    say(f"{len(open_questions(text))} questions are left open: tallystick programme check {target}")


@programme.command(
    "sign-decisions",
    short_help="Sign decisions about a programme as an officer.",
    epilog=example(
        "tallystick programme sign-decisions decisions.yaml --officer officer-1"
        " --key-file offline/officer-1.key --secret-file ./secret --out decisions.json"
    ),
)
@click.argument("file", type=_FILE)
@officer_options
@click.option("--out", "target", required=True, type=_OUT, help="Signed file.")
def sign(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the decisions in FILE; a signed file of the same text gets one more signature.

    Acceptances, exceptions and what is called not applicable take two officers.
    """
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    existing = read_envelope(target.read_bytes()) if target.exists() else None
    text = file.read_text(encoding="utf-8")
    signed = sign_decisions(text, officer, signer, existing)
    replace_file(target, write_envelope(signed))
    count, found = len(signed.signatures), read_decisions(text)
    wanted = found.signatures_wanted()
    missing = "" if count >= wanted else f"; {wanted - count} more to sign"
    say(
        f"{target}: {len(found.decisions)} decisions, signed by"
        f" {count} officer{'s' * (count > 1)}{missing}"
    )


def _findings(text: str, found: Programme, now: int) -> list[ModelFinding]:
    asked = [
        ModelFinding(
            at=at,
            sort="open-question",
            says=f"left open: {question}",
            remedy="answer it and take the mark out",
        )
        for at, question in open_questions(text)
    ]
    odd = [*check_programme(found, now), *check_organisation(found), *asked]
    return sorted(odd, key=lambda one: (one.at, one.says))


def _path(file: Path) -> Path:
    return file / PROGRAMME_FILE if file.is_dir() else file


def _text(file: Path) -> str:
    path = _path(file)
    if not path.exists():
        raise NotFound(
            f"there is no programme at {path}",
            remedy="name the file or its folder; tallystick init writes one",
        )
    return path.read_bytes().decode("utf-8", "replace")


def _programme(file: Path) -> Programme:
    return read_programme(_text(file))


secret_options(sign)
