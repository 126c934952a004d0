"""The other side of every wire, simulated: networks, phones and a core system for tours and tests.

None of this is in the wheel and the server imports none of it. Each player says that it is
simulated wherever it prints or describes itself.

Source: ISO/TS 12812-2:2017, 7.1
"""
