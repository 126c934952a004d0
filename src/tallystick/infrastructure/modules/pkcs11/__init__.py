"""A hardware security module behind PKCS #11: keys that are made in it and never leave it.

`uris` names a token and a key, `vendors` says which mechanism a vendor's module is asked for,
`sessions` keeps sessions and comes back after a loss, `objects` finds and makes keys, `device` is
the cryptographic module, and `beside` puts it beside the software module, purpose by purpose.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.2; ISO/IEC 19790; PKCS #11 v3.0
"""
