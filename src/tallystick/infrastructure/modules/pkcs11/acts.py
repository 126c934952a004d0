"""What is done with a key in a session of a token, and the proof of a key that was just made.

Source: PKCS #11 v3.0, 5.8; 5.14; 6.3.17; ISO/TS 12812-2:2017, 8.2.2; ISO/IEC 19790
"""

from typing import Any, Final, Protocol

from tallystick.infrastructure.crypto.aead import NONCE_LENGTH, TAG_LENGTH
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.signature import EDDSA, ES256, verify_key
from tallystick.infrastructure.modules.interface import (
    AES_256_GCM,
    ECDSA_P256,
    ED25519,
    HPKE_P256,
    CryptoModule,
    KeyHandle,
)
from tallystick.infrastructure.modules.pkcs11 import objects
from tallystick.infrastructure.modules.pkcs11.sessions import Session, named
from tallystick.infrastructure.modules.pkcs11.starting import driver
from tallystick.kernel.errors import Broken, NotAuthentic

_PROBE: Final = b"pairwise consistency"
_ALGORITHMS: Final = {ECDSA_P256: ES256, ED25519: EDDSA}
_WRONG_TAG: Final = (
    "EncryptedDataInvalid", "EncryptedDataLenRange", "DataInvalid", "FunctionFailed", "GeneralError"
)  # fmt: skip


def seal(at: Session, name: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """`plaintext` under AES-GCM with the secret key called `name`, and its tag.

    Source: PKCS #11 v3.0, 6.13; NIST SP 800-38D, 7.1
    """
    cipher = objects.find(at, objects.SECRET, name)
    return bytes(cipher.encrypt(plaintext, **_gcm(nonce, aad)))


def open_sealed(at: Session, name: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The plaintext of `sealed`; NotAuthentic if anything was changed.

    Tokens say in different words that a tag is wrong, some in those of a fault: it is believed
    only if the key is there when the token is asked for it afresh.
    Source: PKCS #11 v3.0, 6.13; NIST SP 800-38D, 7.2
    """
    cipher = objects.find(at, objects.SECRET, name)
    try:
        return bytes(cipher.decrypt(sealed, **_gcm(nonce, aad)))
    except named(*_WRONG_TAG) as error:
        if objects.is_there(at, objects.SECRET, name):
            raise NotAuthentic("the sealed data does not verify") from error
        raise


def agree(own: Any, point: bytes) -> bytes:
    """The x-coordinate of the agreement of a key in the token with `point`: 32 octets.

    Source: PKCS #11 v3.0, 6.3.17; NIST SP 800-56A, 5.7.1.2
    """
    package = driver()
    names = package.Attribute
    derived = own.derive_key(
        package.KeyType.GENERIC_SECRET,
        256,
        mechanism=package.Mechanism.ECDH1_DERIVE,
        mechanism_param=(package.KDF.NULL, None, point),
        capabilities=package.MechanismFlag(0),
        template={names.SENSITIVE: False, names.EXTRACTABLE: True, names.TOKEN: False},
    )
    try:
        return bytes(derived[names.VALUE])
    finally:
        derived.destroy()


class Proved(CryptoModule, Protocol):
    """A module that can use a key for its proof, whatever its purpose.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """

    def use(self, known: KeyHandle, octets: bytes) -> bytes:
        """What the token makes of `octets` with a key that signs or makes codes.

        Source: PKCS #11 v3.0, 5.11
        """
        ...


def prove(module: Proved, handle: KeyHandle) -> None:
    """Use a new key both ways, the other way outside of the token where that is possible.

    Raises Broken if it does not do its work.
    Source: ISO/TS 12812-2:2017, 8.2.2; ISO/IEC 19790
    """
    try:
        good = _is_good(module, handle)
    except NotAuthentic:
        good = False
    if not good:
        raise Broken("a new key in the token does not do its work", remedy="ask the vendor")


def _is_good(module: Proved, handle: KeyHandle) -> bool:
    mechanism = handle.mechanism
    if mechanism in _ALGORITHMS:
        public = verify_key(_ALGORITHMS[mechanism], module.public_octets(handle))
        public.verify(module.sign(handle, _PROBE), _PROBE)
        return True
    if mechanism == AES_256_GCM:
        nonce = module.random(NONCE_LENGTH)
        sealed = module.seal(handle, nonce, _PROBE, _PROBE)
        return module.open(handle, nonce, sealed, _PROBE) == _PROBE and _PROBE not in sealed
    if mechanism == HPKE_P256:
        public_key = KemPublicKey(KemSuite.P256, module.public_octets(handle))
        return module.kem_open(handle, public_key.seal(_PROBE, info=b""), info=b"") == _PROBE
    first, again, other = (module.use(handle, text) for text in (_PROBE, _PROBE, b"other"))
    return first == again != other


def _gcm(nonce: bytes, aad: bytes) -> dict[str, Any]:
    package = driver()
    parameters = package.GCMParams(nonce, aad, 8 * TAG_LENGTH)
    return {"mechanism": package.Mechanism.AES_GCM, "mechanism_param": parameters}
