"""The manifest of an app: signed by whoever releases it, over every file, build and provider.

A compact JWS; header `{"alg":ALG,"typ":"tallystick-app"}` as canonical JSON, exactly, payload
canonical JSON. Debug builds have another signer than releases.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; RFC 7515
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from tallystick.client.vault.sealing import ProviderPin
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, Unavailable
from tallystick.kernel.model import Record

TYPE: Final = "tallystick-app"
_MOST: Final = 4096


class Build(StrEnum):
    """A build for developers, or one for customers.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    DEBUG = "debug"
    RELEASE = "release"


class AppManifest(Record, frozen=True, kw_only=True):
    """What an app is: name, version, build, its provider, and SHA-256 (hex) of each file by path.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    v: int
    app: str
    version: str
    build: Build
    pin: ProviderPin
    files: dict[str, str]


_MANIFESTS: Final[Decoder[AppManifest]] = Decoder(AppManifest, limit=1024 * 1024)
_ENVIRONMENT: Final = {Build.DEBUG: "test", Build.RELEASE: "production"}


def files_of(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file below `folder`, by path.

    Raises NotAuthentic for a link or anything else that is no file, or for more than 4096 files;
    Unavailable if one cannot be read.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    found: dict[str, str] = {}
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise NotAuthentic("the app has something that is no file of its own")
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = sha256(path.read_bytes()).hex()
            if len(found) > _MOST:
                raise NotAuthentic("the app has more files than any release")
    except OSError as error:
        raise Unavailable("a file of the app cannot be read", remedy="install it again") from error
    return found


def issue_manifest(signer: SigningKey, manifest: AppManifest) -> str:
    """`manifest`, signed; for whoever builds the app.

    Raises Malformed for a debug build that is for production, or a release that is not.
    Source: ISO/TS 12812-2:2017, 7.2.5; RFC 7515, 3.1
    """
    _check(manifest)
    return sign_compact(signer, _header(signer.algorithm), encode_canonical(manifest))


def verify_app(jws: str, signers: Mapping[Build, VerifyKey], folder: Path) -> AppManifest:
    """The manifest in `jws`, if the signer of its kind of build signed it and `folder` is as it
    says: no file changed, missing, or added.

    Raises NotAuthentic, Malformed, Unavailable.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    header, payload, signature, signing_input = split_compact(jws)
    manifest = _MANIFESTS.decode_canonical(payload)
    signer = signers.get(manifest.build)
    if signer is None or header != _header(signer.algorithm):
        raise NotAuthentic("the app is of a build that is not taken here")
    signer.verify(signature, signing_input)
    _check(manifest)
    found = files_of(folder)
    for path in sorted(found.keys() | manifest.files.keys()):
        if found.get(path) != manifest.files.get(path):
            raise NotAuthentic(
                f"the app is not as it was released: {path[:80]}",
                remedy="install it again from the store of the phone",
            )
    return manifest


def _check(manifest: AppManifest) -> None:
    if manifest.v != 1 or manifest.pin.environment != _ENVIRONMENT[manifest.build]:
        raise Malformed(
            "a debug build is for a test provider, a release for one in production",
            remedy="build the app for the provider that it talks to",
        )


def _header(algorithm: str) -> bytes:
    return encode_canonical({"alg": algorithm, "typ": TYPE})
