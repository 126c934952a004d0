"""Keys as objects in a token: made with one use each, never to leave, and checked when found.

Source: PKCS #11 v3.0, 4.4 to 4.10; ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 19790
"""

from typing import Any, Final

from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_256,
    AES_256_GCM,
    ECDSA_P256,
    ED25519,
    HMAC_SHA1,
    HMAC_SHA256,
    HMAC_SHA512,
    HPKE_P256,
)
from tallystick.infrastructure.modules.pkcs11.sessions import Session, named
from tallystick.infrastructure.modules.pkcs11.starting import driver
from tallystick.infrastructure.modules.pkcs11.vendors import Needs
from tallystick.kernel.errors import Broken, Conflict, Malformed, NotPermitted

PRIVATE: Final = "PRIVATE_KEY"
PUBLIC: Final = "PUBLIC_KEY"
SECRET: Final = "SECRET_KEY"  # noqa: S105 - the name of a class of objects
_P256: Final = bytes.fromhex("06082a8648ce3d030107")
_ED25519: Final = bytes.fromhex("06032b6570")
_PAIRS: Final = {ECDSA_P256: "EC", HPKE_P256: "EC", ED25519: "EC_EDWARDS"}
_LENGTHS: Final = {
    HMAC_SHA1: 160, HMAC_SHA256: 256, HMAC_SHA512: 512, AES_256_GCM: 256, AES_256: 256, AES_128: 128
}  # fmt: skip
_HMACS: Final = frozenset({HMAC_SHA1, HMAC_SHA256, HMAC_SHA512})
_USES: Final = ("ENCRYPT", "DECRYPT", "SIGN", "VERIFY", "WRAP", "UNWRAP", "DERIVE", "SIGN_RECOVER")


def uses_of(mechanism: str) -> frozenset[str]:
    """The only uses that the attributes of a key for `mechanism` allow.

    Source: PKCS #11 v3.0, 4.4; ISO/TS 12812-2:2017, 7.4.2
    """
    if mechanism == AES_256_GCM:
        return frozenset({"ENCRYPT", "DECRYPT"})
    return frozenset({"DERIVE"}) if mechanism == HPKE_P256 else frozenset({"SIGN"})


def class_of(mechanism: str) -> str:
    """The class of the object that keeps what is secret of a key.

    Source: PKCS #11 v3.0, 4.2
    """
    return PRIVATE if mechanism in _PAIRS else SECRET


def make(
    session: Session, mechanism: str, needs: Needs, *, key_id: bytes, label: str, kept: bool = True
) -> bytes:
    """Make a key for `mechanism` in the token; gives the public half, empty for a secret key.

    What an earlier attempt left under the same id, before the token was lost, is taken away.
    Raises Broken if the token made something weaker than it was asked for.
    Source: PKCS #11 v3.0, 5.14; ISO/TS 12812-2:2017, 7.4.2
    """
    package = driver()
    wanted: dict[str, Any] = {
        "id": key_id, "label": label, "store": kept, "mechanism": package.Mechanism[needs.make]
    }  # fmt: skip
    locked = _locked(mechanism)
    for left in list(session.open.get_objects({package.Attribute.ID: key_id})):
        left.destroy()
    if mechanism in _PAIRS:
        curve = _ED25519 if mechanism == ED25519 else _P256
        attributes = {package.Attribute.EC_PARAMS: curve}
        kind = package.KeyType[_PAIRS[mechanism]]
        domain = session.open.create_domain_parameters(kind, attributes, local=True)
        _, made = domain.generate_keypair(
            **wanted,
            capabilities=_flags({"VERIFY", "SIGN"} if mechanism != HPKE_P256 else {"DERIVE"}),
            private_template=locked,
        )
    else:
        kind = package.KeyType["GENERIC_SECRET" if mechanism in _HMACS else "AES"]
        made = session.open.generate_key(
            kind,
            _LENGTHS[mechanism],
            **wanted,
            capabilities=_flags(uses_of(mechanism)),
            template=locked,
        )
    check(made, mechanism)
    return public_half(session, mechanism, key_id)


