"""Where certificates are kept, withdrawn ones too.

Source: ISO/TS 12812-2:2017, 9.1
"""

from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.migrations import Migration
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import Record, from_row
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal

_bodies = Decoder(EvaluationCertificate)


class CertificateRow(Record, frozen=True, kw_only=True):
    """A certificate as officers signed it, its event, and its withdrawal (0 and empty: none).

    Source: ISO/TS 12812-2:2017, 9.1
    """

    id: str
    body: bytes
    event: int
    withdrawn_at: int
    because: str
    withdrawn_event: int

    def certificate(self) -> EvaluationCertificate:
        """What was evaluated.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        return _bodies.decode(self.body)

    def withdrawal(self) -> Withdrawal | None:
        """That it counts no more, if so.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        if not self.withdrawn_at:
            return None
        return Withdrawal(certificate=self.id, at=self.withdrawn_at, because=self.because)


CERTIFICATE = Table(
    name="evaluation",
    key="id",
    insert_head=(
        "INSERT INTO evaluation (id, body, event, withdrawn_at, because, withdrawn_event) VALUES "
    ),
    slots="(?, ?, ?, ?, ?, ?)",
    insert_tail=(
        " ON CONFLICT (id) DO UPDATE SET withdrawn_at = excluded.withdrawn_at,"
        " because = excluded.because, withdrawn_event = excluded.withdrawn_event"
    ),
    select_head=(
        "SELECT id, body, event, withdrawn_at, because, withdrawn_event FROM evaluation"
        " WHERE id IN "
    ),
)

MIGRATION = Migration(
    number=95,
    name="certificates of evaluation",
    statements=(
        """CREATE TABLE evaluation (
            id TEXT PRIMARY KEY, body BLOB NOT NULL, event INTEGER NOT NULL,
            withdrawn_at INTEGER NOT NULL, because TEXT NOT NULL, withdrawn_event INTEGER NOT NULL
        ) STRICT""",
    ),
)


def every_certificate(reader: Reader) -> list[CertificateRow]:
    """All certificates, by id.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    rows = reader.rows(
        "SELECT id, body, event, withdrawn_at, because, withdrawn_event FROM evaluation ORDER BY id"
    )
    return [from_row(CertificateRow, row) for row in rows]
