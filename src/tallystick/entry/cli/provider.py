"""Commands that set a provider up and serve it.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from time import sleep

import click
import uvloop

from tallystick.entry.admission import LONGEST_WAIT_S
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import (
    make_secret_file,
    opener_from,
    opener_options,
    secret_from,
    secret_options,
    write_private,
)
from tallystick.entry.http.server import Listening, check_listening
from tallystick.entry.http.server import serve as serve_platform
from tallystick.entry.http.watched import Watched
from tallystick.entry.renewing import list_is_near_its_end
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import Done, Plan, demo_policy, refuse_occupied, set_up
from tallystick.entry.siem import Destination
from tallystick.entry.siem.destination import Way
from tallystick.entry.standing_by import prepare, stand_by
from tallystick.entry.supervising import Supervisor
from tallystick.entry.tracing.spans import spans_to
from tallystick.entry.witnessing import WITNESSED_NOTE, WitnessEndpoint, Witnessing
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Expired, Malformed, MfsError, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import iso_utc
from tallystick.process.policy.signing import SIGNATURES
from tallystick.process.programme.templates import PROFILES, profile_text

_ROLES = "security-officer,security-officer,operations,operations,care-desk,privacy-officer"
_halves = Decoder(PublicHalf)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    short_help="Set up a provider: keys, first policy, invitations.",
    epilog=example(
        "tallystick init ./provider --secret-out ./secret",
        "tallystick init ./provider --secret-out ./secret --profile bank-app --currency EUR",
        "tallystick init ./provider --secret-fd 3 --profile production --policy policy.yaml"
        " 3< secret",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--provider", default="demo-wallet", show_default=True, help="The provider's name.")
@click.option("--currency", default="KES", show_default=True, help="ISO 4217 code.")
@click.option("--country", default="254", show_default=True, help="Calling code without plus.")
@click.option(
    "--profile",
    "profiles",
    type=click.Choice([*SIGNATURES, *PROFILES]),
    multiple=True,
    help="How strictly policies are approved (else demo); which programme to begin with (else"
    " mobile-money-operator). Say it twice for both.",
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
@click.option(
    "--gateway", "gateways", multiple=True, metavar="NAME=FILE", help="A USSD gateway's public key."
)
@click.option("--store", default="", help="A server for the record: postgresql://...")
@click.option("--codes-file", type=click.Path(path_type=Path), help="Write the codes there (0600).")
@click.option("--secret-out", type=_FILE, help="Make a new secret and write it there (0600).")
@click.option("--json", "as_json", is_flag=True, help="Print root and invited roles as JSON.")
def init(
    folder: Path,
    provider: str,
    currency: str,
    country: str,
    profiles: tuple[str, ...],
    policy_file: Path | None,
    operators: str,
    sms_url: str,
    core_url: str,
    gateways: tuple[str, ...],
    store: str,
    codes_file: Path | None,
    secret_out: Path | None,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Set up a provider in FOLDER: keys, key list, first policy, operators' invitations.

    The secret that opens the master key is made with --secret-out, or read from --secret-fd or
    --secret-file (made too, if it does not exist). It is never read from the environment.

    The programme file mfs.yaml is written there, too, unless there is one: adapt it, and check it
    with `tallystick programme check`.
    """
    text = policy_file.read_text(encoding="utf-8") if policy_file else demo_policy()
    strictness, programme = _chosen(profiles)
    plan = Plan(
        provider=provider,
        currency=currency,
        country=country,
        profile=strictness,
        programme_text=profile_text(programme, provider=provider, currency=currency),
        policy_text=text,
        roles=tuple(role.strip() for role in operators.split(",") if role.strip()),
        sms_url=sms_url,
        core_url=core_url,
        gateways=dict(_gateway(given) for given in gateways),
        store=store,
    )
    place = ProviderFolder(folder)
    refuse_occupied(place)
    secret, file, made = _initial_secret(folder, secret_out, secret_file, secret_fd)
    try:
        done = set_up(place, plan, secret, SystemClock())
    except MfsError:
        if made and file is not None and not folder.exists():
            file.unlink()
            click.echo(f"{file} was removed again: it opens nothing", err=True)
        raise
    codes = [(one.role, one.code.reveal()) for one in done.invited]
    if codes_file is not None:
        write_private(codes_file, "".join(f"{role} {code}\n" for role, code in codes))
    if as_json:
        shown = [] if codes_file else [{"role": role, "code": code} for role, code in codes]
        say_json({"root": done.root, "folder": str(folder), "invited": shown})
        return
    _say_done(folder, provider, done)
    if codes_file is None:
        table("\none-time codes, shown once; each enrols one operator", ("role", "code"), codes)
    else:
        say(f"one-time codes of {len(codes)} operators were written to {codes_file}")
    delivered = f"--secret-file {file}" if file else "--secret-fd N"
    say("\nnext:")
    say(f"  tallystick programme check {folder}")
    say(f"  tallystick serve {folder} {delivered}")
    say("  tallystick operator enrol http://127.0.0.1:8480 --name NAME --key-file KEY")


