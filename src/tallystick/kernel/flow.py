"""Which node may read which field: declared beside the message, held by a probe.

Source: ISO/TS 12812-2:2017, 3.9; 3.14; 7.1
"""

from enum import StrEnum

from tallystick.kernel.model import Record


class Node(StrEnum):
    """Where a field can be in clear.

    Source: ISO/TS 12812-2:2017, 7.1
    """

    DEVICE = "device"
    DIALLER = "dialler"
    USSD_GATEWAY = "ussd-gateway"
    AGGREGATOR = "aggregator"
    SMSC = "smsc"
    NETWORK = "mobile-network"
    SIM = "sim"
    TLS_TERMINATOR = "tls-terminator"
    FRONT = "front"
    WRITER = "writer"
    MODULE = "module"
    CORE = "core"
    WITNESS = "witness"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    PROGRAM = "program"


class Flow(Record, frozen=True, kw_only=True):
    """A message on its way: who sends it, who gets it, and who may read its fields on the path.

    `reads` maps a node to the names of the fields it may see in clear; `"*"` means all of them.
    `end_to_end` says that no node between source and destination reads anything but public fields.
    Source: ISO/TS 12812-2:2017, 7.1
    """

    name: str
    source: Node
    destination: Node
    via: tuple[Node, ...] = ()
    end_to_end: bool
    reads: dict[Node, tuple[str, ...]]

    def may_read(self, node: Node, field: str) -> bool:
        """Whether `node` may see `field` of this flow in clear.

        Source: ISO/TS 12812-2:2017, 3.9
        """
        allowed = self.reads.get(node, ())
        return "*" in allowed or field in allowed
