"""Authenticators that customers brought along: which one is whose, and which codes are used up.

    operators' act (sealed seed) -> module keeps the seed -> AuthenticatorRow
    code -> counted -> window -> counter moved on in the same commit -> factor of the session

Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226; RFC 6238; RFC 6287
"""

from tallystick.application.authenticators.model import AuthenticatorRow
from tallystick.application.authenticators.service import Authenticators

__all__ = ["AuthenticatorRow", "Authenticators"]
