"""What was discovered of a deployment, and in what it and its programme differ.

Source: ISO/TS 12812-2:2017, 6.2; 7.1
"""

from collections.abc import Mapping
from enum import StrEnum

from tallystick.entry.http.operations import Operation
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.model import Record


class Listener(Record, frozen=True, kw_only=True):
    """An address on which a process of the service takes connections; empty for every address.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    host: str
    port: int

    def is_local(self) -> bool:
        """Whether only this machine reaches it.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self.host == "::1" or self.host.startswith("127.")


class Discovered(Record, frozen=True, kw_only=True):
    """What a deployment has, from its folder, its record and its processes.

    `listeners` is None where no process was looked at, `accounts` (operators by role) where nothing
    was served yet. `allowed` maps each role of the policy to its acts;
    `callbacks` names the operations for which a partner is registered.
    Source: ISO/TS 12812-2:2017, 6.2
    """

    listeners: tuple[Listener, ...] | None
    gateways: tuple[str, ...]
    sms: bool
    core: bool
    witnessed: bool
    store_on_server: bool
    operations: tuple[Operation, ...]
    purposes: tuple[Purpose, ...]
    accounts: Mapping[str, int] | None
    allowed: Mapping[str, tuple[str, ...]]
    currency: str
    callbacks: tuple[str, ...] = ()


class Side(StrEnum):
    """Where something is that the other side lacks.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    DEPLOYED = "not in the model"
    MODELLED = "not deployed"


class Difference(Record, frozen=True, kw_only=True):
    """Something that only one of the two has, and what to do about it.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    sort: str
    side: Side
    says: str
    remedy: str
