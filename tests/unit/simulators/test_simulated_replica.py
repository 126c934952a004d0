"""The replica for figures: a commit that waits for it is there when it is answered."""

import threading
import time

import psycopg
import pytest
from bench.replica import _wait_for_commits
from simulators.database_server import DatabaseServer, Replica, programs


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_what_was_committed_is_on_the_replica_and_no_commit_ends_without_it() -> None:
    primary = DatabaseServer()
    try:
        primary.start()
        replica = Replica(primary, "second")
        try:
            replica.start()
            with psycopg.connect(primary.address.url, autocommit=True) as writer:
                writer.execute("CREATE TABLE kept (number integer)")
                _wait_for_commits(primary, "ANY 1 (second)")
                writer.execute("SET synchronous_commit = remote_apply")
                writer.execute("INSERT INTO kept VALUES (7)")
                with psycopg.connect(replica.address.url) as reader:
                    assert reader.execute("SELECT number FROM kept").fetchall() == [(7,)]
                    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                        reader.execute("INSERT INTO kept VALUES (8)")
                replica.kill()
                alone = psycopg.connect(primary.address.url)
                alone.execute("INSERT INTO kept VALUES (9)")
                threading.Timer(0.5, alone.cancel).start()
                began = time.monotonic()
                alone.commit()
                assert time.monotonic() - began > 0.4, "it waited until it was told to give up"
                alone.close()
        finally:
            replica.stop()
    finally:
        primary.stop()
