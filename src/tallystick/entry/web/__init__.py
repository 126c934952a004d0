"""What runs in a browser: the receipt verifier, in one file without dependencies.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
"""
