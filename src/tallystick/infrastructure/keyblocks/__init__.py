"""Key blocks between parties: a key wrapped with its usage, mode and exportability.

`header` reads and writes what a block says in clear, `rules` says what may be said, `wrapping`
seals and opens. What leaves is version D; older versions are read where a policy says so.

Source: ISO/TS 12812-2:2017, 7.4.2; X9.143; ISO 20038
"""
