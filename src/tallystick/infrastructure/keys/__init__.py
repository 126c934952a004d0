"""Which key exists for what, who holds it, how long it lives, and who vouches for it.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""
