"""Commands that check: the tally, a receipt, one order.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from pathlib import Path

import click

from tallystick.entry.auditing import (
    Believed,
    audit_database,
    believed,
    believed_keys,
    read_anchor,
    read_receipt,
    verify_by,
)
from tallystick.entry.cli.console import (
    FOUND_SOMETHING,
    example,
    progress,
    say,
    say_json,
    table,
)
from tallystick.entry.cli.dating import (
    plain_dated,
    say_dated,
    say_stamped,
    stamps_of,
    verified_if_dated,
)
from tallystick.entry.cli.supposing import in_words, say_stood
from tallystick.entry.cli.unlocking import opener_if_given, opener_options
from tallystick.entry.explaining import Explained, explain_event
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.verify import VerifiedReceipt
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc

_PATH = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MONEY = ("amount_minor", "fee_minor")


@click.group(epilog=example("tallystick tally verify ./provider"))
def tally() -> None:
    """The tamper-evident log of a provider."""


@tally.command(
    "verify",
    short_help="Check a tally, its orders and balances.",
    epilog=example(
        "tallystick tally verify ./provider",
        "tallystick tally verify ./provider --against receipt.json --against witness.note",
        "tallystick tally verify copy.db --settings ./published/provider.json --json",
    ),
)
@click.argument("place", metavar="FOLDER|DB", type=_PATH)
@click.option("--key", "keys", multiple=True, help="Believe this tally key: name+id+base64.")
@click.option(
    "--settings",
    type=_PATH,
    help="Believe this provider.json (or folder) and the keylist.jws beside it.",
)
@click.option(
    "--against",
    "anchors",
    multiple=True,
    type=_FILE,
    help="A receipt, checkpoint or cosigned checkpoint that somebody outside kept.",
)
@click.option("--root", type=_FILE, help="Believe stamps under this root (PEM), not the folder's.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def tally_verify(
    place: Path,
    keys: tuple[str, ...],
    settings: Path | None,
    anchors: tuple[Path, ...],
    root: Path | None,
    as_json: bool,
) -> int:
    """Check the tally in FOLDER or DB, its orders and its balances, with public keys only.

    Nothing is written, and no secret is needed: the keys come from the list that the provider's
    root signed. Where FOLDER has time stamps over checkpoints, the log is held against each of
    them. Exits with 4 if anything was found.
    """
    database = ProviderFolder(place).stored() if place.is_dir() else place
    whose = _believed(keys, settings or (place if place.is_dir() else None))
    kept = [read_anchor(path, whose) for path in anchors]
    stamped = stamps_of(place, whose, root)
    with progress("events") as tell:
        report = audit_database(database, whose, [*kept, *stamped.anchors], tell)
    outside = tuple(path.name for path in anchors)
    findings = (*report.findings, *stamped.findings)
    report = replace(report, anchors=outside, findings=findings)
    if as_json:
        say_json(report)
        return FOUND_SOMETHING if report.findings else 0
    say(
        f"{report.origin}: {report.rows} events, {report.checkpoints} checkpoints, a signed root"
        f" vouches for the first {report.vouched}"
    )
    for name in report.anchors:
        say(f"compared with {name}")
    say_stamped(stamped)
    if report.findings:
        rows = [(one.kind.value, one.row, one.detail) for one in report.findings]
        table("findings", ("what", "where", "why"), rows)
        say(f"{len(report.findings)} findings", style="bold red")
    else:
        say("nothing was found: every event, order and balance fits", style="green")
    for blind in report.blind_spots:
        say(f"not seen from here: {blind}")
    return FOUND_SOMETHING if report.findings else 0


@click.group(epilog=example("tallystick receipt verify receipt.json --settings ./provider"))
def receipt() -> None:
    """Receipts: the customer's half of the tally."""


@receipt.command(
    "verify",
    short_help="Check a receipt offline and say what it proves.",
    epilog=example(
        "tallystick receipt verify receipt.json --settings ./provider/provider.json",
        "tallystick receipt verify receipt.json --key demo-wallet/tally/1+9f3a01c2+AV...",
    ),
)
@click.argument("file", type=_FILE)
@click.option(
    "--settings",
    "--provider",
    "settings",
    type=_PATH,
    help="Believe this provider.json (or folder) and the keylist.jws beside it.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="Believe this tally key instead: name+id+base64, or with --origin base64url.",
)
@click.option("--origin", help="The name of the log, for a --key in base64url.")
@click.option("--root", type=_FILE, help="Of a dated receipt: the root of who stamped (PEM).")
@click.option("--json", "as_json", is_flag=True, help="Print what is proved as JSON.")
def receipt_verify(
    file: Path,
    settings: Path | None,
    keys: tuple[str, ...],
    origin: str | None,
    root: Path | None,
    as_json: bool,
) -> None:
    """Check a receipt offline and say what it proves; a refusal that carries one will do.

    A dated receipt (`receipt date`) says besides before which instant it was recorded; that takes
    the root certificate of the authority that stamped.
    """
    if origin is not None:
        halves = [PublicHalf(algorithm="EdDSA", public=one).verify_key() for one in keys]
        whose = Believed(origin, tuple(halves))
    else:
        whose = _believed(keys, settings)
    octets = file.read_bytes()
    dated = verified_if_dated(octets, whose, root)
    verified = verify_by(read_receipt(octets), whose) if dated is None else dated.receipt
    if as_json:
        say_json(_plain(verified) | ({} if dated is None else plain_dated(dated)))
        return
    _tell(verified)
    if dated is not None:
        say_dated(dated)


