"""Commands of operators: enrol, act, approve.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tallystick.application.rehearsals import differences
from tallystick.client.http import HttpTransport
from tallystick.client.keyfile import KeyFile
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.entry.cli.acts import ACT_EXAMPLES, act_parameters, body_of
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import passphrase_from, passphrase_parameters, write_private
from tallystick.entry.http.operations import ACT_NAMES, SCHEMAS, operation
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import (
    Decoder,
    b64url,
    b64url_decode,
    encode_canonical,
    from_plain,
    to_plain,
)
from tallystick.kernel.errors import Conflict, Malformed, MfsError, NotAuthentic, NotFound
from tallystick.kernel.model import Record, Wire
from tallystick.kernel.secret import Secret
from tallystick.protocol.desk import RehearsedAct, RehearsedActs
from tallystick.protocol.operators import ActReply
from tallystick.protocol.policy_file import policy_text, read_policy_file

_PATH = click.Path(dir_okay=False, path_type=Path)
_CA = click.Path(exists=True, dir_okay=False, path_type=Path)
_MOST = 200
"""Characters of a field that the second operator is shown."""

_URL = "http://127.0.0.1:8480"


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
_proposals = Decoder(ProposedAct, limit=1024 * 1024)


@click.group(epilog=example("tallystick operator act fund-account --help"))
def operator() -> None:
    """What operators do: enrol a key, act, approve."""


@operator.command(
    "enrol",
    short_help="Enrol a new key with a one-time code.",
    epilog=example(
        f"tallystick operator enrol {_URL} --name Ann --key-file ann.key",
        f"tallystick operator enrol {_URL} --name Ann --key-file ann.key --code-file code"
        " --passphrase-file ann.pass",
    ),
)
@click.argument("url")
@click.option("--name", required=True, help="Your name, as colleagues read it.")
@click.option("--key-file", required=True, type=_PATH, help="New file for your sealed key.")
@click.option("--code-file", type=_PATH, help="File with the one-time code; asked for if absent.")
@click.option("--ca-file", type=_CA, help="Certificates (PEM) to believe instead of the system's.")
def enrol(
    url: str,
    name: str,
    key_file: Path,
    code_file: Path | None,
    ca_file: Path | None,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
) -> None:
    """Enrol a new key with the one-time code that set-up or a security officer gave you.

    The key is made here and sealed under your passphrase; the provider gets its public half.
    """
    transport = HttpTransport(url, ca_file=ca_file)
    code = _code(code_file)
    passphrase = passphrase_from(passphrase_fd, passphrase_file, new=True)
    file = KeyFile.create(key_file, passphrase, operating_system)
    signer = Es256SigningKey.generate()
    try:
        enrolled = enrol_operator(transport, code, name, signer)
    finally:
        transport.close()
    kept = OperatorKey(
        operator=enrolled.operator, role=enrolled.role, key=b64url(signer.to_pkcs8().reveal())
    )
    file.write(encode_canonical(kept))
    say(f"you are {enrolled.operator}, role {enrolled.role}; your key is in {key_file}")


@operator.group(
    "act",
    short_help="Sign an act and send it.",
    epilog=example(f"tallystick operator act {ACT_EXAMPLES['open-customer']}"),
)
def act() -> None:
    """Sign an act and send it; what needs two people waits for the second."""


@operator.command(
    "approve",
    epilog=example(f"tallystick operator approve act_06f1....json {_URL} --key-file bob.key"),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("url")
@click.option("--key-file", required=True, type=_PATH, help="Your sealed key.")
@click.option("--ca-file", type=_CA, help="Certificates (PEM) to believe instead of the system's.")
@click.option("--yes", is_flag=True, help="Agree without being asked.")
@click.option("--json", "as_json", is_flag=True, help="Print the provider's answer as JSON.")
def approve(
    file: Path,
    url: str,
    key_file: Path,
    ca_file: Path | None,
    yes: bool,
    as_json: bool,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
) -> None:
    """Look at what another operator proposed, and sign the same."""
    proposal = _proposals.decode(file.read_bytes())
    if proposal.name not in ACT_NAMES:
        raise Malformed(f"the file proposes no act that is known here: {proposal.name[:40]!r}")
    body = from_plain(proposal.body, _schema(proposal.name))
    if not as_json:
        rows = (row for field, value in proposal.body.items() for row in _said(field, value))
        table(f"{proposal.name} ({proposal.act})", ("", ""), rows)
    passphrase = passphrase_from(passphrase_fd, passphrase_file, new=False)
    with _desk(url, ca_file, key_file, passphrase) as desk:
        (found,) = desk.rehearsed(proposal.act)
        if not as_json:
            _say_outcome(found)
        if found.would == "refused":
            raise Conflict("it cannot be done now; nothing was sent", because=found.says)
        if not yes:
            click.confirm("do you agree", abort=True)
        try:
            reply = desk.act(proposal.name, body, approves=proposal.act, shown=found.shown)
        except Conflict:
            _say_change(desk, found)
            raise
    say_reply(reply, as_json)


@operator.command(
    "waiting",
    short_help="List what waits for you, and what it would come to.",
    epilog=example(f"tallystick operator waiting {_URL} --key-file bob.key"),
)
@click.argument("url")
@click.option("--key-file", required=True, type=_PATH, help="Your sealed key.")
@click.option("--ca-file", type=_CA, help="Certificates (PEM) to believe instead of the system's.")
@click.option("--json", "as_json", is_flag=True, help="Print the provider's answer as JSON.")
def waiting(
    url: str,
    key_file: Path,
    ca_file: Path | None,
    as_json: bool,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
) -> None:
    """List the acts that wait for a second person like you, and what each would come to now.

    Each is tried without any effect. That you looked is recorded.
    """
    passphrase = passphrase_from(passphrase_fd, passphrase_file, new=False)
    with _desk(url, ca_file, key_file, passphrase) as desk:
        found = desk.rehearsed()
    if as_json:
        say_json(RehearsedActs(acts=found))
        return
    for one in found:
        say(f"{one.name} ({one.act}), proposed by {one.operator}")
        _say_outcome(one)
    if not found:
        say("nothing waits for you")


def _say_outcome(found: RehearsedAct) -> None:
    """Print what an act would come to."""
    if found.would == "refused":
        say(f"cannot be done now: {found.says}")
        return
    say(f"would be done: {found.says}")
    for line in found.changes:
        say(f"  {line}")


def _say_change(desk: OperatorDesk, was: RehearsedAct) -> None:
    """Print how the outcome differs from what was shown, if the act still waits."""
    try:
        (now,) = desk.rehearsed(was.act)
    except MfsError:
        return
    for how, line in differences(was, now):
        say(f"{how}: {line}")


def _said(field: str, value: object) -> Iterator[tuple[str, object]]:
    """What a person can judge of a field: of a signed policy its digest, else the start of it."""
    text = str(value)
    if field == "envelope" and text:
        file = read_policy_file(text.encode())
        read = policy_text(file)
        yield "version", file.version
        yield "SHA-256 of its text", sha256(read.encode()).hex()
        yield "signed by", ", ".join(one.officer for one in file.signatures) or "nobody"
        yield "to read it first", "tallystick policy diff FOLDER/policy.json TEXT"
        return
    cut = f" ... ({len(text)} characters, {_MOST} shown)" if len(text) > _MOST else ""
    yield field, text[:_MOST] + cut


def act_command(name: str, called: str = "") -> click.Command:
    """The command of one act, its options out of the act's own fields; a key's step is `called`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    row = operation(name)
    schema = _schema(name)

    def run(**given: Any) -> None:
        check_place(given["proposal"])
        body, code = body_of(name, schema, given)
        passphrase = passphrase_from(given["passphrase_fd"], given["passphrase_file"], new=False)
        reply = _send(given["url"], given["ca_file"], given["key_file"], passphrase, name, body)
        if code is not None:
            say(f"one-time code, shown once: {code.reveal()}")
        say_reply(reply, given["as_json"])
        if reply.state == "waiting":
            write_proposal(reply.act, name, body, given["proposal"])

    typed = ACT_EXAMPLES[name]
    shown = f"keys {called}{typed.removeprefix(name)}" if called else f"operator act {typed}"
    return click.Command(
        called or name,
        callback=run,
        params=[
            click.Argument(["url"]),
            *act_parameters(name, schema),
            click.Option(["--key-file"], required=True, type=_PATH, help="Your sealed key."),
            *passphrase_parameters(),
            click.Option(
                ["--ca-file"],
                type=_CA,
                help="Certificates (PEM) to believe instead of the system's.",
            ),
            click.Option(
                ["--proposal"],
                type=_PATH,
                help="Where an act that waits is written, for the second operator.",
            ),
            click.Option(
                ["--json", "as_json"], is_flag=True, help="Print the provider's answer as JSON."
            ),
        ],
        help=f"{row.use_case[0].upper()}{row.use_case[1:]}.\n\nFor {' and '.join(row.roles)}.",
        short_help=f"{row.use_case[0].upper()}{row.use_case[1:]}.",
        epilog=example(f"tallystick {shown}"),
    )


