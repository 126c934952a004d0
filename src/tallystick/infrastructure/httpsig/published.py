"""The provider's key for messages, published under a key of its signed list and read from there.

    root -> key list -> session signature key -> message key -> replies, deliveries

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515
"""

from collections.abc import Iterable, Mapping

from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.infrastructure.httpsig.mechanisms import MessageKey, partner_key
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotAuthentic, NotFound, Refused
from tallystick.protocol.http_signatures import MessageKeyStatement, message_key_header

_statements = Decoder(MessageKeyStatement, limit=4096)


def publish(statement: MessageKeyStatement, kid: str, signer: SigningKey) -> str:
    """`statement` as a compact JWS by the key `kid` of the key list.

    Source: RFC 7515, 5.1
    """
    header = message_key_header(signer.algorithm, kid)
    return sign_compact(signer, header, encode_canonical(statement))


def published_keys(
    statements: Iterable[str], listed: Mapping[str, VerifyKey], provider: str, now: int
) -> dict[str, MessageKey]:
    """The keys of `provider` that are in their time at `now` (ms), by the keyid of signatures.

    `listed` are the session signature keys of the verified key list by kid. Raises NotAuthentic for
    a statement that no key of it signed or that is of another provider, NotFound without any key.
    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515, 5.2
    """
    found: dict[str, MessageKey] = {}
    for jws in statements:
        one = _verified(jws, listed)
        if one.provider != provider:
            raise NotAuthentic("the key for messages is of another provider")
        if one.not_before <= now < one.not_after:
            found[one.keyid] = partner_key(one.algorithm, b64url_decode(one.public))
    if not found:
        raise NotFound("the provider has no key for messages in force", remedy="ask it for one")
    return found


def _verified(jws: str, listed: Mapping[str, VerifyKey]) -> MessageKeyStatement:
    try:
        header, payload, signature, signing_input = split_compact(jws)
        for kid, verify_key in listed.items():
            if header == message_key_header(verify_key.algorithm, kid):
                verify_key.verify(signature, signing_input)
                return _statements.decode_canonical(payload)
    except Refused as error:
        raise NotAuthentic("the key for messages does not verify") from error
    raise NotAuthentic("the key for messages does not verify")
