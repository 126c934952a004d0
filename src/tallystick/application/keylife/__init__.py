"""The life of the provider's keys: an inventory in the record, each step an event of the tally.

    seen in the key store -> entered -> active -> ... -> destroyed     (steps: modules/states)

A step counts in the record first and in the module as soon as the record is durable.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from tallystick.application.keylife.custody import Custody
from tallystick.application.keylife.model import (
    CeremonyRow,
    HeldCeremony,
    KeyRow,
    SeenKey,
    SeenKeys,
    ending_keys,
)
from tallystick.application.keylife.service import KeyLife
from tallystick.application.keylife.store import kept_custody, kept_keys

__all__ = [
    "CeremonyRow",
    "Custody",
    "HeldCeremony",
    "KeyLife",
    "KeyRow",
    "SeenKey",
    "SeenKeys",
    "ending_keys",
    "kept_custody",
    "kept_keys",
]
