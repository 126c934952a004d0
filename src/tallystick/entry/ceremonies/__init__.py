"""Key ceremonies at a provider: planned, held step by step, resumed after a break, verified.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""
