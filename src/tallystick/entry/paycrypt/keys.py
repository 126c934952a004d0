"""The control plane of the door: keys.

What changes anything is done by the writer, and answered once it is durable.

Source: ISO/TS 12812-2:2017, 7.4.2; AWS Payment Cryptography API, 2021-09-14
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar, cast

from tallystick.application.paycrypt import PaymentKey
from tallystick.application.paycrypt.model import COMPLETE
from tallystick.entry.paycrypt.asking import MECHANISM_OF, PURPOSE_OF, Asking, Ground, upper
from tallystick.infrastructure.modules.card_interface import CARD_USES
from tallystick.infrastructure.modules.interface import MECHANISMS, KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import PAIRS_OF
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import field_names
from tallystick.protocol.paycrypt.control import (
    CreateKey,
    DeleteKey,
    Key,
    KeyAnswer,
    KeysAnswer,
    KeySummary,
    ListKeys,
    OfKey,
    Tag,
)
from tallystick.protocol.paycrypt.words import KeyAttributes, KeyModesOfUse

T = TypeVar("T")
MOST_ON_A_PAGE: Final = 100
_SECOND: Final = 1_000
_LEAST_DAYS: Final = 3
_MOST_DAYS: Final = 180
_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH: Final = 16
HERE: Final = "AWS_PAYMENT_CRYPTOGRAPHY"
_LETTERS: Final = {
    frozenset({"encrypt", "decrypt", "wrap", "unwrap"}): "B",
    frozenset({"encrypt", "decrypt"}): "B",
    frozenset({"wrap", "unwrap"}): "B",
    frozenset({"encrypt", "wrap"}): "E",
    frozenset({"decrypt", "unwrap"}): "D",
    frozenset({"encrypt"}): "E",
    frozenset({"decrypt"}): "D",
    frozenset({"wrap"}): "E",
    frozenset({"unwrap"}): "D",
    frozenset({"generate", "verify"}): "C",
    frozenset({"generate"}): "G",
    frozenset({"verify"}): "V",
    frozenset({"derive_key"}): "X",
    frozenset({"no_restrictions"}): "N",
}
WORDS: Final = {
    "B": "decrypt,encrypt,unwrap,wrap", "E": "encrypt,wrap", "D": "decrypt,unwrap",
    "C": "generate,verify", "G": "generate", "V": "verify", "X": "derive_key",
    "N": "no_restrictions",
}  # fmt: skip
"""Modes of use by the letter of a key block."""


async def create(ask: Asking, asked: CreateKey) -> KeyAnswer:
    """A fresh key.

    Source: AWS Payment Cryptography API, CreateKey
    """
    purpose, mechanism, letter = admitted(asked.key_attributes)
    if asked.derive_key_usage is not None:
        raise Malformed("only a pair for agreements takes a DeriveKeyUsage")
    module = ask.on.module
    if purpose is Purpose.LINK_HMAC:
        if asked.exportable:
            raise NotPermitted("HMAC keys do not leave: make it not exportable")
        handle = module.generate(purpose, mechanism=mechanism)
    else:
        exportability = "E" if asked.exportable else "N"
        handle = module.data.make_key(purpose, mechanism, mode=letter, exportability=exportability)
    row = new_row(
        ask.on,
        handle,
        asked.key_attributes,
        exportable=asked.exportable,
        origin=HERE,
        kcv_algorithm=asked.key_check_value_algorithm or "",
        enabled=asked.enabled,
        tags=asked.tags,
    )
    return await keep(ask, "CreateKey", handle, row)


async def keep(ask: Asking, act: str, handle: KeyHandle, row: PaymentKey) -> KeyAnswer:
    """Keep a new key; the module forgets it where the writer does not take it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    try:
        await ask.write(lambda kept, turn: kept.add(turn, ask.program, act, row))
    except BaseException:
        ask.on.module.destroy(handle)
        raise
    ask.on.handles[row.id] = handle
    return KeyAnswer(key=shown(ask.on, ask.on.kept.keys[row.id]))


def show(ask: Asking, asked: OfKey) -> KeyAnswer:
    """A key.

    Source: AWS Payment Cryptography API, GetKey
    """
    return KeyAnswer(key=shown(ask.on, ask.row_of(asked.key_identifier)))


