"""The store's server fails under load: a phone that asks again sees no error, nothing is lost."""

import time

import pytest
from simulators.cast import Cast
from simulators.database_server import DatabaseServer, programs
from tests.support.load import Load, check
from tests.support.postgres import run_sql
from tests.support.toured import toured


@pytest.fixture
def ground(tmp_path):
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql (make system)")
    server = DatabaseServer("shared_buffers=64MB")
    server.start()
    with toured(tmp_path, str(server.address)) as (provider, cast):
        yield server, provider, cast
    server.stop()


def ready(cast: Cast) -> int:
    return cast.transport.get("/health/ready").status


@pytest.mark.requirement("MFS-7.3.3-06")
def test_connections_that_break_are_mended_without_an_error(ground) -> None:
    server, provider, cast = ground
    load = Load(cast)
    load.wait_for(5)
    for _ in range(5):
        run_sql(
            server.address,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'tallystick%'",
        )
        load.wait_for(5)
    check(provider, load)


@pytest.mark.requirement("MFS-7.3.3-06")
def test_a_server_killed_and_started_again_costs_seconds_and_no_payment(ground) -> None:
    server, provider, cast = ground
    load = Load(cast)
    load.wait_for(5)
    for _ in range(2):
        server.kill()
        limit = time.monotonic() + 10
        while ready(cast) == 200:
            assert time.monotonic() < limit, "the service does not say that its store is away"
            time.sleep(0.05)
        assert cast.transport.get("/health/live").status == 200
        server.start()
        load.wait_for(5)
        assert ready(cast) == 200
    check(provider, load)
