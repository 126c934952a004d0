"""The command that serves a provider.

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
from tallystick.entry.apps import release_says
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.auditing import listed_keys
from tallystick.entry.cli.console import example
from tallystick.entry.cli.unlocking import (
    opener_from,
    opener_options,
)
from tallystick.entry.gating import in_a_line, refuse_start, start_of
from tallystick.entry.http.server import Listening, check_listening
from tallystick.entry.http.server import serve as serve_platform
from tallystick.entry.http.watched import Watched
from tallystick.entry.paycrypt.listening import place_of
from tallystick.entry.renewing import list_is_near_its_end
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.siem import Destination
from tallystick.entry.siem.destination import Way
from tallystick.entry.standing_by import prepare, stand_by
from tallystick.entry.supervising import Supervisor
from tallystick.entry.tracing.spans import spans_to
from tallystick.entry.witnessing import WITNESSED_NOTE, WitnessEndpoint, Witnessing
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.infrastructure.store.decided import note_decided
from tallystick.kernel.errors import Expired, Malformed, Unavailable
from tallystick.kernel.time import iso_utc

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    short_help="Serve a provider until it is interrupted.",
    epilog=example(
        "tallystick serve ./provider --secret-file ./secret",
        "tallystick serve ./provider --secret-fd 3 --host 0.0.0.0 --certificate chain.pem"
        " --private-key key.pem --log /var/log/tallystick.jsonl 3< secret",
        "tallystick serve ./provider --unseal 'vault-transit://transit/tallystick"
        "?address=https://vault:8200&auth=credential:vault'",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8480, show_default=True, help="Port; 0 takes a free one.")
@click.option("--certificate", type=click.Path(path_type=Path), help="TLS certificate chain (PEM).")
@click.option("--private-key", type=click.Path(path_type=Path), help="Its key (PEM).")
@click.option("--terminator", default="", help="What terminates TLS in front of the service.")
@click.option(
    "--payment-cryptography",
    default="",
    metavar="HOST:PORT",
    help="Open the door for clients of AWS Payment Cryptography there; needs paycrypt.json.",
)
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
    payment_cryptography: str,
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

    In the profile production it does not start while the programme in FOLDER leaves a question
    open, or a requirement of clauses 7.3 and 7.4 is neither met by a chosen control nor excused by
    a signed decision; in demo it says so and starts.

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
        payment_cryptography=place_of(payment_cryptography) if payment_cryptography else None,
    )
    check_listening(listening)
    endpoints = tuple(WitnessEndpoint.parse(text) for text in witnesses)
    witnessing = Witnessing(endpoints, folder / WITNESSED_NOTE) if endpoints else None
    harden_process()
    place = ProviderFolder(folder)
    watched = _watched(place, siem, traces, trace_share)
    _check_key_list(place)
    decided = _check_gate(place)
    opener = opener_from(secret_fd, secret_file)
    supervisor = Supervisor.named_in(os.environ)
    take_over = standby and _stood_by(place, supervisor)
    platform = open_platform(place, opener, take_over=take_over)
    try:
        if decided:
            note_decided(platform.database, decided)
        _tell(release_says(platform.desks.apps.register))
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


def _check_gate(folder: ProviderFolder) -> int:
    """Refuse to serve a programme that is not ready; gives the version of the decisions in force.

    Only the profile production refuses: demo says what is missing, and goes on.
    """
    start = start_of(folder, SystemClock().now())
    if start is None:
        _tell(f"no programme in {folder.root}: nothing was checked before the start")
        return 0
    if start.gate.opens:
        return start.decided
    if folder.settings().profile == "production":
        refuse_start(start.gate, folder.root)
    _tell(f"not ready for production: {in_a_line(start.gate)}; tallystick doctor {folder.root}")
    return start.decided


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

    def told(port: int) -> None:
        sys.stdout.write(f"payment cryptography at port {port}\n")
        sys.stdout.flush()

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
            told=told,
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


opener_options(serve)
