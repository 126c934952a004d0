"""One-time passwords of authenticators that customers already have: HOTP, TOTP and OCRA.

    counter or time step or challenge -> message -> MAC inside the module -> digits

Nothing here keeps a seed or a state: the MAC is a function of a handle, and which counters are
used up is the register's matter.

Source: RFC 4226; RFC 6238; RFC 6287; ISO/TS 12812-2:2017, 7.3.2
"""

from tallystick.infrastructure.otp.hotp import Mac, code_at, matching, truncated
from tallystick.infrastructure.otp.ocra import OcraInput, OcraSuite, ocra_code
from tallystick.infrastructure.otp.totp import step_of

__all__ = [
    "Mac",
    "OcraInput",
    "OcraSuite",
    "code_at",
    "matching",
    "ocra_code",
    "step_of",
    "truncated",
]
