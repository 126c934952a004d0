"""Keys that come in and leave, and certificates: what the control plane is asked and answers.

Source: AWS Payment Cryptography API, 2021-09-14
"""

from typing import Annotated, Any, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC
from tallystick.kernel.model import Natural, pattern
from tallystick.protocol.paycrypt.control import Tag
from tallystick.protocol.paycrypt.words import (
    CertificateText,
    Derivation,
    DerivationHash,
    KcvAlgorithm,
    KeyAlgorithm,
    KeyArn,
    KeyAttributes,
    KeyCheckValue,
    KeyIdentifier,
    KeyModesOfUse,
    Region,
    Shape,
    Shared,
    WrappingSpec,
)

_Identifier = Annotated[KeyIdentifier, INTERNAL]
_Certificate = Annotated[CertificateText, PUBLIC]
_KeyBlock = Annotated[Annotated[str, pattern("^[0-9a-zA-Z]{56,9984}$")], INTERNAL]
_Nonce = Annotated[str, pattern("^(?:[0-9a-fA-F]{2}){8,16}$")]
_ImportToken = Annotated[str, pattern("^import-token-[0-9a-zA-Z]{16,64}$")]
_Name = Annotated[str, pattern("^[^\\[;\\]<>]{1,64}$")]
_Material = Literal[
    "TR34_KEY_BLOCK", "TR31_KEY_BLOCK", "ROOT_PUBLIC_KEY_CERTIFICATE",
    "TRUSTED_PUBLIC_KEY_CERTIFICATE", "KEY_CRYPTOGRAM",
]  # fmt: skip


class ImportBlock(Shape, frozen=True, kw_only=True):
    """A key in a key block, and the key that it is wrapped under.

    Source: AWS Payment Cryptography API, ImportTr31KeyBlock
    """

    wrapping_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    wrapped_key_block: _KeyBlock


class ImportCryptogram(Shape, frozen=True, kw_only=True):
    """A key under the public half that `GetParametersForImport` gave.

    Source: AWS Payment Cryptography API, ImportKeyCryptogram
    """

    key_attributes: Annotated[KeyAttributes, PUBLIC]
    exportable: Annotated[bool, PUBLIC]
    wrapped_key_cryptogram: Annotated[Annotated[str, pattern("^[0-9A-F]{16,4096}$")], INTERNAL]
    import_token: Annotated[_ImportToken, INTERNAL]
    wrapping_spec: Annotated[WrappingSpec, PUBLIC] = "RSA_OAEP_SHA_256"


class RootCertificate(Shape, frozen=True, kw_only=True):
    """The certificate of a partner's authority, which whoever brings it in believes.

    Source: AWS Payment Cryptography API, RootCertificatePublicKey
    """

    key_attributes: Annotated[KeyAttributes, PUBLIC]
    public_key_certificate: _Certificate


class TrustedCertificate(RootCertificate, frozen=True, kw_only=True):
    """A certificate of a partner, and the authority in the door that issued it.

    Source: AWS Payment Cryptography API, TrustedCertificatePublicKey
    """

    certificate_authority_public_key_identifier: _Identifier


class ImportToken34(Shape, frozen=True, kw_only=True):
    """A key in a token of TR-34, who signed it, and the pair that it is for.

    Source: AWS Payment Cryptography API, ImportTr34KeyBlock
    """

    certificate_authority_public_key_identifier: _Identifier
    signing_key_certificate: _Certificate
    wrapped_key_block: Annotated[Annotated[str, pattern("^(?:[0-9A-F]{2}){1,8192}$")], INTERNAL]
    key_block_format: Annotated[Literal["X9_TR34_2012"], PUBLIC]
    import_token: Annotated[_ImportToken | None, INTERNAL] = None
    wrapping_key_identifier: Annotated[KeyIdentifier | None, INTERNAL] = None
    wrapping_key_certificate: Annotated[CertificateText | None, PUBLIC] = None
    random_nonce: Annotated[_Nonce | None, INTERNAL] = None


class SharedInformation(Shape, frozen=True, kw_only=True):
    """What an agreed key is bound to.

    Source: AWS Payment Cryptography API, DiffieHellmanDerivationData
    """

    shared_information: Annotated[Shared, INTERNAL]


