"""What any mobile financial service would need, whatever it sells.

Source: ISO/TS 12812-2:2017, 6.2.3
"""
