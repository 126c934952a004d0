"""One-time codes by SMS for one order: the fallback where a policy asks for a SIM that signs.

    PIN right -> policy asks for more -> policy names the fallback? -> code sent, bound to the terms
              -> code typed in the same menu session -> order, grade `code-confirmed`

Off unless the policy says otherwise twice: a limit that names the grade with a cap for one payment,
and a row that allows it. The code stands beside the PIN, never in its place.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 11.2.2
"""

from tallystick.application.ordercodes.service import OrderCodes, cap_of

__all__ = ["OrderCodes", "cap_of"]
