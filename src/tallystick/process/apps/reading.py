"""The text of a release, and the manifest that the package itself bears out.

    platform, artifact, bill, notes, [package, version, name, system] -> manifest

What a package for phones says of itself is read out of it and cannot be said otherwise; only for a
server are package, version, name and system written down.

Source: ISO/TS 12812-2:2017, 7.4.4
"""

from typing import Any, Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.packages.apk import read_apk
from tallystick.infrastructure.packages.ipa import read_ipa
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.process.apps.manifest import AppRelease, Platform, checked
from tallystick.process.isms.sbom import read_bill
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import read_nodes

_ALWAYS: Final = ("platform", "artifact", "bill", "notes")
_WRITTEN: Final = ("package", "version", "name", "system")


class ReleaseText(Record, frozen=True, kw_only=True):
    """What the text of a release says; files are named beside it.

    `package`, `name` and `system` are empty, `version` 0, where the package says them itself.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """

    platform: Platform
    artifact: str
    bill: str
    notes: str
    package: str = ""
    version: int = 0
    name: str = ""
    system: str = ""


def read_release_text(text: str) -> ReleaseText:
    """The release in `text` (YAML).

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    defects = Defects(remedy="correct the release's file")
    part = Section(read_nodes(text, "release"), "release", defects, (*_ALWAYS, *_WRITTEN))
    platform = part.choice("platform", [one.value for one in Platform])
    said = {word: part.text(word) for word in ("artifact", "bill")}
    notes = part.text("notes", r"(?s)^.{1,2000}$")
    written = {word: part.text(word) for word in ("package", "name", "system") if word in part}
    version = part.integer("version", 1) if "version" in part else 0
    defects.refuse()
    server = platform == Platform.SERVER.value
    if server is not (len(written) == 3 and version > 0) or (not server and (written or version)):
        raise Malformed(
            "package, version, name and system are written for a server, and only for one",
            remedy="leave them out where the package says them",
        )
    return ReleaseText(
        platform=Platform(platform), notes=notes.strip(), version=version, **said, **written
    )


def manifest_of(said: ReleaseText, artifact: bytes, bill: bytes) -> AppRelease:
    """The manifest of the release `said`, read out of its package where that says it.

    Raises Malformed, TooLarge and NotAuthentic for a package or a list of parts that is not taken:
    unsigned, altered, debuggable, for tests, or a list that names the digest of another package.
    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5
    """
    digest, parts = sha256(artifact).hex(), read_bill(bill)
    if parts.digests and digest not in parts.digests:
        raise Malformed(
            "the bill of materials names another package",
            remedy="make one of this package, or name the one that was made of it",
        )
    if said.platform is Platform.ANDROID:
        found = _of_android(artifact)
    elif said.platform is Platform.IOS:
        found = _of_apple(artifact)
    else:
        found = _of_server(said)
    return checked(
        AppRelease(
            platform=said.platform,
            digest=digest,
            bill=sha256(bill).hex(),
            notes=said.notes,
            **found,
        )
    )


def _of_android(artifact: bytes) -> dict[str, Any]:
    found = read_apk(artifact)
    told = found.manifest
    if told.debuggable or told.test_only:
        raise NotAuthentic("a package that can be debugged, or is for tests, is not released")
    return {
        "package": told.package,
        "version": told.version,
        "name": told.version_name,
        "signers": found.signers,
        "system": f"API {told.least_system}",
    }


def _of_apple(artifact: bytes) -> dict[str, Any]:
    found = read_ipa(artifact)
    if not found.build.isdigit():
        raise Malformed("the build of a package for iOS is a number, so that builds have an order")
    return {
        "package": found.bundle,
        "version": int(found.build),
        "name": found.version_name,
        "signers": (found.team,),
        "system": f"iOS {found.least_system}",
    }


def _of_server(said: ReleaseText) -> dict[str, Any]:
    return {
        "package": said.package,
        "version": said.version,
        "name": said.name,
        "signers": (),
        "system": said.system,
    }
