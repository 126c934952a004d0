"""The server engine: PostgreSQL through libpq, one round trip a batch.

    link       statements on their way to a server and results on their way back, pipelined
    dialect    the shared SQL in the server's words
    values     columns and parameters in the server's binary form
    reading    connections that read: newest state, or that of one moment
    database   the connection that writes; batches, fence, recovery
    lease      who may be the writer: lock, beat, take-over
    faults     what a failure means

The driver comes with the extra `postgres`.

Source: ISO/TS 12812-2:2017, 6.2.3
"""
