"""Serving a platform: the loop, the writer on it, the lane and Starlette on one port, housekeeping.

A bind beyond loopback takes a certificate, or the word of the operator that a TLS terminator stands
in front (`terminator`), which is then part of what the service says about itself.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.3
"""

import asyncio
import gc
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tallystick.application.core.model import DEFAULT_PATIENCE, Patience
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.core_link import CoreLink
from tallystick.entry.delivering import deliver_notices, deliver_webhooks
from tallystick.entry.http.app import application
from tallystick.entry.http.doors import Doors
from tallystick.entry.http.front import Front
from tallystick.entry.http.lane import LaneHandler, LaneProtocol, sweep_idle
from tallystick.entry.http.sealed import SealedOperations
from tallystick.entry.http.ussd import UssdDoor
from tallystick.entry.witnessing import Asker, Witnessing, ask_for_ever
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.database import Checkpointer
from tallystick.kernel.errors import NotPermitted

HOUSEKEEPING_S = 1.0
FLUSH_S = 0.2
IDLE_S = 75.0
_NEW_OBJECTS = 20_000
"""How many more objects than now set the collector off; almost all of a request's die by count."""


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
    session_rate: float = 50.0
    source_rate: float = 50.0


def check_listening(listening: Listening) -> None:
    """Pass if the way to the service is protected.

    Raises NotPermitted for a bind beyond loopback with neither certificate nor declared terminator.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if (listening.certificate is None) != (listening.private_key is None):
        raise NotPermitted("a certificate and its key go together", remedy="give both files")
    if listening.certificate is None and not listening.terminator and not _is_loopback(listening):
        raise NotPermitted(
            f"{listening.host} is reachable from outside and nothing protects the way",
            because="7.2.3: TLS 1.3 beyond loopback",
            remedy="give --certificate and --private-key, or name what terminates TLS in front",
        )


def _is_loopback(listening: Listening) -> bool:
    if listening.host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(listening.host).is_loopback
    return False


async def serve(
    platform: Platform,
    listening: Listening,
    *,
    log: Callable[[bytes], None],
    started: Callable[[int], None],
    stop: asyncio.Event | None = None,
    patience: Patience = DEFAULT_PATIENCE,
    witnessing: Witnessing | None = None,
) -> None:
    """Serve until told to stop; `started` is called with the port once orders are taken.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    check_listening(listening)
    loop = asyncio.get_running_loop()
    accounting = Accounting(
        platform.clock,
        log,
        session_rate=listening.session_rate,
        source_rate=listening.source_rate,
    )
    writer = WriterLoop(platform.writer, loop)
    _gauges(accounting, platform, writer)
    doors = Doors(platform, writer, accounting)
    ussd = UssdDoor(platform, writer, accounting)
    sealed = SealedOperations(platform).handlers(Front(platform, writer, accounting))
    server = uvicorn.Server(_config(listening, application(doors, ussd, sealed), sealed))
    tasks = [
        asyncio.create_task(_housekeep(platform, writer, accounting)),
        asyncio.create_task(_flush(accounting)),
        asyncio.create_task(sweep_idle(server.server_state, idle_s=IDLE_S)),
        asyncio.create_task(deliver_notices(platform, writer, accounting)),
        asyncio.create_task(deliver_webhooks(platform, writer, accounting)),
        asyncio.create_task(_announce(server, started)),
    ]
    if platform.settings.core_url:
        tasks.append(asyncio.create_task(CoreLink(platform, writer, accounting, patience).follow()))
    if witnessing is not None:
        asker = Asker(platform.archive, witnessing.endpoints)
        tasks.append(
            asyncio.create_task(ask_for_ever(asker, witnessing.file, _unwitnessed(accounting)))
        )
    if stop is not None:
        tasks.append(asyncio.create_task(_stop_when(stop, server)))
    accounting.note("serving", terminator=listening.terminator or "none")
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await writer.close()
        ussd.close()
        accounting.flush()


def _config(listening: Listening, app: Any, sealed: dict[str, LaneHandler]) -> uvicorn.Config:
    protocol: Any = "httptools"
    if listening.lane:
        lanes = {path.encode(): handler for path, handler in sealed.items()}
        protocol = type("Lane", (LaneProtocol,), {"lanes": lanes})
    config = uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
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
        ssl_certfile=None if listening.certificate is None else str(listening.certificate),
        ssl_keyfile=None if listening.private_key is None else str(listening.private_key),
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    return config


def _gauges(accounting: Accounting, platform: Platform, writer: WriterLoop) -> None:
    accounting.gauges |= {
        "batches_total": lambda: platform.writer.batches,
        "commands_total": lambda: platform.writer.commands,
        "commands_waiting": lambda: writer.waiting,
        "sessions": lambda: len(platform.desks.sessions),
        "tally_size": lambda: platform.archive.size,
        "policy_version": lambda: platform.desks.policy.version,
    }


def _unwitnessed(accounting: Accounting) -> Callable[[str, str], None]:
    """Notes that a witness did not countersign, and why."""

    def tell(name: str, why: str) -> None:
        accounting.note("not witnessed", witness=name, why=why)

    return tell


async def _announce(server: uvicorn.Server, started: Callable[[int], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    started(int(server.servers[0].sockets[0].getsockname()[1]))


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


async def _flush(accounting: Accounting) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        accounting.flush()


async def _housekeep(platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
    """Once a second: copy the log back into the file, forget dead sessions."""
    with platform.database.checkpointer() as checkpointer:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            await asyncio.to_thread(_checkpoint, checkpointer, accounting)
            now = platform.clock.now()
            platform.desks.sessions.sweep(now)
            writer.rest()
            platform.cookies.refresh(platform.module.random, now)


def _checkpoint(checkpointer: Checkpointer, accounting: Accounting) -> None:
    try:
        checkpointer.passive()
    except Exception as error:  # noqa: BLE001 - a checkpoint that fails is tried again
        accounting.note("checkpoint failed", error=type(error).__name__)
