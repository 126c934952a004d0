"""What leaves for telephones, and by which way: an address to post to, or a network bound by SMPP.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

import importlib
from collections.abc import Callable, Coroutine, Mapping
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
    links: dict[str, Any] = {}
    for bind in platform.settings.smpp:
        service = _serving().SmppService(platform, writer, actions, accounting, bind)
        links[bind.name] = service.link
        duties += service.duties()
        if bind.messages and carry is None:
            carry = service.carrier.send
    if links:
        accounting.labelled |= _numbers(links)
    if carry is None and platform.settings.sms_url:
        carry = posting_to(platform.settings.sms_url)
    if carry is not None:
        duties.append(deliver_notices(platform, writer, accounting, carry))
    return duties


def _numbers(links: Mapping[str, Any]) -> dict[str, tuple[str, Callable[[], Mapping[str, int]]]]:
    """What is told of each bind, by the name of its network."""

    def told(read: Callable[[Any], int]) -> tuple[str, Callable[[], Mapping[str, int]]]:
        return "network", lambda: {name: read(link) for name, link in links.items()}

    return {
        "smpp_bound": told(lambda link: int(link.bound.is_set())),
        "smpp_binds_total": told(lambda link: link.binds),
        "smpp_taken_total": told(lambda link: link.taken),
        "smpp_throttled_total": told(lambda link: link.throttled),
    }


def _serving() -> Any:
    """The package that speaks SMPP; loaded only where a network is bound."""
    try:
        return importlib.import_module(_SERVING)
    except ModuleNotFoundError as error:
        raise Unavailable(
            "the library for SMPP is not installed", remedy="install tallystick[smpp]"
        ) from error
