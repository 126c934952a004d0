"""Policies in files that commands were given: reads one, and tells two apart in words.

Source: ISO/TS 12812-2:2017, 6.1
"""

from pathlib import Path

from tallystick.entry.cli.console import say
from tallystick.process.policy import Policy, read_policy
from tallystick.process.policy.changes import changes
from tallystick.process.policy.explain import diff, is_reason
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


def tell_changes(before: Policy, after: Policy, *, reasons: bool) -> None:
    """Print what changes, and for whom a decision comes out otherwise.

    Where only a reason is worded otherwise it is counted, unless `reasons` asks for each.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    found, otherwise = diff(before, after), changes(before, after)
    if not found and not otherwise:
        say("nothing changes")
        return
    worded = [one for one in found if is_reason(one)]
    told = found if reasons else tuple(one for one in found if one not in worded)
    for line in told or ("no parameter changes",):
        say(line)
    if worded and not reasons:
        say(f"and {len(worded)} reasons are worded otherwise (policy diff --reasons)")
    say("\nfor whom it comes out otherwise" if otherwise else "\nevery decision stays the same")
    for one in otherwise:
        say(str(one))
