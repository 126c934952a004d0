"""Reads a policy from a file that a command was given: a text, or a signed file.

Source: ISO/TS 12812-2:2017, 6.1
"""

from pathlib import Path

from tallystick.process.policy import Policy, read_policy
from tallystick.protocol.policy_file import policy_text, read_policy_file


def policy_in(file: Path) -> Policy:
    """The policy in a text, or in a signed file whose signatures are not looked at.

    Raises Malformed with every defect.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    octets = file.read_bytes()
    signed = octets.lstrip().startswith(b"{")
    return read_policy(
        policy_text(read_policy_file(octets)) if signed else octets.decode("utf-8", "replace")
    )
