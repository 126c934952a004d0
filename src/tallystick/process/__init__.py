"""Who decides what, how much, and the proof of it.

Source: ISO/TS 12812-2:2017, 6.2.1
"""
