"""What platforms say about the keys of a device: read, verified, reduced to evidence.

    cbor            the encoding of passkeys, strict and bounded; DER is with the cryptography
    evidence        what is left of an attestation once it verified; small, canonical
    android         key attestation: chain, key description, list of revoked certificates
    apple           App Attest: attestation and assertions
    webauthn        attestation formats of WebAuthn, authenticator data, FIDO metadata
    play            Play Integrity verdicts under the provider's own keys

Nothing here reads a clock, a file or the network: bytes, roots and instants come as arguments.
Whether the evidence is good enough is for process/attestation.

Source: RFC 9334, 3; 4; ISO/TS 12812-2:2017, 7.2.6; 7.4.1
"""