class Agreement(Shape, frozen=True, kw_only=True):
    """A pair of the door, the other party's certificate, and the key that they agree on.

    Source: AWS Payment Cryptography API, ImportDiffieHellmanTr31KeyBlock
    """

    private_key_identifier: _Identifier
    certificate_authority_public_key_identifier: _Identifier
    public_key_certificate: _Certificate
    derive_key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    key_derivation_function: Annotated[Derivation, PUBLIC]
    key_derivation_hash_algorithm: Annotated[DerivationHash, PUBLIC]
    derivation_data: Annotated[SharedInformation, INTERNAL]


class AgreedBlock(Agreement, frozen=True, kw_only=True):
    """A key in a key block under an agreed key.

    Source: AWS Payment Cryptography API, ImportDiffieHellmanTr31KeyBlock
    """

    wrapped_key_block: _KeyBlock


class ImportMaterial(Shape, frozen=True, kw_only=True):
    """How a key comes in: one of these.

    Source: AWS Payment Cryptography API, ImportKeyMaterial
    """

    tr31_key_block: Annotated[ImportBlock | None, INTERNAL] = None
    key_cryptogram: Annotated[ImportCryptogram | None, INTERNAL] = None
    root_certificate_public_key: Annotated[RootCertificate | None, PUBLIC] = None
    trusted_certificate_public_key: Annotated[TrustedCertificate | None, PUBLIC] = None
    tr34_key_block: Annotated[ImportToken34 | None, INTERNAL] = None
    diffie_hellman_tr31_key_block: Annotated[AgreedBlock | None, INTERNAL] = None
    as2805_key_cryptogram: Annotated[dict[str, Any] | None, INTERNAL] = None


class ImportKey(Shape, frozen=True, kw_only=True):
    """Brings a key in.

    Source: AWS Payment Cryptography API, ImportKey
    """

    key_material: Annotated[ImportMaterial, INTERNAL]
    key_check_value_algorithm: Annotated[KcvAlgorithm | None, PUBLIC] = None
    enabled: Annotated[bool, PUBLIC] = True
    tags: Annotated[tuple[Tag, ...], INTERNAL] = ()
    replication_regions: Annotated[tuple[Region, ...], PUBLIC] = ()


_OptionalText = Annotated[str, pattern("^[0-9a-zA-Z]{1,108}$")]
_Version = Annotated[str, pattern("^[0-9A-Z]{2}$")]


class KeyBlockHeaders(Shape, frozen=True, kw_only=True):
    """What the receiver may do with an exported key, and what else its header says.

    Source: AWS Payment Cryptography API, KeyBlockHeaders
    """

    key_modes_of_use: Annotated[KeyModesOfUse | None, PUBLIC] = None
    key_exportability: Annotated[
        Literal["EXPORTABLE", "NON_EXPORTABLE", "SENSITIVE"] | None, PUBLIC
    ] = None
    key_version: Annotated[_Version | None, PUBLIC] = None
    optional_blocks: Annotated[dict[_Version, _OptionalText] | None, INTERNAL] = None


class ExportBlock(Shape, frozen=True, kw_only=True):
    """The key that a key leaves under.

    Source: AWS Payment Cryptography API, ExportTr31KeyBlock
    """

    wrapping_key_identifier: Annotated[KeyIdentifier, INTERNAL]
    key_block_headers: Annotated[KeyBlockHeaders | None, PUBLIC] = None


class ExportCryptogram(Shape, frozen=True, kw_only=True):
    """The certificate that a key leaves under, and the authority that issued it.

    Source: AWS Payment Cryptography API, ExportKeyCryptogram
    """

    certificate_authority_public_key_identifier: _Identifier
    wrapping_key_certificate: _Certificate
    wrapping_spec: Annotated[WrappingSpec, PUBLIC] = "RSA_OAEP_SHA_256"


class ExportToken34(Shape, frozen=True, kw_only=True):
    """The certificate that a key leaves under in a token of TR-34, and who signs it.

    Source: AWS Payment Cryptography API, ExportTr34KeyBlock
    """

    certificate_authority_public_key_identifier: _Identifier
    wrapping_key_certificate: _Certificate
    key_block_format: Annotated[Literal["X9_TR34_2012"], PUBLIC]
    export_token: Annotated[
        Annotated[str, pattern("^export-token-[0-9a-zA-Z]{16,64}$")] | None, INTERNAL
    ] = None
    signing_key_identifier: Annotated[KeyIdentifier | None, INTERNAL] = None
    signing_key_certificate: Annotated[CertificateText | None, PUBLIC] = None
    random_nonce: Annotated[_Nonce | None, INTERNAL] = None
    key_block_headers: Annotated[KeyBlockHeaders | None, PUBLIC] = None


