"""Android key attestation: what the keystore of a phone signs about a key.

    description   the KeyDescription extension, versions 1 to 500
    chain         certificates led to a root; the description nearest to the root counts
    revocation    the vendor's list of serial numbers that are no longer believed

Source: RFC 9334, 8.1; X.690, 10
"""
