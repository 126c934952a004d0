"""What every cryptographic module offers: handles, purposes, and the operations of each purpose.

A key serves one purpose, and the purpose fixes the operations and mechanisms; a handle is only a
name, so that changing it in memory gives no other right.

Source: ISO/TS 12812-2:2017, 3.7; 7.4.2; 8.2.1; ISO/IEC 19790; ISO 11568
"""

from enum import StrEnum
from typing import Protocol

from tallystick.infrastructure.modules.pair_interface import (
    CERTIFICATE,
    PAIR_MECHANISMS,
    PAIRS_OF,
)
from tallystick.infrastructure.modules.states import KeyStates
from tallystick.kernel.model import Record


class Operation(StrEnum):
    """What can be done with a key; opening goes with sealing, verifying a MAC with making it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    SIGN = "sign"
    MAC = "mac"
    SEAL = "seal"
    KEM_OPEN = "kem-open"


class Purpose(StrEnum):
    """What a key is for; one key has one purpose for its whole life.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    PROVIDER_ROOT = "provider-root"
    OFFICER = "officer"
    SESSION_SIGNATURE = "session-signature"
    DEVICE_CA = "device-ca"
    TALLY = "tally"
    TIME_STAMP = "time-stamp"
    WITNESS = "witness"
    WEBHOOK = "webhook"
    QUOTE = "quote"
    RECEIPT_CODE = "receipt-code"
    ACTIVATION = "activation"
    PIN_PEPPER = "pin-pepper"
    ALIAS_INDEX = "alias-index"
    SUBJECT = "subject"
    SUBJECT_WRAP = "subject-wrap"
    SESSION_WRAP = "session-wrap"
    DIALLED_PIN = "dialled-pin"
    STORE = "store"
    TIGHTENING = "tightening"
    PARTNER_LINK = "partner-link"
    OTP_SEED = "otp-seed"
    OTP_TRANSPORT = "otp-transport"
    CERTIFICATE_ROOT = "certificate-root"
    CERTIFICATE_ISSUER = "certificate-issuer"
    OCSP_RESPONDER = "ocsp-responder"
    KEY_WRAP = "key-wrap"
    PIN_ENCRYPTION = "pin-encryption"
    PIN_PVV = "pin-pvv"
    PIN_IBM3624 = "pin-ibm3624"
    PIN_REFERENCE = "pin-reference"
    DUKPT_BASE = "dukpt-base"
    DUKPT_INITIAL = "dukpt-initial"
    CARD_VERIFICATION = "card-verification"
    CHIP_CRYPTOGRAM = "chip-cryptogram"
    CHIP_CONFIDENTIALITY = "chip-confidentiality"
    CHIP_INTEGRITY = "chip-integrity"
    CHIP_DYNAMIC = "chip-dynamic"
    CARD_MAC = "card-mac"
    CARD_MAC_RETAIL = "card-mac-retail"
    CARD_MAC_CBC = "card-mac-cbc"
    TOKENISATION = "tokenisation"
    SIM_PACKET = "sim-packet"
    SIM_ORDER = "sim-order"
    DATA_ENCRYPTION = "data-encryption"
    LINK_HMAC = "link-hmac"
    DOOR_CREDENTIAL = "door-credential"
    APP_SIGNING = "app-signing"
    SURROGATE = "surrogate"
    PAIR_DATA = "pair-data"
    PAIR_TRANSPORT = "pair-transport"
    PAIR_SIGNATURE = "pair-signature"
    PAIR_AGREEMENT = "pair-agreement"
    PARTNER_CERTIFICATE = "partner-certificate"
    DOOR_AUTHORITY = "door-authority"


ED25519 = "ed25519"
DUAL_SIGNATURE = "ed25519-ml-dsa-65"
ECDSA_P256 = "ecdsa-p256-sha256"
HMAC_SHA1 = "hmac-sha1"
HMAC_SHA256 = "hmac-sha256"
HMAC_SHA512 = "hmac-sha512"
CMAC_AES_128 = "cmac-aes-128"
AES_256_GCM = "aes-256-gcm"
AES_256_CCM = "aes-256-ccm"
HKDF_SHA256 = "hkdf-sha256"
HKDF_CCM = "hkdf-sha256-aes-256-ccm"
HPKE_P256 = "hpke-p256"
HPKE_X25519 = "hpke-x25519"
HPKE_HYBRID = "hpke-mlkem768-x25519"
AES_256 = "aes-256"
AES_192 = "aes-192"
AES_128 = "aes-128"
TDEA_3KEY = "tdea-3key"
TDEA_2KEY = "tdea-2key"

CARD_LENGTHS: dict[str, int] = {
    AES_256: 32,
    AES_192: 24,
    AES_128: 16,
    TDEA_3KEY: 24,
    TDEA_2KEY: 16,
}
"""The mechanisms of card keys and the length of their keys in bytes."""

