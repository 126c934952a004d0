"""Acts: what was signed, what waits for a second person, and what it would come to.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""
