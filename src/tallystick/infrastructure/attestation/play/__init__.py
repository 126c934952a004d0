"""Play Integrity: what the app store's service says about an app and a device, under our keys.

Source: RFC 9334, 5; 8.4
"""
