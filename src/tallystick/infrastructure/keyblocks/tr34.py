"""Tokens of TR-34: a key enciphered to a certificate and signed, in CMS; read.

Two ways of writing are about. By the text of 2019 the inner part is EnvelopedData as CMS has it; in
the form of 2012 its head is left out, its content stands beside the initial value, and parameters
of OAEP have no tags. Both are read; the form of 2012 is written, which the service and the modules
that exchange keys with it speak. Nothing is verified here but the digest: whoever reads calls for
the signature before it believes anything.

Source: TR-34; RFC 5652, 5; 6; RFC 8017, A.2.1
"""

from datetime import UTC, datetime
from typing import Final

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
)
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.keyblocks import tr34_names as oid
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotPermitted, TooLarge
from tallystick.kernel.model import Record

LONGEST: Final = 8_192
HEADER: Final = 16
SHORTEST_NONCE: Final = 8
LONGEST_NONCE: Final = 16


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
    Source: TR-34; RFC 5652, 5.3
    """

    signer: bytes
    signed: bytes
    signature: bytes
    header: str
    nonce: bytes
    signed_at: int
    envelope: Envelope34


def named(issuer: bytes, serial: int) -> bytes:
    """The name of a certificate as CMS has it: its issuer (DER) and its number.

    Source: RFC 5652, 10.2.4
    """
    return write(SEQUENCE, issuer, write_number(serial))


def read_token(octets: bytes) -> Token34:
    """What the token in `octets` says.

    Raises TooLarge, Malformed for another form, NotPermitted for mechanisms that are not served,
    NotAuthentic where the digest is of something else.
    Source: TR-34; RFC 5652
    """
    if len(octets) > LONGEST:
        raise TooLarge(f"a token has at most {LONGEST} bytes")
    outer = Members(single(octets, SEQUENCE))
    _must_be(outer.take(OBJECT), oid.SIGNED)
    data = Members(outer.take(oid.FIRST).holds(SEQUENCE))
    outer.end()
    number(data.take(INTEGER_TAG))
    data.take(SET)
    content = Members(data.take(SEQUENCE))
    _must_be(content.take(OBJECT), oid.ENVELOPED)
    envelope = content.take(oid.FIRST).holds(OCTETS).body
    content.end()
    data.maybe(oid.FIRST)
    data.maybe(oid.SECOND)
    signer = data.take(SET).holds(SEQUENCE)
    data.end()
    return _signed_by(Members(signer), envelope)


def opened(token: Token34, ephemeral: bytes) -> tuple[BlockFields, bytes]:
    """The header and the key of a token, whose content is under the key `ephemeral`.

    Call it for what was verified only. Raises NotAuthentic for what does not open or names another
    signer or header than was signed.
    Source: TR-34; RFC 5652, 6.3
    """
    under = token.envelope
    sort, length = oid.CIPHERS[under.cipher]
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
    inner = header[1].holds(OCTETS).body if header[0] == oid.DATA else b""
    if signer.octets != token.signer or inner != token.header.encode("ascii"):
        raise NotAuthentic("the token names another signer or header inside than outside")
    return fields_of(token.header), material


def fields_of(header: str) -> BlockFields:
    """The fields of a header of TR-34: that of a key block whose version and length do not count.

    Raises Malformed for another form, NotPermitted for optional blocks.
    Source: TR-34; X9.143, 6
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


