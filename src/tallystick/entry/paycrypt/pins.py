"""PINs at the door: translated, made and verified; none is ever in clear outside of the module.

Source: ISO 9564-1; ISO/TS 12812-2:2017, 7.3.4; AWS Payment Cryptography API, 2022-02-03
"""

from tallystick.entry.paycrypt.answers import unproved
from tallystick.entry.paycrypt.asking import MECHANISM_OF, Asking, Loaded, one_of, upper
from tallystick.entry.paycrypt.unserved import AS_2805
from tallystick.entry.paycrypt.working import working
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft_issuing import Sealing, Validation
from tallystick.infrastructure.modules.soft_pins import PinBlock, Target
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.protocol.paycrypt.data import (
    DukptPin,
    DukptVerified,
    GeneratedPin,
    GeneratePinData,
    Ibm,
    PinBlockAnswer,
    PinData,
    PinFormats,
    TranslatePinData,
    VerifiedPin,
    VerifyPinData,
)

_FORMATS = {
    "ISO_FORMAT_0": PinFormat.ISO_0,
    "ISO_FORMAT_1": PinFormat.ISO_1,
    "ISO_FORMAT_3": PinFormat.ISO_3,
    "ISO_FORMAT_4": PinFormat.ISO_4,
}
_INVALID = "INVALID_PIN"
_DUKPT = Purpose.DUKPT_BASE
_STATIC = Purpose.PIN_ENCRYPTION


def translate(ask: Asking, asked: TranslatePinData) -> PinBlockAnswer:
    """The PIN under the outgoing key, bound to the same account.

    Source: AWS Payment Cryptography API, TranslatePinData
    """
    incoming, outgoing = asked.incoming_wrapped_key, asked.outgoing_wrapped_key
    if asked.incoming_as2805_attributes is not None:
        raise NotPermitted(AS_2805)
    if incoming is None and outgoing is None:
        source = ask.usable(asked.incoming_key_identifier)
        return _translated(ask, asked, source, ask.usable(asked.outgoing_key_identifier))
    with (
        working(ask, asked.incoming_key_identifier, incoming) as source,
        working(ask, asked.outgoing_key_identifier, outgoing) as target,
    ):
        return _translated(ask, asked, source, target)


def _translated(
    ask: Asking, asked: TranslatePinData, source: Loaded, target: Loaded
) -> PinBlockAnswer:
    form, pan = _format(asked.incoming_translation_attributes)
    to, to_pan = _format(asked.outgoing_translation_attributes)
    if pan and to_pan and pan != to_pan:
        raise Malformed("the account of a PIN is not exchanged when it is translated")
    ksn, kind = _terminal(ask, source, asked.incoming_dukpt_attributes)
    to_ksn, to_kind = _terminal(ask, target, asked.outgoing_dukpt_attributes)
    block = ask.on.module.pins.translate_to(
        PinBlock(
            handle=source.handle,
            form=form,
            block=bytes.fromhex(asked.encrypted_pin_block),
            ksn=ksn,
            kind=kind,
        ),
        Target(handle=target.handle, ksn=to_ksn, kind=to_kind),
        to,
        pan=pan or to_pan,
    )
    return PinBlockAnswer(key_arn=target.arn, key_check_value=target.kcv, pin_block=upper(block))


def generate(ask: Asking, asked: GeneratePinData) -> GeneratedPin:
    """A PIN in a block and what verifies it, or what verifies a PIN that came in one.

    Source: AWS Payment Cryptography API, GeneratePinData
    """
    keeper = ask.usable(asked.generation_key_identifier)
    with working(ask, asked.encryption_key_identifier, asked.encryption_wrapped_key) as sealing:
        return _generated(ask, asked, keeper, sealing)


def _generated(
    ask: Asking, asked: GeneratePinData, keeper: Loaded, sealing: Loaded
) -> GeneratedPin:
    ask.must_be(sealing, _STATIC)
    form = _FORMATS[asked.pin_block_format]
    made = _made(ask, asked, keeper, sealing, form)
    return GeneratedPin(
        generation_key_arn=keeper.arn,
        generation_key_check_value=keeper.kcv,
        encryption_key_arn=sealing.arn,
        encryption_key_check_value=sealing.kcv,
        encrypted_pin_block=made[0],
        pin_data=made[1],
    )


def verify(ask: Asking, asked: VerifyPinData) -> VerifiedPin:
    """Says that the PIN is right; raises NotAuthentic for a wrong one and for a block that is none.

    Source: AWS Payment Cryptography API, VerifyPinData
    """
    keeper = ask.usable(asked.verification_key_identifier)
    with working(ask, asked.encryption_key_identifier, asked.encryption_wrapped_key) as opening:
        return _verified(ask, asked, keeper, opening)


