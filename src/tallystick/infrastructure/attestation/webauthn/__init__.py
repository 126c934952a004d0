"""WebAuthn: what an authenticator says about a credential when it is registered.

    authdata     authenticator data and the credential's public key
    clientdata   what the browser says it was asked
    formats      attestation statements: none, packed, android-key, apple, tpm
    tpm          the two structures of a TPM that a statement carries
    metadata     the signed file of the FIDO Alliance on models and what became of them

Source: WebAuthn Level 3, 6; 8; FIDO Metadata Service 3.0
"""
