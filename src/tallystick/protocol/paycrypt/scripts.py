"""Commands that change the PIN in a card: what the data plane is asked and answers.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import pattern
from tallystick.protocol.paycrypt.words import (
    KeyArn,
    KeyCheckValue,
    KeyIdentifier,
    PanField,
    Sequence,
    Shape,
)

_Identifier = Annotated[KeyIdentifier, INTERNAL]
_Eight = Annotated[str, pattern("^[0-9a-fA-F]{16}$")]
_Counter = Annotated[Annotated[str, pattern("^[0-9a-fA-F]{4}$")], INTERNAL]
_Major = Annotated[Literal["EMV_OPTION_A", "EMV_OPTION_B"], PUBLIC]


class OfMaster(Shape, frozen=True, kw_only=True):
    """A card and how its key comes out of the issuer's.

    Source: AWS Payment Cryptography API, EmvCommonAttributes
    """

    major_key_derivation_mode: _Major
    primary_account_number: PanField
    pan_sequence_number: Sequence


class ByCryptogram(OfMaster, frozen=True, kw_only=True):
    """A session that a cryptogram opens.

    Source: AWS Payment Cryptography API, MasterCardAttributes
    """

    application_cryptogram: Annotated[_Eight, INTERNAL]


class Common(ByCryptogram, frozen=True, kw_only=True):
    """The common session, and how the PIN is enciphered in it.

    Source: AWS Payment Cryptography API, EmvCommonAttributes
    """

    mode: Annotated[Literal["ECB", "CBC"], PUBLIC]
    pin_block_padding_type: Annotated[Literal["NO_PADDING", "ISO_IEC_7816_4"], PUBLIC]
    pin_block_length_position: Annotated[Literal["NONE", "FRONT_OF_PIN_BLOCK"], PUBLIC]


class CurrentPin(Shape, frozen=True, kw_only=True):
    """The PIN that the card has.

    Source: AWS Payment Cryptography API, CurrentPinAttributes
    """

    current_pin_pek_identifier: _Identifier
    current_encrypted_pin_block: Annotated[_Eight, SENSITIVE]


class Visa(OfMaster, frozen=True, kw_only=True):
    """A session of Visa, which a counter opens.

    Source: AWS Payment Cryptography API, VisaAttributes
    """

    application_transaction_counter: _Counter
    authorization_request_key_identifier: _Identifier
    current_pin_attributes: Annotated[CurrentPin | None, SENSITIVE] = None


class Method(Shape, frozen=True, kw_only=True):
    """Which session: one of these.

    Source: AWS Payment Cryptography API, DerivationMethodAttributes
    """

    emv_common: Annotated[Common | None, INTERNAL] = None
    mastercard: Annotated[ByCryptogram | None, INTERNAL] = None
    visa: Annotated[Visa | None, SENSITIVE] = None


class PinChange(Shape, frozen=True, kw_only=True):
    """Asks for a PIN enciphered for a card, and the MAC of the command.

    Source: AWS Payment Cryptography API, GenerateMacEmvPinChange
    """

    new_pin_pek_identifier: _Identifier
    new_encrypted_pin_block: Annotated[_Eight, SENSITIVE]
    pin_block_format: Annotated[Literal["ISO_FORMAT_0", "ISO_FORMAT_1", "ISO_FORMAT_3"], PUBLIC]
    secure_messaging_integrity_key_identifier: _Identifier
    secure_messaging_confidentiality_key_identifier: _Identifier
    message_data: Annotated[Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){8,512}$")], SENSITIVE]
    derivation_method_attributes: Annotated[Method, SENSITIVE]


class SchemeKeys(Shape, frozen=True, kw_only=True):
    """The keys that a session of Visa took beside.

    Source: AWS Payment Cryptography API, VisaAmexDerivationOutputs
    """

    authorization_request_key_arn: Annotated[KeyArn, INTERNAL]
    authorization_request_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    current_pin_pek_arn: Annotated[KeyArn | None, INTERNAL] = None
    current_pin_pek_key_check_value: Annotated[KeyCheckValue | None, INTERNAL] = None


class PinChangeAnswer(Shape, frozen=True, kw_only=True):
    """The enciphered PIN and the MAC.

    Source: AWS Payment Cryptography API, GenerateMacEmvPinChange
    """

    new_pin_pek_arn: Annotated[KeyArn, INTERNAL]
    secure_messaging_integrity_key_arn: Annotated[KeyArn, INTERNAL]
    secure_messaging_confidentiality_key_arn: Annotated[KeyArn, INTERNAL]
    mac: Annotated[str, INTERNAL]
    encrypted_pin_block: Annotated[str, SENSITIVE]
    new_pin_pek_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    secure_messaging_integrity_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    secure_messaging_confidentiality_key_check_value: Annotated[KeyCheckValue, INTERNAL]
    visa_amex_derivation_outputs: Annotated[SchemeKeys | None, INTERNAL] = None
