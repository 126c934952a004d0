"""Notices as stored, without a word about a person, and the facts that fill them at delivery.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
"""

from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import SmsState


class Channel(StrEnum):
    """How a notice reaches the customer.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    SMS = "sms"


class Template(StrEnum):
    """Which message it is.

    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6
    """

    ACTIVATION_CODE = "activation-code"
    PAYMENT_SENT = "payment-sent"
    PAYMENT_RECEIVED = "payment-received"
    PAYMENT_REVERSED = "payment-reversed"
    DEVICE_SUSPENDED = "device-suspended"
    PIN_BLOCKED = "pin-blocked"
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


class NoticeRow(Record, frozen=True, kw_only=True):
    """One notice as stored: to whom, what about, and how far its delivery has come.

    `reference` is the id of the order, activation, device or customer that it tells of. `due_at` is
    when to try next, 0 once it was given up; `delivered_at` is 0 until the SMSC took it (ms).
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """

    seq: int
    channel: Channel
    customer: str
    template: Template
    reference: str
    created_at: int
    attempts: int
    due_at: int
    delivered_at: int


class NoticeReceiptRow(Record, frozen=True, kw_only=True):
    """What the SMSC said last of the notice `seq`, by its own clock (`at`, ms).

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    seq: int
    state: SmsState
    at: int


class NoticeState(StrEnum):
    """How far a notice has come: kept, taken by the SMSC, on the phone, or not.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given-up"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    REJECTED = "rejected"


class ActivationIssued(Record, frozen=True, kw_only=True):
    """A one-time code, known in memory only until it was sent.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    code: Secret[str]
    minutes: int


class OrderCodeIssued(Record, frozen=True, kw_only=True):
    """A one-time code for one order, with what the order is; in memory only until it was sent.

    Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
    """

    code: Secret[str]
    minutes: int
    amount_minor: int
    currency: str
    payee_name: str


class PaymentSent(Record, frozen=True, kw_only=True):
    """The customer paid.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    amount_minor: int
    fee_minor: int
    currency: str
    payee_name: str
    payee_number: str
    receipt_code: str


class PaymentReceived(Record, frozen=True, kw_only=True):
    """The customer was paid.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    amount_minor: int
    currency: str
    payer_name: str
    payer_number: str
    receipt_code: str


class PaymentReversed(Record, frozen=True, kw_only=True):
    """A payment was given back; `to_you` says in which direction.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    amount_minor: int
    currency: str
    to_you: bool
    receipt_code: str


class DeviceSuspended(Record, frozen=True, kw_only=True):
    """A device may not pay any more.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    because: str


class DeviceTold(Record, frozen=True, kw_only=True):
    """What became of a device: `told` is the template.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    told: Template


class CustomerTold(Record, frozen=True, kw_only=True):
    """What became of the customer as a whole: `told` is the template, `because` why, or empty.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    told: Template
    because: str = ""


class PinBlocked(Record, frozen=True, kw_only=True):
    """Too many wrong PINs; `minutes` is 0 for a block that only staff can lift.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    minutes: int


class VerificationBlocked(Record, frozen=True, kw_only=True):
    """A phone refused too many who tried to unlock it; `minutes` as of `PinBlocked`.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
    """

    minutes: int


class SimChanged(Record, frozen=True, kw_only=True):
    """The network says that the SIM was replaced, moved to another phone or given to another.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """


class NotMe(Record, frozen=True, kw_only=True):
    """A person said on a device that somebody else began a request.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """


class RecoveryTold(Record, frozen=True, kw_only=True):
    """What became of a recovery: `told` is the template, `hours` what is left of its cooling-off.

    Source: ISO/TS 12812-2:2017, 7.3.6; 7.4.5
    """

    told: Template
    hours: int = 0


Facts = (
    ActivationIssued
    | OrderCodeIssued
    | PaymentSent
    | PaymentReceived
    | PaymentReversed
    | DeviceSuspended
    | DeviceTold
    | CustomerTold
    | PinBlocked
    | VerificationBlocked
    | SimChanged
    | NotMe
    | RecoveryTold
)
