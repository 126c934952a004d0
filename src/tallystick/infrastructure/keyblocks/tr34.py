"""Tokens of TR-34: a key enciphered to a certificate and signed, in CMS; read and written.

Two ways of writing are about. By the text of 2019 the inner part is EnvelopedData as CMS has it; in
the form of 2012 its head is left out, its content stands beside the initial value, and parameters
of OAEP have no tags. Both are read; the form of 2012 is written, which the service and the modules
that exchange keys with it speak. Nothing is verified here but the digest: whoever reads calls for
the signature before it believes anything.

Source: ASC X9 TR 34; RFC 5652, 5; 6; RFC 8017, A.2.1
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from tallystick.infrastructure.crypto.blocks import Aes, BlockCipher, Tdea
from tallystick.infrastructure.crypto.der import INTEGER as INTEGER_TAG
from tallystick.infrastructure.crypto.der import (
    NULL,
    OBJECT,
    OCTETS,
    SEQUENCE,
    SET,
    TIME,
    Members,
    Value,
    dotted,
    number,
    single,
    values,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted, TooLarge
from tallystick.kernel.model import Record

LONGEST: Final = 8_192
HEADER: Final = 16
SHORTEST_NONCE: Final = 8
LONGEST_NONCE: Final = 16

_DATA: Final = "1.2.840.113549.1.7.1"
_SIGNED: Final = "1.2.840.113549.1.7.2"
_ENVELOPED: Final = "1.2.840.113549.1.7.3"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_NONCE: Final = "1.2.840.113549.1.9.25.3"
_OAEP: Final = "1.2.840.113549.1.1.7"
_MGF1: Final = "1.2.840.113549.1.1.8"
_LABEL: Final = "1.2.840.113549.1.1.9"
_RSA: Final = "1.2.840.113549.1.1.1"
_RSA_SHA256: Final = "1.2.840.113549.1.1.11"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_HASHES: Final = {_SHA256: "sha-256", "2.16.840.1.101.3.4.2.3": "sha-512"}
_AES: Final = "2.16.840.1.101.3.4.1.2"
_TDEA: Final = "1.2.840.113549.3.7"
_CIPHERS: Final[dict[str, tuple[type[Aes | Tdea], int]]] = {_AES: (Aes, 16), _TDEA: (Tdea, 24)}
_FIRST, _SECOND, _BARE, _UTC = 0xA0, 0xA1, 0x80, 0x17


class Envelope34(Record, frozen=True, kw_only=True):
    """To whom a key is enciphered, and how: `recipient` is an issuer and a number in DER.

    `digest` is the hash of OAEP, `sealed` the key of the content, `cipher` an object identifier.
    Source: RFC 5652, 6
    """

    recipient: bytes
    digest: str
    sealed: bytes
    cipher: str
    initial: bytes
    enciphered: bytes


class Token34(Record, frozen=True, kw_only=True):
    """What a token says; nothing of it is verified but the digest.

    `signer` is an issuer and a number in DER, `signed` what the signature is over, `header` the 16
    characters of the key's header, `nonce` empty and `signed_at` (ms) 0 where there is none.
    Source: ASC X9 TR 34; RFC 5652, 5.3
    """

    signer: bytes
    signed: bytes
    signature: bytes
    header: str
    nonce: bytes
    signed_at: int
    envelope: Envelope34


class Parties34(Record, frozen=True, kw_only=True):
    """Who signs and who receives: an issuer and a number in DER each.

    Source: RFC 5652, 10.2.4
    """

    signer: bytes
    recipient: bytes


def named(issuer: bytes, serial: int) -> bytes:
    """The name of a certificate as CMS has it: its issuer (DER) and its number.

    Source: RFC 5652, 10.2.4
    """
    return write(SEQUENCE, issuer, write_number(serial))


def read_token(octets: bytes) -> Token34:
    """What the token in `octets` says.

    Raises TooLarge, Malformed for another form, NotPermitted for mechanisms that are not served,
    NotAuthentic where the digest is of something else.
    Source: ASC X9 TR 34; RFC 5652
    """
    if len(octets) > LONGEST:
        raise TooLarge(f"a token has at most {LONGEST} bytes")
    outer = Members(single(octets, SEQUENCE))
    _must_be(outer.take(OBJECT), _SIGNED)
    data = Members(single(outer.take(_FIRST).body, SEQUENCE))
    outer.end()
    number(data.take(INTEGER_TAG))
    data.take(SET)
    content = Members(data.take(SEQUENCE))
    _must_be(content.take(OBJECT), _ENVELOPED)
    envelope = single(content.take(_FIRST).body, OCTETS).body
    content.end()
    data.maybe(_FIRST)
    data.maybe(_SECOND)
    signers = values(data.take(SET).body)
    data.end()
    if len(signers) != 1:
        raise Malformed("a token has one signer")
    return _signed_by(Members(signers[0]), envelope)


def opened(token: Token34, ephemeral: bytes) -> tuple[BlockFields, bytes]:
    """The header and the key of a token, whose content is under the key `ephemeral`.

    Call it for what was verified only. Raises NotAuthentic for what does not open or names another
    signer or header than was signed.
    Source: ASC X9 TR 34; RFC 5652, 6.3
    """
    under = token.envelope
    sort, length = _CIPHERS[under.cipher]
    if len(ephemeral) != length:
        raise _unopened()
    try:
        cipher = sort(ephemeral)
        plain = cipher.decrypt_chain(under.initial, under.enciphered)
        block = Members(single(_unpadded(plain, cipher.width), SEQUENCE))
        number(block.take(INTEGER_TAG))
        signer, material = block.take(SEQUENCE), block.take(OCTETS).body
        header = _attribute(block.take(SEQUENCE))
        block.end()
    except MfsError as error:
        raise _unopened() from error
    inner = single(header[1].body, OCTETS).body if header[0] == _DATA else b""
    if signer.octets != token.signer or inner != token.header.encode("ascii"):
        raise NotAuthentic("the token names another signer or header inside than outside")
    return fields_of(token.header), material


def fields_of(header: str) -> BlockFields:
    """The fields of a header of TR-34: that of a key block whose version and length do not count.

    Raises Malformed for another form, NotPermitted for optional blocks.
    Source: ASC X9 TR 34; X9.143, 6
    """
    if header[12:14] != "00":
        raise NotPermitted("optional blocks in the header of a token are not served")
    return BlockFields(
        version="D",
        usage=header[5:7],
        algorithm=header[7],
        mode=header[8],
        version_number=header[9:11],
        exportability=header[11],
    )


def header_of(fields: BlockFields) -> str:
    """The header of `fields` in a token: 16 characters.

    Source: ASC X9 TR 34; X9.143, 6
    """
    return (
        f"D9999{fields.usage}{fields.algorithm}{fields.mode}{fields.version_number}"
        f"{fields.exportability}0000"
    )


def key_part(parties: Parties34, header: str, material: bytes) -> bytes:
    """What is enciphered of a token: who signs, the key and its header.

    Source: ASC X9 TR 34
    """
    return write(
        SEQUENCE, write_number(1), parties.signer, write(OCTETS, material), _header(header)
    )


def enciphered_part(parties: Parties34, part: bytes, draw: Callable[[int], bytes],
                    seal: Callable[[bytes], bytes], *, is_aes: bool) -> bytes:  # fmt: skip
    """`part` under a fresh key, which `seal` enciphers to the recipient: the form of 2012.

    Source: ASC X9 TR 34; RFC 5652, 6; RFC 8017, A.2.1
    """
    name = _AES if is_aes else _TDEA
    sort, length = _CIPHERS[name]
    ephemeral = draw(length)
    cipher: BlockCipher = sort(ephemeral)
    initial, room = draw(cipher.width), cipher.width - len(part) % cipher.width
    sealed = cipher.encrypt_chain(initial, part + bytes((room,)) * room)
    hashed = write_object(_SHA256)
    parameters = write(
        SEQUENCE,
        write(SEQUENCE, hashed, write(NULL)),
        write(SEQUENCE, write_object(_MGF1), write(SEQUENCE, hashed)),
        write(SEQUENCE, write_object(_LABEL), write(OCTETS)),
    )
    recipient = write(
        SEQUENCE,
        write_number(0),
        parties.recipient,
        write(SEQUENCE, write_object(_OAEP), parameters),
        write(OCTETS, seal(ephemeral)),
    )
    algorithm = (write_object(name), write(OCTETS, initial), write(_BARE, sealed))
    content = write(SEQUENCE, write_object(_DATA), write(SEQUENCE, *algorithm))
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

    Source: ASC X9 TR 34; RFC 5652, 5
    """
    fresh = (_SIGNING_TIME, _time(at)) if not nonce else (_NONCE, write(OCTETS, nonce))
    attributes = sorted(
        (
            _written(_CONTENT_TYPE, write_object(_ENVELOPED)),
            _written(*fresh),
            _header(header),
            _written(_DIGEST, write(OCTETS, sha256(envelope))),
        )
    )
    signature = sign(write(SET, *attributes))
    hashed = write(SEQUENCE, write_object(_SHA256))
    signer = write(
        SEQUENCE,
        *(write_number(1), parties.signer, hashed, write(_FIRST, *attributes)),
        *(write(SEQUENCE, write_object(_RSA), write(NULL)), write(OCTETS, signature)),
    )
    content = write(SEQUENCE, write_object(_ENVELOPED), write(_FIRST, write(OCTETS, envelope)))
    data = write(SEQUENCE, write_number(1), write(SET, hashed), content, write(SET, signer))
    return write(SEQUENCE, write_object(_SIGNED), write(_FIRST, data))


