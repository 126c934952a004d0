"""The manifest of an app that is a folder of files: approved by officers, signed by the app's key.

    officer looks at the files -> statement over their manifest -> ... as many officers as it takes
    statement, the same files again -> manifest signed by the key that signs applications

Each officer makes the manifest anew from a copy of the files; what is signed in the end is what
each of them had.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5; 6.2.1
"""

from pathlib import Path
from typing import Final

from tallystick.client.release.manifest import (
    AppManifest,
    Build,
    files_of,
    issue_manifest,
    verify_app,
)
from tallystick.client.vault.sealing import ProviderPin
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import Record
from tallystick.process.isms.signing import verify_statement
from tallystick.protocol.statements import SignedStatement

FILES: Final = "app-files"
_ENVIRONMENT: Final = {"production": "production"}


class ApprovedFiles(Record, frozen=True, kw_only=True):
    """What officers sign of an app's files: its words, and the SHA-256 (hex) of its manifest.

    Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.1
    """

    app: str
    version: str
    build: Build
    files: int
    digest: str


_approved: Final = Decoder(ApprovedFiles, limit=4096)


def manifest_of_files(
    folder: ProviderFolder, app: Path, *, name: str, version: str, build: Build
) -> AppManifest:
    """The manifest of the files below `app`, for the provider in `folder`.

    Raises Malformed for a build that is not for this provider or where there is no file, and what
    `files_of` raises.
    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.7
    """
    settings, files = folder.settings(), files_of(app)
    if not files:
        raise Malformed("there is no file below this folder", remedy="name the folder of the build")
    environment = _ENVIRONMENT.get(settings.profile, "test")
    if (environment == "production") is not (build is Build.RELEASE):
        raise Malformed(
            f"a {build} build is not for a provider of profile {settings.profile}",
            remedy="a release is for production, a debug build for anything else",
        )
    pin = ProviderPin(
        name=settings.provider,
        origin=settings.origin,
        algorithm=settings.root.algorithm,
        root=settings.root.public,
        environment=environment,
    )
    return AppManifest(v=1, app=name, version=version, build=build, pin=pin, files=files)


def approved_files(manifest: AppManifest) -> ApprovedFiles:
    """What an officer signs of `manifest`.

    Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.1
    """
    return ApprovedFiles(
        app=manifest.app,
        version=manifest.version,
        build=manifest.build,
        files=len(manifest.files),
        digest=sha256(encode_canonical(manifest)).hex(),
    )


def sign_files(
    folder: ProviderFolder, app: Path, statement: SignedStatement, key: SigningKey
) -> tuple[AppManifest, str]:
    """The manifest that officers approved by `statement`, signed with `key`, if `app` is that.

    Raises NotPermitted and NotAuthentic for signatures that are not enough, Malformed for another
    statement, Conflict for other files than were approved.
    Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.1
    """
    settings = folder.settings()
    officers = {name: half.verify_key() for name, half in settings.officers.items()}
    if statement.about != FILES:
        raise Malformed("this statement is not about the files of an app")
    said = _approved.decode_canonical(verify_statement(statement, officers, settings.profile))
    manifest = manifest_of_files(folder, app, name=said.app, version=said.version, build=said.build)
    if approved_files(manifest) != said:
        raise Conflict(
            "these are not the files that officers approved",
            remedy="take the files that they had, or have these approved",
        )
    signed = issue_manifest(key, manifest)
    verify_app(signed, {said.build: key.public()}, app)
    return manifest, signed
