"""Orders checked a second time by somebody else: was each consented to as it was executed?

The rules are pure; `entry/rechecking.py` runs them over a provider's file in a process of its own.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""

from tallystick.application.rechecking.rules import Case, wrong_with

__all__ = ["Case", "wrong_with"]
