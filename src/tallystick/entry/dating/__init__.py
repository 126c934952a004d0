"""Receipts that stay dated for years: the hourly stamps of the log, gathered and renewed.

    hourly stamp over a checkpoint -> gathered, by SHA-512 -> stamped, and again in time (RFC 4998)
    receipt of a consent -> proof under a stamped checkpoint + that stamp + what renewed it

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; 11.2.2; RFC 4998
"""