def listed(ask: Asking, asked: ListKeys) -> KeysAnswer:
    """A page of keys.

    Source: AWS Payment Cryptography API, ListKeys
    """
    ask.allow("*")
    found = [
        one
        for _, one in sorted(ask.on.kept.keys.items())
        if asked.key_state is None or one.state == asked.key_state
    ]
    page, after = page_of([(one.id, one) for one in found], asked.next_token, asked.max_results)
    return KeysAnswer(keys=tuple(_summary(ask.on, one) for one in page), next_token=after)


async def delete(ask: Asking, asked: DeleteKey) -> KeyAnswer:
    """The key, which ends in so many days.

    Source: AWS Payment Cryptography API, DeleteKey
    """
    days = asked.delete_key_in_days
    if not _LEAST_DAYS <= days <= _MOST_DAYS:
        raise Malformed(f"a key is deleted in {_LEAST_DAYS} to {_MOST_DAYS} days")
    row = ask.row_of(asked.key_identifier)
    await ask.write(lambda kept, turn: kept.schedule(turn, ask.program, row.id, days))
    return KeyAnswer(key=shown(ask.on, ask.on.kept.keys[row.id]))


async def restore(ask: Asking, asked: OfKey) -> KeyAnswer:
    """The key, which does not end.

    Source: AWS Payment Cryptography API, RestoreKey
    """
    row = ask.row_of(asked.key_identifier)
    await ask.write(lambda kept, turn: kept.restore(turn, ask.program, row.id))
    return KeyAnswer(key=shown(ask.on, ask.on.kept.keys[row.id]))


async def start(ask: Asking, asked: OfKey) -> KeyAnswer:
    """The key, which can be used.

    Source: AWS Payment Cryptography API, StartKeyUsage
    """
    row = ask.row_of(asked.key_identifier)
    await ask.write(lambda kept, turn: kept.start(turn, ask.program, row.id))
    return KeyAnswer(key=shown(ask.on, ask.on.kept.keys[row.id]))


async def stop(ask: Asking, asked: OfKey) -> KeyAnswer:
    """The key, which cannot be used.

    Source: AWS Payment Cryptography API, StopKeyUsage
    """
    row = ask.row_of(asked.key_identifier)
    await ask.write(lambda kept, turn: kept.stop(turn, ask.program, row.id))
    return KeyAnswer(key=shown(ask.on, ask.on.kept.keys[row.id]))


def admitted(given: KeyAttributes) -> tuple[Purpose, str, str]:
    """The purpose, mechanism and mode of a key with these attributes.

    Raises NotPermitted for what is not served or does not go together.
    Source: AWS Payment Cryptography API, KeyAttributes; X9.143, 6
    """
    purpose, mechanism = PURPOSE_OF.get(given.key_usage), MECHANISM_OF.get(given.key_algorithm)
    if given.key_class != "SYMMETRIC_KEY" or purpose is None or mechanism is None:
        raise NotPermitted("keys of this usage, class or algorithm are not served here")
    if mechanism not in MECHANISMS[purpose]:
        raise NotPermitted(f"{given.key_usage} does not go with {given.key_algorithm}")
    letter = letter_of(given.key_modes_of_use)
    modes = CARD_USES[purpose].modes if purpose in CARD_USES else {"C": 0, "G": 0, "V": 0}
    if letter not in modes:
        raise NotPermitted(f"these modes of use do not go with {given.key_usage}")
    return purpose, mechanism, letter


def letter_of(given: KeyModesOfUse) -> str:
    """The letter of a key block for these modes of use; a dot for those that it has none for.

    Source: X9.143, 6
    """
    return _LETTERS.get(frozenset(chosen_modes(given)), ".")


def chosen_modes(given: KeyModesOfUse) -> list[str]:
    """The names of the modes that are given.

    Source: AWS Payment Cryptography API, KeyModesOfUse
    """
    return [name for name in field_names(KeyModesOfUse) if getattr(given, name)]


