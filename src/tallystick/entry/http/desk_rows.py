"""Rows of the operation table that are about the desk itself: what waits, passkeys, programs.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
"""

from tallystick.entry.http.rows import Operation, act

DESK_OPERATIONS: tuple[Operation, ...] = (
    act(
        "decline-act",
        "DeclineAct",
        "end an act that waits for a second person",
        ("6.2.1",),
        ("whoever may do the act",),
    ),
    act(
        "rehearse-act",
        "RehearseAct",
        "learn what an act that waits would come to",
        ("6.2.1",),
        ("whoever may do the act",),
    ),
    act(
        "bind-passkey",
        "BindPasskey",
        "invite a passkey of one's own",
        ("6.2.1", "7.3.2"),
        ("every operator",),
    ),
    act(
        "remove-passkey",
        "RemovePasskey",
        "end a passkey of one's own",
        ("6.2.1", "7.3.2"),
        ("every operator",),
    ),
    act(
        "break-glass",
        "BreakGlass",
        "take the emergency role, alone and for a while",
        ("6.2.1",),
        ("security-officer", "operations", "care-desk"),
    ),
    act(
        "review-emergency",
        "ReviewEmergency",
        "enter what was found of an emergency",
        ("6.2.1",),
        ("security-officer",),
    ),
    act(
        "issue-workload",
        "IssueWorkload",
        "let a partner's program ask",
        ("6.2.1", "7.5"),
        ("security-officer",),
    ),
    act(
        "revoke-workload",
        "RevokeWorkload",
        "end what a partner's program may ask",
        ("6.2.1", "7.5"),
        ("security-officer",),
    ),
)
"""Acts by which operators decide on acts, keep their own way in and let programs ask."""