OPERATIONS: dict[str, frozenset[Operation]] = {
    ED25519: frozenset({Operation.SIGN}),
    DUAL_SIGNATURE: frozenset({Operation.SIGN}),
    ECDSA_P256: frozenset({Operation.SIGN}),
    HMAC_SHA1: frozenset({Operation.MAC}),
    HMAC_SHA256: frozenset({Operation.MAC}),
    HMAC_SHA512: frozenset({Operation.MAC}),
    CMAC_AES_128: frozenset({Operation.MAC}),
    AES_256_GCM: frozenset({Operation.SEAL}),
    AES_256_CCM: frozenset({Operation.SEAL}),
    HKDF_SHA256: frozenset({Operation.MAC, Operation.SEAL}),
    HKDF_CCM: frozenset({Operation.MAC, Operation.SEAL}),
    HPKE_P256: frozenset({Operation.KEM_OPEN}),
    HPKE_X25519: frozenset({Operation.KEM_OPEN}),
    HPKE_HYBRID: frozenset({Operation.KEM_OPEN}),
    **dict.fromkeys((*CARD_LENGTHS, *PAIR_MECHANISMS, CERTIFICATE), frozenset[Operation]()),
}
"""The operations of each mechanism; an HKDF key is split in two, one for MACs, one for sealing.

Keys of cards and pairs have none of these: theirs are in `card_interface` and `pair_interface`.
"""

_AES = (AES_256, AES_192, AES_128)
_AES_OR_TDEA = (*_AES, TDEA_3KEY, TDEA_2KEY)
_AES_OR_CHIP = (*_AES, TDEA_2KEY)
_TDEA = (TDEA_2KEY,)

MECHANISMS: dict[Purpose, tuple[str, ...]] = {
    Purpose.PROVIDER_ROOT: (ED25519, ECDSA_P256),
    Purpose.OFFICER: (ED25519, ECDSA_P256),
    Purpose.SESSION_SIGNATURE: (ECDSA_P256, ED25519),
    Purpose.DEVICE_CA: (ECDSA_P256,),
    Purpose.TALLY: (ED25519, DUAL_SIGNATURE),
    Purpose.TIME_STAMP: (ECDSA_P256,),
    Purpose.WITNESS: (ED25519,),
    Purpose.WEBHOOK: (ED25519, ECDSA_P256),
    Purpose.QUOTE: (HMAC_SHA256,),
    Purpose.RECEIPT_CODE: (HMAC_SHA256,),
    Purpose.ACTIVATION: (HMAC_SHA256,),
    Purpose.PIN_PEPPER: (HMAC_SHA256,),
    Purpose.ALIAS_INDEX: (HMAC_SHA256,),
    Purpose.SUBJECT: (HKDF_SHA256, HKDF_CCM),
    Purpose.SUBJECT_WRAP: (AES_256_GCM, AES_256_CCM),
    Purpose.SESSION_WRAP: (AES_256_GCM,),
    Purpose.DIALLED_PIN: (AES_256,),
    Purpose.STORE: (AES_256_GCM,),
    Purpose.TIGHTENING: (ED25519,),
    Purpose.PARTNER_LINK: (HMAC_SHA256,),
    Purpose.OTP_SEED: (HMAC_SHA256, HMAC_SHA512, HMAC_SHA1),
    Purpose.OTP_TRANSPORT: (HPKE_HYBRID, HPKE_P256, HPKE_X25519),
    Purpose.CERTIFICATE_ROOT: (ECDSA_P256,),
    Purpose.CERTIFICATE_ISSUER: (ECDSA_P256,),
    Purpose.OCSP_RESPONDER: (ECDSA_P256,),
    Purpose.KEY_WRAP: _AES_OR_TDEA,
    Purpose.PIN_ENCRYPTION: _AES_OR_TDEA,
    Purpose.PIN_PVV: _TDEA,
    Purpose.PIN_IBM3624: _TDEA,
    Purpose.PIN_REFERENCE: _AES,
    Purpose.DUKPT_BASE: _AES_OR_CHIP,
    Purpose.DUKPT_INITIAL: _AES_OR_CHIP,
    Purpose.CARD_VERIFICATION: _TDEA,
    Purpose.CHIP_CRYPTOGRAM: _AES_OR_CHIP,
    Purpose.CHIP_CONFIDENTIALITY: _AES_OR_CHIP,
    Purpose.CHIP_INTEGRITY: _AES_OR_CHIP,
    Purpose.CHIP_DYNAMIC: _TDEA,
    Purpose.CARD_MAC: _AES,
    Purpose.CARD_MAC_RETAIL: _TDEA,
    Purpose.CARD_MAC_CBC: _TDEA,
    Purpose.TOKENISATION: _AES,
    Purpose.SIM_PACKET: (CMAC_AES_128,),
    Purpose.SIM_ORDER: (CMAC_AES_128,),
    Purpose.DATA_ENCRYPTION: _AES_OR_TDEA,
    Purpose.LINK_HMAC: (HMAC_SHA256, HMAC_SHA512),
    Purpose.DOOR_CREDENTIAL: (HMAC_SHA256,),
    Purpose.APP_SIGNING: (ECDSA_P256,),
    Purpose.SURROGATE: (HKDF_SHA256,),
    **{Purpose(name): names for name, names in PAIRS_OF.items()},
}
"""The mechanisms that a purpose admits; the first is taken where none is asked for.

TDEA is restricted: a module takes it only where its rules for cards name it.
"""

