"""Serving a platform: the loop, the writer on it, the lane and Starlette on one port, housekeeping.

With one worker everything is in this process. With more, as many fronts take the port, and this
process is the writer and keeps every other door.

A bind beyond loopback takes a certificate, or the word of the operator that a TLS terminator stands
in front (`terminator`), which is then part of what the service says about itself.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.3
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tallystick.application.core.model import DEFAULT_PATIENCE, Patience
from tallystick.entry.accounting import Accounting
from tallystick.entry.admission import LONGEST_WAIT_S, Admission
from tallystick.entry.assembly import Platform
from tallystick.entry.core_link import CoreLink
from tallystick.entry.delivering import deliver_webhooks
from tallystick.entry.fleetkeeping import trust_duties
from tallystick.entry.hashing import HashingPool
from tallystick.entry.http.access import AccessDoors
from tallystick.entry.http.admitted import ask_for_certificates
from tallystick.entry.http.aggregator import PartnerDoors
from tallystick.entry.http.app import application
from tallystick.entry.http.beginnings import BeginningDoors
from tallystick.entry.http.certified import Certified, Duty, certified
from tallystick.entry.http.desk import desk_of
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.doors import Doors
from tallystick.entry.http.duties import begun
from tallystick.entry.http.early import EarlyRefusal
from tallystick.entry.http.front import Front
from tallystick.entry.http.gauges import tell_gauges
from tallystick.entry.http.lane import LaneProtocol, sweep_idle
from tallystick.entry.http.networks import network_duties
from tallystick.entry.http.pace import FLUSH_S, HOUSEKEEPING_S, IDLE_S, quiet_collector
from tallystick.entry.http.protecting import check_certificate, is_loopback
from tallystick.entry.http.sealed import SealedOperations, sealed_handlers
from tallystick.entry.http.streams import StreamDoor
from tallystick.entry.http.ussd import UssdDoor
from tallystick.entry.http.watched import (
    NOT_WATCHED,
    Watched,
    telling,
    tracing_of,
    watch_disk,
    watch_registers,
)
from tallystick.entry.http.workers.desk import FrontDesk, Hiring
from tallystick.entry.http.workers.place import Place, check_free, shared_place
from tallystick.entry.http.workers.relay import RelayedProtocol
from tallystick.entry.incentives import watch_incentives
from tallystick.entry.keyduties import key_duties
from tallystick.entry.leaning import tell_changes, tell_returns, watch_module, witnessed
from tallystick.entry.notes import Note
from tallystick.entry.paycrypt.listening import keep_door, open_door
from tallystick.entry.tending import tend_devices, tend_recoveries, tend_seals
from tallystick.entry.threads import to_its_end
from tallystick.entry.tightening import watch_controls
from tallystick.entry.tracing import Tracing
from tallystick.entry.waking import end_requests, send_wakes
from tallystick.entry.witnessing import Witnessing
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.database import Upkeep
from tallystick.kernel.errors import Malformed, NotPermitted, Unavailable

MOST_WORKERS = 32


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and what protects the way there.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    host: str = "127.0.0.1"
    port: int = 8480
    certificate: Path | None = None
    private_key: Path | None = None
    terminator: str = ""
    lane: bool = True
    workers: int = 1
    session_rate: float = 50.0
    source_rate: float = 50.0
    longest_wait_s: float = LONGEST_WAIT_S
    payment_cryptography: tuple[str, int] | None = None


def check_listening(listening: Listening) -> None:
    """Pass if the way to the service is protected.

    Raises NotPermitted for a bind beyond loopback with neither certificate nor declared terminator,
    Malformed for a number of workers that there cannot be or files that are no certificate and key,
    NotFound for files that are not there.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if (listening.certificate is None) != (listening.private_key is None):
        raise NotPermitted("a certificate and its key go together", remedy="give both files")
    if not 1 <= listening.workers <= MOST_WORKERS:
        raise Malformed(
            f"there are 1 to {MOST_WORKERS} workers", remedy="one a core is most useful"
        )
    if listening.workers > 1 and not listening.lane:
        raise Malformed("several workers need the lane", remedy="leave out one of the two")
    if listening.certificate is not None and listening.private_key is not None:
        check_certificate(listening.certificate, listening.private_key)
    hosts = [listening.host]
    if listening.payment_cryptography is not None:
        hosts.append(listening.payment_cryptography[0])
    outside = next((one for one in hosts if not is_loopback(one)), "")
    if listening.certificate is None and not listening.terminator and outside:
        raise NotPermitted(
            f"{outside} is reachable from outside and nothing protects the way",
            because="7.2.3: TLS 1.3 beyond loopback",
            remedy="give --certificate and --private-key, or name what terminates TLS in front",
        )


def _is_tls(listening: Listening) -> bool:
    return listening.certificate is not None or bool(listening.terminator)


