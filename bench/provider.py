"""Serves a provider for a measurement: `python -m bench.provider FOLDER`, secret (hex) on stdin.

Prints `port N` once orders are taken; ends when stdin closes. Refuses for overload only after a
second, unless told: a closed loop measures the work, not the refusing.
"""

import asyncio
import cProfile
import os
import signal
import sys
import threading
from pathlib import Path

import uvloop

from bench.stages import watch
from tallystick.entry.assembly import open_platform
from tallystick.entry.http.server import Listening, serve
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.secret import Secret


async def main(folder: Path, secret: Secret[bytes], log_path: Path) -> None:
    """Serve until stdin closes."""
    platform = open_platform(ProviderFolder(folder), secret)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    listening = Listening(
        port=_option("--port", 0),
        session_rate=1e6,
        source_rate=1e6,
        longest_wait_s=_option("--longest-wait-ms", 1_000) / 1000,
        lane="--no-lane" not in sys.argv,
        workers=_option("--workers", 1),
    )
    await serve(
        platform,
        listening,
        log=lambda octets: _write(log, octets),
        started=lambda port: print(f"port {port}", flush=True),
        stop=stop,
    )
    platform.close()


def _option(name: str, default: int) -> int:
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def _write(log: int, octets: bytes) -> None:
    os.write(log, octets)


def _profile_on_signal(target: Path) -> None:
    """SIGUSR1 begins a profile, SIGUSR2 ends it and writes it to `target`."""
    profile = cProfile.Profile()

    def end(*_: object) -> None:
        profile.disable()
        profile.dump_stats(target)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, end)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    key = Secret(bytes.fromhex(sys.stdin.buffer.readline().decode().strip()))
    if "--stages" in sys.argv:
        watch(where)
    else:
        _profile_on_signal(where / "profile.out")
    uvloop.run(main(where, key, where / "log.jsonl"))
