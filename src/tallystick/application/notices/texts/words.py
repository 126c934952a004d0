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
    VERIFICATION_BLOCKED_FOR = "verification-blocked-for"
    VERIFICATION_BLOCKED = "verification-blocked"
    SIM_CHANGED = "sim-changed"
    NOT_ME = "not-me"
    RECOVERY_OPENED = "recovery-opened"
    RECOVERY_HALF = "recovery-half"
    RECOVERY_DONE = "recovery-done"
    RECOVERY_CANCELLED = "recovery-cancelled"
    ORDER_CODE = "order-code"
    DEVICE_ADDED = "device-added"
    DEVICE_RESUMED = "device-resumed"
    DEVICE_LOST = "device-lost"
    DEVICE_STOLEN = "device-stolen"
    DEVICE_LEAVING = "device-leaving"
    DEVICE_REMOVED = "device-removed"
    DEVICE_RESTS_SOON = "device-rests-soon"
    DEVICE_DORMANT = "device-dormant"
    DEVICE_DELETED = "device-deleted"
    DEVICE_WIPED = "device-wiped"
    CUSTOMER_SUSPENDED = "customer-suspended"
    CUSTOMER_RESUMED = "customer-resumed"
    TIER_RAISED = "tier-raised"
    TIER_LOWERED = "tier-lowered"
