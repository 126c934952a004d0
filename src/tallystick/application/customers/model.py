"""Who is known: people, agents and merchants, with their personal data sealed under their own key.

Source: ISO/TS 12812-2:2017, 7.4.1; 14.2.1
"""

from enum import StrEnum

from tallystick.kernel.model import Record


class CustomerKind(StrEnum):
    """What a customer is in the scheme.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    PERSON = "person"
    AGENT = "agent"
    MERCHANT = "merchant"


class CustomerStatus(StrEnum):
    """Where a customer stands; only an active one may pay.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DORMANT = "dormant"
    ERASED = "erased"


class Customer(Record, frozen=True, kw_only=True):
    """A customer as stored: `profile` is a sealed `Profile`, `subject` the wrapped subject key.

    `devices` counts enrolled devices; who has none is told by SMS. Destroying `subject` erases the
    person: the profile and every commitment in the tally become unreadable while every proof still
    verifies.
    Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
    """

    id: str
    kind: CustomerKind
    status: CustomerStatus
    tier: int
    account: str
    subject: bytes
    profile: bytes
    opened_at: int
    opened_by: str
    pin: bytes
    pin_failures: int
    pin_blocked_until: int
    activation: str
    devices: int


class Profile(Record, frozen=True, kw_only=True):
    """The personal data of a customer; exists in clear only in memory.

    Source: ISO/TS 12812-2:2017, 14.2.1
    """

    name: str
    msisdn: str
    till: str = ""

    def numbers(self) -> tuple[str, ...]:
        """Every number that leads to the customer.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return (self.msisdn, self.till) if self.till else (self.msisdn,)


class AliasRow(Record, frozen=True, kw_only=True):
    """A keyed hash of a telephone or till number and the customer it leads to.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    alias: str
    customer: str


class AccountOwnerRow(Record, frozen=True, kw_only=True):
    """Whose account it is.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    account: str
    customer: str
