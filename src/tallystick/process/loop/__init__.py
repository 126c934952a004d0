"""Round after round: what is seen of controls, what is left of the risks, what would be proposed.

    model       one line of time: controls that changed, residual, policy, findings that flipped
    rounds      one round against the one before; which risks rose, and for which control
    proposing   a stronger policy with the controls that are left, and why

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""
