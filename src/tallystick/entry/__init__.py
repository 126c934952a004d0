"""Doors: HTTP and the command line; assembly.py is the composition root.

Source: ISO/TS 12812-2:2017, 6.2.2
"""
