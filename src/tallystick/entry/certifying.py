"""The certificates that a provider keeps, read beside the running service.

Source: ISO/TS 12812-2:2017, 9.1
"""

from tallystick.application.certification.store import CertificateRow, every_certificate
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.database import Connection, has_table
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound


def kept_certificates(folder: ProviderFolder) -> list[CertificateRow]:
    """Every certificate of the provider in `folder`, withdrawn ones too; none before it was served.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    try:
        place = folder.stored()
    except NotFound:
        return []
    with open_reader(place) as reader:
        return certificates_in(reader)


def certificates_in(reader: Connection) -> list[CertificateRow]:
    """Every certificate in a store; none in one that an older version served last.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    known = has_table(reader, "evaluation")
    return every_certificate(reader) if known else []
