"""The direct way to a mobile network: SMPP 3.4, for menus and for messages.

    pdus      octets to messages and back
    link      one bound session: window, time-outs, enquire_link
    keeping   a session again and again: back-off, throttling
    menus     menu sessions of `deliver_sm` and `submit_sm`, by `ussd_service_op`
    carrier   notices as messages, and what became of them
    serving   all of it beside the service

Source: ISO/TS 12812-2:2017, 7.2.3; SMPP 3.4
"""
