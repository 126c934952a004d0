"""The life of devices, joined with what ends with a device and with who asks about one.

Source: ISO/TS 12812-2:2017, 7.4.5
"""

from collections.abc import Callable

from tallystick.application.approvals import Approvals
from tallystick.application.assisting import AgentBounds
from tallystick.application.attempts import Subjects
from tallystick.application.authenticators import Authenticators
from tallystick.application.customers import Customer
from tallystick.application.devicelife import DeviceLife, Follow, OwnDevices
from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.notices import Notices
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.pins import Pins
from tallystick.application.selfcare import SelfCare
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Connection
from tallystick.protocol.channels import Language


def wake_the_warned(notices: Notices, approvals: Approvals) -> None:
    """Have the phones of whoever is warned woken, once the warning is durable.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    def told(turn: Turn, customer: str) -> None:
        turn.on_durable(lambda: approvals.kept.watching.wake((customer,)))

    notices.warned.append(told)


def what_follows(
    life: DeviceLife,
    approvals: Approvals,
    order_codes: OrderCodes,
    authenticators: Authenticators,
) -> None:
    """Let end with a device what is not a session or an activation code.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    life.follow(Follow.REQUESTS, approvals.device_stopped)
    life.follow(Follow.CODES, lambda turn, device: order_codes.drop(turn, device.customer))
    life.follow(
        Follow.OFFLINE, lambda turn, device: authenticators.end_carried(turn, device.customer)
    )


def own_devices(
    life: DeviceLife,
    selfcare: SelfCare,
    pins: Pins,
    assisting: tuple[AgentBounds, DeviceProofs],
    reader: Connection,
    speaks: Callable[[str], Language],
) -> OwnDevices:
    """What customers do about their devices, also through an agent who is in place and time.

    A right dialled PIN begins its count anew.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
    """
    bounds, proofs = assisting

    def assists(turn: Turn, agent: Customer, device: str, zone: str) -> None:
        proofs.demand(life.devices.active(device), turn.now)
        bounds.check(turn, agent, zone)

    return OwnDevices(
        life,
        selfcare.asking,
        selfcare.permit_devices,
        lambda turn, customer: pins.was_right(turn, Subjects(customer)),
        assists,
        reader,
        speaks,
    )
