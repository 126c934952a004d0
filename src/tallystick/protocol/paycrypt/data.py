"""PINs, MACs, values of cards, cryptograms and data: what the data plane is asked and answers.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from typing import Annotated, Any, Literal

from tallystick.kernel.classification import AUTHENTICATION, INTERNAL, PERSONAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import Natural, pattern
from tallystick.protocol.paycrypt.words import (
    DerivationType,
    KeyArn,
    KeyCheckValue,
    KeyIdentifier,
    KeySerialNumber,
    Pan,
    PanField,
    Shape,
    Variant,
)
from tallystick.protocol.paycrypt.wrapped import OfCall

_Identifier = Annotated[KeyIdentifier, INTERNAL]
_Block = Annotated[Annotated[str, pattern("^(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32})$")], AUTHENTICATION]
_Digits = Annotated[str, pattern("^[0-9]{4,16}$")]
_PinFormat = Literal["ISO_FORMAT_0", "ISO_FORMAT_1", "ISO_FORMAT_3", "ISO_FORMAT_4"]


class OfPan(Shape, frozen=True, kw_only=True):
    """The account that a PIN block is bound to.

    Source: AWS Payment Cryptography API, TranslationPinDataIsoFormat034
    """

    primary_account_number: PanField


class OfNothing(Shape, frozen=True, kw_only=True):
    """A format that is bound to no account.

    Source: AWS Payment Cryptography API, TranslationPinDataIsoFormat1
    """


class PinFormats(Shape, frozen=True, kw_only=True):
    """The format of a PIN block: one of these.

    Source: AWS Payment Cryptography API, TranslationIsoFormats
    """

    iso_format_0: Annotated[OfPan | None, PERSONAL] = None
    iso_format_1: Annotated[OfNothing | None, PUBLIC] = None
    iso_format_3: Annotated[OfPan | None, PERSONAL] = None
    iso_format_4: Annotated[OfPan | None, PERSONAL] = None
    as2805_format_0: Annotated[dict[str, Any] | None, PERSONAL] = None


class DukptPin(Shape, frozen=True, kw_only=True):
    """The transaction of a terminal whose key a PIN block is under.

    Source: AWS Payment Cryptography API, DukptDerivationAttributes
    """

    key_serial_number: Annotated[KeySerialNumber, INTERNAL]
    dukpt_key_derivation_type: Annotated[DerivationType | None, PUBLIC] = None
    dukpt_key_variant: Annotated[Variant, PUBLIC] = "BIDIRECTIONAL"


class TranslatePinData(Shape, frozen=True, kw_only=True):
    """Asks for a PIN under another key.

    Source: AWS Payment Cryptography API, TranslatePinData
    """

    incoming_key_identifier: _Identifier
    outgoing_key_identifier: _Identifier
    incoming_translation_attributes: Annotated[PinFormats, PERSONAL]
    outgoing_translation_attributes: Annotated[PinFormats, PERSONAL]
    encrypted_pin_block: _Block
    incoming_dukpt_attributes: Annotated[DukptPin | None, INTERNAL] = None
    outgoing_dukpt_attributes: Annotated[DukptPin | None, INTERNAL] = None
    incoming_wrapped_key: Annotated[OfCall | None, INTERNAL] = None
    outgoing_wrapped_key: Annotated[OfCall | None, INTERNAL] = None
    incoming_as2805_attributes: Annotated[dict[str, Any] | None, PERSONAL] = None


class OfKeyAnswer(Shape, frozen=True, kw_only=True):
    """Which key was used; the whole answer where there is nothing else to say.

    Source: AWS Payment Cryptography API, VerifyMac
    """

    key_arn: Annotated[KeyArn, INTERNAL]
    key_check_value: Annotated[KeyCheckValue, INTERNAL]


class PinBlockAnswer(OfKeyAnswer, frozen=True, kw_only=True):
    """The PIN under the other key.

    Source: AWS Payment Cryptography API, TranslatePinData
    """

    pin_block: Annotated[str, AUTHENTICATION]


class OfIndex(Shape, frozen=True, kw_only=True):
    """Which pair of keys makes a PVV.

    Source: AWS Payment Cryptography API, VisaPin
    """

    pin_verification_key_index: Annotated[Natural, INTERNAL]


class PvvOf(OfIndex, frozen=True, kw_only=True):
    """The PIN to make a PVV of.

    Source: AWS Payment Cryptography API, VisaPinVerificationValue
    """

    encrypted_pin_block: _Block


class PvvIs(OfIndex, frozen=True, kw_only=True):
    """The PVV to verify.

    Source: AWS Payment Cryptography API, VisaPinVerification
    """

    verification_value: Annotated[Annotated[str, pattern("^[0-9]{4,12}$")], SENSITIVE]


class Ibm(Shape, frozen=True, kw_only=True):
    """What a natural PIN is made of.

    Source: AWS Payment Cryptography API, Ibm3624NaturalPin
    """

    decimalization_table: Annotated[Annotated[str, pattern("^[0-9]{16}$")], INTERNAL]
    pin_validation_data_pad_character: Annotated[Annotated[str, pattern("^[0-9A-F]$")], PUBLIC]
    pin_validation_data: Annotated[_Digits, PERSONAL]


class IbmOf(Ibm, frozen=True, kw_only=True):
    """The PIN to make an offset of.

    Source: AWS Payment Cryptography API, Ibm3624PinOffset
    """

    encrypted_pin_block: _Block


class IbmIs(Ibm, frozen=True, kw_only=True):
    """The offset to go by.

    Source: AWS Payment Cryptography API, Ibm3624PinFromOffset
    """

    pin_offset: Annotated[Annotated[str, pattern("^[0-9]{4,12}$")], SENSITIVE]


class PinGeneration(Shape, frozen=True, kw_only=True):
    """How a PIN or its value is made: one of these.

    Source: AWS Payment Cryptography API, PinGenerationAttributes
    """

    visa_pin: Annotated[OfIndex | None, INTERNAL] = None
    visa_pin_verification_value: Annotated[PvvOf | None, SENSITIVE] = None
    ibm_3624_pin_offset: Annotated[IbmOf | None, SENSITIVE] = None
    ibm_3624_natural_pin: Annotated[Ibm | None, PERSONAL] = None
    ibm_3624_random_pin: Annotated[Ibm | None, PERSONAL] = None
    ibm_3624_pin_from_offset: Annotated[IbmIs | None, SENSITIVE] = None


class GeneratePinData(Shape, frozen=True, kw_only=True):
    """Asks for a PIN, or for what verifies one.

    Source: AWS Payment Cryptography API, GeneratePinData
    """

    generation_key_identifier: _Identifier
    encryption_key_identifier: _Identifier
    generation_attributes: Annotated[PinGeneration, SENSITIVE]
    pin_block_format: Annotated[_PinFormat, PUBLIC]
    primary_account_number: Annotated[Pan | None, PERSONAL] = None
    pin_data_length: Annotated[Natural, PUBLIC] = 4
    encryption_wrapped_key: Annotated[OfCall | None, INTERNAL] = None


class PinData(Shape, frozen=True, kw_only=True):
    """What verifies a PIN: one of these.

    Source: AWS Payment Cryptography API, PinData
    """

    pin_offset: Annotated[str | None, SENSITIVE] = None
    verification_value: Annotated[str | None, SENSITIVE] = None


class GeneratedPin(Shape, frozen=True, kw_only=True):
    """The PIN in a block, and what verifies it.

    Source: AWS Payment Cryptography API, GeneratePinData
    """

    generation_key_arn: Annotated[KeyArn, INTERNAL]
    generation_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    encryption_key_arn: Annotated[KeyArn, INTERNAL]
    encryption_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    encrypted_pin_block: Annotated[str, AUTHENTICATION]
    pin_data: Annotated[PinData, SENSITIVE]


class PinVerification(Shape, frozen=True, kw_only=True):
    """What a PIN is verified by: one of these.

    Source: AWS Payment Cryptography API, PinVerificationAttributes
    """

    visa_pin: Annotated[PvvIs | None, SENSITIVE] = None
    ibm_3624_pin: Annotated[IbmIs | None, SENSITIVE] = None


class DukptVerified(Shape, frozen=True, kw_only=True):
    """The transaction of a terminal whose key a PIN block to verify is under.

    Source: AWS Payment Cryptography API, DukptAttributes
    """

    key_serial_number: Annotated[KeySerialNumber, INTERNAL]
    dukpt_derivation_type: Annotated[DerivationType, PUBLIC]


class VerifyPinData(Shape, frozen=True, kw_only=True):
    """Asks whether a PIN is right.

    Source: AWS Payment Cryptography API, VerifyPinData
    """

    verification_key_identifier: _Identifier
    encryption_key_identifier: _Identifier
    verification_attributes: Annotated[PinVerification, SENSITIVE]
    encrypted_pin_block: _Block
    pin_block_format: Annotated[_PinFormat, PUBLIC]
    primary_account_number: Annotated[Pan | None, PERSONAL] = None
    pin_data_length: Annotated[Natural, PUBLIC] = 4
    dukpt_attributes: Annotated[DukptVerified | None, INTERNAL] = None
    encryption_wrapped_key: Annotated[OfCall | None, INTERNAL] = None


class VerifiedPin(Shape, frozen=True, kw_only=True):
    """The PIN is right.

    Source: AWS Payment Cryptography API, VerifyPinData
    """

    verification_key_arn: Annotated[KeyArn, INTERNAL]
    verification_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    encryption_key_arn: Annotated[KeyArn, INTERNAL]
    encryption_key_check_value: Annotated[KeyCheckValue, INTERNAL]
