"""Certificates and time in a served platform: its doors, its duty, and the partners' protocol.

Where no root was made there is none of it, and the service is as it was.

Source: ISO/TS 12812-2:2017, 3.23; 7.4.2
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.ceremonies.stamped import stamp_ceremonies_for_ever
from tallystick.entry.dating.duty import stamp_for_ever
from tallystick.entry.http.admitted import AdmittedProtocol
from tallystick.entry.http.certificates import CertificateDoors
from tallystick.entry.http.watched import Watched
from tallystick.entry.pki.admitting import PartnerCertificates
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder

Duty = Callable[[], Coroutine[Any, Any, None]]
"""Begins something that goes on for ever."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What is added to the service: routes, duties, and who looks at partners' certificates.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    routes: tuple[Route, ...] = ()
    duties: tuple[Duty, ...] = ()
    partners: PartnerCertificates | None = None
    protocol: type[HttpToolsProtocol] = HttpToolsProtocol


def certified(platform: Platform, accounting: Accounting, watched: Watched) -> Certified:
    """What certificates add to the service of `platform`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if watched.folder is None:
        return Certified()
    folder = CertificateFolder(ProviderFolder(watched.folder))
    if not folder.exists():
        return Certified()
    desk = CertificateDesk(folder, platform.module, platform.keys.handles, platform.clock)
    partners = PartnerCertificates(desk)
    seen = {"certificates": partners, "clock": platform.clock}
    return Certified(
        routes=tuple(CertificateDoors(desk, accounting).routes()),
        duties=(
            lambda: stamp_for_ever(lambda: platform.archive.note, accounting, folder, desk),
            lambda: stamp_ceremonies_for_ever(accounting, folder, desk),
        ),
        partners=partners,
        protocol=type("Admitted", (AdmittedProtocol,), seen),
    )
