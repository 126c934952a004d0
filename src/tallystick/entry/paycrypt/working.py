"""Keys of one call at the door: they come in a key block or are agreed on, and are forgotten after.

Source: ISO/TS 12812-2:2017, 7.4.2; NIST SP 800-56A; AWS Payment Cryptography API, 2022-02-03
"""

from collections.abc import Generator
from contextlib import contextmanager

from tallystick.entry.paycrypt.asking import USAGE_OF, Asking, Loaded, one_of
from tallystick.entry.paycrypt.exchanging import agreed
from tallystick.entry.paycrypt.keys import WORDS, check_value
from tallystick.entry.paycrypt.moving import PURPOSES
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.protocol.paycrypt.exchange import Agreement, SharedInformation
from tallystick.protocol.paycrypt.wrapped import (
    AgreedKey,
    OfCall,
    TranslatedKey,
    TranslateKey,
    WrappedWorking,
)


@contextmanager
def working(ask: Asking, identifier: str, given: OfCall | None) -> Generator[Loaded]:
    """The key of a call: the one that is named, or the one that it opens, for the call alone.

    Raises NotPermitted, NotFound, NotAuthentic as the ways do in which keys come in.
    Source: AWS Payment Cryptography API, WrappedKey
    """
    key = ask.usable(identifier)
    if given is None:
        yield key
        return
    material = given.wrapped_key_material
    one_of(a=material.tr31_key_block, b=material.diffie_hellman_symmetric_key)
    if material.diffie_hellman_symmetric_key is not None:
        agreement = _agreement(identifier, material.diffie_hellman_symmetric_key)
        with agreed(ask, key, agreement) as handle:
            yield _for_the_call(ask, key, handle, given)
        return
    if material.tr31_key_block is None:
        raise Malformed("nothing says how the key of the call comes")
    ask.must_be(key, Purpose.KEY_WRAP)
    blocks = ask.on.module.key_blocks
    handle = blocks.import_key(key.handle, material.tr31_key_block, PURPOSES).handle
    try:
        yield _for_the_call(ask, key, handle, given)
    finally:
        ask.on.module.destroy(handle)


def translate_key(ask: Asking, asked: TranslateKey) -> TranslatedKey:
    """A key that came under an agreed key, in a key block under a key of the door.

    Source: AWS Payment Cryptography API, TranslateKeyMaterial
    """
    block = asked.incoming_key_material.diffie_hellman_tr31_key_block
    key = ask.usable(block.private_key_identifier)
    outer = ask.usable(asked.outgoing_key_material.tr31_key_block.wrapping_key_identifier)
    ask.must_be(outer, Purpose.KEY_WRAP)
    module = ask.on.module
    with agreed(ask, key, block, wraps=True) as wrapping:
        handle = module.key_blocks.import_key(wrapping, block.wrapped_key_block, PURPOSES).handle
    try:
        _, exportability = module.data.attributes(handle)
        if exportability == "N":
            raise NotPermitted("the key is not exportable")
        made = module.key_blocks.export_key(outer.handle, handle, exportability=exportability)
        _, kcv = check_value(ask.on, handle, asked.key_check_value_algorithm or "")
    finally:
        module.destroy(handle)
    return TranslatedKey(
        wrapped_key=WrappedWorking(
            wrapped_key_material=made,
            key_check_value=kcv,
            wrapped_key_material_format="TR31_KEY_BLOCK",
        )
    )


def _for_the_call(ask: Asking, key: Loaded, handle: KeyHandle, given: OfCall) -> Loaded:
    """The key as an operation takes it: its own modes and check value; the ARN is the opener's."""
    mode, _ = ask.on.module.data.attributes(handle)
    _, kcv = check_value(ask.on, handle, given.key_check_value_algorithm or "")
    row = replace(key.row, usage=USAGE_OF[handle.purpose], modes=WORDS[mode], kcv=kcv)
    return Loaded(key.arn, handle, row)


def _agreement(identifier: str, given: AgreedKey) -> Agreement:
    return Agreement(
        private_key_identifier=identifier,
        certificate_authority_public_key_identifier=(
            given.certificate_authority_public_key_identifier
        ),
        public_key_certificate=given.public_key_certificate,
        derive_key_algorithm=given.key_algorithm,
        key_derivation_function=given.key_derivation_function,
        key_derivation_hash_algorithm=given.key_derivation_hash_algorithm,
        derivation_data=SharedInformation(shared_information=given.shared_information),
    )
