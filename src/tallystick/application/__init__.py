"""What a customer, a device, an operator or a partner experiences.

Source: ISO/TS 12812-2:2017, 6.2.2
"""
