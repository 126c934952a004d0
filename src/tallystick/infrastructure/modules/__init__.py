"""Cryptographic modules: keys are used through handles and never leave in clear.

`interface` says what every module offers, `soft` is the one that runs in this process, `master`
opens it, `shamir` lets several custodians do so together.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3; 7.4.2
"""
