"""What a served provider recorded, read beside it: its own connection belongs to its loop."""

from tests.support.served import Served


def leaves_of(provider: Served) -> list[bytes]:
    """Every event that is durable, in order, over a connection that nobody else uses."""
    with provider.platform.database.reader() as reader:
        rows = reader.rows("SELECT leaf FROM event WHERE leaf IS NOT NULL ORDER BY idx")
    return [bytes(row[0]) for row in rows]
