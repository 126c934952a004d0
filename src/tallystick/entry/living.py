"""The life of devices, joined with what ends with a device and with who asks about one.

Source: ISO/TS 12812-2:2017, 7.4.5
"""

from tallystick.application.approvals import Approvals
from tallystick.application.assisting import AgentBounds
from tallystick.application.attempts import Subjects
from tallystick.application.authenticators import Authenticators
from tallystick.application.customers import Customer
from tallystick.application.devicelife import DeviceLife, Follow, OwnDevices, Wiping
from tallystick.application.deviceproofs import DeviceProofs
from tallystick.application.ordercodes import OrderCodes
from tallystick.application.pins import Pins
from tallystick.application.selfcare import SelfCare
from tallystick.application.turn import Turn
from tallystick.infrastructure.keys.table import LoadedKeys
from tallystick.infrastructure.modules.interface import CryptoModule, Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.store.database import Connection
from tallystick.protocol.devicelife import wipe_order_header


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
    )


def wiping_of(module: CryptoModule, keys: LoadedKeys, life: DeviceLife) -> Wiping:
    """Signs wipe orders with the key that answers handshakes, which every phone knows.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
    """
    handle = keys.newest(Purpose.SESSION_SIGNATURE)
    signer = ModuleSigner(module, handle)
    return Wiping(life, signer, wipe_order_header(signer.algorithm, handle.id))
