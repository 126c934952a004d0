"""The embedded engine: one file of SQLite, its write-ahead log and its lock.

Source: ISO/TS 12812-2:2017, 6.2.3
"""
