"""Where statements about applications are kept, and what each device was last seen to run.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.model import Record, from_row
from tallystick.process.apps.manifest import Stated, read_stated
from tallystick.process.apps.rules import AppIdentity


class AppRow(Record, frozen=True, kw_only=True):
    """A statement as officers signed it, and its event; `id` says what it is about.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    id: str
    about: str
    body: bytes
    event: int

    def stated(self) -> Stated:
        """What it says.

        Source: ISO/TS 12812-2:2017, 7.4.4
        """
        return read_stated(self.about, self.body)


class SeenRow(Record, frozen=True, kw_only=True):
    """What a device was seen to run, since when (ms); `signers` with blanks between them.

    Source: ISO/TS 12812-2:2017, 7.2.8
    """

    device: str
    platform: str
    package: str
    version: int
    signers: str
    digest: str
    attested: int
    since: int

    def identity(self) -> AppIdentity:
        """The application.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        return AppIdentity(
            platform=self.platform,
            package=self.package,
            version=self.version,
            signers=tuple(self.signers.split()),
            digest=self.digest,
            attested=bool(self.attested),
        )


STATED = Table(
    name="app_stated",
    key="id",
    insert_head="INSERT INTO app_stated (id, about, body, event) VALUES ",
    slots="(?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET about = excluded.about, body = excluded.body,"
        " event = excluded.event"
    ),
    select_head="SELECT id, about, body, event FROM app_stated WHERE id IN ",
)

SEEN = Table(
    name="app_seen",
    key="device",
    insert_head=(
        "INSERT INTO app_seen (device, platform, package, version, signers, digest, attested,"
        " since) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (device) DO UPDATE SET platform = excluded.platform,"
        " package = excluded.package, version = excluded.version, signers = excluded.signers,"
        " digest = excluded.digest, attested = excluded.attested, since = excluded.since"
    ),
    select_head=(
        "SELECT device, platform, package, version, signers, digest, attested, since"
        " FROM app_seen WHERE device IN "
    ),
)

MIGRATION = Migration(
    number=208,
    name="the register of applications",
    statements=(
        """CREATE TABLE app_stated (
            id TEXT PRIMARY KEY, about TEXT NOT NULL, body BLOB NOT NULL, event INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)

SEEN_MIGRATION = Migration(
    number=209,
    name="what devices run",
    statements=(
        """CREATE TABLE app_seen (
            device TEXT PRIMARY KEY, platform TEXT NOT NULL, package TEXT NOT NULL,
            version INTEGER NOT NULL, signers TEXT NOT NULL, digest TEXT NOT NULL,
            attested INTEGER NOT NULL, since INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX app_seen_by_version ON app_seen (platform, package, version)",
    ),
)


def every_statement(reader: Reader) -> list[AppRow]:
    """All statements in the order of their events.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    rows = reader.rows("SELECT id, about, body, event FROM app_stated ORDER BY event")
    return [from_row(AppRow, row) for row in rows]


def versions_seen(reader: Reader) -> dict[tuple[str, str, int], int]:
    """How many devices were last seen with each version, by platform, package and version.

    Source: ISO/TS 12812-2:2017, 7.2.8
    """
    rows = reader.rows(
        "SELECT platform, package, version, COUNT(*) FROM app_seen"
        " GROUP BY platform, package, version"
    )
    return {(str(row[0]), str(row[1]), int(row[2])): int(row[3]) for row in rows}
