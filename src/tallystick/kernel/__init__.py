"""Words that every shelf shares: identifiers, money, time, errors, codec, secrets, evidence.

Nothing here reads a clock, draws a random number, opens a file or knows HTTP.

Source: ISO/TS 12812-2:2017, 6.2
"""
