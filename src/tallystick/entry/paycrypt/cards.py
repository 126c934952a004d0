"""Values of cards and cryptograms of chips at the door.

Source: EMV Book 2; AWS Payment Cryptography API, 2022-02-03
"""

from tallystick.entry.paycrypt.answers import unproved
from tallystick.entry.paycrypt.asking import Asking, Loaded, octets_of, one_of, upper
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.modules.chip_sessions import Opening, Session
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_issuing import Printed
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.protocol.paycrypt.data import OfKeyAnswer
from tallystick.protocol.paycrypt.messages import (
    AuthResponse,
    CardAttributes,
    CardDataAnswer,
    CryptogramAnswer,
    DynamicCode,
    DynamicValue,
    GenerateCardData,
    GenerateCryptogram,
    GeneratedCryptogram,
    OfCard,
    OfCardAlone,
    SessionKey,
    VerifyCardData,
    VerifyCryptogram,
)

_INVALID = "INVALID_VALIDATION_DATA"


def make_value(ask: Asking, asked: GenerateCardData) -> CardDataAnswer:
    """The digits of a card's value.

    Source: AWS Payment Cryptography API, GenerateCardValidationData
    """
    key = ask.usable(asked.key_identifier)
    by, pan = asked.generation_attributes, asked.primary_account_number
    length = asked.validation_data_length
    if not 3 <= length <= 5:
        raise Malformed("a value of a card has 3 to 5 digits")
    digits = _dynamic(ask, key, by, pan, length)
    if not digits:
        ask.must_be(key, Purpose.CARD_VERIFICATION)
        value, expiry, service = _static(by)
        digits = ask.on.module.issuing.card_value(
            key.handle, value, pan=pan, expiry=expiry, service=service, length=length
        )
    return CardDataAnswer(key_arn=key.arn, key_check_value=key.kcv, validation_data=digits)


def verify_value(ask: Asking, asked: VerifyCardData) -> OfKeyAnswer:
    """Says that the digits are the card's; raises NotAuthentic.

    Source: AWS Payment Cryptography API, VerifyCardValidationData
    """
    key = ask.usable(asked.key_identifier)
    by, pan, given = (
        asked.verification_attributes,
        asked.primary_account_number,
        asked.validation_data,
    )
    digits = _dynamic(ask, key, by, pan, len(given))
    if digits:
        if not equal(digits.encode(), given.encode()):
            raise unproved(_INVALID)
    else:
        ask.must_be(key, Purpose.CARD_VERIFICATION)
        value, expiry, service = _static(by)
        try:
            ask.on.module.issuing.verify_card_value(
                key.handle, value, given, pan=pan, expiry=expiry, service=service
            )
        except NotAuthentic as error:
            raise unproved(_INVALID) from error
    return OfKeyAnswer(key_arn=key.arn, key_check_value=key.kcv)


def verify_cryptogram(ask: Asking, asked: VerifyCryptogram) -> CryptogramAnswer:
    """Says that the cryptogram is the card's, with the answer to it; raises NotAuthentic.

    Source: AWS Payment Cryptography API, VerifyAuthRequestCryptogram
    """
    key, card, counter, data = _chip(
        ask,
        asked.key_identifier,
        asked.session_key_derivation_attributes,
        asked.major_key_derivation_mode,
        asked.transaction_data,
    )
    code, status, more = _response(asked.auth_response_attributes)
    try:
        found = ask.on.module.issuing.answer(
            key.handle,
            card,
            counter,
            data,
            bytes.fromhex(asked.auth_request_cryptogram),
            code=code,
            status=status,
            proprietary=more,
        )
    except NotAuthentic as error:
        raise unproved("INVALID_AUTH_REQUEST_CRYPTOGRAM") from error
    return CryptogramAnswer(
        key_arn=key.arn,
        key_check_value=key.kcv,
        auth_response_value=upper(found) if found else None,
    )


def make_cryptogram(ask: Asking, asked: GenerateCryptogram) -> GeneratedCryptogram:
    """The cryptogram that a card would make, to test a host with.

    Source: AWS Payment Cryptography API, GenerateAuthRequestCryptogram
    """
    key, card, counter, data = _chip(
        ask,
        asked.key_identifier,
        asked.session_key_derivation_attributes,
        asked.major_key_derivation_mode,
        asked.transaction_data,
    )
    made = ask.on.module.issuing.cryptogram(key.handle, card, counter, data)
    return GeneratedCryptogram(
        key_arn=key.arn, key_check_value=key.kcv, auth_request_cryptogram=upper(made)
    )


