"""Operators: invited with a one-time code, one key each, acts that two people sign.

    act (JWS) -> role allows it? -> done
                                 -> waiting -> second operator's act, same body -> done

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from tallystick.application.operators.acts.signed import (
    Acted,
    InEmergency,
    Performer,
    SignedAct,
    check_two_people,
)
from tallystick.application.operators.model import ActRow, Invitation, Operator, Passkey
from tallystick.application.operators.service import NewcomerPasskey, Operators

__all__ = [
    "ActRow",
    "Acted",
    "InEmergency",
    "Invitation",
    "NewcomerPasskey",
    "Operator",
    "Operators",
    "Passkey",
    "Performer",
    "SignedAct",
    "check_two_people",
]
