"""Certificates of the provider: who may issue which, to whom, for how long, and what was revoked.

    profiles    what a certificate of each sort looks like, and which authority issues it
    register    every certificate, revocation and list, in the order in which they were made
    issuing     an authority: certificates under a profile, renewal, revocation, lists
    responder   answers about single certificates, good, revoked or unknown
    validation  whether a certificate holds now, and what is done where nobody knows

    root (off line) > devices, servers, partners, services > certificates; a responder under each

Source: ISO/TS 12812-2:2017, 3.5; 7.4.2; RFC 5280; RFC 6960
"""
