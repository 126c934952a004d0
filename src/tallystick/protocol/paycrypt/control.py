"""Keys, aliases and tags: what the control plane is asked and answers.

Source: AWS Payment Cryptography API, 2021-09-14
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, length, pattern
from tallystick.protocol.paycrypt.words import (
    AliasName,
    KcvAlgorithm,
    KeyAlgorithm,
    KeyArn,
    KeyAttributes,
    KeyCheckValue,
    KeyIdentifier,
    KeyModesOfUse,
    KeyOrigin,
    KeyState,
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


class Nothing(Shape, frozen=True, kw_only=True):
    """An answer that says only that it was done.

    Source: AWS Payment Cryptography API, DeleteAlias
    """


class ImportBlock(Shape, frozen=True, kw_only=True):
    """A key in a key block, and the key that it is wrapped under.

    Source: AWS Payment Cryptography API, ImportTr31KeyBlock
    """

    wrapping_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    wrapped_key_block: Annotated[Annotated[str, pattern("^[0-9a-zA-Z]{56,9984}$")], INTERNAL]


class ImportCryptogram(Shape, frozen=True, kw_only=True):
    """A key under the public half that `GetParametersForImport` gave.

    Source: AWS Payment Cryptography API, ImportKeyCryptogram
    """

    key_attributes: Annotated[KeyAttributes, PUBLIC]
    exportable: Annotated[bool, PUBLIC]
    wrapped_key_cryptogram: Annotated[Annotated[str, pattern("^[0-9A-F]{16,4096}$")], INTERNAL]
    import_token: Annotated[Annotated[str, pattern("^import-token-[0-9a-zA-Z]{16,64}$")], INTERNAL]
    wrapping_spec: Annotated[Literal["RSA_OAEP_SHA_256", "RSA_OAEP_SHA_512"], PUBLIC] = (
        "RSA_OAEP_SHA_256"
    )


class ImportMaterial(Shape, frozen=True, kw_only=True):
    """How a key comes in: one of these.

    Source: AWS Payment Cryptography API, ImportKeyMaterial
    """

    tr31_key_block: Annotated[ImportBlock | None, INTERNAL] = None
    key_cryptogram: Annotated[ImportCryptogram | None, INTERNAL] = None


class ImportKey(Shape, frozen=True, kw_only=True):
    """Brings a key in.

    Source: AWS Payment Cryptography API, ImportKey
    """

    key_material: Annotated[ImportMaterial, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None
    enabled: Annotated[bool, PUBLIC] = True
    tags: Annotated[tuple[Tag, ...], INTERNAL] = ()


class KeyBlockHeaders(Shape, frozen=True, kw_only=True):
    """What the receiver may do with an exported key.

    Source: AWS Payment Cryptography API, KeyBlockHeaders
    """

    key_modes_of_use: Annotated[KeyModesOfUse | None, PUBLIC] = None
    key_exportability: Annotated[
        Literal["EXPORTABLE", "NON_EXPORTABLE", "SENSITIVE"] | None, PUBLIC
    ] = None


class ExportBlock(Shape, frozen=True, kw_only=True):
    """The key that a key leaves under.

    Source: AWS Payment Cryptography API, ExportTr31KeyBlock
    """

    wrapping_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    key_block_headers: Annotated[KeyBlockHeaders | None, PUBLIC] = None


class ExportMaterial(Shape, frozen=True, kw_only=True):
    """How a key leaves: in a key block.

    Source: AWS Payment Cryptography API, ExportKeyMaterial
    """

    tr31_key_block: Annotated[ExportBlock | None, INTERNAL] = None


class ExportInitialKey(Shape, frozen=True, kw_only=True):
    """Which terminal's initial key leaves in place of the base key.

    Source: AWS Payment Cryptography API, ExportDukptInitialKey
    """

    key_serial_number: Annotated[
        Annotated[str, pattern("^(?:[0-9A-F]{20}|[0-9A-F]{24})$")], INTERNAL
    ]


class ExportAttributes(Shape, frozen=True, kw_only=True):
    """What more is asked of an export.

    Source: AWS Payment Cryptography API, ExportAttributes
    """

    export_dukpt_initial_key: Annotated[ExportInitialKey | None, INTERNAL] = None
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None


class ExportKey(Shape, frozen=True, kw_only=True):
    """Lets a key leave.

    Source: AWS Payment Cryptography API, ExportKey
    """

    key_material: Annotated[ExportMaterial, INTERNAL]
    export_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    export_attributes: Annotated[ExportAttributes, INTERNAL] = ExportAttributes()


class WrappedKey(Shape, frozen=True, kw_only=True):
    """A key that left.

    Source: AWS Payment Cryptography API, WrappedKey
    """

    wrapping_key_arn: Annotated[KeyArn, INTERNAL]
    wrapped_key_material_format: Annotated[Literal["TR31_KEY_BLOCK"], PUBLIC]
    key_material: Annotated[str, INTERNAL]
    key_check_value: Annotated[KeyCheckValue, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm, PUBLIC]


class WrappedAnswer(Shape, frozen=True, kw_only=True):
    """What an export came to.

    Source: AWS Payment Cryptography API, ExportKey
    """

    wrapped_key: Annotated[WrappedKey, INTERNAL]


class ImportParameters(Shape, frozen=True, kw_only=True):
    """Asks for a key to wrap an imported key under.

    Source: AWS Payment Cryptography API, GetParametersForImport
    """

    key_material_type: Annotated[
        Literal[
            "TR34_KEY_BLOCK", "TR31_KEY_BLOCK", "ROOT_PUBLIC_KEY_CERTIFICATE",
            "TRUSTED_PUBLIC_KEY_CERTIFICATE", "KEY_CRYPTOGRAM",
        ],
        PUBLIC,
    ]  # fmt: skip
    wrapping_key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    reuse_last_generated_token: Annotated[bool, PUBLIC] = False


class ImportParametersAnswer(Shape, frozen=True, kw_only=True):
    """The certificate of that key (PEM in base64), and how long it is good for.

    Source: AWS Payment Cryptography API, GetParametersForImport
    """

    wrapping_key_certificate: Annotated[str, PUBLIC]
    wrapping_key_certificate_chain: Annotated[str, PUBLIC]
    wrapping_key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    import_token: Annotated[str, INTERNAL]
    parameters_valid_until_timestamp: Annotated[Natural, PUBLIC]
