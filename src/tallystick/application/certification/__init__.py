"""Certificates that the provider relies on: added and withdrawn by what officers signed.

    statement (officers' signatures) -> added | withdrawn, for good -> an event of the tally

Source: ISO/TS 12812-2:2017, 9.1
"""

from tallystick.application.certification.service import Certification
from tallystick.application.certification.store import CertificateRow

__all__ = ["CertificateRow", "Certification"]
