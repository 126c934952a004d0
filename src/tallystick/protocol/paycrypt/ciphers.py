"""Enciphered data of the data plane.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import pattern
from tallystick.protocol.paycrypt.data import OfKeyAnswer
from tallystick.protocol.paycrypt.words import (
    DerivationType,
    Hex,
    KeyIdentifier,
    KeySerialNumber,
    PanField,
    Sequence,
    Shape,
    Variant,
)
from tallystick.protocol.paycrypt.wrapped import OfCall

_Identifier = Annotated[KeyIdentifier, INTERNAL]
_Eight = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{16}$")], INTERNAL]
_Major = Annotated[Literal["EMV_OPTION_A", "EMV_OPTION_B"], PUBLIC]
_Padding = Literal["PKCS1", "OAEP_SHA1", "OAEP_SHA256", "OAEP_SHA512"]
_Initial = Annotated[
    Annotated[str, pattern("^(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32})$")] | None, INTERNAL
]


class Symmetric(Shape, frozen=True, kw_only=True):
    """A mode and an initial value.

    Source: AWS Payment Cryptography API, SymmetricEncryptionAttributes
    """

    mode: Annotated[Literal["ECB", "CBC", "CFB", "CFB1", "CFB8", "CFB64", "CFB128", "OFB"], PUBLIC]
    initialization_vector: _Initial = None
    padding_type: Annotated[_Padding | None, PUBLIC] = None


class Asymmetric(Shape, frozen=True, kw_only=True):
    """The padding of data under RSA.

    Source: AWS Payment Cryptography API, AsymmetricEncryptionAttributes
    """

    padding_type: Annotated[_Padding, PUBLIC] = "OAEP_SHA256"


class DukptData(Shape, frozen=True, kw_only=True):
    """The transaction of a terminal whose key enciphers data.

    Source: AWS Payment Cryptography API, DukptEncryptionAttributes
    """

    key_serial_number: Annotated[KeySerialNumber, INTERNAL]
    mode: Annotated[Literal["ECB", "CBC"], PUBLIC] = "ECB"
    dukpt_key_derivation_type: Annotated[DerivationType | None, PUBLIC] = None
    dukpt_key_variant: Annotated[Variant, PUBLIC] = "BIDIRECTIONAL"
    initialization_vector: _Initial = None


class EmvData(Shape, frozen=True, kw_only=True):
    """The card and the session that data of a command are for.

    Source: AWS Payment Cryptography API, EmvEncryptionAttributes
    """

    major_key_derivation_mode: _Major
    primary_account_number: PanField
    pan_sequence_number: Sequence
    session_derivation_data: _Eight
    mode: Annotated[Literal["ECB", "CBC"], PUBLIC] = "CBC"
    initialization_vector: _Initial = None


class EncryptionAttributes(Shape, frozen=True, kw_only=True):
    """How data are enciphered: one of these.

    Source: AWS Payment Cryptography API, EncryptionDecryptionAttributes
    """

    symmetric: Annotated[Symmetric | None, PUBLIC] = None
    asymmetric: Annotated[Asymmetric | None, PUBLIC] = None
    dukpt: Annotated[DukptData | None, INTERNAL] = None
    emv: Annotated[EmvData | None, INTERNAL] = None


class EncryptData(Shape, frozen=True, kw_only=True):
    """Asks for data enciphered; the key stands in the path.

    Source: AWS Payment Cryptography API, EncryptData
    """

    plain_text: Annotated[Hex, SENSITIVE]
    encryption_attributes: Annotated[EncryptionAttributes, INTERNAL]
    wrapped_key: Annotated[OfCall | None, INTERNAL] = None


class DecryptData(Shape, frozen=True, kw_only=True):
    """Asks for data in clear; the key stands in the path.

    Source: AWS Payment Cryptography API, DecryptData
    """

    cipher_text: Annotated[Hex, SENSITIVE]
    decryption_attributes: Annotated[EncryptionAttributes, INTERNAL]
    wrapped_key: Annotated[OfCall | None, INTERNAL] = None


class ReEncryptData(Shape, frozen=True, kw_only=True):
    """Asks for data under another key; the first key stands in the path.

    Source: AWS Payment Cryptography API, ReEncryptData
    """

    outgoing_key_identifier: _Identifier
    cipher_text: Annotated[Hex, SENSITIVE]
    incoming_encryption_attributes: Annotated[EncryptionAttributes, INTERNAL]
    outgoing_encryption_attributes: Annotated[EncryptionAttributes, INTERNAL]
    incoming_wrapped_key: Annotated[OfCall | None, INTERNAL] = None
    outgoing_wrapped_key: Annotated[OfCall | None, INTERNAL] = None


class CipherTextAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The data, enciphered.

    Source: AWS Payment Cryptography API, EncryptData
    """

    cipher_text: Annotated[str, SENSITIVE]


class PlainTextAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The data in clear.

    Source: AWS Payment Cryptography API, DecryptData
    """

    plain_text: Annotated[str, SENSITIVE]
