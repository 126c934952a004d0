"""privacyIDEA on this machine: installed apart, set up and served as its manual says.

    .venv-privacyidea (made once, pinned by hashes)  ->  pi-manage  ->  gunicorn on loopback

Its own WSGI application, its settings as shipped, SQLite, users in a file that it keeps in memory,
and one synchronous worker for each core. It is a program of its own: nothing of ours imports it.
"""

import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.machine import ROOT

LOCK = Path(__file__).with_suffix(".lock")
PLACE = ROOT / ".venv-privacyidea"
INSTALL_S, START_S, ANSWER_S = 420.0, 60.0, 60.0
REALM = "bench"


class PeerMissing(Exception):
    """The peer could not be installed or does not answer as it should; says why."""


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


def _ended(
    command: tuple[str, ...], seconds: float, *, env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> None:  # fmt: skip
    """Run `command` to its end; raises PeerMissing with its last line if it fails or is late."""
    try:
        subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=True, env=env, cwd=cwd
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{Path(command[0]).name} took longer than {seconds:.0f} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise PeerMissing(f"{' '.join(command[:4])}: {lines[-1] if lines else error}") from None


class Server:
    """A served peer, its administrator, and its users."""

    def __init__(self, folder: Path, *, people: list[str], hashing: dict[str, int]) -> None:
        """Set one up in `folder`, serve it, and let it know `people`."""
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
            _ended((str(PLACE / "bin" / "pi-manage"), *words), START_S, env=self._env, cwd=folder)
        self.workers = len(os.sched_getaffinity(0))
        self._head: dict[str, str] = {}
        self._serve()
        try:
            self._await()
            asked = {"username": "bench", "password": password}
            self._head = {"Authorization": self.ask("POST", "/auth", asked)["value"]["token"]}
            self._introduce(people)
        except BaseException:
            self.close()
            raise

    def _serve(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            self._address: tuple[str, int] = listening.getsockname()
            wanted = f'privacyidea.app:create_app("production", "{self._folder}/pi.cfg")'
            with (self._folder / "gunicorn.log").open("wb") as log:
                self._process = subprocess.Popen(
                    (str(PLACE / "bin" / "python"), "-m", "gunicorn", "--bind",
                     f"fd://{listening.fileno()}", "--workers", str(self.workers), wanted),
                    stdout=log, stderr=log, pass_fds=(listening.fileno(),), env=self._env,
                    cwd=self._folder,
                )  # fmt: skip

    def _await(self) -> None:
        limit = time.monotonic() + START_S
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                self.reply("GET", "/token/", {})
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise PeerMissing("it did not begin to serve")

    def _introduce(self, people: list[str]) -> None:
        known = self._folder / "people"
        lines = [f"{name}:x:{1000 + at}:1000:{name}:/:/" for at, name in enumerate(people)]
        known.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.order(f"/resolver/{REALM}", {"type": "passwdresolver", "fileName": str(known)})
        self.order(f"/realm/{REALM}", {"resolvers": REALM})
        self.order(f"/defaultrealm/{REALM}", {})

    def order(self, path: str, asked: dict[str, str]) -> Any:
        """What came of something that its administrator asks for."""
        return self.ask("POST", path, asked, self._head)

    def ask(
        self, method: str, path: str, asked: dict[str, str], head: dict[str, str] | None = None
    ) -> Any:
        """The `result` and `detail` of a good answer; raises PeerMissing of any other."""
        status, content = self.reply(method, path, asked, head)
        result = content.get("result", {})
        if status != 200 or not result.get("status"):
            raise PeerMissing(f"{path} was answered with {status}: {result}")
        return {**result, "detail": content.get("detail") or {}}

    def reply(
        self, method: str, path: str, asked: dict[str, str], head: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and content of an answer; raises PeerMissing where there is none."""
        link = http.client.HTTPConnection(*self._address, timeout=ANSWER_S)
        words = {"Content-Type": "application/x-www-form-urlencoded", **(head or {})}
        fields = urlencode(asked)
        if method == "GET":
            path, fields = f"{path}?{fields}", ""
        try:
            link.request(method, path, fields, words)
            reply = link.getresponse()
            return reply.status, json.loads(reply.read())
        except (http.client.HTTPException, ValueError) as error:
            raise PeerMissing(f"{path} was answered with {type(error).__name__}") from None
        finally:
            link.close()

    def cpu_s(self) -> float:
        """CPU seconds of its processes so far."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        return sum(map(_cpu_s, (pid, *map(int, children))))

    def close(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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


@contextmanager
def served(people: list[str], *, hashing: dict[str, int]) -> Iterator[Server]:
    """A peer of its own, which is gone afterwards; raises PeerMissing."""
    install()
    with tempfile.TemporaryDirectory(prefix="tallystick-peer-") as folder:
        server = Server(Path(folder), people=people, hashing=hashing)
        try:
            yield server
        finally:
            server.close()
