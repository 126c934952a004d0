"""What a message can say.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6
"""

from enum import StrEnum


class Said(StrEnum):
    """One message; a template may have several, as the facts are.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    ACTIVATION = "activation"
    SENT = "sent"
    RECEIVED = "received"
    GIVEN_BACK = "given-back"
    TAKEN_BACK = "taken-back"
    DEVICE_SUSPENDED = "device-suspended"
    PIN_BLOCKED_FOR = "pin-blocked-for"
    PIN_BLOCKED = "pin-blocked"
    SIM_CHANGED = "sim-changed"
    NOT_ME = "not-me"
    RECOVERY_OPENED = "recovery-opened"
    RECOVERY_HALF = "recovery-half"
    RECOVERY_DONE = "recovery-done"
    RECOVERY_CANCELLED = "recovery-cancelled"
    ORDER_CODE = "order-code"
