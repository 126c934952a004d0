"""Sends what officers signed to the provider.

Source: ISO/TS 12812-2:2017, 9.1
"""

from tallystick.client.session import JSON_MEDIA_TYPE, Transport, refusal
from tallystick.kernel.codec import Decoder, encode
from tallystick.protocol.statements import SignedStatement, StatementRecorded

_recorded = Decoder(StatementRecorded)


def send_statement(
    transport: Transport, statement: SignedStatement, path: str
) -> StatementRecorded:
    """Send a statement to the door `path` of what it is about.

    Raises what the provider refuses with.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    reply = transport.post(path, encode(statement), JSON_MEDIA_TYPE)
    if reply.status != 200:
        raise refusal(reply)
    return _recorded.decode(reply.body)
