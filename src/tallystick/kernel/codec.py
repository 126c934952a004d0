"""Strict decoding and canonical encoding; the only door to msgspec together with `model`.

Canonical JSON is RFC 8785 restricted to what our structs hold (strings, integers, booleans, arrays,
objects; no float, no null): keys sorted, no white space, one spelling for every string. A signed or
sealed body is accepted only if it equals its own canonical encoding, which refuses duplicate keys,
other key orders, white space and escape variants at the cost of one encoding.

Source: RFC 8785; ISO/TS 12812-2:2017, 11.2.3
"""

import binascii
from typing import Any, Generic, TypeVar

import msgspec

from tallystick.kernel.errors import Malformed, TooLarge

T = TypeVar("T")

MAX_BODY_BYTES = 64 * 1024

_encoder = msgspec.json.Encoder(order="sorted")
_order_free_encoder = msgspec.json.Encoder()
_packer = msgspec.msgpack.Encoder()


def encode_canonical(value: object) -> bytes:
    """The one canonical JSON encoding of `value` (a Record, dict, list, string or integer).

    Raises Malformed for text that is not Unicode (a lone surrogate).
    Source: RFC 8785
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise Malformed("a text is not valid Unicode") from error


def encode(value: object) -> bytes:
    """JSON of `value` in field order, for replies that nobody signs or hashes.

    Source: RFC 8259
    """
    return _order_free_encoder.encode(value)


class Decoder(Generic[T]):
    """Decodes bytes into `T` strictly: unknown fields, wrong types and oversize are refused.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    def __init__(self, type_: type[T], *, limit: int = MAX_BODY_BYTES, file: str = "") -> None:
        """Prepare a decoder for `type_` that takes at most `limit` bytes.

        What is wrong with a body is said without its values. Settings that the provider wrote into
        `file` are its own: what is wrong there is said with the file, the value and the place.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(type_, strict=True)
        self._limit = limit
        self._file = file

    def decode(self, octets: bytes) -> T:
        """The value in `octets`.

        Raises TooLarge past the limit, Malformed for anything that is not exactly a `T`.
        Source: RFC 8259
        """
        if len(octets) > self._limit:
            raise TooLarge(f"the body is larger than {self._limit} bytes")
        try:
            return self._decoder.decode(octets)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            if self._file:
                raise Malformed(
                    f"{self._file}: {str(error)[:200]}", remedy=f"correct {self._file}"
                ) from error
            raise Malformed(
                _safe(error), remedy="compare with the schema of the operation"
            ) from error
        except (ValueError, RecursionError) as error:
            raise Malformed("the body is not valid JSON") from error

    def decode_canonical(self, octets: bytes) -> T:
        """The value in `octets`, accepted only if they are its canonical encoding.

        Raises as `decode`, and Malformed for duplicate keys, white space or another key order.
        Source: RFC 8785
        """
        value = self.decode(octets)
        if _encoder.encode(value) != octets:
            raise Malformed("the body is not in canonical form", remedy="encode it after RFC 8785")
        return value


def _safe(error: Exception) -> str:
    """Msgspec's text names types and paths, never values; except enum values, which are cut.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    text = str(error)
    if "Invalid enum value" in text:
        return "a field has a value outside its list" + _path_of(text)
    if "utf-8" in text:
        return "the body is not valid UTF-8"
    if "unknown field" in text:
        return "the body has a field that the operation does not know"
    return text[:200]


def _path_of(text: str) -> str:
    marker = text.rfind(" - at ")
    return text[marker:][:80] if marker >= 0 else ""


def pack(value: object) -> bytes:
    """MessagePack of `value`, for another process of the same service; never for outside.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return _packer.encode(value)


class Unpacker(Generic[T]):
    """Decodes MessagePack from another process of the same service, as strictly as `Decoder`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, type_: Any) -> None:
        """Prepare for `type_`, which may be a union of tagged structs.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(type_, strict=True)

    def unpack(self, octets: bytes) -> T:
        """The value in `octets`.

        Raises Malformed for anything that is not exactly a `T`.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            return self._decoder.decode(octets)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as error:
            raise Malformed("a message between processes has another shape") from error


def to_plain(value: object) -> Any:
    """`value` as dicts, lists, strings and integers, for tables and templates.

    Source: RFC 8259
    """
    return msgspec.to_builtins(value)


def from_plain(value: object, type_: type[T]) -> T:
    """A `type_` out of plain dicts and lists, as strictly as `Decoder`.

    Raises Malformed with the path of the first wrong field.
    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    try:
        return msgspec.convert(value, type_, strict=True)
    except (msgspec.ValidationError, ValueError) as error:
        raise Malformed(str(error)[:300]) from error


def json_schema(types: list[type], ref_template: str) -> tuple[list[Any], dict[str, Any]]:
    """JSON Schemas (2020-12) of `types` and the components they refer to.

    Source: OpenAPI 3.1, 4.8.24
    """
    schemas, components = msgspec.json.schema_components(types, ref_template=ref_template)
    return list(schemas), components


def b64url(octets: bytes) -> str:
    """Base64url without padding.

    Source: RFC 7515, 2
    """
    return binascii.b2a_base64(octets, newline=False).translate(_TO_URL, b"=").decode()


def b64url_decode(text: str) -> bytes:
    """The bytes of unpadded base64url `text`, accepted in its one canonical spelling only.

    Raises Malformed for padding, other alphabets and non-zero trailing bits.
    Source: RFC 7515, 2
    """
    try:
        padded = text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4)
        octets = binascii.a2b_base64(padded, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("a field is not base64url") from error
    loose = len(text) % 4
    if loose and b64url(octets[1 - loose :]) != text[-loose:]:
        raise Malformed("a field is not canonical base64url", remedy="no padding, no loose bits")
    return octets


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
"""What is not of the URL alphabet becomes what is of no alphabet."""
