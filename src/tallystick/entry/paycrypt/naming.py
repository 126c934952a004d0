"""Names that callers give keys at the door: aliases and tags.

Source: AWS Payment Cryptography API, 2021-09-14
"""

from tallystick.application.paycrypt import AliasRow
from tallystick.entry.paycrypt.asking import Asking, Ground
from tallystick.entry.paycrypt.keys import page_of, tags_given
from tallystick.protocol.paycrypt.control import (
    Alias,
    AliasAnswer,
    AliasesAnswer,
    ListAliases,
    ListTags,
    Nothing,
    OfAlias,
    Tag,
    TagResource,
    TagsAnswer,
    UntagResource,
)


async def create_alias(ask: Asking, asked: Alias) -> AliasAnswer:
    """A new name; the program may do this with the name and with the key.

    Source: AWS Payment Cryptography API, CreateAlias
    """
    name, key_id = asked.alias_name, _target(ask, asked)
    await ask.write(lambda kept, turn: kept.name(turn, ask.program, name, key_id))
    return AliasAnswer(alias=_alias(ask.on, ask.on.kept.alias(name)))


async def update_alias(ask: Asking, asked: Alias) -> AliasAnswer:
    """A name that names another key from now on.

    Source: AWS Payment Cryptography API, UpdateAlias
    """
    name, key_id = asked.alias_name, _target(ask, asked)
    await ask.write(lambda kept, turn: kept.rename(turn, ask.program, name, key_id))
    return AliasAnswer(alias=_alias(ask.on, ask.on.kept.alias(name)))


async def delete_alias(ask: Asking, asked: OfAlias) -> Nothing:
    """The name is no more.

    Source: AWS Payment Cryptography API, DeleteAlias
    """
    ask.about = asked.alias_name
    ask.allow(asked.alias_name)
    await ask.write(lambda kept, turn: kept.unname(turn, ask.program, asked.alias_name))
    return Nothing()


def show_alias(ask: Asking, asked: OfAlias) -> AliasAnswer:
    """A name and its key.

    Source: AWS Payment Cryptography API, GetAlias
    """
    ask.about = asked.alias_name
    ask.allow(asked.alias_name)
    return AliasAnswer(alias=_alias(ask.on, ask.on.kept.alias(asked.alias_name)))


def listed_aliases(ask: Asking, asked: ListAliases) -> AliasesAnswer:
    """A page of names.

    Source: AWS Payment Cryptography API, ListAliases
    """
    ask.allow("*")
    wanted = "" if asked.key_arn is None else ask.row_of(asked.key_arn).id
    found = [
        (name, one)
        for name, one in sorted(ask.on.kept.aliases.items())
        if one.present and (not wanted or one.key_id == wanted)
    ]
    page, after = page_of(found, asked.next_token, asked.max_results)
    return AliasesAnswer(aliases=tuple(_alias(ask.on, one) for one in page), next_token=after)


async def tag(ask: Asking, asked: TagResource) -> Nothing:
    """The key has the tags.

    Source: AWS Payment Cryptography API, TagResource
    """
    row, given = ask.row_of(asked.resource_arn), tags_given(asked.tags)
    await ask.write(lambda kept, turn: kept.tag(turn, ask.program, row.id, given, frozenset()))
    return Nothing()


async def untag(ask: Asking, asked: UntagResource) -> Nothing:
    """The key has the tags no more.

    Source: AWS Payment Cryptography API, UntagResource
    """
    row, gone = ask.row_of(asked.resource_arn), frozenset(asked.tag_keys)
    await ask.write(lambda kept, turn: kept.tag(turn, ask.program, row.id, {}, gone))
    return Nothing()


def listed_tags(ask: Asking, asked: ListTags) -> TagsAnswer:
    """The tags of a key, all on one page.

    Source: AWS Payment Cryptography API, ListTagsForResource
    """
    tags = ask.on.kept.tags_of(ask.row_of(asked.resource_arn))
    return TagsAnswer(tags=tuple(Tag(key=one, value=tags[one]) for one in sorted(tags)))


def _alias(on: Ground, row: AliasRow) -> Alias:
    return Alias(alias_name=row.name, key_arn=on.arn(row.key_id) if row.key_id else None)


def _target(ask: Asking, asked: Alias) -> str:
    """The key that an alias is to name, if the program may name both."""
    ask.allow(asked.alias_name)
    key_id = "" if asked.key_arn is None else ask.row_of(asked.key_arn).id
    ask.about = asked.alias_name
    return key_id
