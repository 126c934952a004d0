"""A key of the door and an alias, as they are kept.

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from typing import Final

from tallystick.kernel.model import Record

COMPLETE: Final = "CREATE_COMPLETE"
PENDING: Final = "DELETE_PENDING"
DELETED: Final = "DELETE_COMPLETE"
SYMMETRIC: Final = "SYMMETRIC_KEY"
PAIR: Final = "ASYMMETRIC_KEY_PAIR"
PUBLIC_HALF: Final = "PUBLIC_KEY"
OWNER: Final = "door key/"
"""What the inventory of keys says of who holds a key of the door, before the id of the key."""


class PaymentKey(Record, frozen=True, kw_only=True):
    """A key: what it is for, where it is in its life, and the module's block of it.

    `modes` are names of modes of use with commas, `tags` JSON of names and values, times are in
    milliseconds, 0 for never. Of a deleted key `block` is empty. `sort` is the model's class of a
    key, `derives` the usage of what a pair agrees on, empty for others.
    Source: ISO/TS 12812-2:2017, 7.4.2; AWS Payment Cryptography API, Key
    """

    id: str
    usage: str
    algorithm: str
    modes: str
    exportable: int
    enabled: int
    state: str
    origin: str
    kcv: str
    kcv_algorithm: str
    created_at: int
    usage_start: int
    usage_stop: int
    delete_at: int
    deleted_at: int
    block: bytes
    tags: str
    event: int
    sort: str = SYMMETRIC
    derives: str = ""


class AliasRow(Record, frozen=True, kw_only=True):
    """A name for a key; `key_id` is empty where it names none, `present` 0 once it was deleted.

    Source: AWS Payment Cryptography API, Alias
    """

    name: str
    key_id: str
    present: int
    event: int
