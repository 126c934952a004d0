"""The address of a PostgreSQL server: a libpq URL that holds no secret.

Source: PostgreSQL 15, 34.1.1; ISO/TS 12812-2:2017, 7.3.4
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record

_SECRET = ("password", "sslpassword")
_SCHEMES = ("postgresql", "postgres")


class Address(Record, frozen=True, kw_only=True):
    """Where a server is, as libpq reads it; several hosts are tried in order.

    Source: PostgreSQL 15, 34.1.1
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def with_schema(self, schema: str) -> "Address":
        """The same database, the tables in `schema`.

        Source: PostgreSQL 15, 5.9
        """
        parts = urlsplit(self.url)
        query = [*parse_qsl(parts.query), ("options", f"-csearch_path={schema}")]
        return Address(url=urlunsplit(parts._replace(query=urlencode(query))))


def is_address(text: str) -> bool:
    """Whether `text` means a server and not a path.

    Source: PostgreSQL 15, 34.1.1
    """
    return "://" in text


def parse_address(text: str) -> Address:
    """The address that `text` is: `postgresql://NAME@HOST:PORT,HOST:PORT/DATABASE?sslmode=...`.

    Raises Malformed for another scheme, for an address without a database, or with a password in
    it, which every list of processes would show.
    Source: PostgreSQL 15, 34.1.1; ISO/TS 12812-2:2017, 7.3.4
    """
    scheme, _, rest = text.partition("://")
    if scheme not in _SCHEMES:
        raise Malformed(
            "a store's address begins with postgresql://",
            remedy="postgresql://NAME@HOST:5432/DATABASE?sslmode=verify-full",
        )
    where, _, query = rest.partition("?")
    if not where.partition("/")[2]:
        raise Malformed("the store's address names no database", remedy="add /DATABASE")
    names = [name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)]
    if ":" in where.rpartition("@")[0] or any(name in _SECRET for name in names):
        raise Malformed(
            "a password stands in the store's address",
            remedy="use a client certificate (sslcert=, sslkey=), or passfile=FILE",
        )
    return Address(url=text)
