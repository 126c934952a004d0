"""MACs, values of cards, cryptograms and enciphered data of the data plane.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import AUTHENTICATION, INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import Natural, pattern
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

_Identifier = Annotated[KeyIdentifier, INTERNAL]
_Four = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{4}$")], INTERNAL]
_Eight = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{16}$")], INTERNAL]
_Counter = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{2,4}$")], INTERNAL]
_Number = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{2,8}$")], INTERNAL]
_Expiry = Annotated[Annotated[str, pattern("^[0-9]{4}$")], SENSITIVE]
_Service = Annotated[Annotated[str, pattern("^[0-9]{3}$")], SENSITIVE]
_Major = Annotated[Literal["EMV_OPTION_A", "EMV_OPTION_B"], PUBLIC]
_Session = Literal[
    "EMV_COMMON_SESSION_KEY", "EMV2000", "AMEX", "MASTERCARD_SESSION_KEY", "VISA", "UNION_PAY"
]


class MacDukpt(Shape, frozen=True, kw_only=True):
    """The transaction of a terminal whose key makes a MAC.

    Source: AWS Payment Cryptography API, MacAlgorithmDukpt
    """

    key_serial_number: Annotated[KeySerialNumber, INTERNAL]
    dukpt_key_variant: Annotated[Variant, PUBLIC]
    dukpt_derivation_type: Annotated[DerivationType | None, PUBLIC] = None


class SessionValue(Shape, frozen=True, kw_only=True):
    """What opens a session with a card: one of these.

    Source: AWS Payment Cryptography API, SessionKeyDerivationValue
    """

    application_cryptogram: Annotated[
        Annotated[str, pattern("^[0-9a-fA-F]{16}$")] | None, INTERNAL
    ] = None
    application_transaction_counter: Annotated[
        Annotated[str, pattern("^[0-9a-fA-F]{4}$")] | None, INTERNAL
    ] = None


class MacEmv(Shape, frozen=True, kw_only=True):
    """The card and the session that a MAC over a command is for.

    Source: AWS Payment Cryptography API, MacAlgorithmEmv
    """

    major_key_derivation_mode: _Major
    primary_account_number: PanField
    pan_sequence_number: Sequence
    session_key_derivation_mode: Annotated[_Session, PUBLIC]
    session_key_derivation_value: Annotated[SessionValue, INTERNAL]


class MacAttributes(Shape, frozen=True, kw_only=True):
    """Which MAC: one of these.

    Source: AWS Payment Cryptography API, MacAttributes
    """

    algorithm: Annotated[
        Literal[
            "ISO9797_ALGORITHM1", "ISO9797_ALGORITHM3", "CMAC", "HMAC", "HMAC_SHA224",
            "HMAC_SHA256", "HMAC_SHA384", "HMAC_SHA512", "AS2805_4_1",
        ] | None,
        PUBLIC,
    ] = None  # fmt: skip
    emv_mac: Annotated[MacEmv | None, INTERNAL] = None
    dukpt_iso_9797_algorithm_1: Annotated[MacDukpt | None, INTERNAL] = None
    dukpt_iso_9797_algorithm_3: Annotated[MacDukpt | None, INTERNAL] = None
    dukpt_cmac: Annotated[MacDukpt | None, INTERNAL] = None


class GenerateMac(Shape, frozen=True, kw_only=True):
    """Asks for a MAC.

    Source: AWS Payment Cryptography API, GenerateMac
    """

    key_identifier: _Identifier
    message_data: Annotated[Hex, SENSITIVE]
    generation_attributes: Annotated[MacAttributes, INTERNAL]
    mac_length: Annotated[Natural | None, PUBLIC] = None


class MacAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The MAC.

    Source: AWS Payment Cryptography API, GenerateMac
    """

    mac: Annotated[str, INTERNAL]


class VerifyMac(Shape, frozen=True, kw_only=True):
    """Asks whether a MAC is right.

    Source: AWS Payment Cryptography API, VerifyMac
    """

    key_identifier: _Identifier
    message_data: Annotated[Hex, SENSITIVE]
    mac: Annotated[Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){2,64}$")], INTERNAL]
    verification_attributes: Annotated[MacAttributes, INTERNAL]
    mac_length: Annotated[Natural | None, PUBLIC] = None


class OfExpiry(Shape, frozen=True, kw_only=True):
    """A card by its end.

    Source: AWS Payment Cryptography API, CardVerificationValue2
    """

    card_expiry_date: _Expiry


class OfService(OfExpiry, frozen=True, kw_only=True):
    """A card by its end and its service code.

    Source: AWS Payment Cryptography API, CardVerificationValue1
    """

    service_code: _Service


class DynamicCode(Shape, frozen=True, kw_only=True):
    """A code that a chip made of its track.

    Source: AWS Payment Cryptography API, DynamicCardVerificationCode
    """

    unpredictable_number: _Number
    pan_sequence_number: Sequence
    application_transaction_counter: _Counter
    track_data: Annotated[Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){1,80}$")], AUTHENTICATION]


class DynamicValue(OfService, frozen=True, kw_only=True):
    """A value that a chip made of its counter.

    Source: AWS Payment Cryptography API, DynamicCardVerificationValue
    """

    pan_sequence_number: Sequence
    application_transaction_counter: _Counter


