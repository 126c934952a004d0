"""Commands that check: the tally, a receipt, one order.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from pathlib import Path

import click

from tallystick.entry.auditing import audit_provider, read_anchor, tally_keys
from tallystick.entry.cli.console import err, out, table
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.database import open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.verify import VerifiedReceipt, verify_receipt
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound
from tallystick.kernel.money import Money
from tallystick.kernel.time import iso_utc
from tallystick.protocol.problems import Problem
from tallystick.protocol.receipt import Receipt

FOUND_SOMETHING = 4
_receipts = Decoder(Receipt)
_problems = Decoder(Problem)


@click.group()
def tally() -> None:
    """The tamper-evident log of a provider."""


@tally.command(
    "verify", epilog="Example: tallystick tally verify ./provider --against receipt.json"
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--against",
    "anchors",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A receipt, checkpoint or cosigned checkpoint that somebody outside kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def tally_verify(folder: Path, anchors: tuple[Path, ...], as_json: bool) -> int:
    """Check the tally in FOLDER, its orders and its balances, with public keys only."""
    provider = ProviderFolder(folder)
    keys = tally_keys(provider)
    kept = [read_anchor(path, provider.settings(), keys) for path in anchors]
    with err.status("reading every event, order and transfer ..."):
        report = audit_provider(provider, kept)
    if as_json:
        click.echo(encode(report).decode())
    else:
        out.print(
            f"{report.origin}: {report.rows} events, {report.checkpoints} checkpoints,"
            f" vouched up to {report.vouched}"
        )
        if report.findings:
            rows = [(one.kind.value, one.row, one.detail) for one in report.findings]
            table("findings", ("what", "where", "why"), rows)
        else:
            out.print("nothing was found: every event, order and balance fits", style="green")
        for blind in report.blind_spots:
            out.print(f"not seen from here: {blind}", markup=False)
    return FOUND_SOMETHING if report.findings else 0


@click.group()
def receipt() -> None:
    """Receipts: the customer's half of the tally."""


@receipt.command(
    "verify", epilog="Example: tallystick receipt verify receipt.json --provider ./provider"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--provider",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A provider's folder: its key list and settings say which key to believe.",
)
@click.option("--key", "public", help="The tally key instead: base64url of Ed25519, 32 bytes.")
@click.option("--origin", help="The name of the log, with --key.")
def receipt_verify(file: Path, folder: Path | None, public: str | None, origin: str | None) -> None:
    """Check a receipt offline and say what it proves."""
    keys, log = _believed(folder, public, origin)
    found = _read_receipt(file)
    failure: NotAuthentic | None = None
    for key in keys:
        try:
            _tell(verify_receipt(found, key, origin=log))
        except NotAuthentic as error:
            failure = error
        else:
            return
    raise failure or NotFound("no key of the tally is known")


def _believed(
    folder: Path | None, public: str | None, origin: str | None
) -> tuple[tuple[VerifyKey, ...], str]:
    if folder is not None:
        provider = ProviderFolder(folder)
        return tally_keys(provider), provider.settings().origin
    if public is None or origin is None:
        raise Malformed(
            "nothing says whose receipt this is",
            remedy="give --provider FOLDER, or --key and --origin",
        )
    return (PublicHalf(algorithm="EdDSA", public=public).verify_key(),), origin


def _read_receipt(file: Path) -> Receipt:
    octets = file.read_bytes()
    try:
        return _receipts.decode(octets.strip())
    except Malformed:
        problem = _problems.decode(octets.strip())
    if problem.receipt is None:
        raise Malformed("the problem document carries no receipt")
    return problem.receipt


def _tell(verified: VerifiedReceipt) -> None:
    event = verified.event
    out.print("the receipt verifies", style="bold green")
    rows: list[tuple[str, object]] = [
        ("log", f"{verified.checkpoint.origin}, event {verified.index}"),
        ("recorded", iso_utc(event.at)),
        ("what", f"{event.kind} {event.stage}".strip()),
        ("policy", f"version {event.policy}, row {event.p.get('row', '-')}"),
        ("grade of consent", event.p.get("grade", "-")),
    ]
    shown = dict(verified.disclosed)
    amount = shown.pop("amount_minor", None)
    if isinstance(amount, int):
        rows.append(("amount", Money(amount, str(event.p.get("currency", "KES")))))
    rows += sorted(shown.items())
    hidden = sorted(set(event.c) - set(verified.disclosed))
    if hidden:
        rows.append(("committed, not shown", ", ".join(hidden)))
    table("", ("", ""), rows)


@click.command(epilog="Example: tallystick why 17 ./provider")
@click.argument("identifier")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def why(identifier: str, folder: Path) -> None:
    """Say of an order or event: what was recorded, by which policy row, and because of what."""
    with open_reader(ProviderFolder(folder).database_file) as reader:
        store = TallyStore(reader)
        index = int(identifier) if identifier.isdigit() else store.index_of(identifier)
        leaf = None if index is None else store.leaf(index)
    if leaf is None:
        raise NotFound(
            "no event has this id or index", remedy="give an index, or an ord_ or evt_ id"
        )
    event = decode_leaf(leaf)
    rows: list[tuple[str, object]] = [
        ("event", f"{index}, {event.id}"),
        ("recorded", iso_utc(event.at)),
        ("what", f"{event.kind} {event.stage}".strip()),
        ("policy", f"version {event.policy}"),
        *sorted(event.p.items()),
        ("committed", ", ".join(sorted(event.c)) or "-"),
    ]
    table("", ("", ""), rows)
