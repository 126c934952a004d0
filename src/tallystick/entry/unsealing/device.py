"""A key-encryption key in a token: `pkcs11:token=...;object=...?module-path=...&pin-source=...`.

A key that may encrypt is used with AES-GCM, one that may only wrap with AES key wrap. The key has
to be sensitive and not extractable; who makes it is the token's owner (`pkcs11-tool --keygen`).

Source: RFC 7512; ISO/TS 12812-2:2017, 7.4.2; ISO 11568; PKCS #11 v3.0, 6.13
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from tallystick.entry.module_settings import read_pin
from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, TAG_LENGTH
from tallystick.infrastructure.crypto.digest import equal, sha256
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.pkcs11.sessions import Session, Sessions, TokenPlace, named
from tallystick.infrastructure.modules.pkcs11.starting import driver
from tallystick.infrastructure.modules.pkcs11.uris import KeyUri, read_key_uri
from tallystick.infrastructure.modules.pkcs11.vendors import vendor
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret

T = TypeVar("T")
KIND: Final = "pkcs11"
_GCM: Final = b"\x01"
_WRAP: Final = b"\x02"
_SUM: Final = 8
_WRONG: Final = (
    "EncryptedDataInvalid", "EncryptedDataLenRange", "DataInvalid", "FunctionFailed",
    "GeneralError", "WrappedKeyInvalid", "WrappedKeyLenRange",
)  # fmt: skip


class DeviceKey:
    """Wraps and unwraps in a token; sessions are open for one act only.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    kind = KIND

    def __init__(self, uri: KeyUri, pin: Secret[str]) -> None:
        self._uri = uri
        self._own_nonce = vendor(uri.vendor).own_nonce
        self._place = TokenPlace(
            uri.library, pin, uri.label, uri.serial, uri.slot, sessions=1, wait_ms=5_000
        )

    def wrap(self, secret: Secret[bytes], context: bytes) -> bytes:
        """`secret` as the token enciphers it, bound to `context`.

        Source: PKCS #11 v3.0, 6.13
        """
        return self._ask(lambda at: self._wrapped(at, secret.reveal(), context))

    def unwrap(self, wrapped: bytes, context: bytes) -> Secret[bytes]:
        """What the token deciphers; NotAuthentic where it cannot.

        Source: PKCS #11 v3.0, 6.13
        """
        return Secret(self._ask(lambda at: self._unwrapped(at, wrapped, context)))

    def __repr__(self) -> str:
        return f"DeviceKey({self._uri.label}, {self._uri.name})"

    def _ask(self, act: Callable[[Session], T]) -> T:
        sessions = Sessions(self._place)
        try:
            return sessions.ask(act)
        finally:
            sessions.close()

    def _wrapped(self, at: Session, secret: bytes, context: bytes) -> bytes:
        key = self._key(at)
        if _may(key, "ENCRYPT") and not self._own_nonce:
            nonce = operating_system(NONCE_LENGTH)
            return _GCM + nonce + bytes(key.encrypt(secret, **_gcm(nonce, context)))
        carried = at.open.create_object(_carried(secret + sha256(context)[:_SUM]))
        try:
            return _WRAP + bytes(key.wrap_key(carried, mechanism=_key_wrap()))
        finally:
            carried.destroy()

    def _unwrapped(self, at: Session, wrapped: bytes, context: bytes) -> bytes:
        key = self._key(at)
        way, rest = wrapped[:1], wrapped[1:]
        try:
            if way == _GCM:
                nonce, sealed = rest[:NONCE_LENGTH], rest[NONCE_LENGTH:]
                return bytes(key.decrypt(sealed, **_gcm(nonce, context)))
            return _checked(_brought_out(key, rest), context)
        except named(*_WRONG) as error:
            if list(at.open.get_objects(self._template())):
                raise NotAuthentic(
                    "the key in the token does not decipher this",
                    remedy="check which key-encryption key the address names",
                ) from error
            raise

    def _template(self) -> dict[Any, Any]:
        names, sorts = driver().Attribute, driver().ObjectClass
        wanted: dict[Any, Any] = {names.CLASS: sorts.SECRET_KEY}
        if self._uri.name:
            wanted[names.LABEL] = self._uri.name
        if self._uri.key_id:
            wanted[names.ID] = self._uri.key_id
        return wanted

    def _key(self, at: Session) -> Any:
        found = list(at.open.get_objects(self._template()))
        if not found:
            raise driver().NoSuchKey
        if len(found) > 1:
            raise Conflict("more than one key fits", remedy="name its id")
        if _may(found[0], "EXTRACTABLE") or not _may(found[0], "SENSITIVE"):
            raise NotPermitted(
                "the key-encryption key could leave the token",
                remedy="make one that is sensitive and not extractable",
            )
        return found[0]


def device_key(address: str) -> DeviceKey:
    """The key that `address` names.

    Raises Malformed for an address that leaves something out, and what reading the PIN raises.
    Source: RFC 7512
    """
    uri = read_key_uri(address)
    if not uri.library or not uri.pin or not (uri.name or uri.key_id):
        raise Malformed(
            "name the key, the vendor's library and the place of the PIN",
            remedy="pkcs11:token=T;object=K?module-path=/LIB.so&pin-source=file:/PATH",
        )
    return DeviceKey(uri, read_pin(uri.pin))


def _may(found: Any, name: str) -> bool:
    try:
        return bool(found[driver().Attribute[name]])
    except named("AttributeTypeInvalid", "FunctionFailed"):
        return False


def _gcm(nonce: bytes, context: bytes) -> dict[str, Any]:
    package = driver()
    parameters = package.GCMParams(nonce, context, 8 * TAG_LENGTH)
    return {"mechanism": package.Mechanism.AES_GCM, "mechanism_param": parameters}


def _key_wrap() -> Any:
    return driver().Mechanism.AES_KEY_WRAP


def _carried(octets: bytes) -> dict[Any, Any]:
    """An object that lives as long as its session, and carries `octets` to be wrapped."""
    package = driver()
    names = package.Attribute
    return {
        names.CLASS: package.ObjectClass.SECRET_KEY,
        names.KEY_TYPE: package.KeyType.GENERIC_SECRET,
        names.TOKEN: False,
        names.SENSITIVE: False,
        names.EXTRACTABLE: True,
        names.VALUE: octets,
    }


def _brought_out(key: Any, rest: bytes) -> bytes:
    package = driver()
    names = package.Attribute
    carried = key.unwrap_key(
        package.ObjectClass.SECRET_KEY,
        package.KeyType.GENERIC_SECRET,
        rest,
        mechanism=_key_wrap(),
        template={names.SENSITIVE: False, names.EXTRACTABLE: True, names.TOKEN: False},
    )
    try:
        return bytes(carried[names.VALUE])
    finally:
        carried.destroy()


def _checked(octets: bytes, context: bytes) -> bytes:
    secret, bound = octets[:-_SUM], octets[-_SUM:]
    if not equal(bound, sha256(context)[:_SUM]):
        raise NotAuthentic("the wrapped secret is of another master key file")
    return secret
