"""Commands about the operators' desk: where it is, and who is invited to it.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from pathlib import Path

import click

from tallystick.application.operators.service import code_hash
from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk
from tallystick.entry.cli.console import OneOf, example, say, say_json, table
from tallystick.entry.cli.operators import check_place, open_key, say_reply, write_proposal
from tallystick.entry.cli.unlocking import passphrase_from, passphrase_parameters
from tallystick.entry.desk_settings import (
    ALGORITHMS,
    DeskSettings,
    OidcSettings,
    desk_settings,
    save_desk,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import one_time_code
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.protocol.desk import BIND, BindPasskey
from tallystick.protocol.operators import InviteOperator

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_CA = click.Path(exists=True, dir_okay=False, path_type=Path)
_URL = "http://127.0.0.1:8480"


@click.group(epilog=example("tallystick desk set ./provider --origin https://desk.example"))
def desk() -> None:
    """Where operators reach the desk with a browser."""


@desk.command(
    "set",
    short_help="Say where the desk is.",
    epilog=example(
        "tallystick desk set ./provider --origin https://desk.example",
        "tallystick desk set ./provider --origin https://desk.example --issuer https://id.example"
        " --client-id desk --authorize-at https://id.example/authorize"
        " --token-at https://id.example/token --keys-at https://id.example/jwks --acr phr",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--origin", required=True, help="Scheme, host and port, as browsers show it.")
@click.option("--rp-id", default="", help="Domain that passkeys are made for; the origin's host.")
@click.option("--aaguid", "aaguids", multiple=True, help="Model of authenticator; none takes all.")
@click.option("--issuer", default="", help="Issuer of the identity provider, if there is one.")
@click.option("--client-id", default="", help="The desk's name at the identity provider.")
@click.option("--authorize-at", default="", help="Its authorization endpoint.")
@click.option("--token-at", default="", help="Its token endpoint.")
@click.option("--keys-at", default="", help="Where its keys are (JWKS).")
@click.option(
    "--algorithm",
    "algorithms",
    multiple=True,
    type=OneOf(ALGORITHMS),
    default=("ES256",),
    show_default=True,
    help="What it signs with.",
)
@click.option("--acr", multiple=True, help="One of these it has to say.")
@click.option("--amr", multiple=True, help="All of these it has to say.")
def set_desk(
    folder: Path,
    origin: str,
    rp_id: str,
    aaguids: tuple[str, ...],
    issuer: str,
    client_id: str,
    authorize_at: str,
    token_at: str,
    keys_at: str,
    algorithms: tuple[str, ...],
    acr: tuple[str, ...],
    amr: tuple[str, ...],
) -> None:
    """Pin the origin of the desk of the provider in FOLDER; `serve` has it from its next start on.

    Passkeys count for this origin only: if it changes, operators enrol new ones.
    """
    ProviderFolder(folder).settings()
    oidc = None
    if issuer:
        oidc = OidcSettings(
            issuer=issuer,
            client_id=client_id,
            authorization_endpoint=authorize_at,
            token_endpoint=token_at,
            jwks_uri=keys_at,
            algorithms=algorithms,
            acr=acr,
            amr=amr,
        )
    host = origin.partition("://")[2].partition(":")[0].partition("/")[0]
    settings = DeskSettings(v=1, origin=origin, rp_id=rp_id or host, aaguids=aaguids, oidc=oidc)
    save_desk(folder, settings)
    say(f"the desk is at {origin}/desk from the next start on")


@desk.command("show", epilog=example("tallystick desk show ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show_desk(folder: Path, as_json: bool) -> None:
    """Show where the desk of the provider in FOLDER is."""
    found = desk_settings(folder)
    if found is None:
        raise NotFound("this provider has no desk", remedy=f"tallystick desk set {folder} --origin")
    if as_json:
        say_json(found)
        return
    rows = [
        ("origin", found.origin),
        ("passkeys for", found.rp_id),
        ("models", ", ".join(found.aaguids) or "all"),
        ("identity provider", "none" if found.oidc is None else found.oidc.issuer),
    ]
    table("", ("", ""), rows)


@click.command(
    "invite",
    short_help="Invite an operator, or a passkey of your own.",
    epilog=example(
        f"tallystick operator invite {_URL} --role care-desk --key-file sia.key",
        f"tallystick operator invite {_URL} --own-passkey --key-file sia.key",
    ),
)
@click.argument("url")
@click.option("--role", default="", help="Role of the operator to invite.")
@click.option("--own-passkey", is_flag=True, help="Invite a passkey of your own instead.")
@click.option("--key-file", required=True, type=_FILE, help="Your sealed key.")
@click.option("--ca-file", type=_CA, help="Certificates (PEM) to believe instead of the system's.")
@click.option("--proposal", type=_FILE, help="Where an act that waits is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the provider's answer as JSON.")
def invite(
    url: str,
    role: str,
    own_passkey: bool,
    key_file: Path,
    ca_file: Path | None,
    proposal: Path | None,
    as_json: bool,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
) -> None:
    """Make a one-time code, and sign the act that makes it good; the provider gets its digest.

    Whoever has the code enrols at the desk with a passkey, or with `operator enrol` and a key file.
    An invitation takes two people where the policy says so; a passkey of your own does not.
    """
    if bool(role) == own_passkey:
        raise Malformed("invite a role, or a passkey of your own", remedy="say one of the two")
    check_place(proposal)
    code = one_time_code()
    hashed = code_hash(code.reveal())
    kept = open_key(key_file, passphrase_from(passphrase_fd, passphrase_file, new=False))
    signer = Es256SigningKey.from_pkcs8(b64url_decode(kept.key))
    body = (
        BindPasskey(code_hash=hashed)
        if own_passkey
        else InviteOperator(role=role, code_hash=hashed)
    )
    name = BIND if own_passkey else "enrol-operator"
    transport = HttpTransport(url, ca_file=ca_file)
    try:
        signing = OperatorDesk(transport, kept.operator, signer, SystemClock(), operating_system)
        reply = signing.act(name, body)
    finally:
        transport.close()
    say(f"one-time code, shown once: {code.reveal()}")
    say_reply(reply, as_json)
    if reply.state == "waiting":
        write_proposal(reply.act, name, body, proposal)


invite.params += passphrase_parameters()
