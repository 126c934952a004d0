"""Statements of officers on the command line: signed into a file, one after the other, and sent.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
"""

from pathlib import Path

import click

from tallystick.client.http import HttpTransport
from tallystick.client.statements import send_statement
from tallystick.entry.cli.console import example, say
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record
from tallystick.process.isms.signing import sign_statement
from tallystick.protocol.statements import SignedStatement, read_statement

_URL = "http://127.0.0.1:8480"
SIGNED_FILE = click.option(
    "--out",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Signed file; one that is there gets one more signature.",
)


def statement_in(target: Path) -> SignedStatement | None:
    """What officers signed into `target` until now; None before the first.

    Raises Malformed for another file.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return _read(target) if target.exists() else None


def _read(file: Path) -> SignedStatement:
    try:
        return read_statement(file.read_bytes())
    except Malformed as error:
        raise Malformed(
            f"{file} is not what officers signed", remedy="name the file that --out wrote"
        ) from error


def sign_into(target: Path, about: str, body: Record, officer: str, signer: SigningKey) -> str:
    """Add the signature of `officer` over `body` to `target`; says by how many it is signed now.

    Raises what `sign_statement` raises, such as Conflict for a file that says something else.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    signed = sign_statement(about, body, officer, signer, statement_in(target))
    target.write_bytes(encode_canonical(signed))
    count = len(signed.signatures)
    return f"signed by {count} officer{'s' * (count > 1)}"


def sending(group: str, path: str) -> click.Command:
    """The command `send` of `group`, for what officers signed: it goes to the door `path`.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    @click.command(
        "send",
        short_help="Send what officers signed to the provider.",
        epilog=example(f"tallystick {group} send signed.json {_URL}"),
    )
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.argument("url")
    @click.option(
        "--ca-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Certificates (PEM) to believe instead of the system's.",
    )
    def send(file: Path, url: str, ca_file: Path | None) -> None:
        """Send FILE, signed by as many officers as the profile demands; it counts at once."""
        _send_signed(file, url, ca_file, path)

    return send


def _send_signed(file: Path, url: str, ca_file: Path | None, path: str) -> None:
    statement = _read(file)
    transport = HttpTransport(url, ca_file=ca_file)
    try:
        recorded = send_statement(transport, statement, path)
    finally:
        transport.close()
    say(f"{recorded.says}: event {recorded.event}", style="green")