def _schema(name: str) -> type[Wire]:
    return SCHEMAS[operation(name).request]


def _send(
    url: str,
    ca_file: Path | None,
    key_file: Path,
    passphrase: Secret[str],
    name: str,
    body: Wire,
) -> ActReply:
    with _desk(url, ca_file, key_file, passphrase) as desk:
        return desk.act(name, body)


@contextmanager
def _desk(
    url: str, ca_file: Path | None, key_file: Path, passphrase: Secret[str]
) -> Generator[OperatorDesk]:
    """The desk of whoever has the key, until the block ends."""
    kept = open_key(key_file, passphrase)
    signer = Es256SigningKey.from_pkcs8(b64url_decode(kept.key))
    transport = HttpTransport(url, ca_file=ca_file)
    try:
        yield OperatorDesk(transport, kept.operator, signer, SystemClock(), operating_system)
    finally:
        transport.close()


def open_key(key_file: Path, passphrase: Secret[str]) -> OperatorKey:
    """What an operator's key file holds.

    Raises NotFound, NotAuthentic for another passphrase.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    try:
        _, content = KeyFile.open(key_file, passphrase, operating_system)
    except NotFound:
        raise NotFound(
            f"there is no key file {key_file}", remedy="enrol first: tallystick operator enrol"
        ) from None
    except NotAuthentic as error:
        raise NotAuthentic(
            f"the passphrase does not open {key_file}", remedy="type it again"
        ) from error
    return _keys.decode(content)


def say_reply(reply: ActReply, as_json: bool) -> None:
    """Print what became of an act.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if as_json:
        say_json(reply)
    else:
        say(f"{reply.act}: {reply.state}: {reply.says} {reply.reference}".rstrip())


def check_place(place: Path | None) -> None:
    """Pass if a proposal can be written to `place`; asked before an act is sent.

    Raises Conflict if a file is there, NotFound if its folder is not.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if place is None:
        return
    if place.exists():
        raise Conflict(f"{place} is there already; nothing was sent", remedy="choose another file")
    if not place.parent.is_dir():
        raise NotFound(f"there is no folder {place.parent}; nothing was sent")


def write_proposal(act_id: str, name: str, body: Wire, place: Path | None) -> None:
    """Write an act that waits to a file for the second operator.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    file = place or Path(f"{act_id}.json")
    proposal = ProposedAct(act=act_id, name=name, body=to_plain(body))
    write_private(file, encode_canonical(proposal).decode())
    click.echo(
        f"hand {file} to a second operator: tallystick operator approve {file} URL --key-file KEY",
        err=True,
    )


def _code(file: Path | None) -> Secret[str]:
    if file is None:
        return Secret(str(click.prompt("one-time code", hide_input=True)).strip())
    return Secret(file.read_text(encoding="ascii").strip())


for _name in sorted(ACT_NAMES):
    act.add_command(act_command(_name))
for _command in (enrol, approve, waiting):
    _command.params += passphrase_parameters()
