"""Commands that change the PIN in a card, at the door.

Source: EMV Book 2, 9; AWS Payment Cryptography API, 2022-02-03
"""

from typing import NamedTuple

from tallystick.entry.paycrypt.asking import Asking, Loaded, one_of, upper
from tallystick.infrastructure.modules.chip_sessions import Opening, Session
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_data import Mode
from tallystick.infrastructure.modules.soft_pins import PinBlock
from tallystick.infrastructure.modules.soft_scripts import Clear, Enciphering, ScriptKeys
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.errors import Malformed
from tallystick.protocol.paycrypt.scripts import (
    Method,
    OfMaster,
    PinChange,
    PinChangeAnswer,
    SchemeKeys,
    Visa,
)


class _How(NamedTuple):
    card: Card
    session: Session
    enciphering: Enciphering


def pin_change(ask: Asking, asked: PinChange) -> PinChangeAnswer:
    """The PIN enciphered for the card, and the MAC over the message and it.

    Source: AWS Payment Cryptography API, GenerateMacEmvPinChange
    """
    pek = ask.usable(asked.new_pin_pek_identifier)
    integrity = ask.usable(asked.secure_messaging_integrity_key_identifier)
    confidentiality = ask.usable(asked.secure_messaging_confidentiality_key_identifier)
    ask.must_be(pek, Purpose.PIN_ENCRYPTION)
    ask.must_be(integrity, Purpose.CHIP_INTEGRITY)
    ask.must_be(confidentiality, Purpose.CHIP_CONFIDENTIALITY)
    form = PinFormat[asked.pin_block_format.replace("ISO_FORMAT", "ISO")]
    how = _how(asked.derivation_method_attributes)
    cryptograms, current = _beside(ask, asked.derivation_method_attributes.visa)
    keys = ScriptKeys(
        integrity=integrity.handle,
        confidentiality=confidentiality.handle,
        cryptograms=None if cryptograms is None else cryptograms.handle,
    )
    sealed, tag = ask.on.module.scripts.pin_change(
        _block(pek, form, asked.new_encrypted_pin_block),
        keys,
        how.card,
        how.session,
        how.enciphering,
        bytes.fromhex(asked.message_data),
        current=None if current is None else _block(current[0], form, current[1]),
    )
    return PinChangeAnswer(
        new_pin_pek_arn=pek.arn,
        secure_messaging_integrity_key_arn=integrity.arn,
        secure_messaging_confidentiality_key_arn=confidentiality.arn,
        mac=upper(tag),
        encrypted_pin_block=upper(sealed),
        new_pin_pek_key_check_value=pek.kcv,
        secure_messaging_integrity_key_check_value=integrity.kcv,
        secure_messaging_confidentiality_key_check_value=confidentiality.kcv,
        visa_amex_derivation_outputs=_told(cryptograms, current),
    )


def _how(by: Method) -> _How:
    one_of(a=by.emv_common, b=by.mastercard, c=by.visa)
    if by.emv_common is not None:
        given = by.emv_common
        enciphering = Enciphering(
            mode=Mode(given.mode.lower()),
            length_first=given.pin_block_length_position == "FRONT_OF_PIN_BLOCK",
            padded=given.pin_block_padding_type == "ISO_IEC_7816_4",
        )
        if enciphering.length_first and not enciphering.padded:
            raise Malformed("a block with its length in front is padded")
        session = Session(value=bytes.fromhex(given.application_cryptogram))
        return _How(_card(given), session, enciphering)
    if by.mastercard is not None:
        session = Session(value=bytes.fromhex(by.mastercard.application_cryptogram))
        return _How(_card(by.mastercard), session, Enciphering(padded=False))
    if by.visa is None:
        raise Malformed("nothing says which session is meant")
    counter = bytes.fromhex(by.visa.application_transaction_counter)
    return _How(
        _card(by.visa),
        Session(opening=Opening.MASKED, value=counter),
        Enciphering(clear=Clear.SCHEME, mode=Mode.ECB, length_first=True),
    )


def _beside(ask: Asking, by: Visa | None) -> tuple[Loaded | None, tuple[Loaded, str] | None]:
    """The key of cryptograms and the block of the PIN that the card has, of a session of Visa."""
    if by is None:
        return None, None
    cryptograms = ask.usable(by.authorization_request_key_identifier)
    ask.must_be(cryptograms, Purpose.CHIP_CRYPTOGRAM)
    old = by.current_pin_attributes
    if old is None:
        return cryptograms, None
    pek = ask.usable(old.current_pin_pek_identifier)
    ask.must_be(pek, Purpose.PIN_ENCRYPTION)
    return cryptograms, (pek, old.current_encrypted_pin_block)


def _told(cryptograms: Loaded | None, current: tuple[Loaded, str] | None) -> SchemeKeys | None:
    if cryptograms is None:
        return None
    return SchemeKeys(
        authorization_request_key_arn=cryptograms.arn,
        authorization_request_key_check_value=cryptograms.kcv,
        current_pin_pek_arn=None if current is None else current[0].arn,
        current_pin_pek_key_check_value=None if current is None else current[0].kcv,
    )


def _block(key: Loaded, form: PinFormat, text: str) -> PinBlock:
    return PinBlock(handle=key.handle, form=form, block=bytes.fromhex(text))


def _card(given: OfMaster) -> Card:
    return Card(
        pan=given.primary_account_number,
        sequence=given.pan_sequence_number,
        option=given.major_key_derivation_mode[-1],
    )