def _signed_by(signer: Members, envelope: bytes) -> Token34:
    number(signer.take(INTEGER_TAG))
    name = signer.take(SEQUENCE)
    _algorithm(signer.take(SEQUENCE), _SHA256)
    attributes = signer.take(_FIRST)
    _algorithm(signer.take(SEQUENCE), _RSA, _RSA_SHA256)
    signature = signer.take(OCTETS).body
    signer.maybe(_SECOND)
    signer.end()
    found: dict[str, Value] = {}
    for one in values(attributes.body):
        kind, value = _attribute(one)
        if kind in found:
            raise Malformed("an attribute of a token stands twice")
        found[kind] = value
    for kind in (_CONTENT_TYPE, _DIGEST, _DATA):
        if kind not in found:
            raise Malformed("an attribute of a token is missing")
    _must_be(single(found[_CONTENT_TYPE].body, OBJECT), _ENVELOPED)
    if not equal(single(found[_DIGEST].body, OCTETS).body, sha256(envelope)):
        raise NotAuthentic("the signed digest is of something else")
    header = single(found[_DATA].body, OCTETS).body
    if len(header) != HEADER or not header.isascii():
        raise Malformed("the header of a token has 16 characters")
    nonce = single(found[_NONCE].body, OCTETS).body if _NONCE in found else b""
    if _NONCE in found and not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
        raise Malformed("the nonce of a token has 8 to 16 bytes")
    at = _instant(found[_SIGNING_TIME]) if _SIGNING_TIME in found else 0
    return Token34(
        signer=name.octets,
        signed=write(SET, attributes.body),
        signature=signature,
        header=header.decode("ascii"),
        nonce=nonce,
        signed_at=at,
        envelope=_enveloped(envelope),
    )