def _chip(
    ask: Asking, identifier: str, session: SessionKey, major: str, data: str
) -> tuple[Loaded, Card, Session, bytes]:
    """The key, the card, its session and the data of a transaction, padded already."""
    key = ask.usable(identifier)
    ask.must_be(key, Purpose.CHIP_CRYPTOGRAM)
    of, opened = _session(session)
    octets = octets_of(data)
    if not key.handle.mechanism.startswith("aes") and len(octets) % 8:
        raise Malformed("the transaction data are whole blocks of 8 bytes: pad them first")
    card = Card(pan=of.primary_account_number, sequence=of.pan_sequence_number, option=major[-1])
    return key, card, opened, octets


def _session(by: SessionKey) -> tuple[OfCard | OfCardAlone, Session]:
    """The card, and how the session with it is opened."""
    one_of(a=by.emv_common, b=by.mastercard, c=by.emv2000, d=by.amex, e=by.visa)
    alone = by.visa or by.amex
    if alone is not None:
        return alone, Session(opening=Opening.NONE)
    if by.mastercard is not None:
        of = by.mastercard
        value = bytes.fromhex(f"{of.application_transaction_counter}0000{of.unpredictable_number}")
        return of, Session(value=value, answers_alone=True)
    if by.emv2000 is not None:
        counter = bytes.fromhex(by.emv2000.application_transaction_counter)
        return by.emv2000, Session(opening=Opening.TREE, value=counter)
    if by.emv_common is None:
        raise Malformed("nothing says which session is meant")
    return by.emv_common, Session(
        value=bytes.fromhex(by.emv_common.application_transaction_counter)
    )


def _response(given: AuthResponse | None) -> tuple[bytes, bytes, bytes]:
    if given is None:
        return b"", b"", b""
    one_of(a=given.arpc_method_1, b=given.arpc_method_2)
    if given.arpc_method_1 is not None:
        return bytes.fromhex(given.arpc_method_1.auth_response_code), b"", b""
    if given.arpc_method_2 is None:
        raise Malformed("nothing says which answer is meant")
    more = given.arpc_method_2.proprietary_authentication_data or ""
    return b"", bytes.fromhex(given.arpc_method_2.card_status_update), bytes.fromhex(more)


def _static(by: CardAttributes) -> tuple[Printed, str, str]:
    one_of(a=by.card_verification_value_1, b=by.card_verification_value_2)
    if by.card_verification_value_1 is not None:
        one = by.card_verification_value_1
        return "cvv", one.card_expiry_date, one.service_code
    if by.card_verification_value_2 is None:
        raise Malformed("nothing says which value is meant")
    return "cvv2", by.card_verification_value_2.card_expiry_date, ""


def _dynamic(ask: Asking, key: Loaded, by: CardAttributes, pan: str, length: int) -> str:
    """The digits of a value of a chip; empty where another is asked for."""
    code, value = by.dynamic_card_verification_code, by.dynamic_card_verification_value
    if code is None and value is None:
        return ""
    one_of(a=code, b=value, c=by.card_verification_value_1, d=by.card_verification_value_2)
    ask.must_be(key, Purpose.CHIP_DYNAMIC)
    if code is not None:
        return _code(ask, key, code, pan, length)
    if value is None:
        raise Malformed("nothing says which value is meant")
    return _value(ask, key, value, pan, length)


def _code(ask: Asking, key: Loaded, by: DynamicCode, pan: str, length: int) -> str:
    number = ask.on.module.chips.dynamic_code(
        key.handle,
        Card(pan=pan, sequence=by.pan_sequence_number, option="A"),
        template=bytes.fromhex(by.track_data),
        counter=int(by.application_transaction_counter, 16),
        number=bytes.fromhex(by.unpredictable_number.zfill(8)),
    )
    return f"{number:05d}"[-length:]


def _value(ask: Asking, key: Loaded, by: DynamicValue, pan: str, length: int) -> str:
    counter = int(by.application_transaction_counter, 16)
    return ask.on.module.issuing.dynamic_value(
        key.handle,
        Card(pan=pan, sequence=by.pan_sequence_number, option="A"),
        expiry=by.card_expiry_date,
        service=by.service_code,
        counter=counter,
        length=length,
    )
