"""Formats promised to somebody outside; mirrors docs/protocol and vectors/.

Source: ISO/TS 12812-2:2017, 11.2.3
"""
