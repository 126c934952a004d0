"""Keys that are made, come in and leave at the door, in every way of the model.

Source: ISO/TS 12812-2:2017, 7.4.2; X9.143; AWS Payment Cryptography API, 2021-09-14
"""

from typing import Any, Final, cast

from tallystick.application.paycrypt.model import PAIR, SYMMETRIC
from tallystick.entry.paycrypt import exchanging, keys, pairs
from tallystick.entry.paycrypt.asking import (
    ALGORITHM_OF,
    USAGE_OF,
    Asking,
    Loaded,
    one_of,
    upper,
)
from tallystick.entry.paycrypt.exchanging import Came, Further
from tallystick.entry.paycrypt.keys import (
    WORDS,
    check_value,
    keep,
    new_row,
    one_region,
)
from tallystick.entry.paycrypt.unserved import AS_2805
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.modules.card_interface import CARD_USES, PURPOSE_AT_A_DOOR
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.soft_blocks import PROFILE_BLOCK
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.protocol.paycrypt.control import CreateKey, KeyAnswer
from tallystick.protocol.paycrypt.exchange import (
    ExportKey,
    ExportMaterial,
    ImportKey,
    ImportMaterial,
    KeyBlockHeaders,
    WrappedAnswer,
    WrappedKey,
)
from tallystick.protocol.paycrypt.words import KeyAttributes, KeyModesOfUse

ELSEWHERE: Final = "EXTERNAL"
_LETTER: Final = {"EXPORTABLE": "E", "NON_EXPORTABLE": "N", "SENSITIVE": "S"}
_SERVED: Final = {
    CARD_USES[purpose].usage: purpose
    for purpose in USAGE_OF
    if purpose in CARD_USES and purpose is not Purpose.KEY_WRAP
}
PURPOSES: Final = {
    usage: purpose for usage, purpose in PURPOSE_AT_A_DOOR.items() if usage in _SERVED
}
"""Purposes by the usages of key blocks that come in; wrapping keys are not among them."""

_WRAPPING: Final = {"K0": Purpose.KEY_WRAP, "K1": Purpose.KEY_WRAP}


async def create_key(ask: Asking, asked: CreateKey) -> KeyAnswer:
    """A fresh key, or a fresh pair.

    Source: AWS Payment Cryptography API, CreateKey
    """
    ask.allow("*")
    one_region(asked.replication_regions)
    if asked.key_attributes.key_class == PAIR:
        return await pairs.create(ask, asked)
    return await keys.create(ask, asked)


async def import_key(ask: Asking, asked: ImportKey) -> KeyAnswer:
    """The key or certificate that came, in one of the ways of the model.

    Source: AWS Payment Cryptography API, ImportKey
    """
    ask.allow("*")
    one_region(asked.replication_regions)
    handle, attributes, exportable = _came(ask, asked.key_material)
    try:
        row = new_row(
            ask.on,
            handle,
            attributes,
            exportable=exportable,
            origin=ELSEWHERE,
            kcv_algorithm=asked.key_check_value_algorithm or "",
            enabled=asked.enabled,
            tags=asked.tags,
        )
    except BaseException:
        ask.on.module.destroy(handle)
        raise
    return await keep(ask, "ImportKey", handle, row)


def _came(ask: Asking, given: ImportMaterial) -> tuple[KeyHandle, KeyAttributes, bool]:
    """What came in: its handle, its attributes, and whether it may leave again."""
    if given.as2805_key_cryptogram is not None:
        raise NotPermitted(AS_2805)
    one_of(
        a=given.tr31_key_block, b=given.key_cryptogram, c=given.root_certificate_public_key,
        d=given.trusted_certificate_public_key, e=given.tr34_key_block,
        f=given.diffie_hellman_tr31_key_block,
    )  # fmt: skip
    if given.key_cryptogram is not None:
        sealed = given.key_cryptogram
        return exchanging.unsealed(ask, sealed), sealed.key_attributes, sealed.exportable
    if given.root_certificate_public_key is not None:
        root = given.root_certificate_public_key
        return pairs.believe(ask, root), root.key_attributes, True
    if given.trusted_certificate_public_key is not None:
        trusted = given.trusted_certificate_public_key
        return pairs.trust(ask, trusted), trusted.key_attributes, True
    if given.tr34_key_block is not None:
        return _described(ask, exchanging.token_in(ask, given.tr34_key_block))
    if given.diffie_hellman_tr31_key_block is not None:
        block = given.diffie_hellman_tr31_key_block
        key = ask.usable(block.private_key_identifier)
        with exchanging.agreed(ask, key, block, wraps=True) as wrapping:
            return _described(ask, _unwrapped(ask, wrapping, block.wrapped_key_block, wraps=True))
    if given.tr31_key_block is None:
        raise Malformed("nothing says how the key comes in")
    outer = ask.usable(given.tr31_key_block.wrapping_key_identifier)
    ask.must_be(outer, Purpose.KEY_WRAP)
    return _described(ask, _unwrapped(ask, outer.handle, given.tr31_key_block.wrapped_key_block))