def new_row(
    on: Ground,
    handle: KeyHandle,
    given: KeyAttributes,
    *,
    exportable: bool,
    origin: str,
    kcv_algorithm: str,
    enabled: bool,
    tags: Sequence[Tag],
    derives: str = "",
) -> PaymentKey:
    """A new key as it is kept.

    Raises NotPermitted for a check value that the key does not have.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    now = on.clock.now()
    chosen, kcv = check_value(on, handle, kcv_algorithm)
    return PaymentKey(
        id="".join(_ID_LETTERS[one % 32] for one in on.module.random(_ID_LENGTH)),
        usage=given.key_usage,
        algorithm=given.key_algorithm,
        modes=",".join(sorted(chosen_modes(given.key_modes_of_use))),
        exportable=int(exportable),
        enabled=int(enabled),
        state=COMPLETE,
        origin=origin,
        kcv=kcv,
        kcv_algorithm=chosen,
        created_at=now,
        usage_start=now if enabled else 0,
        usage_stop=0,
        delete_at=0,
        deleted_at=0,
        block=on.module.export_block(handle),
        tags=encode_canonical(tags_given(tags)).decode(),
        event=-1,
        sort=given.key_class,
        derives=derives,
    )


def one_region(given: Sequence[str]) -> None:
    """Return only if no other region is asked for; raises NotPermitted.

    Source: AWS Payment Cryptography API, ReplicationRegions
    """
    if given:
        raise NotPermitted(
            "keys are not replicated to other regions: a door has one",
            remedy="export the key to the door of the other region",
        )


def check_value(on: Ground, handle: KeyHandle, asked: str) -> tuple[str, str]:
    """How the check value of a key is made, and the value.

    By default CMAC for AES, zeros enciphered for TDEA; of an HMAC key the code over nothing, of a
    pair and a certificate the identifier of the public half, whatever was asked.
    Source: AWS Payment Cryptography API, KeyCheckValueAlgorithm
    """
    if handle.purpose.value in PAIRS_OF:
        return "SHA_1", upper(on.module.pairs.check_value(handle))
    if handle.purpose is Purpose.LINK_HMAC:
        chosen = asked or "HMAC"
        if chosen != "HMAC":
            raise NotPermitted("the check value of an HMAC key is an HMAC")
        return chosen, upper(on.module.mac(handle, b"")[:3])
    default = "CMAC" if handle.mechanism.startswith("aes") else "ANSI_X9_24"
    chosen = asked or default
    if chosen not in {"CMAC", "ANSI_X9_24"}:
        raise NotPermitted("check values are made by CMAC or ANSI X9.24")
    return chosen, upper(on.module.data.check_value(handle, cmac=chosen == "CMAC"))


def shown(on: Ground, row: PaymentKey) -> Key:
    """A key as it is answered.

    Source: AWS Payment Cryptography API, Key
    """
    return Key(
        key_arn=on.arn(row.id),
        key_attributes=_attributes(row),
        key_check_value=row.kcv,
        key_check_value_algorithm=cast("Any", row.kcv_algorithm),
        enabled=bool(row.enabled),
        exportable=bool(row.exportable),
        key_state=cast("Any", row.state),
        key_origin=cast("Any", row.origin),
        create_timestamp=row.created_at // _SECOND,
        usage_start_timestamp=_seconds(row.usage_start),
        usage_stop_timestamp=_seconds(row.usage_stop),
        delete_pending_timestamp=_seconds(row.delete_at),
        delete_timestamp=_seconds(row.deleted_at),
        derive_key_usage=cast("Any", row.derives or None),
    )


def _attributes(row: PaymentKey) -> KeyAttributes:
    return KeyAttributes(
        key_usage=cast("Any", row.usage),
        key_class=cast("Any", row.sort),
        key_algorithm=cast("Any", row.algorithm),
        key_modes_of_use=KeyModesOfUse(**dict.fromkeys(row.modes.split(","), True)),
    )


def _summary(on: Ground, row: PaymentKey) -> KeySummary:
    return KeySummary(
        key_arn=on.arn(row.id),
        key_state=cast("Any", row.state),
        key_attributes=_attributes(row),
        key_check_value=row.kcv,
        exportable=bool(row.exportable),
        enabled=bool(row.enabled),
    )


def _seconds(instant: int) -> int | None:
    return instant // _SECOND if instant else None


def tags_given(given: Iterable[Tag]) -> dict[str, str]:
    """Tags by name; raises Malformed for a name that comes twice.

    Source: AWS Payment Cryptography API, Tag
    """
    found = {one.key: one.value for one in given}
    if len(found) != len(tuple(given)):
        raise Malformed("a tag is given twice")
    return found


def page_of(
    found: Sequence[tuple[str, T]], after: str | None, most: int
) -> tuple[list[T], str | None]:
    """The rows behind the name `after`, and the name to go on behind, if there are more.

    Source: AWS Payment Cryptography API, ListKeys
    """
    if not 1 <= most <= MOST_ON_A_PAGE:
        raise Malformed(f"a page has 1 to {MOST_ON_A_PAGE} entries")
    rest = [(name, one) for name, one in found if after is None or name > after]
    page = rest[:most]
    return [one for _, one in page], page[-1][0] if len(rest) > most else None
