"""Commands about certificates of evaluation: sign, send, list, import.

Source: ISO/TS 12812-2:2017, 9.1; 9.4
"""

import json
from pathlib import Path

import click

from tallystick.entry.certifying import kept_certificates
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.stating import SIGNED_FILE, sending, sign_into
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url_decode, to_plain
from tallystick.kernel.errors import Conflict, Malformed, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc
from tallystick.process.isms.certificates import (
    EvaluationCertificate,
    Withdrawal,
    read_certificate,
    read_withdrawal,
    trust,
)
from tallystick.process.isms.seccerts import read_seccerts
from tallystick.protocol.statements import read_statement

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog=example("tallystick certificate list ./provider"))
def certificate() -> None:
    """Evaluations that the provider relies on, and what each is worth now."""


def _sign(
    about: str,
    body: Record,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    say(f"{target}: {sign_into(target, about, body, officer, signer)}")
    say(f"next: tallystick certificate send {target} URL")


@certificate.command(
    "add",
    short_help="Sign a certificate as an officer.",
    epilog=example(
        "tallystick certificate add module.yaml --officer officer-1 --key-file"
        " offline/officer-1.key --secret-file ./secret --out signed.json"
    ),
)
@click.argument("file", type=_FILE)
@officer_options
@SIGNED_FILE
def add(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the certificate in FILE (YAML) as an officer; two sign in profile production."""
    found = read_certificate(file.read_text(encoding="utf-8"))
    known = trust(found, SystemClock().now())
    say(f"{found.id} of {found.component}: {known.wire} ({known.says})")
    _sign("certificate-added", found, officer, key_file, target, secret_file, secret_fd)


@certificate.command(
    "withdraw",
    short_help="Sign that a certificate counts no more.",
    epilog=example(
        'tallystick certificate withdraw CMVP-4711 --because "revoked by its scheme" --officer'
        " officer-1 --key-file offline/officer-1.key --secret-file ./secret --out signed.json"
    ),
)
@click.argument("identifier", metavar="ID")
@click.option("--because", required=True, help="The reason, as it will be read.")
@officer_options
@SIGNED_FILE
def withdraw(
    identifier: str,
    because: str,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign as an officer that certificate ID counts no more, from now on."""
    about, at = "certificate-withdrawn", SystemClock().now()
    body = Withdrawal(certificate=identifier, at=at, because=because)
    if target.exists():
        earlier = read_withdrawal(b64url_decode(read_statement(target.read_bytes()).body))
        if (earlier.certificate, earlier.because) != (identifier, because):
            raise Conflict("the file says something else", remedy="start a new file")
        body = earlier
    _sign(about, body, officer, key_file, target, secret_file, secret_fd)


certificate.add_command(sending("certificate", "/v1/certificates"))


@certificate.command(
    "list",
    short_help="Show certificates and what each is worth now.",
    epilog=example("tallystick certificate list ./provider"),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_certificates(folder: Path, as_json: bool) -> None:
    """Show the certificates of the provider in FOLDER, and how far each is trusted now.

    Trust ends at once with the end of a certificate, its withdrawal, or the end of its scheme.
    """
    now = SystemClock().now()
    rows = kept_certificates(ProviderFolder(folder))
    judged = [(one, trust(one.certificate(), now, withdrawn=one.withdrawal())) for one in rows]
    if as_json:
        say_json(
            [
                {"certificate": to_plain(one.certificate()), "event": one.event, "trust": found}
                for one, found in judged
            ]
        )
        return
    table(
        "",
        ("certificate", "of", "until", "worth", "because"),
        [
            (
                one.id,
                one.certificate().component,
                iso_utc(one.certificate().valid_to)[:10],
                found.wire,
                found.says,
            )
            for one, found in judged
        ],
    )
    if not rows:
        say("no certificate was added")


@certificate.command(
    "import",
    short_help="Take a certificate out of a sec-certs export.",
    epilog=example(
        "tallystick certificate import dataset.json",
        "tallystick certificate import dataset.json --id CMVP-4711 --out module.yaml",
    ),
)
@click.argument("file", type=_FILE)
@click.option("--id", "identifier", default="", help="The one to take; all are listed without it.")
@click.option("--out", "target", type=_NEW, help="New file for it, to be signed with `add`.")
def import_certificates(file: Path, identifier: str, target: Path | None) -> None:
    """Read FILE, a JSON export of sec-certs (CC, FIPS 140 or EUCC), and take a certificate out."""
    found = read_seccerts(file.read_bytes())
    gone = {one.certificate: one for one in found.withdrawn}
    if not identifier:
        now = SystemClock().now()
        judged = [(one, trust(one, now, withdrawn=gone.get(one.id))) for one in found.certificates]
        table(
            "",
            ("certificate", "of", "until", "worth", "because"),
            [
                (one.id, one.component, iso_utc(one.valid_to)[:10], worth.wire, worth.says)
                for one, worth in judged
            ],
        )
        for left in found.left:
            say(f"left out: {left}", style="yellow")
        return
    taken = next((one for one in found.certificates if one.id == identifier), None)
    if taken is None or target is None:
        raise _nothing_taken(identifier, target)
    if identifier in gone:
        raise Malformed(f"its scheme withdrew it: {gone[identifier].because}")
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="choose another file")
    target.write_text(_as_yaml(taken), encoding="utf-8")
    say(f"{taken.id} was written to {target}: look at it, then sign it with `certificate add`")


def _nothing_taken(identifier: str, target: Path | None) -> Exception:
    if target is None:
        return click.UsageError("say with --out where the certificate is to be written")
    return NotFound(f"the export has no certificate {identifier[:40]!r}")


def _as_yaml(taken: EvaluationCertificate) -> str:
    """The certificate as a person would write it; quoted text is the same in YAML and JSON."""
    lines: list[str] = []
    for name, value in to_plain(taken).items():
        if name in {"valid_from", "valid_to"}:
            lines.append(f"{name}: {iso_utc(value)[:10]}")
        elif value:
            lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


secret_options(add)
secret_options(withdraw)
