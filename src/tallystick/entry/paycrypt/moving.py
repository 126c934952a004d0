"""Keys that come in and leave at the door: key blocks, and cryptograms under a public key.

Source: ISO/TS 12812-2:2017, 7.4.2; X9.143; AWS Payment Cryptography API, 2021-09-14
"""

import asyncio
import base64
from typing import Any, Final, cast

from tallystick.entry.paycrypt.asking import (
    ALGORITHM_OF,
    USAGE_OF,
    Asking,
    Loaded,
    octets_of,
    one_of,
)
from tallystick.entry.paycrypt.keys import WORDS, admitted, check_value, chosen_modes, keep, new_row
from tallystick.infrastructure.modules.card_interface import CARD_USES, PURPOSE_AT_A_DOOR
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.soft_transport import Incoming
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted
from tallystick.protocol.paycrypt.control import (
    ExportKey,
    ImportCryptogram,
    ImportKey,
    ImportParameters,
    ImportParametersAnswer,
    KeyAnswer,
    KeyBlockHeaders,
    WrappedAnswer,
    WrappedKey,
)
from tallystick.protocol.paycrypt.words import KeyAttributes, KeyModesOfUse

ELSEWHERE: Final = "EXTERNAL"
_BITS: Final = {"RSA_3072": 3072, "RSA_4096": 4096}
_LETTER: Final = {"EXPORTABLE": "E", "NON_EXPORTABLE": "N", "SENSITIVE": "S"}
_SERVED: Final = {
    CARD_USES[purpose].usage: purpose
    for purpose in USAGE_OF
    if purpose in CARD_USES and purpose is not Purpose.KEY_WRAP
}
_PURPOSES: Final = {
    usage: purpose for usage, purpose in PURPOSE_AT_A_DOOR.items() if usage in _SERVED
}


async def import_key(ask: Asking, asked: ImportKey) -> KeyAnswer:
    """The key that came in a key block, or enciphered to a transport key of this door.

    Source: AWS Payment Cryptography API, ImportKey
    """
    ask.allow("*")
    block, sealed = asked.key_material.tr31_key_block, asked.key_material.key_cryptogram
    one_of(block=block, sealed=sealed)
    if sealed is not None:
        handle, attributes = _unsealed(ask, sealed)
        exportable = sealed.exportable
    elif block is not None:
        outer = ask.usable(block.wrapping_key_identifier)
        ask.must_be(outer, Purpose.KEY_WRAP)
        blocks, data = ask.on.module.key_blocks, ask.on.module.data
        handle = blocks.import_key(outer.handle, block.wrapped_key_block, _PURPOSES).handle
        mode, exportability = data.attributes(handle)
        attributes, exportable = _attributes(handle, mode), exportability != "N"
    else:
        raise Malformed("nothing says how the key comes in")
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


async def import_parameters(ask: Asking, asked: ImportParameters) -> ImportParametersAnswer:
    """A transport key to encipher a key to; the certificate is signed by itself.

    Source: AWS Payment Cryptography API, GetParametersForImport
    """
    ask.allow("*")
    bits = _BITS.get(asked.wrapping_key_algorithm)
    if asked.key_material_type != "KEY_CRYPTOGRAM" or bits is None:
        raise NotPermitted("keys come in as cryptograms under RSA, or in key blocks of TR-31")
    module, now = ask.on.module, ask.on.clock.now()
    name = f"import-token-{module.random(16).hex()}"
    made = await asyncio.to_thread(module.transport.make, bits, name, now)
    text = base64.b64encode(made.certificate).decode("ascii")
    return ImportParametersAnswer(
        wrapping_key_certificate=text,
        wrapping_key_certificate_chain=text,
        wrapping_key_algorithm=asked.wrapping_key_algorithm,
        import_token=name,
        parameters_valid_until_timestamp=made.ends_at // 1000,
    )


def _unsealed(ask: Asking, given: ImportCryptogram) -> tuple[KeyHandle, KeyAttributes]:
    purpose, mechanism, letter = admitted(given.key_attributes)
    if purpose is Purpose.LINK_HMAC:
        raise NotPermitted("HMAC keys do not come in")
    incoming = Incoming(
        purpose=purpose,
        mechanism=mechanism,
        mode=letter,
        exportability="E" if given.exportable else "N",
    )
    digest = "sha-512" if given.wrapping_spec.endswith("512") else "sha-256"
    octets = octets_of(given.wrapped_key_cryptogram)
    transport, now = ask.on.module.transport, ask.on.clock.now()
    try:
        handle = transport.admit(given.import_token, octets, digest, incoming, now)
    except NotFound as error:
        raise Conflict(error.detail, remedy=error.remedy) from error
    return handle, given.key_attributes


async def export_key(ask: Asking, asked: ExportKey) -> WrappedAnswer:
    """The key, or the initial key of a terminal, in a key block under another key of this door.

    Source: AWS Payment Cryptography API, ExportKey
    """
    given = asked.key_material.tr31_key_block
    if given is None:
        raise Malformed("a key leaves in a key block of TR-31")
    inner, outer = (
        ask.usable(asked.export_key_identifier),
        ask.usable(given.wrapping_key_identifier),
    )
    ask.must_be(outer, Purpose.KEY_WRAP)
    if not inner.row.exportable:
        raise NotPermitted("the key is not exportable")
    exportability = _further(inner, given.key_block_headers)
    module, asked_kcv = ask.on.module, asked.export_attributes.key_check_value_algorithm or ""
    initial = asked.export_attributes.export_dukpt_initial_key
    handle = inner.handle
    if initial is not None:
        ask.must_be(inner, Purpose.DUKPT_BASE)
        ksn = bytes.fromhex(initial.key_serial_number)
        terminal = ksn[:8] if handle.mechanism.startswith("aes") else ksn
        handle = module.key_blocks.derive_initial(handle, terminal)
    try:
        block = module.key_blocks.export_key(outer.handle, handle, exportability=exportability)
        how, kcv = check_value(ask.on, handle, asked_kcv)
    finally:
        if initial is not None:
            module.destroy(handle)
    key_id, under = inner.row.id, outer.row.id
    await ask.write(lambda kept, turn: kept.exported(turn, ask.program, key_id, under))
    return WrappedAnswer(
        wrapped_key=WrappedKey(
            wrapping_key_arn=outer.arn,
            wrapped_key_material_format="TR31_KEY_BLOCK",
            key_material=block,
            key_check_value=kcv,
            key_check_value_algorithm=cast("Any", how),
        )
    )


def _attributes(handle: KeyHandle, mode: str) -> KeyAttributes:
    words = dict.fromkeys(WORDS[mode].split(","), True)
    return KeyAttributes(
        key_usage=cast("Any", USAGE_OF[handle.purpose]),
        key_class="SYMMETRIC_KEY",
        key_algorithm=cast("Any", ALGORITHM_OF[handle.mechanism]),
        key_modes_of_use=KeyModesOfUse(**words),
    )


def _further(inner: Loaded, headers: KeyBlockHeaders | None) -> str:
    """What the receiver may do with the key further."""
    if headers is None:
        return "E"
    modes = headers.key_modes_of_use
    if modes is not None and ",".join(sorted(chosen_modes(modes))) != inner.row.modes:
        raise NotPermitted("a key leaves with the modes of use that it has")
    return _LETTER[headers.key_exportability or "EXPORTABLE"]
