"""What the command line says of stamps over the log, and the command that dates a receipt.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; 11.2.2; RFC 4998
"""

from pathlib import Path

import click

from tallystick.entry.auditing import Believed, believed, read_receipt
from tallystick.entry.cli.console import example, say
from tallystick.entry.dating.anchors import StampedLog, stamped_log
from tallystick.entry.dating.receipts import (
    Dated,
    date_receipt,
    read_dated,
    verify_dated,
)
from tallystick.entry.pki.checkpoints import all_roots
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.time import iso_utc


@click.command(
    "date",
    short_help="Add to a receipt the time stamps that prove its age.",
    epilog=example(
        "tallystick receipt date receipt.json ./provider --out dated.json",
        "tallystick receipt verify dated.json --settings ./provider --root root.pem",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write it here."
)
def receipt_date(file: Path, folder: Path, out: Path) -> None:
    """Write FILE with the first time stamp over the log that covers it, and what renewed that.

    Whoever has the result, the log's key and the root of the authority that stamped can show
    years later that the consent was recorded before an instant, without the provider. No secret
    is needed; what the receipt opened stays open, and no more.
    """
    provider = ProviderFolder(folder)
    receipt = read_receipt(file.read_bytes())
    whose, place = believed(provider), CertificateFolder(provider)
    dated = date_receipt(receipt, place, whose)
    found = verify_dated(dated, whose, all_roots(place), SystemClock().now())
    replace_file(out, encode_canonical(dated))
    say_dated(found)
    say(f"written to {out}")


def stamps_of(place: Path, whose: Believed, root: Path | None) -> StampedLog:
    """The stamps over the log in the folder `place`, by `root` or the folder's own roots.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    folder = CertificateFolder(ProviderFolder(place))
    if not place.is_dir() or not folder.exists():
        return StampedLog()
    roots = all_roots(folder) if root is None else certificates_in(root.read_bytes())
    return stamped_log(folder, whose, roots, SystemClock().now())


def verified_if_dated(octets: bytes, whose: Believed, root: Path | None) -> Dated | None:
    """What the dated receipt in `octets` proves; None for a receipt that is not dated.

    Raises NotFound where no root is named, NotAuthentic where it does not hold.
    Source: RFC 4998, 5.3
    """
    try:
        dated = read_dated(octets)
    except Malformed:
        return None
    if root is None:
        raise NotFound(
            "the receipt is dated, and nothing says whose stamps to believe",
            remedy="give --root, the certificate of who stamped: tallystick pki show FOLDER root",
        )
    roots = certificates_in(root.read_bytes())
    return verify_dated(dated, whose, roots, SystemClock().now())


def say_dated(dated: Dated) -> None:
    """Print what a dated receipt proves besides.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    about = f"{dated.accuracy_ms} ms" if dated.accuracy_ms else "an accuracy that it does not state"
    say(f"dated: it was in the log before {iso_utc(dated.before)}, to {about}", style="bold green")
    times = "one stamp" if dated.stamps == 1 else f"{dated.stamps} stamps, each over those before"
    say(f"by {dated.authority}: {times}; proved so until {iso_utc(dated.until)[:10]}")


def plain_dated(dated: Dated) -> dict[str, object]:
    """The same as plain values.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    return {
        "before": iso_utc(dated.before),
        "accuracy_ms": dated.accuracy_ms,
        "authority": dated.authority,
        "until": iso_utc(dated.until),
        "stamps": dated.stamps,
    }


def say_stamped(stamped: StampedLog) -> None:
    """Print against how many stamps the log was held; nothing where there are none.

    Source: ISO/TS 12812-2:2017, 3.23
    """
    if stamped.anchors:
        first, last = iso_utc(stamped.first), iso_utc(stamped.last)
        say(f"compared with {len(stamped.anchors)} time stamps, {first} to {last}")
    if stamped.ended:
        say(f"{stamped.ended} of them prove nothing any more: they were not renewed in time")