def find(session: Session, sort: str, key_id: bytes) -> Any:
    """The one object of class `sort` with this id.

    Raises the driver's NoSuchKey where there is none: a token that is lost shows none either.
    Source: PKCS #11 v3.0, 5.7
    """
    known = session.keys.get((sort, key_id))
    if known is not None:
        return known
    package = driver()
    template = {package.Attribute.CLASS: package.ObjectClass[sort], package.Attribute.ID: key_id}
    found = list(session.open.get_objects(template))
    if not found:
        raise package.NoSuchKey
    if len(found) > 1:
        raise Conflict("the token has two keys with one id", remedy="take one of them away")
    session.keys[(sort, key_id)] = found[0]
    return found[0]


def is_there(session: Session, sort: str, key_id: bytes) -> bool:
    """Whether the token, asked afresh, has the object.

    Source: PKCS #11 v3.0, 5.7
    """
    session.keys.pop((sort, key_id), None)
    try:
        find(session, sort, key_id)
    except driver().PKCS11Error:
        return False
    return True


def check(found: Any, mechanism: str) -> None:
    """Pass if the key is sensitive, was never to leave, and has the uses of `mechanism` alone.

    Raises Broken otherwise.
    Source: PKCS #11 v3.0, 4.9; 4.10; ISO/TS 12812-2:2017, 7.4.2
    """
    allowed = uses_of(mechanism)
    wrong = [name for name in ("EXTRACTABLE",) if _says(found, name)]
    wrong += [
        name
        for name in ("SENSITIVE", "ALWAYS_SENSITIVE", "NEVER_EXTRACTABLE", "LOCAL")
        if not _says(found, name)
    ]
    wrong += [name for name in _USES if _says(found, name) and name not in allowed]
    if wrong:
        raise Broken(
            f"a key in the token is not as it has to be ({', '.join(wrong)})",
            remedy="make another, and ask the vendor",
        )


def public_half(session: Session, mechanism: str, key_id: bytes) -> bytes:
    """The public half of a pair: a point of 65 octets, or 32; empty for a secret key.

    Raises Malformed for what is no such point.
    Source: PKCS #11 v3.0, 6.3; SEC 1, 2.3.3; RFC 8032, 5.1.5
    """
    if mechanism not in _PAIRS:
        return b""
    octets = bytes(find(session, PUBLIC, key_id)[driver().Attribute.EC_POINT])
    length = 32 if mechanism == ED25519 else 65
    if len(octets) == length + 2 and octets[:2] == bytes((4, length)):
        octets = octets[2:]
    if len(octets) != length:
        raise Malformed("the token gives a public key of another form", remedy="ask the vendor")
    return octets


def destroy(session: Session, mechanism: str, key_id: bytes) -> None:
    """Take the key out of the token for good.

    Source: PKCS #11 v3.0, 5.7; ISO/TS 12812-2:2017, 7.4.2
    """
    for sort in (class_of(mechanism), *((PUBLIC,) if mechanism in _PAIRS else ())):
        find(session, sort, key_id).destroy()
        session.keys.pop((sort, key_id), None)


def own_label(purpose: str, key_id: str) -> str:
    """The label of a key of ours, for people who look into the token.

    Source: PKCS #11 v3.0, 4.4
    """
    return f"tallystick {purpose} {key_id}"


def _locked(mechanism: str) -> dict[Any, Any]:
    names = driver().Attribute
    recover = {names.SIGN_RECOVER: False} if mechanism in _PAIRS else {}
    return {names.SENSITIVE: True, names.EXTRACTABLE: False, names.MODIFIABLE: False, **recover}


def _flags(uses: frozenset[str] | set[str]) -> Any:
    flags = driver().MechanismFlag
    found = flags(0)
    for name in uses:
        found |= flags[name]
    return found


def _says(found: Any, name: str) -> bool:
    try:
        return bool(found[driver().Attribute[name]])
    except named("AttributeTypeInvalid", "FunctionFailed"):
        return False


def refuse_unsupported(mechanism: str, offered: frozenset[str] | set[str]) -> None:
    """Pass if the token offers `mechanism`; raises NotPermitted.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """
    if mechanism not in offered:
        raise NotPermitted(
            f"the token does not offer {mechanism[:40]!r}",
            remedy=f"it offers {', '.join(sorted(offered)) or 'nothing that is used here'}",
        )
