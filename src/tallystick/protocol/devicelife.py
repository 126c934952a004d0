"""Messages about the life of devices: what a customer sees and does, and the wipe of a phone.

A wipe is two signed words: the provider's order (compact JWS of a `WipeOrder`) and the phone's word
(compact JWS of a `WipeWord`, by the possession key, the last thing that key ever signs).

Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.ids import DeviceIdText
from tallystick.kernel.model import Natural, ShortText, Wire, pattern
from tallystick.protocol.payments import Alias, CompactText

Steering = Annotated[str, pattern("^(?:suspend|resume|lose|steal|hand-on|deactivate)$")]
WipeId = Annotated[str, pattern("^[A-Za-z0-9_-]{22}$")]
OptionalWipeId = Annotated[str, pattern("^(?:|[A-Za-z0-9_-]{22})$")]


class DeviceView(Wire, frozen=True, kw_only=True):
    """All that is kept of a device in words, and what the asking one may do about it; times in ms.

    `this` is the asking device; `deleted_at` is when its next moment comes, 0 for none.
    Source: ISO/TS 12812-2:2017, 7.3.6; 14.2.2
    """

    device: Annotated[DeviceIdText, INTERNAL]
    this: Annotated[bool, INTERNAL]
    status: Annotated[ShortText, INTERNAL]
    because: Annotated[str, INTERNAL]
    trust: Annotated[ShortText, INTERNAL]
    attested: Annotated[ShortText, INTERNAL]
    enrolled_at: Annotated[Natural, INTERNAL]
    used_at: Annotated[Natural, INTERNAL]
    since: Annotated[Natural, INTERNAL]
    wipe: Annotated[ShortText, INTERNAL]
    deleted_at: Annotated[Natural, INTERNAL]
    may: Annotated[tuple[str, ...], INTERNAL]


class OwnDeviceList(Wire, frozen=True, kw_only=True):
    """The devices of one customer, the newest first.

    Source: ISO/TS 12812-2:2017, 7.3.6; 14.2.2
    """

    devices: Annotated[tuple[DeviceView, ...], INTERNAL]


class SteerDevice(Wire, frozen=True, kw_only=True):
    """A customer's act about a device of their own.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: Annotated[DeviceIdText, INTERNAL]
    act: Annotated[Steering, INTERNAL]


class StopDevices(Wire, frozen=True, kw_only=True):
    """An agent's word that the customer of `number` came and said what became of their phone.

    `zone` is where the agent is.
    Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.5
    """

    number: Annotated[Alias, PERSONAL]
    how: Annotated[Annotated[str, pattern("^(?:lost|stolen)$")], INTERNAL]
    zone: Annotated[ShortText, INTERNAL]


class EndDevice(Wire, frozen=True, kw_only=True):
    """An operator's word that a device was lost, stolen, given away, or is to be over.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: Annotated[DeviceIdText, INTERNAL]
    how: Annotated[Annotated[str, pattern("^(?:lose|steal|hand-on|deactivate)$")], INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class WipeWord(Wire, frozen=True, kw_only=True):
    """What a phone signs: it asks for its order, or has `done` what `order` says.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    v: Annotated[int, PUBLIC] = 1
    device: Annotated[DeviceIdText, INTERNAL]
    does: Annotated[Annotated[str, pattern("^(?:ask|done)$")], INTERNAL]
    order: Annotated[OptionalWipeId, INTERNAL] = ""
    at: Annotated[Natural, PUBLIC]


class SignedWipe(Wire, frozen=True, kw_only=True):
    """A `WipeWord` as the phone signed it.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    device: Annotated[DeviceIdText, INTERNAL]
    word: Annotated[CompactText, INTERNAL]


class WipeOrder(Wire, frozen=True, kw_only=True):
    """What the provider signs: this device forgets its keys and all that they opened.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    v: Annotated[int, PUBLIC] = 1
    provider: Annotated[ShortText, PUBLIC]
    device: Annotated[DeviceIdText, INTERNAL]
    order: Annotated[WipeId, INTERNAL]
    at: Annotated[Natural, PUBLIC]


class WipeReply(Wire, frozen=True, kw_only=True):
    """The signed order, or nothing where the wipe is confirmed.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    order: Annotated[str, INTERNAL]


def wipe_word_header(device: str) -> bytes:
    """The one JWS header under which `device` signs about its wipe.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    return encode_canonical({"alg": "ES256", "kid": device, "typ": "tallystick-wipe-word"})


def wipe_order_header(algorithm: str, signed_by: str) -> bytes:
    """The one JWS header of wipe orders.

    Source: RFC 7515, 4.1; RFC 8725, 3.11
    """
    named = {"alg": algorithm, "kid": signed_by, "typ": "tallystick-wipe-order"}
    return encode_canonical(named)


MESSAGES = (
    DeviceView,
    OwnDeviceList,
    SteerDevice,
    StopDevices,
    EndDevice,
    SignedWipe,
    WipeReply,
)
"""What is sent about devices, but for what is signed inside."""
