"""Keys that come with a call and serve it alone, and keys that are translated.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import pattern
from tallystick.protocol.paycrypt.exchange import AgreedBlock
from tallystick.protocol.paycrypt.words import (
    CertificateText,
    Derivation,
    DerivationHash,
    KcvAlgorithm,
    KeyAlgorithm,
    KeyCheckValue,
    KeyIdentifier,
    Shape,
    Shared,
)


class AgreedKey(Shape, frozen=True, kw_only=True):
    """A key that a pair of the door and the owner of a certificate agree on.

    Source: AWS Payment Cryptography API, EcdhDerivationAttributes
    """

    certificate_authority_public_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    public_key_certificate: Annotated[CertificateText, PUBLIC]
    key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    key_derivation_function: Annotated[Derivation, PUBLIC]
    key_derivation_hash_algorithm: Annotated[DerivationHash, PUBLIC]
    shared_information: Annotated[Shared, INTERNAL]


class WrappedMaterial(Shape, frozen=True, kw_only=True):
    """How the key of a call comes: one of these.

    Source: AWS Payment Cryptography API, WrappedKeyMaterial
    """

    tr31_key_block: Annotated[
        Annotated[str, pattern("^[0-9a-zA-Z]{56,9984}$")] | None, INTERNAL
    ] = None
    diffie_hellman_symmetric_key: Annotated[AgreedKey | None, INTERNAL] = None


class OfCall(Shape, frozen=True, kw_only=True):
    """The key of one call; the key that is named beside it opens it.

    Source: AWS Payment Cryptography API, WrappedKey
    """

    wrapped_key_material: Annotated[WrappedMaterial, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None


class IncomingKey(Shape, frozen=True, kw_only=True):
    """A key in a key block under an agreed key.

    Source: AWS Payment Cryptography API, IncomingKeyMaterial
    """

    diffie_hellman_tr31_key_block: Annotated[AgreedBlock, INTERNAL]


class OutgoingBlock(Shape, frozen=True, kw_only=True):
    """The key that it leaves under.

    Source: AWS Payment Cryptography API, OutgoingTr31KeyBlock
    """

    wrapping_key_identifier: Annotated[KeyIdentifier, INTERNAL]


class OutgoingKey(Shape, frozen=True, kw_only=True):
    """A key block under a key of the door.

    Source: AWS Payment Cryptography API, OutgoingKeyMaterial
    """

    tr31_key_block: Annotated[OutgoingBlock, INTERNAL]


class TranslateKey(Shape, frozen=True, kw_only=True):
    """Asks for a key under another key; the door does not keep it.

    Source: AWS Payment Cryptography API, TranslateKeyMaterial
    """

    incoming_key_material: Annotated[IncomingKey, INTERNAL]
    outgoing_key_material: Annotated[OutgoingKey, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None


class WrappedWorking(Shape, frozen=True, kw_only=True):
    """The key under the other key.

    Source: AWS Payment Cryptography API, WrappedWorkingKey
    """

    wrapped_key_material: Annotated[str, INTERNAL]
    key_check_value: Annotated[KeyCheckValue, INTERNAL]
    wrapped_key_material_format: Annotated[Literal["TR31_KEY_BLOCK"], PUBLIC]


class TranslatedKey(Shape, frozen=True, kw_only=True):
    """What a translation came to.

    Source: AWS Payment Cryptography API, TranslateKeyMaterial
    """

    wrapped_key: Annotated[WrappedWorking, INTERNAL]
