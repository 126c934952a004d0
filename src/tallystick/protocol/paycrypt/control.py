"""Keys, aliases and tags: what the control plane is asked and answers.

Source: AWS Payment Cryptography API, 2021-09-14
"""

from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, length, pattern
from tallystick.protocol.paycrypt.words import (
    AliasName,
    KcvAlgorithm,
    KeyArn,
    KeyAttributes,
    KeyCheckValue,
    KeyIdentifier,
    KeyOrigin,
    KeyState,
    KeyUsage,
    Region,
    Shape,
    TagText,
)

_Marker = Annotated[str, pattern("^[0-9A-Za-z/_-]{1,300}$")]
_Page = Annotated[Natural, INTERNAL]


class Tag(Shape, frozen=True, kw_only=True):
    """A name and a value that a caller gives its key.

    Source: AWS Payment Cryptography API, Tag
    """

    key: Annotated[Annotated[str, length(1, 128)], INTERNAL]
    value: Annotated[TagText, INTERNAL]


class Key(Shape, frozen=True, kw_only=True):
    """A key as it is shown; times are in seconds.

    Source: AWS Payment Cryptography API, Key
    """

    key_arn: Annotated[KeyArn, INTERNAL]
    key_attributes: Annotated[KeyAttributes, PUBLIC]
    key_check_value: Annotated[KeyCheckValue, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm, PUBLIC]
    enabled: Annotated[bool, PUBLIC]
    exportable: Annotated[bool, PUBLIC]
    key_state: Annotated[KeyState, PUBLIC]
    key_origin: Annotated[KeyOrigin, PUBLIC]
    create_timestamp: Annotated[Natural, PUBLIC]
    usage_start_timestamp: Annotated[Natural | None, PUBLIC] = None
    usage_stop_timestamp: Annotated[Natural | None, PUBLIC] = None
    delete_pending_timestamp: Annotated[Natural | None, PUBLIC] = None
    delete_timestamp: Annotated[Natural | None, PUBLIC] = None
    derive_key_usage: Annotated[KeyUsage | None, PUBLIC] = None


class KeySummary(Shape, frozen=True, kw_only=True):
    """A key in a list.

    Source: AWS Payment Cryptography API, KeySummary
    """

    key_arn: Annotated[KeyArn, INTERNAL]
    key_state: Annotated[KeyState, PUBLIC]
    key_attributes: Annotated[KeyAttributes, PUBLIC]
    key_check_value: Annotated[KeyCheckValue, INTERNAL]
    exportable: Annotated[bool, PUBLIC]
    enabled: Annotated[bool, PUBLIC]


class KeyAnswer(Shape, frozen=True, kw_only=True):
    """The key that an act was about.

    Source: AWS Payment Cryptography API, GetKey
    """

    key: Annotated[Key, INTERNAL]


class CreateKey(Shape, frozen=True, kw_only=True):
    """Makes a key.

    Source: AWS Payment Cryptography API, CreateKey
    """

    key_attributes: Annotated[KeyAttributes, PUBLIC]
    exportable: Annotated[bool, PUBLIC]
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None
    enabled: Annotated[bool, PUBLIC] = True
    tags: Annotated[tuple[Tag, ...], INTERNAL] = ()
    derive_key_usage: Annotated[KeyUsage | None, PUBLIC] = None
    replication_regions: Annotated[tuple[Region, ...], PUBLIC] = ()


class OfKey(Shape, frozen=True, kw_only=True):
    """Names a key, and nothing more: to show, restore, start or stop it.

    Source: AWS Payment Cryptography API, GetKey
    """

    key_identifier: Annotated[KeyIdentifier, INTERNAL]


class DeleteKey(Shape, frozen=True, kw_only=True):
    """Deletes a key after so many days.

    Source: AWS Payment Cryptography API, DeleteKey
    """

    key_identifier: Annotated[KeyIdentifier, INTERNAL]
    delete_key_in_days: Annotated[Natural, PUBLIC] = 7


class ListKeys(Shape, frozen=True, kw_only=True):
    """Asks for a page of keys.

    Source: AWS Payment Cryptography API, ListKeys
    """

    key_state: Annotated[KeyState | None, PUBLIC] = None
    next_token: Annotated[_Marker | None, INTERNAL] = None
    max_results: _Page = 50


class KeysAnswer(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """A page of keys.

    Source: AWS Payment Cryptography API, ListKeys
    """

    keys: Annotated[tuple[KeySummary, ...], INTERNAL]
    next_token: Annotated[str | None, INTERNAL] = None


class Alias(Shape, frozen=True, kw_only=True):
    """A name for a key, or for none yet.

    Source: AWS Payment Cryptography API, Alias
    """

    alias_name: Annotated[AliasName, INTERNAL]
    key_arn: Annotated[KeyArn | None, INTERNAL] = None


class AliasAnswer(Shape, frozen=True, kw_only=True):
    """The alias that an act was about.

    Source: AWS Payment Cryptography API, GetAlias
    """

    alias: Annotated[Alias, INTERNAL]


class OfAlias(Shape, frozen=True, kw_only=True):
    """Names an alias, to show or delete it.

    Source: AWS Payment Cryptography API, GetAlias
    """

    alias_name: Annotated[AliasName, INTERNAL]


class ListAliases(Shape, frozen=True, kw_only=True):
    """Asks for a page of aliases, of one key or of all.

    Source: AWS Payment Cryptography API, ListAliases
    """

    key_arn: Annotated[KeyArn | None, INTERNAL] = None
    next_token: Annotated[_Marker | None, INTERNAL] = None
    max_results: _Page = 50


class AliasesAnswer(Shape, frozen=True, kw_only=True):
    """A page of aliases.

    Source: AWS Payment Cryptography API, ListAliases
    """

    aliases: Annotated[tuple[Alias, ...], INTERNAL]
    next_token: Annotated[str | None, INTERNAL] = None


class TagResource(Shape, frozen=True, kw_only=True):
    """Gives tags to a key; a name that it has gets the new value.

    Source: AWS Payment Cryptography API, TagResource
    """

    resource_arn: Annotated[KeyArn, INTERNAL]
    tags: Annotated[tuple[Tag, ...], INTERNAL]


class UntagResource(Shape, frozen=True, kw_only=True):
    """Takes tags from a key.

    Source: AWS Payment Cryptography API, UntagResource
    """

    resource_arn: Annotated[KeyArn, INTERNAL]
    tag_keys: Annotated[tuple[Annotated[str, length(1, 128)], ...], INTERNAL]


class ListTags(Shape, frozen=True, kw_only=True):
    """Asks for the tags of a key.

    Source: AWS Payment Cryptography API, ListTagsForResource
    """

    resource_arn: Annotated[KeyArn, INTERNAL]
    next_token: Annotated[_Marker | None, INTERNAL] = None
    max_results: _Page = 50


class TagsAnswer(Shape, frozen=True, kw_only=True):
    """The tags of a key.

    Source: AWS Payment Cryptography API, ListTagsForResource
    """

    tags: Annotated[tuple[Tag, ...], INTERNAL]


class NoFields(Shape, frozen=True, kw_only=True):
    """Asks for something without saying more.

    Source: AWS Payment Cryptography API, GetDefaultKeyReplicationRegions
    """


class DefaultRegions(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """The regions that new keys are replicated to.

    Source: AWS Payment Cryptography API, GetDefaultKeyReplicationRegions
    """

    enabled_replication_regions: Annotated[tuple[Region, ...], PUBLIC]


class Nothing(Shape, frozen=True, kw_only=True):
    """An answer that says only that it was done.

    Source: AWS Payment Cryptography API, DeleteAlias
    """