def _chosen(profiles: tuple[str, ...]) -> tuple[str, str]:
    """How strictly policies are approved, and which programme to begin with."""
    strictness = [one for one in profiles if one in SIGNATURES]
    programmes = [one for one in profiles if one in PROFILES]
    if len(strictness) > 1 or len(programmes) > 1:
        raise click.UsageError("--profile takes one of demo and production, and one programme")
    return (strictness or ["demo"])[0], (programmes or [PROFILES[0]])[0]


def _say_done(folder: Path, provider: str, done: Done) -> None:
    say(f"provider {provider} is set up in {folder}", style="green")
    say(f"root key to pin in every SDK: {done.root.algorithm} {done.root.public}")
    offline = folder / "offline"
    say(f"move {offline} away from this machine; it has the keys of the root and of the officers:")
    for path in sorted(offline.iterdir()):
        say(f"  {path.name}")


def _initial_secret(
    folder: Path, secret_out: Path | None, secret_file: Path | None, secret_fd: int | None
) -> tuple[Secret[bytes], Path | None, bool]:
    """The secret that seals the new master key, its file if it has one, and whether it is new."""
    given = sum(one is not None for one in (secret_out, secret_file, secret_fd))
    if given > 1:
        raise click.UsageError("give one of --secret-out, --secret-file and --secret-fd")
    if given == 0 and sys.stdin.isatty():
        beside = folder.with_name(f"{folder.name}.secret")
        secret_out = Path(click.prompt("write a new secret to", default=str(beside)))
    file = secret_out or secret_file
    made = file is not None and (file == secret_out or not file.exists())
    if made and file is not None:
        make_secret_file(file)
        click.echo(f"a new secret was written to {file}: keep it apart from the provider", err=True)
    return secret_from(secret_fd, file), file, made


def _gateway(given: str) -> tuple[str, PublicHalf]:
    name, _, file = given.partition("=")
    if not name or not Path(file).is_file():
        raise click.BadParameter("give NAME=FILE of an existing file", param_hint="--gateway")
    return name, _halves.decode(Path(file).read_bytes())


