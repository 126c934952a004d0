"""privacyIDEA on this machine: `python -m bench.privacyidea [--quick]`.

    .venv-privacyidea (made once, pinned by hashes)  ->  pi-manage  ->  gunicorn  <-  one-time codes

Served as its manual says, by its own WSGI application, with SQLite; one synchronous worker for each
core, where we have one worker. A check is one request, `/validate/check` with PIN and HOTP value of
a serial: no user to look up and no push, which would take four. All of that favours the peer.

It is installed and run as a program of its own, over loopback. Nothing of ours imports it.
"""

import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.machine import ROOT

LOCK = Path(__file__).with_suffix(".lock")
PLACE = ROOT / ".venv-privacyidea"
INSTALL_S = 420.0
START_S = 60.0
LINKS, TOKENS, WARM = 16, 16, 2
SECONDS = {"as shipped": 20.0, "with trivial hashing": 10.0}
TRIVIAL = {"argon2__rounds": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}
_PIN = "7391"


class PeerMissing(Exception):
    """The peer could not be installed or does not answer as it should; says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Checks a second, CPU seconds of one, and what was done to find them."""

    rate: float
    cpu_s: float
    load: str


def version_of() -> str:
    """The version that is pinned."""
    found = re.search(r"^privacyidea==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found.group(1)


def install() -> Path:
    """The environment of the peer, made if it is not there or not of this lock.

    Raises PeerMissing when it cannot be made within `INSTALL_S`.
    """
    stamp, digest = PLACE / "lock.sha256", sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return PLACE
    print(f"installing privacyIDEA {version_of()} into {PLACE.name} ...", flush=True)
    shutil.rmtree(PLACE, ignore_errors=True)
    limit = time.monotonic() + INSTALL_S
    pip = (str(PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes",
           "--disable-pip-version-check", "-r", str(LOCK))  # fmt: skip
    for command in ((sys.executable, "-m", "venv", str(PLACE)), pip):
        _ended(command, max(1.0, limit - time.monotonic()))
    stamp.write_text(digest, encoding="utf-8")
    return PLACE


def _ended(command: tuple[str, ...], seconds: float, env: dict[str, str] | None = None) -> str:
    """What `command` printed; raises PeerMissing with its last line if it fails or is late."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=True, env=env
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{Path(command[0]).name} took longer than {seconds:.0f} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise PeerMissing(f"{' '.join(command[:4])}: {lines[-1] if lines else error}") from None
    return done.stdout


class Server:
    """A served peer with tokens."""

    def __init__(self, folder: Path, *, hashing: dict[str, int]) -> None:
        """Set one up in `folder`, serve it, and enrol `TOKENS` tokens."""
        self._folder = folder
        self._env = {
            "PATH": os.environ.get("PATH", ""),
            "PRIVACYIDEA_CONFIGFILE": str(folder / "pi.cfg"),
        }
        (folder / "pi.cfg").write_text(_settings(folder, hashing), encoding="utf-8")
        password = secrets.token_hex(8)
        for words in (
            ("setup", "create_enckey"), ("setup", "create_audit_keys"), ("setup", "create_tables"),
            ("admin", "add", "bench", "-p", password),
        ):  # fmt: skip
            _ended((str(PLACE / "bin" / "pi-manage"), *words), START_S, self._env)
        self.workers = len(os.sched_getaffinity(0))
        self._serve()
        try:
            self._await()
            self.tokens = self._enrolled(password)
        except BaseException:
            self.close()
            raise

    def _serve(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            self.address: tuple[str, int] = listening.getsockname()
            wanted = f'privacyidea.app:create_app("production", "{self._folder}/pi.cfg")'
            with (self._folder / "gunicorn.log").open("wb") as log:
                self.process = subprocess.Popen(
                    (str(PLACE / "bin" / "python"), "-m", "gunicorn", "--bind",
                     f"fd://{listening.fileno()}", "--workers", str(self.workers), wanted),
                    stdout=log, stderr=log, pass_fds=(listening.fileno(),), env=self._env,
                    cwd=self._folder,
                )  # fmt: skip

    def _await(self) -> None:
        limit = time.monotonic() + START_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                self.ask("GET", "/token/", {})
            except PeerMissing:
                return
            except OSError:
                time.sleep(0.1)
        raise PeerMissing("it did not begin to serve")

    def _enrolled(self, password: str) -> list[tuple[str, bytes]]:
        session = self.ask("POST", "/auth", {"username": "bench", "password": password})
        head = {"Authorization": session["value"]["token"]}
        found = []
        for number in range(TOKENS):
            serial, seed = f"BENCH{number:03d}", secrets.token_bytes(20)
            asked = {"type": "hotp", "serial": serial, "otpkey": seed.hex(), "pin": _PIN}
            self.ask("POST", "/token/init", asked, head)
            found.append((serial, seed))
        return found

    def ask(
        self, method: str, path: str, asked: dict[str, str], head: dict[str, str] | None = None
    ) -> Any:
        """The result of a request that was answered well; raises PeerMissing of any other."""
        link = http.client.HTTPConnection(*self.address, timeout=START_S)
        words = {"Content-Type": "application/x-www-form-urlencoded", **(head or {})}
        try:
            link.request(method, path, urlencode(asked), words)
            reply = link.getresponse()
            content = json.loads(reply.read())
        except (http.client.HTTPException, ValueError) as error:
            raise PeerMissing(f"{path} was answered with {type(error).__name__}") from None
        finally:
            link.close()
        if reply.status != 200 or not content["result"]["value"]:
            raise PeerMissing(f"{path} was answered with {reply.status}: {content['result']}")
        return content["result"]

    def cpu_s(self) -> float:
        """CPU seconds of its processes so far."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        return sum(map(_cpu_s, (pid, *map(int, children))))

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _cpu_s(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _settings(folder: Path, hashing: dict[str, int]) -> str:
    """The file that its manual describes; whatever is not named here is as shipped."""
    named: dict[str, Any] = {
        "SUPERUSER_REALM": ["bench"],
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/pi.sqlite",
        "SECRET_KEY": secrets.token_hex(24),
        "PI_PEPPER": secrets.token_hex(12),
        "PI_ENCFILE": f"{folder}/enckey",
        "PI_AUDIT_KEY_PRIVATE": f"{folder}/private.pem",
        "PI_AUDIT_KEY_PUBLIC": f"{folder}/public.pem",
        "PI_LOGFILE": f"{folder}/privacyidea.log",
        "PI_UUID_FILE": f"{folder}/uuid.txt",
    }
    if hashing:
        named["PI_HASH_ALGO_PARAMS"] = hashing
    return "".join(f"{name} = {value!r}\n" for name, value in named.items())


def hotp(seed: bytes, counter: int) -> str:
    """Six digits of RFC 4226."""
    tag = hmac.digest(seed, counter.to_bytes(8, "big"), "sha1")
    at = tag[-1] & 15
    return f"{(int.from_bytes(tag[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def measured(server: Server, seconds: float) -> Checked:
    """Right codes over `LINKS` connections for `seconds`; every answer is checked."""
    counters = [0] * len(server.tokens)
    took: list[float] = []
    failed: list[BaseException] = []
    limit = time.perf_counter() + 3600.0

    def check(place: int) -> None:
        serial, seed = server.tokens[place]
        asked = {"serial": serial, "pass": _PIN + hotp(seed, counters[place])}
        counters[place] += 1
        began = time.perf_counter()
        server.ask("POST", "/validate/check", asked)
        took.append((time.perf_counter() - began) * 1000)

    def many(place: int) -> None:
        try:
            while time.perf_counter() < limit:
                check(place)
        except (OSError, PeerMissing) as error:
            failed.append(error)

    for _ in range(WARM):
        for place in range(server.workers):
            check(place)
    took.clear()
    threads = [threading.Thread(target=many, args=(place,)) for place in range(LINKS)]
    before, began = server.cpu_s(), time.perf_counter()
    limit = began + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted, spent = time.perf_counter() - began, server.cpu_s() - before
    if failed or not took:
        raise PeerMissing(str(failed[0]) if failed else "nothing was answered")
    load = (
        f"{len(took)} checks in {lasted:.0f} s, {LINKS} connections, {server.workers} workers,"
        f" p50 {statistics.median(took):.0f} ms"
    )
    return Checked(len(took) / lasted, spent / len(took), load)


@contextmanager
def served(*, hashing: dict[str, int]) -> Iterator[Server]:
    """A peer of its own, which is gone afterwards; raises PeerMissing."""
    install()
    with tempfile.TemporaryDirectory(prefix="tallystick-peer-") as folder:
        server = Server(Path(folder), hashing=hashing)
        try:
            yield server
        finally:
            server.close()


def measure(which: str, *, quick: bool = False) -> Checked:
    """The peer `as shipped` or `with trivial hashing`; raises PeerMissing."""
    seconds = SECONDS[which] / (4 if quick else 1)
    with served(hashing={} if which == "as shipped" else TRIVIAL) as server:
        return measured(server, seconds)


if __name__ == "__main__":
    for name in SECONDS:
        print(name, measure(name, quick="--quick" in sys.argv))
