"""The application looks at itself when it starts, and does not run altered.

    signed manifest -> key list of the pinned root -> what the platform says of this very package

The manifest comes beside the package (or from the provider), not in it. A whole package that was
altered on purpose can leave this out; what it cannot do is come in: the provider looks too.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import NotAuthentic, Refused
from tallystick.protocol.apps import AppClaim, AppManifest, manifest_header

_MANIFESTS = Decoder(AppManifest)
_REMEDY = "install the application from the official store"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the platform says of the package that runs: its name, version, signers and SHA-256.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    platform: str
    package: str
    version: int
    digest: str
    signers: tuple[str, ...]


def check_own(
    signed: str, keys: Mapping[str, VerifyKey], provider: str, measured: Measured
) -> AppClaim:
    """What this application says of itself, if what the provider `signed` is what is `measured`.

    `keys` are the provider's keys that sign applications, of its key list. Raises NotAuthentic for
    another signer, form, provider or package: then the application must not go on.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    manifest = read_manifest(signed, keys)
    same = (
        manifest.provider == provider
        and manifest.platform == measured.platform
        and manifest.package == measured.package
        and manifest.version == measured.version
        and manifest.digest == measured.digest
        and set(manifest.signers) == set(measured.signers)
    )
    if not same:
        raise NotAuthentic("this application is not what the provider released", remedy=_REMEDY)
    return AppClaim(
        platform=measured.platform,
        package=measured.package,
        version=measured.version,
        digest=measured.digest,
    )


def read_manifest(signed: str, keys: Mapping[str, VerifyKey]) -> AppManifest:
    """The manifest in `signed`, if one of `keys` signed it.

    Raises NotAuthentic, whatever is wrong with it.
    Source: RFC 7515, 5.2; RFC 8725, 3.1
    """
    try:
        header, payload, signature, signing_input = split_compact(signed)
    except Refused as error:
        raise _not_signed() from error
    for key in keys.values():
        if header != encode_canonical(manifest_header(key.algorithm)):
            continue
        try:
            key.verify(signature, signing_input)
            return _MANIFESTS.decode_canonical(payload)
        except Refused:
            continue
    raise _not_signed()


def _not_signed() -> NotAuthentic:
    return NotAuthentic("the manifest is not signed by the provider", remedy=_REMEDY)