def _believed(keys: tuple[str, ...], settings: Path | None) -> Believed:
    if keys:
        return believed_keys(keys)
    if settings is None:
        raise click.UsageError(
            "nothing says whose tally this is: give --settings PROVIDER, or --key"
        )
    folder = ProviderFolder(settings if settings.is_dir() else settings.parent)
    if settings.is_file() and settings != folder.settings_file:
        raise NotFound(f"{settings} is not called provider.json", remedy="give its folder")
    return believed(folder)


def _plain(verified: VerifiedReceipt) -> dict[str, object]:
    checkpoint = verified.checkpoint
    return {
        "origin": checkpoint.origin,
        "index": verified.index,
        "size": checkpoint.size,
        "event": to_plain(verified.event),
        "disclosed": verified.disclosed,
    }


def _tell(verified: VerifiedReceipt) -> None:
    event, checkpoint = verified.event, verified.checkpoint
    say("the receipt verifies", style="bold green")
    shown = dict(verified.disclosed)
    currency = str(event.p.get("currency", ""))
    rows: list[tuple[str, object]] = [
        ("log", f"{checkpoint.origin}, event {verified.index} of {checkpoint.size}"),
        ("recorded", iso_utc(event.at)),
        ("what", " ".join(filter(None, (str(event.p.get("payment", event.kind)), event.stage)))),
        ("policy", f"version {event.policy}, row {event.p.get('row', '-')}"),
        ("grade of consent", event.p.get("grade", "-")),
    ]
    rows += [(name, event.p[name]) for name in ("refused", "because") if name in event.p]
    for name in _MONEY:
        minor = shown.pop(name, None)
        if isinstance(minor, int) and currency:
            rows.append((name.removesuffix("_minor"), Money(minor, currency)))
    rows += [(name, value) for name, value in sorted(shown.items()) if value != ""]
    hidden = sorted(set(event.c) - set(verified.disclosed))
    if hidden:
        rows.append(("recorded, not shown", ", ".join(hidden)))
    table("", ("", ""), rows)
    say(
        "proved: the provider recorded this, at this place of its log, under its signature; each"
        " field shown is the one recorded"
    )
    say(
        "not proved: that everybody sees the same log (compare checkpoints, or tally verify"
        " --against this file), and that the provider's clock was right"
    )


@click.command(
    short_help="Say of an order or event why it came out so.",
    epilog=example(
        "tallystick why 17 ./provider",
        "tallystick why ord_06f1... ./provider --secret-file ./secret",
    ),
)
@click.argument("identifier", metavar="ID")
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def why(
    identifier: str,
    folder: Path,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Say of an order or event what was recorded, by which policy row, and because of what.

    ID is an order, act or event id, or the index of an event. Of an order it also says what became
    of it, step by step: when it was offered, decided, recorded and signed, which notices went out,
    what the core system was asked. The facts that the decision was made from
    are personal: they are shown with the provider's secret only, after a check against the tally.
    """
    opener = opener_if_given(secret_fd, secret_file)
    found = explain_event(ProviderFolder(folder), identifier, opener, SystemClock())
    if as_json:
        say_json(found)
        return
    _say_event(found)
    _say_steps(found)
    _say_facts(found)
    if found.facts is None and found.event.kind == "payment":
        say("the facts of the decision open with the secret: --secret-file FILE")


def _say_event(found: Explained) -> None:
    event = found.event
    proved = f"in the signed tree of {found.checkpoint} events" if found.checkpoint else "not yet"
    rows: list[tuple[str, object]] = [
        ("event", f"{found.index}, {event.id}"),
        ("recorded", iso_utc(event.at)),
        ("what", f"{event.kind} {event.stage}".strip()),
        ("policy", f"version {event.policy}"),
        *sorted(event.p.items()),
        ("committed", ", ".join(sorted(event.c)) or "-"),
        ("proved", proved),
    ]
    if found.row_says:
        rows.insert(4, ("the row says", found.row_says))
    table("", ("", ""), rows)


def _say_steps(found: Explained) -> None:
    if found.steps:
        rows = [(iso_utc(one.at) if one.at else "-", one.what, one.says) for one in found.steps]
        table("\nwhat became of it", ("when", "what", ""), rows)


def _say_facts(found: Explained) -> None:
    if found.facts is None:
        return
    table("\ndecided on", ("", ""), in_words(found.facts))
    say(
        "the tally committed to these facts"
        if found.committed
        else "an earlier event of this order committed to these facts"
    )
    rows = [(one.row, "matched" if one.matched else "passed by", one.says) for one in found.tried]
    table("\nrows tried, in order", ("row", "", "because"), rows)
    say_stood(found.stood)


opener_options(why)
