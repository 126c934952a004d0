"""A PostgreSQL server of its own in a folder of its own, over a socket file: for tests and figures.

Source: PostgreSQL 15, 19.3
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tallystick.infrastructure.store.address import parse_address
from tallystick.kernel.errors import Unavailable

_PATIENCE, _PAUSE_S = 400, 0.05


def programs() -> Path | None:
    """Where initdb and postgres are, the newest version; None where there is none.

    Source: PostgreSQL 15, 19.2
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: one.parts[-3])
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


class DatabaseServer:
    """One server; may be killed and started again.

    Source: PostgreSQL 15, 19.3
    """

    def __init__(self, *settings: str) -> None:
        """Make a cluster with `settings` (`name=value`).

        Raises Unavailable where PostgreSQL is not installed.
        Source: PostgreSQL 15, 19.2
        """
        binaries = programs()
        if binaries is None:
            raise Unavailable("PostgreSQL is not installed", remedy="apt-get install postgresql")
        self._binaries = binaries
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-pg-"))
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._make()
        self.address = parse_address(f"postgresql://tallystick@/postgres?host={self.folder}")
        self._process: subprocess.Popen[bytes] | None = None

    def _make(self) -> None:
        made = ("-U", "tallystick", "-A", "trust", "--locale=C", "-E", "UTF8")
        self._run("initdb", "-D", self.folder / "data", *made, "--data-checksums", "--no-sync")

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [*_owner(), self._binaries / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises Unavailable if it does not.
        Source: PostgreSQL 15, 19.3
        """
        options = [part for setting in self._settings for part in ("-c", setting)]
        socket = self.folder / ".s.PGSQL.5432"
        socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                *_owner(), self._binaries / "postgres", "-D", self.folder / "data",
                "-k", self.folder, "-c", "listen_addresses=", *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
        )  # fmt: skip
        for _ in range(_PATIENCE):
            if socket.exists() and self._answers():
                return
            time.sleep(_PAUSE_S)
        raise Unavailable("the database server did not start")

    def pids(self) -> list[int]:
        """Its process and those of its connections.

        Source: PostgreSQL 15, 55.2
        """
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [self._process.pid, *map(int, children.read_text(encoding="ascii").split())]

    def kill(self) -> None:
        """Kill every process of it with -9.

        Source: PostgreSQL 15, 19.5
        """
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        time.sleep(0.3)  # its children end when they see that it is gone

    def stop(self) -> None:
        """Stop it and remove its folder.

        Source: PostgreSQL 15, 19.5
        """
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address.url).close()
        except psycopg.OperationalError:
            return False
        return True


class Replica(DatabaseServer):
    """A server that streams what another one records, and only answers readers.

    Source: PostgreSQL 15, 27.2.5
    """

    def __init__(self, primary: DatabaseServer, name: str, *settings: str) -> None:
        """Copy `primary`, which runs, and stream from it as `name`.

        Raises CalledProcessError if the copy fails.
        Source: PostgreSQL 15, 27.2.5; 26.3
        """
        self._primary = primary
        self.name = name
        super().__init__(*settings)

    def _make(self) -> None:
        source = f"host={self._primary.folder} user=tallystick application_name={self.name}"
        way = ("--checkpoint=fast", "--wal-method=stream", "--no-sync", "--write-recovery-conf")
        self._run("pg_basebackup", "-D", self.folder / "data", "-d", source, *way)

    def _answers(self) -> bool:
        """Whether it answers and the primary sees it stream."""
        if not super()._answers():
            return False
        with psycopg.connect(self._primary.address.url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_replication"
                " WHERE application_name = %s AND state = 'streaming'",
                (self.name,),
            ).fetchone()
        return row == (1,)


def _owner() -> list[str]:
    """What to put before a command: it ends with us, and does not run as root, which is refused."""
    ends_with_us = ["setpriv", "--pdeathsig=INT"]
    if os.geteuid() != 0:
        return ends_with_us
    return [*ends_with_us, "--reuid=postgres", "--regid=postgres", "--init-groups"]
