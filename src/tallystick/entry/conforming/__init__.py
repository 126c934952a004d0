"""Drives any implementation of a device through honest and hostile moments, and scores it.

    program    the implementation: a process, a JSON object a line
    relay      what lies between it and the provider, and alters what a case says
    stage      a real provider of the kit's own, with customers, money and codes
    meeting    cases: enrolment, key list, handshake, renewal
    paying     cases: payments, sealed messages, retries
    proving    cases: receipts and the record's history
    approving  cases: orders that somebody else begins, and their warnings
    scoring    runs the cases and says what came of each

Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.7; 7.3.3
"""
