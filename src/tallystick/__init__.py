"""Tallystick: the security platform for mobile financial services.

Read the shelves from the bottom up; an import may only go down.

    entry            doors: HTTP, command line, pages; assembly.py wires everything
    client           the device-side SDK
    application      what a customer, device, operator or partner experiences
    process          who decides what, how much, and the proof of it
    infrastructure   what any mobile financial service would need
    protocol         formats promised to somebody outside
    kernel           words that every shelf shares; no I/O, no clock

Source: ISO/TS 12812-2:2017, 6.2
"""

__version__ = "0.1.0"
