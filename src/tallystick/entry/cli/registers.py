"""Commands about the registers of the management of security.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.6; 9.1
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, OneOf, example, say, say_json, table
from tallystick.entry.keykeeping import custody_of
from tallystick.entry.recounting import recount
from tallystick.entry.registering import new_register, state_of
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import NotFound
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, iso_utc
from tallystick.process.catalogue import catalogue
from tallystick.process.isms.breach import deadlines
from tallystick.process.isms.clocks import due
from tallystick.process.isms.custody import CustodyEntry, newest
from tallystick.process.isms.inventory import concerns, in_use
from tallystick.process.isms.model import Entry, FieldKind, Register, Shape
from tallystick.process.isms.probes import State, register_probes
from tallystick.process.isms.responsibility import responsibilities
from tallystick.process.isms.shapes import SHAPES

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_KEYS = "keys"
_CRYPTO = "crypto"


@click.group(epilog=example("tallystick registers due ./provider"))
def registers() -> None:
    """Registers of the management of security: what is kept, missing and due."""


@registers.command(
    "check",
    short_help="Say of each register whether it is sound and kept.",
    epilog=example("tallystick registers check ./provider"),
)
@click.argument("folder", type=_FOLDER)
@_JSON
def check(folder: Path, as_json: bool) -> None:
    """Read every register of the provider in FOLDER and say what it proves, and what it lacks.

    Defects come with line and column. Exits with 4 if one cannot be read, is overdue or has gaps;
    a register that is not kept proves nothing and is no fault.
    """
    state, now = state_of(ProviderFolder(folder)), SystemClock().now()
    found = [probe.observe(now) for probe in register_probes(lambda: state)]
    if as_json:
        say_json(to_plain(found))
    else:
        table(
            str(folder),
            ("", "of", "found"),
            [(one.verdict, one.probe.removeprefix("registers."), one.summary) for one in found],
        )
        for broken in state.registers.unreadable:
            for line in broken.defects.splitlines():
                say(f"{broken.name}.yaml: {line}", style="red")
    failed = any(one.verdict is Verdict.FAIL for one in found) or state.registers.unreadable
    if failed:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@registers.command(
    "due",
    short_help="Show what is overdue or falls due, soonest first.",
    epilog=example(
        "tallystick registers due ./provider",
        "tallystick registers due ./provider --days 90 --json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=30,
    show_default=True,
    help="How far to look ahead.",
)
@_JSON
def show_due(folder: Path, days: int, as_json: bool) -> None:
    """Show what is overdue or falls due: reviews, contracts, training, tests, reports, answers,
    inspections of secure devices.

    Exits with 4 if anything is overdue.
    """
    place = ProviderFolder(folder)
    state, now = state_of(place), SystemClock().now()
    found = due(
        state.registers,
        now,
        certificates=state.around.certificates,
        withdrawn=state.around.withdrawn,
        devices=newest(custody_of(place)).values(),
        ahead_ms=days * DAY_MS,
    )
    if as_json:
        say_json(to_plain(found))
    else:
        rows = [
            (
                "overdue" if one.overdue else "due",
                iso_utc(one.at)[:16] if one.at else "",
                one.register,
                one.entry,
                one.what,
                one.owner,
            )
            for one in found
        ]
        table("", ("", "when", "register", "entry", "what", "owner"), rows)
        if not rows:
            say(f"nothing is overdue, and nothing falls due within {days} days")
    if any(one.overdue for one in found):
        raise click.exceptions.Exit(FOUND_SOMETHING)


@registers.command(
    "show",
    short_help="Show a register, or one entry of it.",
    epilog=example(
        "tallystick registers show ./provider vendors",
        "tallystick registers show ./provider responsibilities",
        "tallystick registers show ./provider incidents 2026-11-03-outage",
        "tallystick registers show ./provider keys",
        "tallystick registers show ./provider crypto",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name", type=OneOf([*SHAPES, _KEYS, _CRYPTO]))
@click.argument("entry", required=False)
@_JSON
def show(folder: Path, name: str, entry: str | None, as_json: bool) -> None:
    """Show register NAME of the provider in FOLDER, or one ENTRY of it.

    `responsibilities` shows all requirements with who answers and who carries out; an entry of
    `incidents` comes with its legal clocks and what the log tells of the time; `keys` and `crypto`
    are found in the key store and the record rather than kept.
    """
    place, now = ProviderFolder(folder), SystemClock().now()
    state = state_of(place)
    if name == _KEYS:
        _show_keys(state, now, as_json)
        return
    if name == _CRYPTO:
        _show_crypto(state, now, as_json)
        return
    register = state.registers.kept.get(name)
    if register is None:
        raise NotFound(
            f"register {name} is not kept, or cannot be read",
            remedy=f"tallystick registers check {folder}",
        )
    if entry is None:
        _show_register(state, register, as_json)
        return
    found = register.entries.get(entry)
    if found is None:
        raise NotFound(f"register {name} has no entry {entry[:40]!r}")
    if as_json:
        say_json(to_plain(found))
        return
    table(f"{name} {entry}", ("", ""), list(_fields(register.shape, found)))
    if name == "incidents":
        _show_incident(place, found, now)


@registers.command(
    "custody",
    short_help="Show the ledger of secure devices, and what falls due.",
    epilog=example(
        "tallystick registers custody ./provider",
        "tallystick registers custody ./provider hsm-1 --days 90",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("device", required=False)
@click.option("--days", type=click.IntRange(0, 3650), default=30, help="How far to look ahead.")
@_JSON
def custody(folder: Path, device: str | None, days: int, as_json: bool) -> None:
    """Show how each secure device of FOLDER stands, or every entry about one DEVICE.

    Entries are made by two operators: tallystick operator act record-custody. Exits with 4 if an
    inspection is overdue.
    """
    entries, now = custody_of(ProviderFolder(folder)), SystemClock().now()
    standing = newest(entries)
    if device is not None and device not in standing:
        raise NotFound(f"the ledger has no device {device[:40]!r}")
    shown = [one for one in entries if one.device == device] if device else standing.values()
    if as_json:
        say_json(to_plain(list(shown)))
    else:
        rows = [
            (
                *(one.device, one.kind, one.serial, iso_utc(one.at)[:10], one.what, one.state),
                *(one.place, one.custodians, one.seal, _inspection(one, now, days)),
            )
            for one in shown
        ]
        heads = ("device", "kind", "serial", "on", "what", "state", "place", "held by", "seal", "")
        table("", heads, rows)
    if any(0 < one.inspection_due() <= now for one in standing.values()):
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _inspection(entry: CustodyEntry, now: Instant, days: int) -> str:
    due_at = entry.inspection_due()
    if not due_at or due_at > now + days * DAY_MS:
        return ""
    return "inspection overdue" if due_at <= now else f"inspect by {iso_utc(due_at)[:10]}"


def _show_register(state: State, register: Register, as_json: bool) -> None:
    if register.name == "responsibilities":
        matrix = responsibilities(catalogue(), state.registers)
        if as_json:
            say_json(to_plain(matrix))
            return
        table(
            "",
            ("requirement", "answers", "carries out", "asked", "told", "nobody is"),
            [
                (
                    one.requirement,
                    one.accountable,
                    ", ".join(one.performers),
                    ", ".join(one.consulted),
                    ", ".join(one.informed),
                    ", ".join(one.vacant),
                )
                for one in matrix
            ],
        )
        return
    if as_json:
        say_json(to_plain(register))
        return
    say("""Write register NAME, empty, into FOLDER of a provider, its fields as comments.""")
    shown = [one for one in register.shape.fields if one.required] or list(register.shape.fields)
    table(
        "",
        ("", *(one.name for one in shown)),
        [
            (one.id, *(_plain(one, field.name, field.kind) for field in shown))
            for one in register.entries.values()
        ],
    )


def _fields(shape: Shape, entry: Entry) -> Iterator[tuple[str, str]]:
    for field in shape.fields:
        if field.name in entry.values:
            yield field.says, _plain(entry, field.name, field.kind)


def _plain(entry: Entry, name: str, kind: FieldKind) -> str:
    if name not in entry.values:
        return ""
    written = _WRITTEN.get(kind)
    return written(entry, name) if written else entry.text(name) or str(entry.number(name))


def _length(entry: Entry, name: str) -> str:
    length = entry.number(name)
    return f"{length // DAY_MS} d" if length % DAY_MS == 0 else f"{length / HOUR_MS:g} h"


_WRITTEN: Mapping[FieldKind, Callable[[Entry, str], str]] = {
    FieldKind.DAY: lambda entry, name: iso_utc(entry.number(name))[:10],
    FieldKind.MOMENT: lambda entry, name: iso_utc(entry.number(name))[:16],
    FieldKind.DURATION: _length,
    FieldKind.WORDS: lambda entry, name: ", ".join(entry.words(name)),
    FieldKind.FLAG: lambda entry, name: "yes" if entry.flag(name) else "no",
}


def _show_incident(place: ProviderFolder, incident: Entry, now: Instant) -> None:
    rows = [
        (
            one.regime,
            one.what,
            iso_utc(one.due)[:16],
            iso_utc(one.done)[:16] if one.done else "",
            "late" if one.late else "in time",
        )
        for one in deadlines(incident, now)
    ]
    table("\nlegal clocks", ("law", "what", "due", "done", ""), rows)
    since = incident.number("began") or incident.number("aware")
    until = incident.number("ended") or now
    try:
        changes = recount(place, Instant(since))
    except NotFound:
        changes = []
    told = [(iso_utc(one.at), one.what, one.who, one.says) for one in changes if one.at <= until]
    table("\nwhat the log tells of that time", ("when", "what", "who", ""), told)


def _show_keys(state: State, now: Instant, as_json: bool) -> None:
    if as_json:
        say_json(to_plain(state.inventory))
        return
    table(
        "",
        ("purpose", "key", "mechanism", "standard", "status", "bits", "since", "until", "held by"),
        [
            (
                one.purpose,
                one.id,
                one.mechanism,
                one.standard,
                one.status,
                one.strength_bits,
                iso_utc(one.created)[:10],
                iso_utc(one.ends)[:10] if one.ends else "",
                ", ".join(one.holders),
            )
            for one in state.inventory.keys
        ],
    )
    for line in concerns(state.inventory, now):
        say(line, style="red")


def _show_crypto(state: State, now: Instant, as_json: bool) -> None:
    found = in_use(state.inventory, now)
    if as_json:
        say_json(to_plain(found))
        return
    table(
        "",
        ("mechanism", "standard", "status", "bits", "quantum", "until", "keys", "kept", "for"),
        [
            (
                one.mechanism,
                one.standard,
                one.status,
                one.strength_bits or "",
                one.quantum_level or "",
                one.ends,
                one.keys,
                one.kept,
                ", ".join(one.kinds),
            )
            for one in found
        ],
    )
    for line in concerns(state.inventory, now):
        say(line, style="red")


@registers.command(
    "new",
    short_help="Begin a register: an empty one, its fields as comments.",
    epilog=example("tallystick registers new ./provider vendors --owner ciso"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name", type=OneOf(list(SHAPES)))
@click.option("--owner", required=True, help="The post that answers for it.")
def new(folder: Path, name: str, owner: str) -> None:
    """Write register NAME, empty, into the provider's FOLDER, its fields as comments."""
    path = new_register(ProviderFolder(folder), name, owner, iso_utc(SystemClock().now())[:10])
    say(f"{path} was written: fill it in, then run tallystick registers check {folder}")