def _verified(ask: Asking, asked: VerifyPinData, keeper: Loaded, opening: Loaded) -> VerifiedPin:
    by = asked.verification_attributes
    which = one_of(visa=by.visa_pin, ibm=by.ibm_3624_pin)
    ask.must_be(keeper, Purpose.PIN_PVV if which == "visa" else Purpose.PIN_IBM3624)
    ksn, kind = _terminal(ask, opening, asked.dukpt_attributes)
    pan = _pan(asked.primary_account_number)
    source = PinBlock(
        handle=opening.handle,
        form=_FORMATS[asked.pin_block_format],
        block=bytes.fromhex(asked.encrypted_pin_block),
        ksn=ksn,
        kind=kind,
    )
    module = ask.on.module
    try:
        if by.visa_pin is not None:
            value, index = by.visa_pin.verification_value, by.visa_pin.pin_verification_key_index
            module.pins.verify(source, keeper.handle, value, pan=pan, index=_index(index))
        elif by.ibm_3624_pin is not None:
            known = by.ibm_3624_pin
            module.issuing.verify_offset(
                keeper.handle, source, _validation(known), known.pin_offset, pan=pan
            )
    except NotAuthentic as error:
        raise unproved(_INVALID) from error
    return VerifiedPin(
        verification_key_arn=keeper.arn,
        verification_key_check_value=keeper.kcv,
        encryption_key_arn=opening.arn,
        encryption_key_check_value=opening.kcv,
    )


def _made(
    ask: Asking, asked: GeneratePinData, keeper: Loaded, sealing: Loaded, form: PinFormat
) -> tuple[str, PinData]:
    """The block in hexadecimal, and the value."""
    how = asked.generation_attributes
    one_of(
        a=how.visa_pin, b=how.visa_pin_verification_value, c=how.ibm_3624_pin_offset,
        d=how.ibm_3624_natural_pin, e=how.ibm_3624_random_pin, f=how.ibm_3624_pin_from_offset,
    )  # fmt: skip
    pan, length = _pan(asked.primary_account_number), asked.pin_data_length
    issuing, pins = ask.on.module.issuing, ask.on.module.pins
    to = Sealing(target=Target(handle=sealing.handle), form=form)
    visa = how.visa_pin is not None or how.visa_pin_verification_value is not None
    ask.must_be(keeper, Purpose.PIN_PVV if visa else Purpose.PIN_IBM3624)
    held = keeper.handle
    if how.visa_pin is not None:
        index = _index(how.visa_pin.pin_verification_key_index)
        block, value = issuing.new_pin(held, to, pan=pan, length=length, index=index)
        return upper(block), PinData(verification_value=value)
    if how.visa_pin_verification_value is not None:
        known = how.visa_pin_verification_value
        source = _block(sealing, form, known.encrypted_pin_block)
        index = _index(known.pin_verification_key_index)
        value = pins.make_value(source, held, pan=pan, index=index)
        return known.encrypted_pin_block.upper(), PinData(verification_value=value)
    if how.ibm_3624_pin_offset is not None:
        given = how.ibm_3624_pin_offset
        source = _block(sealing, form, given.encrypted_pin_block)
        value = issuing.offset_of(held, source, _validation(given), pan=pan)
        return given.encrypted_pin_block.upper(), PinData(pin_offset=value)
    if how.ibm_3624_random_pin is not None:
        data = _validation(how.ibm_3624_random_pin)
        block, value = issuing.new_offset_pin(held, to, data, pan=pan, length=length)
        return upper(block), PinData(pin_offset=value)
    offset, made_of = "0" * length, how.ibm_3624_natural_pin
    if how.ibm_3624_pin_from_offset is not None:
        made_of = how.ibm_3624_pin_from_offset
        offset = how.ibm_3624_pin_from_offset.pin_offset
        length = len(offset)
    if made_of is None:
        raise Malformed("nothing says how the PIN is made")
    block = issuing.natural_pin(
        held, to, _validation(made_of), pan=pan, length=length, offset=offset
    )
    return upper(block), PinData(pin_offset=offset)


def _block(sealing: Loaded, form: PinFormat, text: str) -> PinBlock:
    return PinBlock(handle=sealing.handle, form=form, block=bytes.fromhex(text))


def _format(given: PinFormats) -> tuple[PinFormat, str]:
    if given.as2805_format_0 is not None:
        raise NotPermitted(AS_2805)
    which = one_of(
        ISO_0=given.iso_format_0, ISO_1=given.iso_format_1,
        ISO_3=given.iso_format_3, ISO_4=given.iso_format_4,
    )  # fmt: skip
    bound = given.iso_format_0 or given.iso_format_3 or given.iso_format_4
    return PinFormat[which], "" if bound is None else bound.primary_account_number


def _terminal(
    ask: Asking, key: Loaded, given: DukptPin | DukptVerified | None
) -> tuple[bytes, str]:
    """The serial number of a terminal and the mechanism of its key; nothing for a static key."""
    if given is None:
        ask.must_be(key, _STATIC)
        return b"", ""
    ask.must_be(key, _DUKPT)
    kind = (
        given.dukpt_derivation_type
        if isinstance(given, DukptVerified)
        else given.dukpt_key_derivation_type
    )
    return bytes.fromhex(given.key_serial_number), MECHANISM_OF[kind] if kind else ""


def _validation(given: Ibm) -> Validation:
    return Validation(
        digits=given.pin_validation_data,
        filler=given.pin_validation_data_pad_character,
        table=given.decimalization_table,
    )


def _index(index: int) -> int:
    if index > 6:
        raise Malformed("the index of a verification key is 0 to 6")
    return index


def _pan(pan: str | None) -> str:
    if pan is None:
        raise Malformed("the account number is needed to make and verify values of a PIN")
    return pan