class CardAttributes(Shape, frozen=True, kw_only=True):
    """Which value of a card: one of these.

    Source: AWS Payment Cryptography API, CardGenerationAttributes
    """

    card_verification_value_1: Annotated[OfService | None, SENSITIVE] = None
    card_verification_value_2: Annotated[OfExpiry | None, SENSITIVE] = None
    dynamic_card_verification_code: Annotated[DynamicCode | None, SENSITIVE] = None
    dynamic_card_verification_value: Annotated[DynamicValue | None, SENSITIVE] = None


class GenerateCardData(Shape, frozen=True, kw_only=True):
    """Asks for a value of a card.

    Source: AWS Payment Cryptography API, GenerateCardValidationData
    """

    key_identifier: _Identifier
    primary_account_number: PanField
    generation_attributes: Annotated[CardAttributes, SENSITIVE]
    validation_data_length: Annotated[Natural, PUBLIC] = 3


class CardDataAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The value.

    Source: AWS Payment Cryptography API, GenerateCardValidationData
    """

    validation_data: Annotated[str, AUTHENTICATION]


class VerifyCardData(Shape, frozen=True, kw_only=True):
    """Asks whether a value is the card's.

    Source: AWS Payment Cryptography API, VerifyCardValidationData
    """

    key_identifier: _Identifier
    primary_account_number: PanField
    verification_attributes: Annotated[CardAttributes, SENSITIVE]
    validation_data: Annotated[Annotated[str, pattern("^[0-9]{3,5}$")], AUTHENTICATION]


class OfCard(Shape, frozen=True, kw_only=True):
    """A card and its transaction counter.

    Source: AWS Payment Cryptography API, SessionKeyEmvCommon
    """

    primary_account_number: PanField
    pan_sequence_number: Sequence
    application_transaction_counter: _Four


class OfCardAlone(Shape, frozen=True, kw_only=True):
    """A card whose own key makes cryptograms.

    Source: AWS Payment Cryptography API, SessionKeyVisa
    """

    primary_account_number: PanField
    pan_sequence_number: Sequence


class OfCardAndNumber(OfCard, frozen=True, kw_only=True):
    """A card, its transaction counter and the terminal's unpredictable number.

    Source: AWS Payment Cryptography API, SessionKeyMastercard
    """

    unpredictable_number: Annotated[Annotated[str, pattern("^[0-9a-fA-F]{8}$")], INTERNAL]


class SessionKey(Shape, frozen=True, kw_only=True):
    """How the key of a session comes about: one of these.

    Source: AWS Payment Cryptography API, SessionKeyDerivation
    """

    emv_common: Annotated[OfCard | None, INTERNAL] = None
    mastercard: Annotated[OfCardAndNumber | None, INTERNAL] = None
    emv2000: Annotated[OfCard | None, INTERNAL] = None
    amex: Annotated[OfCardAlone | None, INTERNAL] = None
    visa: Annotated[OfCardAlone | None, INTERNAL] = None


class Method1(Shape, frozen=True, kw_only=True):
    """An answer of method 1.

    Source: AWS Payment Cryptography API, CryptogramVerificationArpcMethod1
    """

    auth_response_code: _Four


class Method2(Shape, frozen=True, kw_only=True):
    """An answer of method 2.

    Source: AWS Payment Cryptography API, CryptogramVerificationArpcMethod2
    """

    card_status_update: Annotated[Annotated[str, pattern("^[0-9a-fA-F]{8}$")], INTERNAL]
    proprietary_authentication_data: Annotated[
        Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){1,8}$")] | None, INTERNAL
    ] = None


class AuthResponse(Shape, frozen=True, kw_only=True):
    """Which answer a card gets: one of these.

    Source: AWS Payment Cryptography API, CryptogramAuthResponse
    """

    arpc_method_1: Annotated[Method1 | None, INTERNAL] = None
    arpc_method_2: Annotated[Method2 | None, INTERNAL] = None


class VerifyCryptogram(Shape, frozen=True, kw_only=True):
    """Asks whether a cryptogram is the card's, and for the answer to it.

    Source: AWS Payment Cryptography API, VerifyAuthRequestCryptogram
    """

    key_identifier: _Identifier
    transaction_data: Annotated[Hex, SENSITIVE]
    auth_request_cryptogram: _Eight
    major_key_derivation_mode: _Major
    session_key_derivation_attributes: Annotated[SessionKey, INTERNAL]
    auth_response_attributes: Annotated[AuthResponse | None, INTERNAL] = None


class CryptogramAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The cryptogram is right; the answer to it, if one was asked for.

    Source: AWS Payment Cryptography API, VerifyAuthRequestCryptogram
    """

    auth_response_value: Annotated[str | None, INTERNAL] = None


class GenerateCryptogram(Shape, frozen=True, kw_only=True):
    """Asks for the cryptogram that a card would make.

    Source: AWS Payment Cryptography API, GenerateAuthRequestCryptogram
    """

    key_identifier: _Identifier
    transaction_data: Annotated[Hex, SENSITIVE]
    major_key_derivation_mode: _Major
    session_key_derivation_attributes: Annotated[SessionKey, INTERNAL]


class GeneratedCryptogram(OfKeyAnswer, frozen=True, kw_only=True):
    """The cryptogram.

    Source: AWS Payment Cryptography API, GenerateAuthRequestCryptogram
    """

    auth_request_cryptogram: Annotated[str, INTERNAL]
