"""What card networks compute: keys per transaction, values on the card, cryptograms of the chip.

Functions take octets and are called by the cryptographic module; what is older than AES is behind
its rules.

Source: ISO/TS 12812-2:2017, 7.4.2; ANSI X9.24-3; ISO 9564-1; EMV Book 2
"""
