"""Who a device is at its provider.

Source: ISO/TS 12812-2:2017, 7.4.1
"""

from tallystick.kernel.model import Record


class EnrolledIdentity(Record, frozen=True, kw_only=True):
    """Who the device is at its provider, as enrolment told it; `certificate` is the compact JWS.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    provider: str
    device: str
    customer: str
    accounts: tuple[str, ...]
    certificate_id: str
    certificate: str