@click.command(
    short_help="Serve a provider until it is interrupted.",
    epilog=example(
        "tallystick serve ./provider --secret-file ./secret",
        "tallystick serve ./provider --secret-fd 3 --host 0.0.0.0 --certificate chain.pem"
        " --private-key key.pem --log /var/log/tallystick.jsonl 3< secret",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8480, show_default=True, help="Port; 0 takes a free one.")
@click.option("--certificate", type=click.Path(path_type=Path), help="TLS certificate chain (PEM).")
@click.option("--private-key", type=click.Path(path_type=Path), help="Its key (PEM).")
@click.option("--terminator", default="", help="What terminates TLS in front of the service.")
@click.option("--workers", default=1, show_default=True, help="Processes that verify; one a core.")
@click.option("--no-lane", is_flag=True, help="Serve everything through the ordinary routes.")
@click.option("--standby", is_flag=True, help="Wait for another service's place, then take it.")
@click.option("--log", "log_file", default="", help="File of the log, - for standard error.")
@click.option("--ready-fd", type=int, help="Write the port there once orders are taken.")
@click.option(
    "--witness", "witnesses", multiple=True, help="URL=NAME+ID+KEY of a witness of the tally."
)
@click.option(
    "--siem",
    "siem",
    multiple=True,
    metavar="URL",
    help="Tell security events there: syslog+tls://HOST:PORT, otlp+https://HOST:PORT, ...",
)
@click.option(
    "--traces",
    default="",
    metavar="URL",
    help="Send traces there: otlp+https://HOST:PORT; needs the extra `otel`.",
)
@click.option(
    "--trace-share",
    type=click.FloatRange(0.0, 1.0),
    default=0.01,
    show_default=True,
    help="Which share of payments is traced; acts always are.",
)
@click.option("--session-rate", default=50.0, show_default=True, help="Requests/s of a session.")
@click.option("--source-rate", default=50.0, show_default=True, help="Handshakes/s of a source.")
@click.option(
    "--longest-wait",
    type=click.FloatRange(min=1.0),
    default=LONGEST_WAIT_S * 1000,
    show_default=True,
    help="Milliseconds that requests may go on waiting before new ones are refused.",
)
def serve(
    folder: Path,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    terminator: str,
    workers: int,
    no_lane: bool,
    standby: bool,
    log_file: str,
    ready_fd: int | None,
    witnesses: tuple[str, ...],
    siem: tuple[str, ...],
    traces: str,
    trace_share: float,
    session_rate: float,
    source_rate: float,
    longest_wait: float,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Serve the provider in FOLDER until SIGTERM or SIGINT; what was begun is finished first.

    The first line of output says where it listens. Beyond loopback it takes a certificate, or the
    word that something in front terminates TLS.

    With --standby it waits beside a service on the same store and takes its place once that one has
    ended, or has died: for a change of version without a pause, and for a second machine.
    """
    listening = Listening(
        host=host,
        port=port,
        certificate=certificate,
        private_key=private_key,
        terminator=terminator,
        lane=not no_lane,
        workers=workers,
        session_rate=session_rate,
        source_rate=source_rate,
        longest_wait_s=longest_wait / 1000,
    )
    check_listening(listening)
    endpoints = tuple(WitnessEndpoint.parse(text) for text in witnesses)
    witnessing = Witnessing(endpoints, folder / WITNESSED_NOTE) if endpoints else None
    harden_process()
    place = ProviderFolder(folder)
    watched = _watched(place, siem, traces, trace_share)
    _check_key_list(place)
    opener = opener_from(secret_fd, secret_file)
    supervisor = Supervisor.named_in(os.environ)
    take_over = standby and _stood_by(place, supervisor)
    platform = open_platform(place, opener, take_over=take_over)
    try:
        uvloop.run(_serve(platform, listening, witnessing, watched, log_file, ready_fd, supervisor))
    finally:
        platform.close()
    if platform.store.overtaken:
        raise Unavailable(
            "another process has become the writer", remedy="start this one with --standby"
        )


def _stood_by(folder: ProviderFolder, supervisor: Supervisor) -> bool:
    """Wait for the writer's place; gives whether it is to be taken by force."""
    place = folder.place()
    prepare(place, _tell)
    supervisor.ready("stands by")
    return stand_by(place, supervisor.pausing(sleep), _tell)


def _watched(folder: ProviderFolder, siem: tuple[str, ...], traces: str, share: float) -> Watched:
    """Who is to be told of security events, and where traces go."""
    told = tuple(Destination.parse(url) for url in siem)
    if not traces:
        return Watched(folder.root, told)
    to = Destination.parse(traces, "/v1/traces")
    if to.way not in {Way.OTLP, Way.OTLPS}:
        raise Malformed("traces go by OTLP", remedy="write otlp+https://HOST:PORT")
    return Watched(folder.root, told, spans_to(to, folder.settings().provider), share)


def _tell(says: str) -> None:
    click.echo(says, err=True)


def _check_key_list(folder: ProviderFolder) -> None:
    """Refuse to serve what every client would refuse, and say so before it comes to that."""
    listed, now = listed_keys(folder), SystemClock().now()
    renew = f"tallystick keys renew {folder.root} --root-key FILE"
    if now >= listed.expires_at:
        raise Expired("the key list is past its time", remedy=f"sign it anew: {renew}")
    if list_is_near_its_end(listed, now):
        click.echo(f"the key list ends at {iso_utc(listed.expires_at)}: {renew}", err=True)


async def _serve(
    platform: Platform,
    listening: Listening,
    witnessing: Witnessing | None,
    watched: Watched,
    log_file: str,
    ready_fd: int | None,
    supervisor: Supervisor,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log = _log_descriptor(log_file)

    def write(octets: bytes) -> None:
        if log is not None:
            os.write(log, octets)

    def started(port: int) -> None:
        scheme = "http" if listening.certificate is None else "https"
        sys.stdout.write(f"listening on {scheme}://{listening.host}:{port}\n")
        sys.stdout.flush()
        if ready_fd is not None:
            os.write(ready_fd, f"{port}\n".encode())
            os.close(ready_fd)
        supervisor.ready("serves")

    living = asyncio.create_task(supervisor.live())
    try:
        await serve_platform(
            platform,
            listening,
            log=write,
            started=started,
            stop=stop,
            witnessing=witnessing,
            watched=watched,
        )
    finally:
        living.cancel()
        supervisor.ending()


def _log_descriptor(log_file: str) -> int | None:
    if not log_file:
        return None
    if log_file == "-":
        return sys.stderr.fileno()
    return os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


secret_options(init)
opener_options(serve)
