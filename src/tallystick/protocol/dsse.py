"""What a signature of a DSSE envelope is over: the payload and its type, each with its length.

Source: Dead Simple Signing Envelope protocol
"""


def signed_octets(payload_type: str, payload: bytes) -> bytes:
    """What is signed: both with their lengths, so that neither can run into the other.

    Source: Dead Simple Signing Envelope protocol
    """
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