def _enveloped(envelope: bytes) -> Envelope34:
    parts = values(envelope)
    data = Members(parts[0] if len(parts) == 1 else Value(SEQUENCE, envelope, envelope))
    number(data.take(INTEGER_TAG))
    recipients = values(data.take(SET).body)
    content = Members(data.take(SEQUENCE))
    data.end()
    if len(recipients) != 1:
        raise Malformed("a token has one recipient")
    one = Members(recipients[0])
    number(one.take(INTEGER_TAG))
    name, algorithm, sealed = one.take(SEQUENCE), one.take(SEQUENCE), one.take(OCTETS).body
    one.end()
    _must_be(content.take(OBJECT), _DATA)
    way = Members(content.take(SEQUENCE))
    cipher, initial = dotted(way.take(OBJECT)), way.take(OCTETS).body
    enciphered = way.maybe(_BARE) or content.maybe(_BARE)
    way.end()
    content.end()
    if cipher not in _CIPHERS:
        raise NotPermitted("the content of a token is under AES-128 or TDEA, in a chain")
    width = 16 if cipher == _AES else 8
    if enciphered is None or len(initial) != width or len(enciphered.body) % width:
        raise Malformed("the content of a token is not made of whole blocks")
    return Envelope34(
        recipient=name.octets,
        digest=_hash_of(Members(algorithm)),
        sealed=sealed,
        cipher=cipher,
        initial=initial,
        enciphered=enciphered.body,
    )