SEED_INFO = b"tallystick otp seed v1\x00"
"""What a sealed OTP seed is bound to; the mechanism follows."""

SHORTEST_SEED = 16
LONGEST_SEED = 64

ADMITTED_ONLY: frozenset[Purpose] = frozenset({Purpose.PARTNER_CERTIFICATE})
"""Purposes whose keys are others' and come in; none is made here."""

MEMORY_ONLY: frozenset[Purpose] = frozenset({Purpose.SESSION_WRAP, Purpose.DIALLED_PIN})
"""Purposes whose keys live and die with the module: not even their wrapped form comes out."""

CHECKING_ONLY: frozenset[Purpose] = frozenset({Purpose.OTP_SEED})
"""Purposes whose keys others made and that only check: they may use what is legacy."""


class KeyHandle(Record, frozen=True, kw_only=True):
    """The name of a key inside a module; possessing it is not possessing the key.

    `created_at` is in milliseconds.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    purpose: Purpose
    mechanism: str
    exportable: bool
    created_at: int


class Capabilities(Record, frozen=True, kw_only=True):
    """What a module is and is not, said without gloss, for the policy to act on.

    `validated_as` is the number of a certificate, empty where there is none. Without
    `atomic_pin_translation` no PIN can be translated without its block being in clear outside.
    `in_device` are the purposes whose keys are in a device that holds them for good.
    `validated_until` is the end of the certificate in milliseconds; `isolated_process` says that
    keys are not in the caller's memory, `pins_in_software` that the rules of the module let PINs of
    a closed loop in without hardware.
    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 8.2.3
    """

    name: str
    statement: str
    hardware_boundary: bool
    validated_as: str
    profile: str
    mechanisms: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    atomic_pin_translation: bool = True
    in_device: tuple[Purpose, ...] = ()
    validated_until: int = 0
    isolated_process: bool = False
    pins_in_software: bool = False


class CryptoModule(Protocol):
    """A cryptographic module; clear private and secret keys never cross this interface.

    Every method raises Unavailable once the module was zeroised, Broken once a self-test failed,
    NotFound for a handle it does not know and NotPermitted for an operation the purpose excludes.
    Source: ISO/TS 12812-2:2017, 8.2.1; ISO/IEC 19790
    """

    @property
    def states(self) -> KeyStates:
        """In which state each key is; a use that its state does not leave is NotPermitted.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        ...

    def random(self, length: int) -> bytes:
        """`length` random bytes.

        Source: ISO/IEC 18031
        """
        ...

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key made inside for `purpose`, with its first mechanism unless one is named.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def export_block(self, handle: KeyHandle) -> bytes:
        """The key, wrapped, with its purpose bound to it; only this provider's modules open it.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        ...

    def import_block(self, block: bytes) -> KeyHandle:
        """The key in a block that `export_block` made; NotAuthentic for anything else.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        ...

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        ...

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`.

        Source: ISO/IEC 14888-3
        """
        ...

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`: 32 bytes, 16 under a key of a SIM.

        Under an OTP seed as many as the hash of its mechanism has.
        Source: ISO/IEC 9797-2; ISO/IEC 9797-1
        """
        ...

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: ISO/IEC 9797-2
        """
        ...

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad` under a nonce used once.

        Source: ISO/IEC 19772
        """
        ...

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; raises NotAuthentic if anything was changed.

        Source: ISO/IEC 19772
        """
        ...

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half; raises NotAuthentic otherwise.

        Source: RFC 9180, 6.1
        """
        ...

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """The OTP seed that was sealed to the public half, as a key for `mechanism`; it stays here.

        Raises NotAuthentic for what does not open, Malformed for a seed that is too short.
        Source: RFC 9180, 6.1; RFC 4226, 4
        """
        ...

    def destroy(self, handle: KeyHandle) -> None:
        """Forget the key; blocks outside are their keeper's to delete.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def zeroise(self) -> None:
        """Forget every key and refuse all service from now on.

        Source: ISO/TS 12812-2:2017, 8.2.1; ISO/IEC 19790
        """
        ...

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def capabilities(self) -> Capabilities:
        """What the module is and is not.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        ...

    def self_test(self) -> tuple[str, ...]:
        """Run every known answer; the mechanisms that passed. Raises Broken if one did not.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        ...
