"""One connection to a server: statements go out in a pipeline, a sync brings their results back.

    send(sql, ...)  ->  libpq's buffer and the socket       nobody waits
    sync()          ->  results in order, or the first failure

Each statement is prepared once a connection. What is sent between two syncs is one round trip.

Source: PostgreSQL 15, 34.5
"""

import select
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import pq

from tallystick.infrastructure.store.address import Address
from tallystick.infrastructure.store.postgres.dialect import translated
from tallystick.infrastructure.store.postgres.faults import fault_of_state, unreachable
from tallystick.infrastructure.store.postgres.values import READ, Sent, parameters_of
from tallystick.infrastructure.store.table import Row, Value
from tallystick.kernel.errors import Broken, MfsError, Unavailable

READ_PATIENCE_S = 10.0
"""How long a query may take before the connection counts as lost; a commit is waited for."""

_CONNECT_S = 3
_GONE = ("08000", "08003", "08006", "57P01", "57P02", "57P03", "25006")


class Link:
    """A pipelined connection; one thread at a time.

    Source: PostgreSQL 15, 34.5
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection  # keeps the driver's finaliser from closing it
        self._wire = connection.pgconn
        self._poll = select.poll()
        self._poll.register(self._wire.socket, select.POLLIN)
        self._prepared: dict[bytes, bytes] = {}
        self._fresh: list[bytes] = []
        self._count = 0
        self._sent: list[bool] = []
        self.listener: Callable[[str], None] | None = None
        self.lost = False
        self._wire.enter_pipeline_mode()

    @classmethod
    def connect(cls, address: Address, *, purpose: str, writes: bool) -> "Link":
        """Connect to the first host of `address` that answers, and with `writes` takes writes.

        Raises Unavailable if there is none.
        Source: PostgreSQL 15, 34.1
        """
        try:
            connection = psycopg.Connection.connect(
                address.url,
                autocommit=True,
                application_name=f"tallystick {purpose}",
                connect_timeout=_CONNECT_S,
                keepalives_idle=3,
                keepalives_interval=1,
                keepalives_count=3,
                tcp_user_timeout=6000,
                target_session_attrs="read-write" if writes else "any",
            )
        except psycopg.Error as error:
            if error.sqlstate:
                raise fault_of_state(error.sqlstate) from error
            raise unreachable("no host of its address answers as it should") from error
        return cls(connection)

    def send(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Put one statement on its way, in the shared SQL.

        Raises Unavailable if the connection is gone, Broken for values that cannot be sent.
        Source: PostgreSQL 15, 34.5
        """
        self.send_raw(translated(sql), parameters_of(values))

    def send_raw(self, sql: bytes, sent: Sent, types: Sequence[int] = ()) -> None:
        """Put one statement on its way, in the server's SQL, its parameters as octets.

        Source: PostgreSQL 15, 34.5
        """
        if self.listener is not None:
            self.listener(sql.decode())
        if self.lost:
            raise unreachable("the connection was lost")
        try:
            name = self._prepared.get(sql)
            if name is None:
                self._count += 1
                name = self._prepared[sql] = b"s%d" % self._count
                self._fresh.append(sql)
                self._wire.send_prepare(name, sql, types or None)
                self._sent.append(False)
            octets, forms = sent
            self._wire.send_query_prepared(name, octets, forms, 1)
            self._sent.append(True)
            self._flush()
        except psycopg.Error as error:
            raise self._gone(error) from error

    def sync(self, patience_s: float | None = READ_PATIENCE_S) -> list[list[Row]]:
        """The rows of every statement since the last sync, in order.

        `patience_s` of None waits for as long as the connection lives. Raises what the first
        statement that failed means; those behind it were not run.
        Source: PostgreSQL 15, 34.5
        """
        if self.lost:
            raise unreachable("the connection was lost")
        try:
            self._wire.pipeline_sync()
            self._flush()
            found, failure = self._collect(patience_s)
        except psycopg.Error as error:
            raise self._gone(error) from error
        if failure is not None:
            for sql in self._fresh:
                self._prepared.pop(sql, None)
        self._fresh.clear()
        if failure is not None:
            raise failure
        return found

    @property
    def in_failed_batch(self) -> bool:
        """Whether the server waits for a rollback.

        Source: PostgreSQL 15, 34.2
        """
        return bool(self._wire.transaction_status == pq.TransactionStatus.INERROR)

    @property
    def in_batch(self) -> bool:
        """Whether the server is inside a transaction.

        Source: PostgreSQL 15, 34.2
        """
        return bool(self._wire.transaction_status != pq.TransactionStatus.IDLE)

    @property
    def pid(self) -> int:
        """The server's process for this connection.

        Source: PostgreSQL 15, 34.2
        """
        return int(self._wire.backend_pid)

    def close(self) -> None:
        """End the connection.

        Source: PostgreSQL 15, 34.1
        """
        self.lost = True
        self._connection.close()

    def _collect(self, patience_s: float | None) -> tuple[list[list[Row]], MfsError | None]:
        found: list[list[Row]] = []
        failure: MfsError | None = None
        position = 0
        while True:
            self._wait(patience_s)
            result = self._wire.get_result()
            if result is None:
                if self._wire.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is closed")
                continue
            status = result.status
            if status == pq.ExecStatus.PIPELINE_SYNC:
                self._sent.clear()
                return found, failure
            is_query = position < len(self._sent) and self._sent[position]
            position += 1
            if status == pq.ExecStatus.FATAL_ERROR:
                failure = failure or self._failure(result)
            elif status == pq.ExecStatus.TUPLES_OK:
                found.append(rows_of(result))
            elif is_query:
                found.append([])

    def _failure(self, result: Any) -> MfsError:
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        if state.startswith(_GONE):
            self.lost = True
        fault = fault_of_state(state)
        fault.__cause__ = psycopg.DatabaseError(result.get_error_message())
        return fault

    def _wait(self, patience_s: float | None) -> None:
        while self._wire.is_busy():
            if not self._poll.poll(None if patience_s is None else patience_s * 1000):
                raise psycopg.OperationalError("the server did not answer in time")
            self._wire.consume_input()

    def _flush(self) -> None:
        """Hand what libpq has to the socket; what comes back meanwhile is kept."""
        while self._wire.flush():
            self._poll.modify(self._wire.socket, select.POLLIN | select.POLLOUT)
            for _, event in self._poll.poll(READ_PATIENCE_S * 1000) or [(0, 0)]:
                if not event:
                    raise psycopg.OperationalError("the server takes nothing")
                if event & select.POLLIN:
                    self._wire.consume_input()
            self._poll.modify(self._wire.socket, select.POLLIN)

    def _gone(self, error: Exception) -> Unavailable:
        del error
        self.lost = True
        self._connection.close()
        return unreachable("the connection was lost")


def rows_of(result: Any) -> list[Row]:
    """The rows of a result, each column as its type reads.

    Raises Broken for a type that our tables do not have.
    Source: PostgreSQL 15, 34.3
    """
    columns = range(result.nfields)
    try:
        read = [READ[result.ftype(column)] for column in columns]
    except KeyError as error:
        raise Broken(f"a query gives a column of type {error}, which is not read") from error
    get = result.get_value
    return [
        tuple(
            None if (octets := get(row, column)) is None else read[column](octets)
            for column in columns
        )
        for row in range(result.ntuples)
    ]