def _hash_of(algorithm: Members) -> str:
    """The one hash of OAEP, its parameters with tags or without; no other label than none."""
    _must_be(algorithm.take(OBJECT), _OAEP)
    parts = values(algorithm.take(SEQUENCE).body)
    algorithm.end()
    if len(parts) not in {2, 3}:
        raise NotPermitted("RSA-OAEP is served with SHA-256 and SHA-512, named in full")
    plain = [
        single(part.body, SEQUENCE) if part.tag == _FIRST + place else part
        for place, part in enumerate(parts)
    ]
    if any(part.tag != SEQUENCE for part in plain):
        raise Malformed("the parameters of RSA-OAEP have another form")
    hashed = _algorithm(plain[0], *_HASHES)
    mask = Members(plain[1])
    _must_be(mask.take(OBJECT), _MGF1)
    inner = _algorithm(mask.take(SEQUENCE), *_HASHES)
    mask.end()
    if len(plain) == 3:
        label = Members(plain[2])
        _must_be(label.take(OBJECT), _LABEL)
        if label.take(OCTETS).body:
            raise NotPermitted("RSA-OAEP is served without a label")
        label.end()
    if hashed != inner:
        raise NotPermitted("RSA-OAEP is served with one hash for both of its parts")
    return _HASHES[hashed]


def _algorithm(value: Value, *admitted: str) -> str:
    members = Members(value)
    found = dotted(members.take(OBJECT))
    parameters = members.maybe(NULL)
    members.end()
    if found not in admitted or (parameters is not None and parameters.body):
        raise NotPermitted("the token has an algorithm that is not served")
    return found


def _attribute(value: Value) -> tuple[str, Value]:
    members = Members(value)
    kind, found = dotted(members.take(OBJECT)), members.take(SET)
    members.end()
    return kind, found


def _must_be(value: Value, wanted: str) -> None:
    if dotted(value) != wanted:
        raise Malformed("the octets are no token of TR-34")


def _instant(value: Value) -> int:
    """The instant (ms) of a signing time, in UTC without fractions."""
    parts = values(value.body)
    if len(parts) != 1 or parts[0].tag not in {_UTC, TIME}:
        raise Malformed("the signing time has another form")
    form = "%y%m%d%H%M%SZ" if parts[0].tag == _UTC else "%Y%m%d%H%M%SZ"
    try:
        found = datetime.strptime(parts[0].body.decode("ascii"), form).replace(tzinfo=UTC)
        return int(found.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Malformed("the signing time has another form") from error


def _time(at: int) -> bytes:
    text = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%y%m%d%H%M%SZ")
    return write(_UTC, text.encode("ascii"))


def _header(header: str) -> bytes:
    return _written(_DATA, write(OCTETS, header.encode("ascii")))


def _written(kind: str, value: bytes) -> bytes:
    return write(SEQUENCE, write_object(kind), write(SET, value))


def _unpadded(plain: bytes, width: int) -> bytes:
    room = plain[-1] if plain else 0
    if not 1 <= room <= width or plain[-room:] != bytes((room,)) * room:
        raise _unopened()
    return plain[:-room]


def _unopened() -> NotAuthentic:
    return NotAuthentic("the token does not open")
