"""What crosses the payment cryptography door, and who may read it.

A program of a partner asks, the front of the door reads what it asks, the module computes. The
writer keeps keys as blocks, and of what is done with them how often; of surrogates it sees domains,
purposes and what is sealed. Key material comes and goes wrapped, PINs as blocks.

Source: ISO/TS 12812-2:2017, 3.9; 3.14; 7.1; 7.4.2
"""

from typing import Final

from tallystick.kernel.flow import Flow, Node

_ALL: Final[tuple[str, ...]] = ("*",)

CONTROL_CALLS: Final = (
    "CreateKey", "GetKey", "ListKeys", "DeleteKey", "RestoreKey", "StartKeyUsage", "StopKeyUsage",
    "CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias", "ListAliases", "TagResource",
    "UntagResource", "ListTagsForResource", "ImportKey", "GetParametersForImport", "ExportKey",
    "GetParametersForExport", "GetPublicKeyCertificate", "GetCertificateSigningRequest",
    "GetDefaultKeyReplicationRegions",
)  # fmt: skip
"""Calls about keys: the writer keeps what they change."""

DATA_CALLS: Final = (
    "TranslatePinData", "GeneratePinData", "VerifyPinData", "GenerateMac", "VerifyMac",
    "GenerateCardValidationData", "VerifyCardValidationData", "VerifyAuthRequestCryptogram",
    "GenerateAuthRequestCryptogram", "EncryptData", "DecryptData", "ReEncryptData",
    "GenerateMacEmvPinChange", "TranslateKeyMaterial",
)  # fmt: skip
"""Calls with keys: nothing of them is kept."""

SURROGATE_CALLS: Final = (
    "Tokenise", "Detokenise", "DetokeniseMany", "RenewSurrogate", "ListSurrogateDomains",
)  # fmt: skip
"""Calls about surrogates: values are sealed before they reach the writer."""

_KEPT: Final = ("domain", "purpose", "generation", "warrant", "surrogate", "surrogates")


def _door(call: str, writer: tuple[str, ...]) -> Flow:
    reads = {Node.PROGRAM: _ALL, Node.FRONT: _ALL, Node.MODULE: _ALL}
    return Flow(
        name=f"paycrypt.{call}", source=Node.PROGRAM, destination=Node.MODULE, via=(Node.FRONT,),
        end_to_end=False, reads=reads | ({Node.WRITER: writer} if writer else {}),
    )  # fmt: skip


DOOR_FLOWS: Final = (
    *(_door(call, _ALL) for call in CONTROL_CALLS),
    *(_door(call, ()) for call in DATA_CALLS),
    *(_door(call, _KEPT) for call in SURROGATE_CALLS),
)
"""One row for each call of the door."""