def _signed_by(signer: Members, envelope: bytes) -> Token34:
    number(signer.take(INTEGER_TAG))
    name = signer.take(SEQUENCE)
    _algorithm(signer.take(SEQUENCE), oid.SHA256)
    attributes = signer.take(oid.FIRST)
    _algorithm(signer.take(SEQUENCE), oid.RSA, oid.RSA_SHA256)
    signature = signer.take(OCTETS).body
    signer.maybe(oid.SECOND)
    signer.end()
    found: dict[str, Value] = {}
    for one in attributes.inside():
        kind, value = _attribute(one)
        if kind in found:
            raise Malformed("an attribute of a token stands twice")
        found[kind] = value
    for kind in (oid.CONTENT_TYPE, oid.DIGEST, oid.DATA):
        if kind not in found:
            raise Malformed("an attribute of a token is missing")
    _must_be(found[oid.CONTENT_TYPE].holds(OBJECT), oid.ENVELOPED)
    if not equal(found[oid.DIGEST].holds(OCTETS).body, sha256(envelope)):
        raise NotAuthentic("the signed digest is of something else")
    header = found[oid.DATA].holds(OCTETS).body
    if len(header) != HEADER or not header.isascii():
        raise Malformed("the header of a token has 16 characters")
    nonce = found[oid.NONCE].holds(OCTETS).body if oid.NONCE in found else b""
    if oid.NONCE in found and not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
        raise Malformed("the nonce of a token has 8 to 16 bytes")
    at = _instant(found[oid.SIGNING_TIME]) if oid.SIGNING_TIME in found else 0
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
    data = Members(parts[0] if len(parts) == 1 else parts)
    number(data.take(INTEGER_TAG))
    recipient = data.take(SET).holds(SEQUENCE)
    content = Members(data.take(SEQUENCE))
    data.end()
    one = Members(recipient)
    number(one.take(INTEGER_TAG))
    name, algorithm, sealed = one.take(SEQUENCE), one.take(SEQUENCE), one.take(OCTETS).body
    one.end()
    _must_be(content.take(OBJECT), oid.DATA)
    way = Members(content.take(SEQUENCE))
    cipher, initial = dotted(way.take(OBJECT)), way.take(OCTETS).body
    enciphered = way.maybe(oid.BARE) or content.maybe(oid.BARE)
    way.end()
    content.end()
    if cipher not in oid.CIPHERS:
        raise NotPermitted("the content of a token is under AES-128 or TDEA, in a chain")
    width = 16 if cipher == oid.AES else 8
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
    _must_be(algorithm.take(OBJECT), oid.OAEP)
    parts = algorithm.take(SEQUENCE).inside()
    algorithm.end()
    if len(parts) not in {2, 3}:
        raise NotPermitted("RSA-OAEP is served with SHA-256 and SHA-512, named in full")
    plain = [
        part.holds(SEQUENCE) if part.tag == oid.FIRST + place else part
        for place, part in enumerate(parts)
    ]
    if any(part.tag != SEQUENCE for part in plain):
        raise Malformed("the parameters of RSA-OAEP have another form")
    hashed = _algorithm(plain[0], *oid.HASHES)
    mask = Members(plain[1])
    _must_be(mask.take(OBJECT), oid.MGF1)
    inner = _algorithm(mask.take(SEQUENCE), *oid.HASHES)
    mask.end()
    if len(plain) == 3:
        label = Members(plain[2])
        _must_be(label.take(OBJECT), oid.LABEL)
        if label.take(OCTETS).body:
            raise NotPermitted("RSA-OAEP is served without a label")
        label.end()
    if hashed != inner:
        raise NotPermitted("RSA-OAEP is served with one hash for both of its parts")
    return oid.HASHES[hashed]


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
    said = value.holds()
    if said.tag not in {oid.SHORT_TIME, TIME}:
        raise Malformed("the signing time has another form")
    form = "%y%m%d%H%M%SZ" if said.tag == oid.SHORT_TIME else "%Y%m%d%H%M%SZ"
    try:
        found = datetime.strptime(said.body.decode("ascii"), form).replace(tzinfo=UTC)
        return int(found.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Malformed("the signing time has another form") from error


def _unpadded(plain: bytes, width: int) -> bytes:
    room = plain[-1] if plain else 0
    if not 1 <= room <= width or plain[-room:] != bytes((room,)) * room:
        raise _unopened()
    return plain[:-room]


def _unopened() -> NotAuthentic:
    return NotAuthentic("the token does not open")
