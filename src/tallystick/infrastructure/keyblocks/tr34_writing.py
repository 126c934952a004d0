"""Tokens of TR-34, written in the form of 2012.

Source: TR-34; RFC 5652, 5; 6; RFC 8017, A.2.1
"""

from collections.abc import Callable
from datetime import UTC, datetime

from tallystick.infrastructure.crypto.blocks import BlockCipher
from tallystick.infrastructure.crypto.der import (
    NULL,
    OCTETS,
    SEQUENCE,
    SET,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.keyblocks import tr34_names as oid
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.kernel.model import Record


class Parties34(Record, frozen=True, kw_only=True):
    """Who signs and who receives: an issuer and a number in DER each.

    Source: RFC 5652, 10.2.4
    """

    signer: bytes
    recipient: bytes


def header_of(fields: BlockFields) -> str:
    """The header of `fields` in a token: 16 characters.

    Source: TR-34; X9.143, 6
    """
    return (
        f"D9999{fields.usage}{fields.algorithm}{fields.mode}{fields.version_number}"
        f"{fields.exportability}0000"
    )


def key_part(parties: Parties34, header: str, material: bytes) -> bytes:
    """What is enciphered of a token: who signs, the key and its header.

    Source: TR-34
    """
    return write(
        SEQUENCE, write_number(1), parties.signer, write(OCTETS, material), _header(header)
    )


def enciphered_part(parties: Parties34, part: bytes, draw: Callable[[int], bytes],
                    seal: Callable[[bytes], bytes], *, is_aes: bool) -> bytes:  # fmt: skip
    """`part` under a fresh key, which `seal` enciphers to the recipient: the form of 2012.

    Source: TR-34; RFC 5652, 6; RFC 8017, A.2.1
    """
    name = oid.AES if is_aes else oid.TDEA
    sort, length = oid.CIPHERS[name]
    ephemeral = draw(length)
    cipher: BlockCipher = sort(ephemeral)
    initial, room = draw(cipher.width), cipher.width - len(part) % cipher.width
    sealed = cipher.encrypt_chain(initial, part + bytes((room,)) * room)
    hashed = write_object(oid.SHA256)
    parameters = write(
        SEQUENCE,
        write(SEQUENCE, hashed, write(NULL)),
        write(SEQUENCE, write_object(oid.MGF1), write(SEQUENCE, hashed)),
        write(SEQUENCE, write_object(oid.LABEL), write(OCTETS)),
    )
    recipient = write(
        SEQUENCE,
        write_number(0),
        parties.recipient,
        write(SEQUENCE, write_object(oid.OAEP), parameters),
        write(OCTETS, seal(ephemeral)),
    )
    algorithm = (write_object(name), write(OCTETS, initial), write(oid.BARE, sealed))
    content = write(SEQUENCE, write_object(oid.DATA), write(SEQUENCE, *algorithm))
    return write_number(0) + write(SET, recipient) + content


def signed_token(
    parties: Parties34,
    envelope: bytes,
    header: str,
    sign: Callable[[bytes], bytes],
    *,
    nonce: bytes = b"",
    at: int = 0,
) -> bytes:
    """`envelope` signed: with `nonce` in two passes, or with the instant `at` (ms) in one.

    Source: TR-34; RFC 5652, 5
    """
    fresh = (oid.SIGNING_TIME, _time(at)) if not nonce else (oid.NONCE, write(OCTETS, nonce))
    attributes = sorted(
        (
            _written(oid.CONTENT_TYPE, write_object(oid.ENVELOPED)),
            _written(*fresh),
            _header(header),
            _written(oid.DIGEST, write(OCTETS, sha256(envelope))),
        )
    )
    signature = sign(write(SET, *attributes))
    hashed = write(SEQUENCE, write_object(oid.SHA256))
    signer = write(
        SEQUENCE,
        *(write_number(1), parties.signer, hashed, write(oid.FIRST, *attributes)),
        *(write(SEQUENCE, write_object(oid.RSA), write(NULL)), write(OCTETS, signature)),
    )
    content = write(
        SEQUENCE, write_object(oid.ENVELOPED), write(oid.FIRST, write(OCTETS, envelope))
    )
    data = write(SEQUENCE, write_number(1), write(SET, hashed), content, write(SET, signer))
    return write(SEQUENCE, write_object(oid.SIGNED), write(oid.FIRST, data))


def _time(at: int) -> bytes:
    text = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%y%m%d%H%M%SZ")
    return write(oid.SHORT_TIME, text.encode("ascii"))


def _header(header: str) -> bytes:
    return _written(oid.DATA, write(OCTETS, header.encode("ascii")))


def _written(kind: str, value: bytes) -> bytes:
    return write(SEQUENCE, write_object(kind), write(SET, value))
