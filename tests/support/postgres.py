"""A PostgreSQL server of the tests' own, started when first asked for and gone with the process.

It runs without fsync, since no test pulls its plug: the fault tests that do start their own.
"""

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tallystick.infrastructure.store.address import Address, parse_address

_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "shared_buffers=64MB",
    "max_connections=200",
    "max_locks_per_transaction=512",
    "log_min_messages=panic",
)
_numbers = itertools.count(1)


def programs() -> Path | None:
    """Where initdb and postgres are, the newest version; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: one.parts[-3])
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


def owner() -> list[str]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


class PgServer:
    """One server in a folder of its own; may be killed and started again."""

    def __init__(self, *settings: str) -> None:
        binaries = programs()
        if binaries is None:
            pytest.skip("PostgreSQL is not installed: apt-get install postgresql (make system)")
        self._binaries = binaries
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-pg-"))
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        made = ("-D", self.folder / "data", "-U", "tallystick", "-A", "trust", "--locale=C")
        subprocess.run(
            [*owner(), binaries / "initdb", *made, "-E", "UTF8", "--data-checksums", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self.folder,
        )
        self.address = parse_address(f"postgresql://tallystick@/postgres?host={self.folder}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [part for setting in self._settings for part in ("-c", setting)]
        (self.folder / ".s.PGSQL.5432").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                *owner(), self._binaries / "postgres", "-D", self.folder / "data",
                "-k", self.folder, "-c", "listen_addresses=", *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
        )  # fmt: skip
        for _ in range(400):
            if (self.folder / ".s.PGSQL.5432").exists() and _answers(self.address):
                return
            time.sleep(0.05)
        raise RuntimeError("the tests' PostgreSQL server did not start")

    def kill(self) -> None:
        """Kill every process of it with -9, as a crash of the machine's service would."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        time.sleep(0.3)  # its children end when they see that it is gone

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


@functools.cache
def server() -> Address:
    """The tests' server; the test is skipped, loudly, where PostgreSQL is not installed."""
    shared = PgServer(*_SETTINGS)
    shared.start()
    atexit.register(shared.stop)
    return shared.address


def _answers(address: Address) -> bool:
    try:
        psycopg.connect(address.url).close()
    except psycopg.OperationalError:
        return False
    return True


def run_sql(address: Address, *statements: str) -> list[tuple]:
    """Run statements as their own connection; the rows of the last one."""
    with psycopg.connect(address.url, autocommit=True) as connection:
        rows: list[tuple] = []
        for statement in statements:
            cursor = connection.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        return rows


@contextmanager
def fresh_schema() -> Iterator[Address]:
    """An empty schema on the tests' server, dropped afterwards."""
    root = server()
    name = f"t{os.getpid()}_{next(_numbers)}"
    run_sql(root, f"CREATE SCHEMA {name}")
    address = root.with_schema(name)
    try:
        yield address
    finally:
        run_sql(
            root,
            "SELECT pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a"
            f" JOIN pg_locks l ON l.pid = a.pid JOIN pg_class c ON c.oid = l.relation"
            f" WHERE c.relnamespace = '{name}'::regnamespace",
            f"DROP SCHEMA {name} CASCADE",
        )
