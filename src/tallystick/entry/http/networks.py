"""What leaves for telephones, and by which way: an address to post to, or a network bound by SMPP.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

import importlib
from collections.abc import Coroutine
from typing import Any

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.delivering import Carry, deliver_notices, posting_to
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import Unavailable

_SERVING = "tallystick.entry.smpp.serving"


def network_duties(
    platform: Platform, writer: WriterLoop, actions: DialledActions, accounting: Accounting
) -> list[Coroutine[Any, Any, None]]:
    """What goes on for ever between the service and telephones.

    Notices go out over the first bound network that carries messages, else to the address of the
    settings, else they wait. Raises Unavailable if the extra `smpp` is needed and not installed.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
    """
    duties: list[Coroutine[Any, Any, None]] = []
    carry: Carry | None = None
    for bind in platform.settings.smpp:
        service = _serving().SmppService(platform, writer, actions, accounting, bind)
        duties += service.duties()
        if bind.messages and carry is None:
            carry = service.carrier.send
    if carry is None and platform.settings.sms_url:
        carry = posting_to(platform.settings.sms_url)
    if carry is not None:
        duties.append(deliver_notices(platform, writer, accounting, carry))
    return duties


def _serving() -> Any:
    """The package that speaks SMPP; loaded only where a network is bound."""
    try:
        return importlib.import_module(_SERVING)
    except ModuleNotFoundError as error:
        raise Unavailable(
            "the library for SMPP is not installed", remedy="install tallystick[smpp]"
        ) from error
