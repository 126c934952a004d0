"""PINs: the blocks they travel in, how they are verified, and which block may become which.

A PIN in clear is a `ClearPin`, which lives inside this package and the cryptographic module only.

Source: ISO/TS 12812-2:2017, 7.3.4; ISO 9564-1
"""
