"""The list of the JSON files of a bundle, and the statement about it that is signed.

Both have the form that compliance-trestle writes and verifies, so that it can check our signature
and we can check its.

Source: OSCAL 1.2.1; RFC 8785
"""

from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import NotAuthentic, Refused
from tallystick.kernel.model import Record
from tallystick.process.conformance.basis import LIMIT

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://oscal-compass.github.io/compliance-trestle/predicates/oscal-package/v1"
PRIMARY: Final = "assessment-results.json"
_TOOL: Final = "compliance-trestle"
_VERSION: Final = "v1"
_JSON: Final = "application/json"


class Artifact(Record, frozen=True, kw_only=True):
    """A JSON file of the bundle; its name and its address are the same.

    Source: OSCAL 1.2.1
    """

    name: str
    uri: str
    mediaType: str  # noqa: N815 - the name is of the format


class Manifest(Record, frozen=True, kw_only=True):
    """The list.

    Source: OSCAL 1.2.1
    """

    primaryArtifact: str  # noqa: N815 - the name is of the format
    artifacts: tuple[Artifact, ...]


class Predicate(Record, frozen=True, kw_only=True):
    """What the statement says of the list; `tool` names the form, not who signed.

    Source: OSCAL 1.2.1
    """

    tool: str
    manifestVersion: str  # noqa: N815 - the name is of the format
    primaryArtifact: str  # noqa: N815 - the name is of the format
    artifacts: tuple[Artifact, ...]


class Digested(Record, frozen=True, kw_only=True):
    """A file by its name, and the digest of its canonical JSON.

    Source: RFC 8785
    """

    name: str
    digest: dict[str, str]


class Statement(Record, frozen=True, kw_only=True, rename={"type_": "_type"}):
    """What is signed.

    Source: RFC 8785
    """

    type_: str
    subject: tuple[Digested, ...]
    predicateType: str  # noqa: N815 - the name is of the format
    predicate: Predicate


_manifests: Final = Decoder(Manifest, limit=LIMIT)


def manifest_of(files: Mapping[str, bytes]) -> Manifest:
    """The list of `files`, which are canonical JSON.

    Source: OSCAL 1.2.1
    """
    return Manifest(
        primaryArtifact=PRIMARY,
        artifacts=tuple(Artifact(name=name, uri=name, mediaType=_JSON) for name in sorted(files)),
    )


def statement_of(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """What is signed of `files` under `manifest`.

    Source: RFC 8785
    """
    return encode_canonical(
        Statement(
            type_=STATEMENT,
            subject=tuple(
                Digested(name=one.name, digest={"sha256": sha256(files[one.uri]).hex()})
                for one in manifest.artifacts
            ),
            predicateType=PREDICATE,
            predicate=Predicate(
                tool=_TOOL,
                manifestVersion=_VERSION,
                primaryArtifact=manifest.primaryArtifact,
                artifacts=manifest.artifacts,
            ),
        )
    )


def check_statement(payload: bytes, manifest_octets: bytes, files: Mapping[str, bytes]) -> Manifest:
    """The list, if `payload` is the statement about it and about `files`.

    Every file must be canonical JSON, so that no octet of it can change unseen. Raises
    NotAuthentic otherwise.
    Source: RFC 8785
    """
    try:
        manifest = _manifests.decode_canonical(manifest_octets)
    except Refused as error:
        raise NotAuthentic("the manifest has not the form of one") from error
    for one in manifest.artifacts:
        if one.uri != one.name or one.uri not in files:
            raise NotAuthentic(f"{one.uri[:80]} is listed and not there")
    if statement_of(manifest, files) != payload:
        raise NotAuthentic("the files are not those that were signed")
    return manifest