def _unwrapped(ask: Asking, outer: KeyHandle, block: str, *, wraps: bool = False) -> Came:
    purposes = {**PURPOSES, **_WRAPPING} if wraps else PURPOSES
    handle = ask.on.module.key_blocks.import_key(outer, block, purposes, wraps=wraps).handle
    _, exportability = ask.on.module.data.attributes(handle)
    return Came(handle, exchanging.usage_of(block[5:7]), exportability != "N")


def _described(ask: Asking, came: Came) -> tuple[KeyHandle, KeyAttributes, bool]:
    mode, _ = ask.on.module.data.attributes(came.handle)
    words = dict.fromkeys(WORDS[mode].split(","), True)
    attributes = KeyAttributes(
        key_usage=cast("Any", came.usage),
        key_class="SYMMETRIC_KEY",
        key_algorithm=cast("Any", ALGORITHM_OF[came.handle.mechanism]),
        key_modes_of_use=KeyModesOfUse(**words),
    )
    return came.handle, attributes, came.exportable


async def export_key(ask: Asking, asked: ExportKey) -> WrappedAnswer:
    """The key, or the initial key of a terminal, in one of the ways of the model.

    Source: AWS Payment Cryptography API, ExportKey
    """
    inner = ask.usable(asked.export_key_identifier)
    if inner.row.sort != SYMMETRIC:
        raise NotPermitted("only a secret key leaves; ask for the certificate of a pair")
    if not inner.row.exportable:
        raise NotPermitted("the key is not exportable")
    module, asked_kcv = ask.on.module, asked.export_attributes.key_check_value_algorithm or ""
    initial = asked.export_attributes.export_dukpt_initial_key
    handle = inner.handle
    if initial is not None:
        ask.must_be(inner, Purpose.DUKPT_BASE)
        ksn = bytes.fromhex(initial.key_serial_number)
        terminal = ksn[:8] if handle.mechanism.startswith("aes") else ksn
        handle = module.key_blocks.derive_initial(handle, terminal)
    try:
        under, form, material = _sealed(ask, inner, handle, asked.key_material)
        how, kcv = check_value(ask.on, handle, asked_kcv)
    finally:
        if initial is not None:
            module.destroy(handle)
    key_id, under_id = inner.row.id, under.row.id
    await ask.write(lambda kept, turn: kept.exported(turn, ask.program, key_id, under_id))
    return WrappedAnswer(
        wrapped_key=WrappedKey(
            wrapping_key_arn=under.arn,
            wrapped_key_material_format=cast("Any", form),
            key_material=material,
            key_check_value=kcv,
            key_check_value_algorithm=cast("Any", how),
        )
    )


def _sealed(
    ask: Asking, inner: Loaded, handle: KeyHandle, given: ExportMaterial
) -> tuple[Loaded, str, str]:
    """Under which key of the door the key leaves, in which form, and the material."""
    if given.as2805_key_cryptogram is not None:
        raise NotPermitted(AS_2805)
    one_of(
        a=given.tr31_key_block, b=given.tr34_key_block, c=given.key_cryptogram,
        d=given.diffie_hellman_tr31_key_block,
    )  # fmt: skip
    module = ask.on.module
    if given.tr34_key_block is not None:
        token = given.tr34_key_block
        further = _further(token.key_block_headers)
        if further.optional:
            raise NotPermitted("a token of TR-34 has no optional blocks here")
        material = upper(exchanging.token_out(ask, token, handle, further))
        authority = ask.usable(token.certificate_authority_public_key_identifier)
        return authority, "TR34_KEY_BLOCK", material
    if given.key_cryptogram is not None:
        sealed = given.key_cryptogram
        named = sealed.certificate_authority_public_key_identifier
        to = pairs.issued(ask, named, sealed.wrapping_key_certificate)
        digest = exchanging.digest_of(sealed.wrapping_spec)
        made = module.transport.seal_cryptogram(handle, to, digest)
        return ask.usable(named), "KEY_CRYPTOGRAM", upper(made)
    if given.diffie_hellman_tr31_key_block is not None:
        by = given.diffie_hellman_tr31_key_block
        further = _further(by.key_block_headers)
        key = ask.usable(by.private_key_identifier)
        with exchanging.agreed(ask, key, by, wraps=True) as wrapping:
            block = module.key_blocks.export_key(wrapping, handle, **further._asdict())
        return key, "TR31_KEY_BLOCK", block
    if given.tr31_key_block is None:
        raise Malformed("nothing says how the key leaves")
    outer = ask.usable(given.tr31_key_block.wrapping_key_identifier)
    ask.must_be(outer, Purpose.KEY_WRAP)
    further = _further(given.tr31_key_block.key_block_headers)
    block = module.key_blocks.export_key(outer.handle, handle, **further._asdict())
    return outer, "TR31_KEY_BLOCK", block


def _further(headers: KeyBlockHeaders | None) -> Further:
    """What the receiver may do with the key further, and what its header says besides."""
    if headers is None:
        return Further("E")
    given = headers.optional_blocks or {}
    if PROFILE_BLOCK in given:
        raise NotPermitted(f"the optional block {PROFILE_BLOCK} is the door's own")
    return Further(
        _LETTER[headers.key_exportability or "EXPORTABLE"],
        "" if headers.key_modes_of_use is None else keys.letter_of(headers.key_modes_of_use),
        headers.key_version or "00",
        tuple(OptionalBlock(name=name, text=text) for name, text in sorted(given.items())),
    )