async def serve(
    platform: Platform,
    listening: Listening,
    *,
    log: Callable[[bytes], None],
    started: Callable[[int], None],
    stop: asyncio.Event | None = None,
    patience: Patience = DEFAULT_PATIENCE,
    witnessing: Witnessing | None = None,
    watched: Watched = NOT_WATCHED,
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve until told to stop; `started` is called with the port once orders are taken.

    `told` is called with the port of the payment cryptography door, where there is one.

    Raises Unavailable when fronts cannot be started where `listening` says.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    check_listening(listening)
    rates = {"session_rate": listening.session_rate, "source_rate": listening.source_rate}
    accounting = Accounting(platform.clock, log, **rates)
    loop = asyncio.get_running_loop()
    writer = WriterLoop(platform.writer, loop, longest_wait_s=listening.longest_wait_s)
    admission = Admission(listening.longest_wait_s, loop.call_soon, writer.ahead_s)
    watch_disk(accounting, watched)
    watch_registers(accounting, watched, platform)
    tell_changes(platform, accounting)
    hashing = HashingPool.standing_back(platform.module.random)
    tell_gauges(accounting, platform, writer, hashing)
    dialled = DialledActions(platform, writer, accounting, hashing)
    with ExitStack() as stack:
        place = None
        if listening.workers > 1:
            place = stack.enter_context(shared_place(listening.host, listening.port))
        else:
            check_free(listening.host, listening.port)
        tracing = tracing_of(watched, writer, platform.module.random)
        stage = _Stage(platform, writer, accounting, admission, tracing, hashing, dialled)
        served = _served(stage, listening, place, certified(platform, accounting, watched))
        door = _door(stage, listening, served.server, told)
        duties = [*_duties(stage, served, patience), *door]
        if witnessing is not None:
            duties.append(witnessed(platform, accounting, witnessing))
        duties += telling(platform, writer, accounting, watched, tracing)
        if stop is not None:
            duties.append(_stop_when(stop, served.server))
        tasks = begun(duties, accounting)
        beginning = asyncio.create_task(_announce(served, started))
        accounting.note(
            Note.SERVING, terminator=listening.terminator or "none", workers=listening.workers
        )
        quiet_collector()
        try:
            await served.server.serve()
        finally:
            if served.desk is not None:
                await served.desk.stop()
            for task in (*tasks, beginning):
                task.cancel()
            await asyncio.gather(*tasks, beginning, return_exceptions=True)
            await writer.close()
            hashing.close()
            accounting.flush()
        if not beginning.cancelled():
            beginning.result()


def _duties(on: "_Stage", served: "_Served", patience: Patience) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside the answering, for ever."""
    platform, writer, accounting = on.platform, on.writer, on.accounting
    duties: list[Coroutine[Any, Any, None]] = [
        _housekeep(platform, writer, accounting, served.desk, served.server),
        _flush(accounting),
        sweep_idle(served.server.server_state, idle_s=IDLE_S),
        *network_duties(platform, writer, on.dialled, accounting),
        deliver_webhooks(platform, writer, accounting),
        *(tend(platform, writer) for tend in (tend_recoveries, tend_seals, tend_devices)),
        *(*key_duties(platform, writer, accounting), *trust_duties(platform, writer, accounting)),
        *(watch_module(platform), tell_returns(platform, writer, accounting)),
        watch_controls(platform, writer, accounting),
        watch_incentives(platform, writer, accounting),
        *(duty() for duty in served.duties),
        end_requests(platform, writer),
        send_wakes(platform),
    ]
    if platform.settings.core_url:
        link = CoreLink(platform, writer, accounting, patience)
        accounting.gauges["orders_open"] = lambda: link.following
        accounting.gauges["orders_oldest_seconds"] = link.oldest_s
        duties.append(link.follow())
    return duties


@dataclass(frozen=True, slots=True)
class _Stage:
    """What every door of this process stands on."""

    platform: Platform
    writer: WriterLoop
    accounting: Accounting
    admission: Admission
    tracing: Tracing | None
    hashing: HashingPool
    dialled: DialledActions


def _door(
    on: _Stage, listening: Listening, server: uvicorn.Server, told: Callable[[int], None]
) -> list[Coroutine[Any, Any, None]]:
    """The payment cryptography door, if it is to be open."""
    place = listening.payment_cryptography
    if place is None:
        return []
    door = open_door(on.platform, on.writer, on.accounting)
    return [keep_door(door, place, server.config.ssl, told)]


@dataclass(frozen=True, slots=True)
class _Served:
    """The server of this process, and its fronts if they are processes of their own."""

    server: uvicorn.Server
    desk: FrontDesk | None
    place: Place | None
    workers: int
    duties: tuple[Duty, ...]


def _served(on: _Stage, listening: Listening, place: Place | None, more: Certified) -> _Served:
    platform, writer, accounting, trace = on.platform, on.writer, on.accounting, on.tracing
    front = Front(platform.desks.sessions.keys, platform.nonces, platform.clock, accounting, trace)
    performers = SealedOperations(platform, writer, on.hashing).performers()
    sealed = sealed_handlers(front, performers)
    early = EarlyRefusal(on.admission, accounting)
    app = application(
        Doors(platform, writer, accounting, on.admission, trace),
        AccessDoors(platform, accounting, platform.names, secure=_is_tls(listening)),
        UssdDoor(platform, on.dialled, accounting, secure=_is_tls(listening)),
        PartnerDoors(platform, writer, on.dialled, accounting, more.partners),
        sealed,
        early,
        (*desk_of(platform, writer, accounting), *more.routes),
        beginnings=BeginningDoors(platform, writer, accounting),
        streams=StreamDoor(platform, accounting),
    )
    desk = None
    if place is not None:
        hiring = Hiring(
            place=place,
            certificate=str(listening.certificate or ""),
            private_key=str(listening.private_key or ""),
            session_rate=listening.session_rate,
            source_rate=listening.source_rate,
            trace_share=0.0 if trace is None else trace.share,
            longest_wait_s=listening.longest_wait_s,
            workers=listening.workers,
        )
        desk = FrontDesk(platform, writer, accounting, performers, hiring, on.admission, trace)
        writer.on_full = desk.writer_full
        accounting.gauges["fronts"] = desk.count
    lane = None
    if listening.lane and place is None:
        lanes = {path.encode(): handler for path, handler in sealed.items()}
        plain = more.protocol
        lane = type("Lane", (LaneProtocol,), {"lanes": lanes, "early": early, "plain": plain})
    config = _config(listening, app, lane or more.protocol, place)
    if config.ssl is not None and more.partners is not None:
        ask_for_certificates(config.ssl, more.partners)
    server = uvicorn.Server(config)
    return _Served(server, desk, place, listening.workers, more.duties)


def _config(listening: Listening, app: Any, protocol: Any, place: Place | None) -> uvicorn.Config:
    """The server of this process: at the port itself, or behind the fronts at the doors."""
    where: dict[str, Any] = {"host": listening.host, "port": listening.port}
    if place is not None:
        protocol, where = RelayedProtocol, {"uds": place.doors}
    elif listening.certificate is not None:
        where["ssl_certfile"] = str(listening.certificate)
        where["ssl_keyfile"] = str(listening.private_key)
    config = uvicorn.Config(
        app,
        http=protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=int(IDLE_S),
        timeout_graceful_shutdown=5,
        backlog=1024,
        **where,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    return config


async def _announce(served: _Served, started: Callable[[int], None]) -> None:
    """Say the port once orders are taken; end the server if its fronts do not come up."""
    while not served.server.started:
        await asyncio.sleep(0.01)
    if served.desk is None or served.place is None:
        started(int(served.server.servers[0].sockets[0].getsockname()[1]))
        return
    try:
        await served.desk.start(served.workers)
    except BaseException:
        served.server.should_exit = True
        raise
    started(served.place.port)


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


async def _flush(accounting: Accounting) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        accounting.flush()


async def _housekeep(
    platform: Platform,
    writer: WriterLoop,
    accounting: Accounting,
    desk: FrontDesk | None,
    server: uvicorn.Server,
) -> None:
    """Once a second: look after the store, forget dead sessions, renew what is due."""
    with closing(platform.database.upkeep()) as upkeep:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            await to_its_end(lambda: _keep_up(upkeep, accounting))
            if platform.store.overtaken:
                accounting.note(Note.OVERTAKEN)
                server.should_exit = True
            now = platform.clock.now()
            writer.rest()
            with suppress(Unavailable):  # the module is away; its watch tells of it
                platform.desks.sessions.sweep(now)
                platform.cookies.refresh(platform.module.random, now)
            _renew_quote_keys(platform, accounting, desk)


def _renew_quote_keys(platform: Platform, accounting: Accounting, desk: FrontDesk | None) -> None:
    try:
        renewed = platform.quote_keys.renew(platform.clock.now())
    except Unavailable as error:
        accounting.note(Note.QUOTE_KEY_NOT_REPLACED, why=error.detail)
        return
    if renewed:
        accounting.note(Note.QUOTE_KEY_REPLACED)
        if desk is not None:
            desk.quote_keys_changed()


def _keep_up(upkeep: Upkeep, accounting: Accounting) -> None:
    try:
        upkeep.run()
    except Exception as error:  # noqa: BLE001 - what fails is tried again
        accounting.note(Note.UPKEEP_FAILED, error=type(error).__name__)
