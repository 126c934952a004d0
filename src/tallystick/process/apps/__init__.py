"""Which applications are the provider's own, which may still run, and which pretend to be.

    package + list of parts + notes -> manifest -> two officers -> register in the tally
    what a device says that it runs, held against the register -> run | warn | limit | refuse

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 7.2.8
"""
