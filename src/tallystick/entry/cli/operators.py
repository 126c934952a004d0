"""Commands of operators: enrol, act, approve.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from pathlib import Path
from typing import Any

import click

from tallystick.client.http import HttpTransport
from tallystick.client.keyfile import KeyFile
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.entry.assembly import SystemClock
from tallystick.entry.cli.console import out, secret_from, secret_options
from tallystick.entry.http.operations import ACT_NAMES, SCHEMAS, operation
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import (
    Decoder,
    b64url,
    b64url_decode,
    encode_canonical,
    from_plain,
    to_plain,
)
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record, Wire
from tallystick.kernel.secret import Secret

_PATH = click.Path(dir_okay=False, path_type=Path)


class OperatorKey(Record, frozen=True, kw_only=True):
    """What an operator's key file holds.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    operator: str
    role: str
    key: str


class ProposedAct(Record, frozen=True, kw_only=True):
    """An act that waits for a second operator, as a file to hand over.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    act: str
    name: str
    body: dict[str, Any]


_keys = Decoder(OperatorKey)
_proposals = Decoder(ProposedAct)


@click.group()
def operator() -> None:
    """What operators do: enrol a key, act, approve."""


@operator.command(
    "enrol",
    epilog="Example: tallystick operator enrol http://127.0.0.1:8480 --name Ann"
    " --key-file ann.key --secret-file ann.secret",
)
@click.argument("url")
@click.option("--name", required=True, help="Your name, as colleagues read it.")
@click.option("--key-file", required=True, type=_PATH, help="New file for your sealed key.")
@click.option("--code-file", type=_PATH, help="File with the one-time code; asked for if absent.")
def enrol(
    url: str,
    name: str,
    key_file: Path,
    code_file: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Enrol a new key with the one-time code that set-up printed."""
    code = (
        code_file.read_text(encoding="ascii").strip()
        if code_file
        else click.prompt("one-time code", hide_input=True)
    )
    passphrase = _passphrase(secret_fd, secret_file)
    file = KeyFile.create(key_file, passphrase, operating_system)
    signer = Es256SigningKey.generate()
    enrolled = enrol_operator(HttpTransport(url), Secret(code), name, signer)
    kept = OperatorKey(
        operator=enrolled.operator,
        role=enrolled.role,
        key=b64url(signer.to_pkcs8().reveal()),
    )
    file.write(encode_canonical(kept))
    out.print(f"you are {enrolled.operator}, role {enrolled.role}", markup=False)


@operator.command(
    "act",
    epilog="Example: tallystick operator act open-customer http://127.0.0.1:8480 --key-file ann.key"
    ' --secret-file ann.secret name="Jane W" msisdn=+254700000001 kind=person tier=1',
)
@click.argument("name", type=click.Choice(sorted(ACT_NAMES)))
@click.argument("url")
@click.argument("fields", nargs=-1)
@click.option("--key-file", required=True, type=_PATH, help="Your sealed key.")
def act(
    name: str,
    url: str,
    fields: tuple[str, ...],
    key_file: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign and send an act; FIELDS are name=value of its body, @FILE reads a value from a file."""
    body = _body(name, dict(_field(given) for given in fields))
    reply = _desk(url, key_file, _passphrase(secret_fd, secret_file)).act(name, body)
    out.print(f"{reply.act}: {reply.state}: {reply.says} {reply.reference}".rstrip(), markup=False)
    if reply.state == "waiting":
        proposal = ProposedAct(act=reply.act, name=name, body=to_plain(body))
        file = Path(f"{reply.act}.json")
        file.write_bytes(encode_canonical(proposal))
        out.print(f"hand {file} to a second operator: tallystick operator approve {file} URL ...")


@operator.command(
    "approve",
    epilog="Example: tallystick operator approve act_....json http://127.0.0.1:8480"
    " --key-file bob.key --secret-file bob.secret",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("url")
@click.option("--key-file", required=True, type=_PATH, help="Your sealed key.")
def approve(
    file: Path, url: str, key_file: Path, secret_file: Path | None, secret_fd: int | None
) -> None:
    """Look at what another operator proposed, and sign the same."""
    proposal = _proposals.decode(file.read_bytes())
    out.print(f"{proposal.name}: {proposal.body}", markup=False)
    click.confirm("do you agree", abort=True)
    body = _body(proposal.name, proposal.body)
    desk = _desk(url, key_file, _passphrase(secret_fd, secret_file))
    reply = desk.act(proposal.name, body, approves=proposal.act)
    out.print(f"{reply.act}: {reply.state}: {reply.says}", markup=False)


def _field(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals:
        raise Malformed(f"{given!r} is not name=value")
    if value.startswith("@"):
        return name, Path(value[1:]).read_text(encoding="utf-8")
    if value in {"true", "false"}:
        return name, value == "true"
    is_number = value.lstrip("-").isdigit() and name.endswith(("_minor", "tier"))
    return name, int(value) if is_number else value


def _body(name: str, fields: dict[str, Any]) -> Wire:
    schema = SCHEMAS[operation(name).request]
    return from_plain(fields, schema)


def _desk(url: str, key_file: Path, passphrase: Secret[str]) -> OperatorDesk:
    _, content = KeyFile.open(key_file, passphrase, operating_system)
    kept = _keys.decode(content)
    signer = Es256SigningKey.from_pkcs8(b64url_decode(kept.key))
    return OperatorDesk(HttpTransport(url), kept.operator, signer, SystemClock(), operating_system)


def _passphrase(descriptor: int | None, file: Path | None) -> Secret[str]:
    if descriptor is None and file is None:
        return Secret(click.prompt("passphrase of your key", hide_input=True))
    return Secret(b64url(secret_from(descriptor, file).reveal()))


for _command in (enrol, act, approve):
    secret_options(_command)
