"""Commands about mobile networks that the service binds to, and the SIMs that sign.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.4; 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.binds import register_bind
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options, write_private
from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.simstock import make_sims
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog=example("tallystick network list ./provider"))
def network() -> None:
    """The mobile networks that the service binds to over SMPP, and SIMs."""


@network.command("list", epilog=example("tallystick network list ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the networks as JSON.")
def list_networks(folder: Path, as_json: bool) -> None:
    """Show the networks that the provider in FOLDER binds to; no password is shown."""
    found = [replace(one, password="") for one in ProviderFolder(folder).settings().smpp]
    if as_json:
        say_json(found)
        return
    rows = [
        (
            one.name,
            f"{one.host}:{one.port}",
            one.system_id,
            one.service_code or "none",
            "yes" if one.messages else "no",
            "TLS" if one.tls else one.tunnel or "loopback",
        )
        for one in found
    ]
    table("networks", ("name", "at", "as", "menu", "messages", "protected by"), rows)


@network.command(
    "add",
    short_help="Bind to a network, or change how.",
    epilog=example(
        "tallystick network add ./provider mno-east --at smpp.example:2775 --as tally"
        " --password-file ./mno-east.password --number 38457 --menu '*384*57#' --messages"
        " --secret-file ./secret",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.option("--at", "address", required=True, metavar="HOST:PORT", help="Where it listens.")
@click.option(
    "--as", "system_id", required=True, help="The name that the network gave (system id)."
)
@click.option(
    "--password-file", type=_FILE, required=True, help="The network's password, 1 to 8 characters."
)
@click.option("--number", required=True, help="The provider's short code.")
@click.option("--type", "system_type", default="", help="The system type, if the network asks.")
@click.option("--menu", default="", metavar="CODE", help="What customers dial, as *384*57#.")
@click.option("--messages", is_flag=True, help="Send notices over this network.")
@click.option("--window", default=10, show_default=True, help="Requests without an answer yet.")
@click.option("--tunnel", default="", help="What protects the way instead of TLS, as a VPN.")
@click.option("--plain", is_flag=True, help="No TLS: on loopback, or in the tunnel that is named.")
def add(
    folder: Path,
    name: str,
    address: str,
    system_id: str,
    password_file: Path,
    number: str,
    system_type: str,
    menu: str,
    messages: bool,
    window: int,
    tunnel: str,
    plain: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Let the provider in FOLDER bind to the network NAME over SMPP 3.4.

    The password is sealed with a key of the service. The service knows a network from its next
    start on, and needs the extra `smpp`.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError("--at is HOST:PORT")
    bind = SmppBind(
        name=name,
        host=host,
        port=int(port),
        system_id=system_id,
        password="",
        number=number,
        system_type=system_type,
        tls=not plain,
        tunnel=tunnel,
        service_code=menu,
        messages=messages,
        window=window,
    )
    password = Secret(password_file.read_text(encoding="ascii").rstrip("\r\n"))
    if not 1 <= len(password.reveal()) <= 8:
        raise click.UsageError("a password of SMPP has 1 to 8 characters")
    opener = opener_from(secret_fd, secret_file)
    register_bind(ProviderFolder(folder), opener, SystemClock(), bind, password)
    say(f"{name} is registered; restart the service to take it into use")


@network.command(
    "sims",
    short_help="Make the keys of SIMs that sign.",
    epilog=example(
        "tallystick network sims ./provider batch-1 ./iccids.txt --out ./batch-1.blocks"
        " --secret-file ./secret",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("batch")
@click.argument("serials", type=_FILE)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the key blocks for the bureau there (0600).",
)
def sims(
    folder: Path,
    batch: str,
    serials: Path,
    out: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Make the keys of the SIMs whose serial numbers (ICCID) stand in SERIALS, one a line.

    They leave as key blocks only; whoever personalises SIMs opens them with the roots of these two
    purposes. The service takes the batch into its stock at its next start.
    """
    numbers = serials.read_text(encoding="ascii").split()
    opener = opener_from(secret_fd, secret_file)
    made = make_sims(ProviderFolder(folder), opener, SystemClock(), batch, numbers)
    write_private(out, encode_canonical(made).decode() + "\n")
    say(f"the keys of {len(made.sims)} SIMs were made; their blocks were written to {out}")


opener_options(add)
opener_options(sims)
