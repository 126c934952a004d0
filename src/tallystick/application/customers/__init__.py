"""Customers: opening them, finding them by number, and keeping what is personal sealed.

    number --keyed hash--> customer --subject key--> profile, commitments, evidence

One subject key per customer seals the profile and salts the commitments in the tally. Destroying it
erases the person and leaves every proof valid.

Source: ISO/TS 12812-2:2017, 7.4.1; 14.2.1
"""

from tallystick.application.customers.languages import Languages
from tallystick.application.customers.model import (
    Customer,
    CustomerKind,
    CustomerStatus,
    Profile,
)
from tallystick.application.customers.service import Customers

__all__ = ["Customer", "CustomerKind", "CustomerStatus", "Customers", "Languages", "Profile"]
