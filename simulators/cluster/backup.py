"""Copies of the database that can be brought back to a moment: a base, and the log since then.

Source: PostgreSQL 15, 26.3
"""

import datetime as dt
import json
import re
import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from simulators.cluster import nodes
from simulators.cluster.certificates import RESTORED
from simulators.cluster.commands import ACCOUNT, AS_ACCOUNT, run, wait_until
from simulators.cluster.layout import DATABASE, POSTGRESQL, ROLE, RUN, Layout
from tallystick.kernel.errors import Conflict, Malformed, MfsError, NotFound, Unavailable

LSN = re.compile(r"^[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}$")
SECONDS_TO_COPY = 600
SECONDS_TO_REPLAY = 300
RUNNING = RUN / "restored"


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified copy: it can be brought forward to any moment after `ended_at` or `end_lsn`.

    Source: PostgreSQL 15, 26.3.2
    """

    name: str
    node: str
    ended_at: str
    end_lsn: str


def take(layout: Layout) -> Backup:
    """Copy the database from a standby, with the log it needs, and verify it against its manifest.

    Source: PostgreSQL 15, pg_basebackup; pg_verifybackup
    """
    source = nodes.replica(layout)
    folder = _folder(layout)
    name = _now().strftime("%Y%m%dT%H%M%SZ")
    target = folder / name
    if target.exists():
        raise Conflict(f"{target} is there already")
    _run_as_account(
        POSTGRESQL / "pg_basebackup", "--dbname", _replication(layout, source.address),
        "--pgdata", target, "--wal-method", "stream", "--checkpoint", "fast",
        "--manifest-checksums", "SHA256", "--no-password",
    )  # fmt: skip
    _run_as_account(POSTGRESQL / "pg_verifybackup", "--quiet", target)
    manifest = json.loads((target / "backup_manifest").read_text(encoding="utf-8"))
    taken = Backup(name, source.name, _now().isoformat(), manifest["WAL-Ranges"][-1]["End-LSN"])
    (folder / f"{name}.json").write_text(json.dumps(asdict(taken), indent=1), encoding="utf-8")
    return taken


def backups(layout: Layout) -> list[Backup]:
    """All verified copies, oldest first.

    Source: PostgreSQL 15, 26.3
    """
    found = sorted(_folder(layout).glob("*.json"))
    return [Backup(**json.loads(one.read_text(encoding="utf-8"))) for one in found]


def restore(layout: Layout, moment: str, target: Path) -> str:
    """Start a database of its own in `target`, as it was at `moment`; its address on loopback.

    `moment` is a time of ISO 8601 with its zone, or a place in the log such as 0/5000148. The log
    up to it must be archived; if the cluster lives, it is asked to archive what it has.
    Raises Malformed for the moment, NotFound without an older copy, Conflict if `target` exists.
    Source: PostgreSQL 15, 26.3.5
    """
    setting = _target_setting(moment)
    base = _newest_before(layout, moment)
    if target.exists():
        raise Conflict(f"{target} is there already")
    finish_segment(layout)
    _run_as_account(POSTGRESQL / "pg_verifybackup", "--quiet", _folder(layout) / base.name)
    shutil.copytree(_folder(layout) / base.name, target, symlinks=True)
    run("chown", "--recursive", f"{ACCOUNT}:{ACCOUNT}", target)
    target.chmod(0o700)
    port = _free_port()
    _configure(layout, target, port, setting)
    _start(target)
    _remember(target)
    url = layout.url("127.0.0.1").replace(":5432/", f":{port}/")
    return url.replace("target_session_attrs=read-write&", "")


def stop(target: Path) -> None:
    """Stop the database that `restore` started in `target`; its files stay.

    Source: PostgreSQL 15, pg_ctl
    """
    _run_as_account(
        POSTGRESQL / "pg_ctl", "stop", "--pgdata", target, "--mode", "fast", "--silent", check=False
    )
    _forget(target)


def stop_all() -> None:
    """Stop every restored database that still runs.

    Source: PostgreSQL 15, pg_ctl
    """
    for target in _remembered():
        stop(target)


def finish_segment(layout: Layout) -> None:
    """Have the primary end its segment of the log and wait until the archive has it.

    A commit comes first, since recovery to a time ends at the first commit after it. Nothing is
    done if there is no primary: then the archive has what it has.
    Source: PostgreSQL 15, 26.3.1; 20.5.6
    """
    try:
        primary = nodes.primary(layout)
    except Unavailable:
        return
    nodes.ask(primary, "SELECT pg_current_xact_id()")
    segment = nodes.ask(primary, "SELECT pg_walfile_name(pg_switch_wal())")
    target = layout.archive / segment
    wait_until(target.is_file, f"{segment} is archived", timeout_s=90)


def _target_setting(moment: str) -> str:
    if LSN.match(moment):
        return f"recovery_target_lsn = '{moment.upper()}'"
    return f"recovery_target_time = '{_time(moment).isoformat()}'"


def _time(moment: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(moment)
    except ValueError as error:
        raise Malformed(
            "a moment is a time such as 2026-01-31T10:00:00+00:00 or a place such as 0/5000148"
        ) from error
    if time.tzinfo is None:
        raise Malformed("the time of a moment says its zone, such as +00:00")
    return time


def _newest_before(layout: Layout, moment: str) -> Backup:
    def ended_before(one: Backup) -> bool:
        if LSN.match(moment):
            return _place(one.end_lsn) <= _place(moment)
        return dt.datetime.fromisoformat(one.ended_at) <= _time(moment)

    for one in reversed(backups(layout)):
        if ended_before(one):
            return one
    raise NotFound(f"no copy in {_folder(layout)} ended before {moment}")


def _place(lsn: str) -> int:
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


def _configure(layout: Layout, target: Path, port: int, setting: str) -> None:
    """Settings of its own instead of the cluster's; only the platform's role may come in."""
    certificates = layout.certificates
    lines = (
        "listen_addresses = '127.0.0.1'", f"port = {port}",
        f"unix_socket_directories = '{target}'",
        "ssl = on", "ssl_min_protocol_version = 'TLSv1.3'",
        f"ssl_cert_file = '{certificates / RESTORED}.crt'",
        f"ssl_key_file = '{certificates / RESTORED}.key'",
        f"ssl_ca_file = '{certificates / 'ca.crt'}'",
        f"max_connections = {nodes.CONNECTIONS}", "max_wal_senders = 10", "shared_buffers = 64MB",
        "wal_level = replica", "archive_mode = off", "max_wal_size = 512MB",
        f"restore_command = 'cp {layout.archive}/%f %p'",
        "recovery_target_timeline = 'latest'", "recovery_target_action = 'promote'",
        setting, f"hba_file = '{target}/restored_hba.conf'",
    )  # fmt: skip
    (target / "restored.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    allowed = f"local all postgres peer\nhostssl {DATABASE} {ROLE} 127.0.0.1/32 cert\n"
    (target / "restored_hba.conf").write_text(allowed, encoding="utf-8")
    (target / "recovery.signal").touch()
    (target / "standby.signal").unlink(missing_ok=True)
    (target / "postgresql.auto.conf").write_text("", encoding="utf-8")
    for name in ("restored.conf", "restored_hba.conf", "recovery.signal", "postgresql.auto.conf"):
        shutil.chown(target / name, ACCOUNT, ACCOUNT)


def _start(target: Path) -> None:
    log = target / "restored.log"
    try:
        _run_as_account(
            POSTGRESQL / "pg_ctl", "start", "--pgdata", target, "--log", log, "--silent", "--wait",
            "--timeout", str(SECONDS_TO_REPLAY),
            "--options", f"-c config_file={target / 'restored.conf'}",
        )  # fmt: skip
        wait_until(
            lambda: _takes_writes(target),
            "the restored database takes writes", timeout_s=SECONDS_TO_REPLAY,
        )  # fmt: skip
    except MfsError as error:
        said = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else str(error)
        stop(target)
        fatal = [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line]
        raise Unavailable(f"it did not come up: {' '.join(fatal[-2:]) or said[-400:]}") from error


def _takes_writes(target: Path) -> bool:
    return _ask(target, "SELECT pg_is_in_recovery()") == "f"


def _ask(target: Path, statement: str) -> str:
    port = re.search(r"^port = (\d+)", (target / "restored.conf").read_text(), re.MULTILINE)
    return run(
        *AS_ACCOUNT, POSTGRESQL / "psql", "--no-psqlrc", "--tuples-only", "--no-align",
        "--host", target, "--port", port.group(1) if port else "", "--username", "postgres",
        "--command", statement,
    ).strip()  # fmt: skip


def _run_as_account(*command: str | Path, check: bool = True) -> str:
    return run(*AS_ACCOUNT, *command, check=check, timeout_s=SECONDS_TO_COPY)


def _replication(layout: Layout, address: str) -> str:
    certificates = layout.certificates
    return (
        f"host={address} port=5432 user=replicator sslmode=verify-full "
        f"sslrootcert={certificates}/ca.crt sslcert={certificates}/replicator.crt "
        f"sslkey={certificates}/replicator.key"
    )


def _folder(layout: Layout) -> Path:
    folder = layout.folder / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, ACCOUNT, ACCOUNT)
    folder.chmod(0o700)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _remembered() -> list[Path]:
    if not RUNNING.is_file():
        return []
    return [Path(line) for line in RUNNING.read_text(encoding="utf-8").splitlines()]


def _remember(target: Path) -> None:
    RUNNING.parent.mkdir(parents=True, exist_ok=True)
    lines = [*map(str, _remembered()), str(target)]
    RUNNING.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _forget(target: Path) -> None:
    lines = [line for line in map(str, _remembered()) if line != str(target)]
    if RUNNING.is_file():
        RUNNING.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
