"""Apple App Attest: the attestation of a key in a Secure Enclave, and assertions made with it.

Source: RFC 9334, 8.1; WebAuthn Level 3, 6.1
"""
