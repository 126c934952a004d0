"""The closed lists of the door: usages, algorithms, states, and the texts that name a key.

Source: AWS Payment Cryptography API, 2021-09-14
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.model import Wire, length, pattern


class Shape(Wire, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """A shape of the service model: its fields are in Pascal case, what says nothing is left out.

    Source: AWS Payment Cryptography API, 2021-09-14
    """


KeyIdentifier = Annotated[
    str,
    pattern(
        "^(?:arn:aws:payment-cryptography:[a-z]{2}-[a-z]{1,16}-[0-9]{1,2}:[0-9]{12}:"
        "(?:key/[0-9a-zA-Z]{16,64}|alias/[a-zA-Z0-9/_-]{1,256})|alias/[a-zA-Z0-9/_-]{1,256})$"
    ),
]
"""An ARN of a key or an alias, or the name of an alias."""

KeyArn = Annotated[
    str,
    pattern(
        "^arn:aws:payment-cryptography:[a-z]{2}-[a-z]{1,16}-[0-9]{1,2}:[0-9]{12}:"
        "key/[0-9a-zA-Z]{16,64}$"
    ),
]
"""An ARN of a key."""

AliasName = Annotated[str, pattern("^alias/[a-zA-Z0-9/_-]{1,250}$")]
"""The name of an alias."""

KeyCheckValue = Annotated[str, pattern("^[0-9A-F]{4,16}$")]
"""Hexadecimal digits that show which key it is."""

KeyUsage = Literal[
    "TR31_B0_BASE_DERIVATION_KEY", "TR31_C0_CARD_VERIFICATION_KEY",
    "TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "TR31_D1_ASYMMETRIC_KEY_FOR_DATA_ENCRYPTION",
    "TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS", "TR31_E1_EMV_MKEY_CONFIDENTIALITY",
    "TR31_E2_EMV_MKEY_INTEGRITY", "TR31_E4_EMV_MKEY_DYNAMIC_NUMBERS",
    "TR31_E5_EMV_MKEY_CARD_PERSONALIZATION", "TR31_E6_EMV_MKEY_OTHER",
    "TR31_K0_KEY_ENCRYPTION_KEY", "TR31_K1_KEY_BLOCK_PROTECTION_KEY",
    "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT", "TR31_M0_ISO_16609_MAC_KEY",
    "TR31_M1_ISO_9797_1_MAC_KEY", "TR31_M3_ISO_9797_3_MAC_KEY", "TR31_M6_ISO_9797_5_CMAC_KEY",
    "TR31_M7_HMAC_KEY", "TR31_P0_PIN_ENCRYPTION_KEY", "TR31_P1_PIN_GENERATION_KEY",
    "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE", "TR31_V1_IBM3624_PIN_VERIFICATION_KEY",
    "TR31_V2_VISA_PIN_VERIFICATION_KEY", "TR31_K2_TR34_ASYMMETRIC_KEY",
]  # fmt: skip
"""Every usage of the service model; which of them are served is said elsewhere."""

KeyClass = Literal["SYMMETRIC_KEY", "ASYMMETRIC_KEY_PAIR", "PRIVATE_KEY", "PUBLIC_KEY"]
"""What sort of key."""

KeyAlgorithm = Literal[
    "TDES_2KEY", "TDES_3KEY", "AES_128", "AES_192", "AES_256",
    "HMAC_SHA224", "HMAC_SHA256", "HMAC_SHA384", "HMAC_SHA512",
    "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521",
]  # fmt: skip
"""Every algorithm of the service model."""

KcvAlgorithm = Literal["CMAC", "ANSI_X9_24", "HMAC", "SHA_1"]
"""How a check value is made."""

KeyState = Literal["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_PENDING", "DELETE_COMPLETE"]
"""Where a key is in its life."""

KeyOrigin = Literal["EXTERNAL", "AWS_PAYMENT_CRYPTOGRAPHY"]
"""Whether a key came in or was made here; the word for here is the model's."""

DerivationType = Literal["TDES_2KEY", "TDES_3KEY", "AES_128", "AES_192", "AES_256"]
"""What is derived for a terminal's transaction."""

Variant = Literal["BIDIRECTIONAL", "REQUEST", "RESPONSE"]
"""Whose messages a derived key protects."""

Hex = Annotated[str, pattern("^[0-9a-fA-F]{2,8448}$")]
"""Octets in hexadecimal; that the digits are even in number is looked at where they are read."""

KeySerialNumber = Annotated[str, pattern("^(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{20}|[0-9a-fA-F]{24})$")]
"""A serial number of DUKPT."""

Pan = Annotated[str, pattern("^[0-9]{12,19}$")]
"""An account number of a card."""

PanField = Annotated[Pan, PERSONAL]
"""An account number in a message."""

Sequence = Annotated[Annotated[str, pattern("^[0-9]{2}$")], INTERNAL]
"""The sequence number of a card in a message."""

Region = Annotated[str, pattern("^[a-z]{2}-[a-z]{1,16}-[0-9]{1,2}$")]
"""A region of the service."""

CertificateText = Annotated[str, pattern("^[^\\[;\\]<>]{1,32768}$")]
"""A certificate: PEM in base64."""

Derivation = Literal["NIST_SP800", "ANSI_X963"]
"""How a key comes out of an agreement."""

DerivationHash = Literal["SHA_256", "SHA_384", "SHA_512"]
"""The hash of that."""

Shared = Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){1,1024}$")]
"""What an agreed key is bound to."""

WrappingSpec = Literal["RSA_OAEP_SHA_256", "RSA_OAEP_SHA_512"]
"""The padding under which a key travels."""

TagText = Annotated[str, length(1, 256)]
"""A name or value that a caller gives its key."""


class KeyModesOfUse(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """What a key may do.

    Source: AWS Payment Cryptography API, KeyModesOfUse
    """

    encrypt: Annotated[bool, PUBLIC] = False
    decrypt: Annotated[bool, PUBLIC] = False
    wrap: Annotated[bool, PUBLIC] = False
    unwrap: Annotated[bool, PUBLIC] = False
    generate: Annotated[bool, PUBLIC] = False
    sign: Annotated[bool, PUBLIC] = False
    verify: Annotated[bool, PUBLIC] = False
    derive_key: Annotated[bool, PUBLIC] = False
    no_restrictions: Annotated[bool, PUBLIC] = False


class KeyAttributes(Shape, frozen=True, kw_only=True):
    """What a key is for.

    Source: AWS Payment Cryptography API, KeyAttributes
    """

    key_usage: Annotated[KeyUsage, PUBLIC]
    key_class: Annotated[KeyClass, PUBLIC]
    key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    key_modes_of_use: Annotated[KeyModesOfUse, PUBLIC]
