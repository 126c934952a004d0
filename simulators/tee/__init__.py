"""A simulated TEE: a process of its own that has the keys, its own screen, and a factory's word.

    app socket       what an app may ask: signatures, memory, an attestation; no key ever leaves
    screen socket    the trusted screen: what is shown to the person, and the PIN that they type

The app never sees the PIN, and nothing that it could answer stands for it. Simulated, no hardware:
a process of the same account is the only wall, and every word that it says of itself says so.

Source: ISO/TS 12812-2:2017, 8.1.3
"""
