"""Commands that set a provider up and serve it.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
import uvloop

from tallystick.entry.assembly import Platform, SystemClock, open_platform
from tallystick.entry.cli.console import make_secret_file, out, secret_from, secret_options, table
from tallystick.entry.http.server import Listening, check_listening
from tallystick.entry.http.server import serve as serve_platform
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed

_ROLES = "security-officer,security-officer,operations,operations,care-desk,privacy-officer"
_halves = Decoder(PublicHalf)


@click.command(
    epilog="Example: tallystick init ./provider --secret-file ./secret --provider demo-wallet"
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--provider", default="demo-wallet", show_default=True, help="The provider's name.")
@click.option("--currency", default="KES", show_default=True, help="ISO 4217 code.")
@click.option("--country", default="254", show_default=True, help="Calling code without plus.")
@click.option(
    "--profile",
    type=click.Choice(["demo", "production"]),
    default="demo",
    show_default=True,
    help="How strictly policies are approved.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The first policy; the demonstration policy if absent.",
)
@click.option("--operators", default=_ROLES, show_default=True, help="Roles to invite.")
@click.option("--sms-url", default="", help="Where notices are posted.")
@click.option("--core-url", default="", help="A core system whose book counts.")
@click.option("--gateway", "gateways", multiple=True, help="NAME=FILE of a USSD gateway's key.")
@click.option("--codes-file", type=click.Path(path_type=Path), help="Write the codes there (0600).")
def init(
    folder: Path,
    provider: str,
    currency: str,
    country: str,
    profile: str,
    policy_file: Path | None,
    operators: str,
    sms_url: str,
    core_url: str,
    gateways: tuple[str, ...],
    codes_file: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Set up a provider in FOLDER: keys, key list, first policy, operators' invitations.

    The secret that opens the master key is read from --secret-fd or --secret-file; a file that does
    not exist yet is made, readable by its owner only.
    """
    if secret_file is not None and not secret_file.exists():
        make_secret_file(secret_file, operating_system(32))
        out.print(f"a new secret was written to {secret_file}: keep it apart from the provider")
    text = policy_file.read_text(encoding="utf-8") if policy_file else demo_policy()
    plan = Plan(
        provider=provider,
        currency=currency,
        country=country,
        profile=profile,
        policy_text=text,
        roles=tuple(role.strip() for role in operators.split(",") if role.strip()),
        sms_url=sms_url,
        core_url=core_url,
        gateways=dict(_gateway(given) for given in gateways),
    )
    done = set_up(ProviderFolder(folder), plan, secret_from(secret_fd, secret_file), SystemClock())
    out.print(f"provider [bold]{provider}[/bold] is set up in {folder}")
    out.print(f"root key to pin in every SDK: {done.root.algorithm} {done.root.public}")
    out.print(f"move {folder / 'offline'} away from this machine: it holds root and officers' keys")
    codes = [(one.role, one.code.reveal()) for one in done.invited]
    if codes_file is None:
        table("one-time codes, shown once; each enrols one operator", ("role", "code"), codes)
    else:
        _write_codes(codes_file, codes)
        out.print(f"one-time codes of {len(codes)} operators were written to {codes_file}")
    out.print(f"next: tallystick serve {folder} --secret-file {secret_file or 'FILE'}")


def _write_codes(file: Path, codes: list[tuple[str, str]]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.writelines(f"{role} {code}\n" for role, code in codes)


def _gateway(given: str) -> tuple[str, PublicHalf]:
    name, _, file = given.partition("=")
    if not name or not file:
        raise Malformed("a gateway is given as NAME=FILE")
    return name, _halves.decode(Path(file).read_bytes())


@click.command(epilog="Example: tallystick serve ./provider --secret-file ./secret --port 8480")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8480, show_default=True, help="Port; 0 takes a free one.")
@click.option("--certificate", type=click.Path(path_type=Path), help="TLS certificate chain (PEM).")
@click.option("--private-key", type=click.Path(path_type=Path), help="Its key (PEM).")
@click.option("--terminator", default="", help="What terminates TLS in front of the service.")
@click.option("--no-lane", is_flag=True, help="Serve everything through the ordinary routes.")
@click.option(
    "--log", "log_file", default="-", show_default=True, help="File of the log, - for none."
)
@click.option("--session-rate", default=50.0, show_default=True, help="Requests/s of a session.")
@click.option("--source-rate", default=50.0, show_default=True, help="Handshakes/s of a source.")
def serve(
    folder: Path,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    terminator: str,
    no_lane: bool,
    log_file: str,
    session_rate: float,
    source_rate: float,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Serve the provider in FOLDER until interrupted."""
    listening = Listening(
        host=host,
        port=port,
        certificate=certificate,
        private_key=private_key,
        terminator=terminator,
        lane=not no_lane,
        session_rate=session_rate,
        source_rate=source_rate,
    )
    check_listening(listening)
    harden_process()
    platform = open_platform(ProviderFolder(folder), secret_from(secret_fd, secret_file))
    try:
        uvloop.run(_serve(platform, listening, log_file))
    finally:
        platform.close()


async def _serve(platform: Platform, listening: Listening, log_file: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log = -1
    if log_file != "-":
        log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(octets: bytes) -> None:
        if log >= 0:
            os.write(log, octets)

    def started(port: int) -> None:
        scheme = "http" if listening.certificate is None else "https"
        sys.stdout.write(f"listening on {scheme}://{listening.host}:{port}\n")
        sys.stdout.flush()

    await serve_platform(platform, listening, log=write, started=started, stop=stop)


secret_options(init)
secret_options(serve)
