"""The device-side SDK: kernel, protocol, crypto, envelope and the tally verifier, nothing else.

Source: ISO/TS 12812-2:2017, 6.2.2
"""