class ExportAgreed(Agreement, frozen=True, kw_only=True):
    """The agreement that a key leaves under.

    Source: AWS Payment Cryptography API, ExportDiffieHellmanTr31KeyBlock
    """

    key_block_headers: Annotated[KeyBlockHeaders | None, PUBLIC] = None


class ExportMaterial(Shape, frozen=True, kw_only=True):
    """How a key leaves: one of these.

    Source: AWS Payment Cryptography API, ExportKeyMaterial
    """

    tr31_key_block: Annotated[ExportBlock | None, INTERNAL] = None
    tr34_key_block: Annotated[ExportToken34 | None, INTERNAL] = None
    key_cryptogram: Annotated[ExportCryptogram | None, INTERNAL] = None
    diffie_hellman_tr31_key_block: Annotated[ExportAgreed | None, INTERNAL] = None
    as2805_key_cryptogram: Annotated[dict[str, Any] | None, INTERNAL] = None


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
    wrapped_key_material_format: Annotated[
        Literal["KEY_CRYPTOGRAM", "TR31_KEY_BLOCK", "TR34_KEY_BLOCK"], PUBLIC
    ]
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

    key_material_type: Annotated[_Material, PUBLIC]
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


class ExportParameters(Shape, frozen=True, kw_only=True):
    """Asks for a key to sign exported keys with.

    Source: AWS Payment Cryptography API, GetParametersForExport
    """

    key_material_type: Annotated[_Material, PUBLIC]
    signing_key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    reuse_last_generated_token: Annotated[bool, PUBLIC] = False


class ExportParametersAnswer(Shape, frozen=True, kw_only=True):
    """The certificate of that key and the authority's (PEM in base64), and how long it is good for.

    Source: AWS Payment Cryptography API, GetParametersForExport
    """

    signing_key_certificate: Annotated[str, PUBLIC]
    signing_key_certificate_chain: Annotated[str, PUBLIC]
    signing_key_algorithm: Annotated[KeyAlgorithm, PUBLIC]
    export_token: Annotated[str, INTERNAL]
    parameters_valid_until_timestamp: Annotated[Natural, PUBLIC]


class CertificateAnswer(Shape, frozen=True, kw_only=True):
    """The certificate of a pair and the authority's: PEM in base64.

    Source: AWS Payment Cryptography API, GetPublicKeyCertificate
    """

    key_certificate: Annotated[str, PUBLIC]
    key_certificate_chain: Annotated[str, PUBLIC]


class Subject(Shape, frozen=True, kw_only=True):
    """Whom a certificate is to name.

    Source: AWS Payment Cryptography API, CertificateSubjectType
    """

    common_name: Annotated[_Name, INTERNAL]
    organization_unit: Annotated[_Name | None, INTERNAL] = None
    organization: Annotated[_Name | None, INTERNAL] = None
    city: Annotated[Annotated[str, pattern("^[^\\[;\\]<>]{1,128}$")] | None, INTERNAL] = None
    country: Annotated[Annotated[str, pattern("^[A-Za-z]{2}$")] | None, INTERNAL] = None
    state_or_province: Annotated[
        Annotated[str, pattern("^[^\\[;\\]<>]{1,128}$")] | None, INTERNAL
    ] = None
    email_address: Annotated[
        Annotated[str, pattern("^[a-zA-Z0-9.!#$%&*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9.-]{1,63}$")]
        | None,
        INTERNAL,
    ] = None


class SigningRequest(Shape, frozen=True, kw_only=True):
    """Asks for a request for a certificate of a pair.

    Source: AWS Payment Cryptography API, GetCertificateSigningRequest
    """

    key_identifier: _Identifier
    signing_algorithm: Annotated[Literal["SHA224", "SHA256", "SHA384", "SHA512"], PUBLIC]
    certificate_subject: Annotated[Subject, INTERNAL]


class SigningRequestAnswer(Shape, frozen=True, kw_only=True):
    """The request: PEM in base64.

    Source: AWS Payment Cryptography API, GetCertificateSigningRequest
    """

    certificate_signing_request: Annotated[str, INTERNAL]
